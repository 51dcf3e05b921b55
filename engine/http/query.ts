import { z } from "zod";
import { excludedState, unitStates } from "../../contracts/ledger.ts";
import { exchangeStates } from "../../contracts/states.ts";
import { Problem, type FieldError } from "./problem.ts";

const limit = z.coerce.number().int().min(1).max(500).default(50);

export const listQuery = z.strictObject({
  state: z.enum(exchangeStates).optional(),
  after: z.coerce.number("must be the `next` of a page").int().positive().optional(),
  limit,
});

export const documentsQuery = z.strictObject({
  state: z.enum([...unitStates, excludedState]).optional(),
  after: z
    .string()
    .regex(/^[a-z_]+:\d+$/, "must be the `next` of a page")
    .transform((text) => {
      const [stage = "", unitId = ""] = text.split(":");
      return { stage, unitId };
    })
    .optional(),
  limit,
});

/** Parses with a schema; every bad field is named at once. */
export function parsed<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = result.error.issues.flatMap(fieldErrors);
  throw invalid(errors, what);
}

/** 422 and not 400: the request was understood, its content is wrong; 400 is for what cannot be read at all. */
export function invalid(errors: readonly FieldError[], what = "the body"): Problem {
  const fields = errors.map(({ field }) => field || what).join(", ");
  return new Problem(422, "INVALID_REQUEST", `${what} has wrong values: ${fields}`, { errors });
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ field: [...path, key].join("."), message: "is not a known field" }));
  }
  return [{ field: path.join("."), message: issue.message }];
}
