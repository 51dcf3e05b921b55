import { z } from "zod";
import { InvalidInputError } from "../../contracts/errors.ts";
import type { Bag } from "./values.ts";

const names = z.array(z.string()).default([]);
const principals = z.array(z.strictObject({ type: z.string(), identifiers: z.array(z.string()) })).default([]);
const statement = z.strictObject({
  sid: z.string().optional(),
  effect: z.enum(["Allow", "Deny"]).default("Allow"),
  actions: names,
  notActions: names,
  resources: names,
  notResources: names,
  principals,
  notPrincipals: principals,
  conditions: z
    .array(z.strictObject({ test: z.string(), variable: z.string(), values: z.array(z.string()) }))
    .default([]),
});
const documentArguments = z.strictObject({
  policyId: z.string().optional(),
  version: z.string().default("2012-10-17"),
  statements: z.array(statement).default([]),
});

/** The document that `aws.iam.getPolicyDocument` builds from statements, as text with and without spacing. */
export function policyDocument(args: Bag): Bag {
  const result = documentArguments.safeParse(args);
  if (!result.success) {
    const [issue] = result.error.issues;
    const unsupported = issue?.code === "unrecognized_keys" ? issue.keys.join(", ") : undefined;
    throw new InvalidInputError(
      "POLICY_DOCUMENT",
      unsupported === undefined
        ? `getPolicyDocument: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`
        : `getPolicyDocument: the local provider does not support ${unsupported}`,
    );
  }
  const { policyId, version, statements } = result.data;
  const document = {
    Version: version,
    ...(policyId === undefined ? {} : { Id: policyId }),
    Statement: statements.map(statementOf),
  };
  const json = JSON.stringify(document, undefined, 2);
  return { ...args, version, json, minifiedJson: JSON.stringify(document), id: policyId ?? version };
}

function statementOf(from: z.output<typeof statement>): Bag {
  return {
    ...(from.sid === undefined ? {} : { Sid: from.sid }),
    Effect: from.effect,
    ...list("Action", from.actions),
    ...list("NotAction", from.notActions),
    ...list("Resource", from.resources),
    ...list("NotResource", from.notResources),
    ...principalsOf("Principal", from.principals),
    ...principalsOf("NotPrincipal", from.notPrincipals),
    ...conditionsOf(from.conditions),
  };
}

function list(key: string, values: string[]): Bag {
  if (values.length === 0) return {};
  return { [key]: values.length === 1 ? values[0] : [...values].sort() };
}

function principalsOf(key: string, from: z.output<typeof principals>): Bag {
  if (from.length === 0) return {};
  const [only] = from;
  if (from.length === 1 && only?.type === "*" && only.identifiers.includes("*")) return { [key]: "*" };
  const byType = new Map<string, string[]>();
  for (const { type, identifiers } of from) byType.set(type, [...(byType.get(type) ?? []), ...identifiers]);
  return { [key]: Object.assign({}, ...[...byType].map(([type, identifiers]) => list(type, identifiers))) as Bag };
}

function conditionsOf(from: z.output<typeof statement>["conditions"]): Bag {
  if (from.length === 0) return {};
  const tests: Record<string, Bag> = {};
  for (const { test, variable, values } of from) tests[test] = { ...tests[test], ...list(variable, values) };
  return { Condition: tests };
}
