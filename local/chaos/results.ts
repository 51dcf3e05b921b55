import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { KnownPoint } from "./rows.ts";

const point = z.strictObject({
  label: z.string(),
  occurrence: z.int(),
  wire: z.enum(["aws", "sql", "api"]),
  ofOperation: z.boolean(),
  times: z.int(),
});

/**
 * How a row ended. `held`: it struck, and every invariant holds. `unreached`: what should have struck did not come, in
 * any of the attempts. `caught` and `missed` are of seeded bugs.
 */
export const verdicts = ["held", "violated", "unreached", "caught", "missed"] as const;

const result = z.strictObject({
  kind: z.literal("result"),
  row: z.string(),
  verdict: z.enum(verdicts),
  violations: z.array(z.strictObject({ invariant: z.string(), what: z.string() })),
  /** The exchange's last state; null when it had none in time. */
  state: z.string().nullable(),
  /** What the kills met. */
  struck: z.array(z.string()),
  attempts: z.int(),
  seconds: z.number(),
  at: z.iso.datetime(),
});
export type Result = z.infer<typeof result>;

const plan = z.strictObject({ kind: z.literal("plan"), seed: z.int(), points: z.array(point) });
export type Plan = Omit<z.infer<typeof plan>, "kind">;

const line = z.discriminatedUnion("kind", [plan, result]);

/** The results of a matrix in a file of JSON lines: whatever ends the harness, what has been run stays known. */
export class Results {
  readonly file: string;
  readonly #latest = new Map<string, Result>();
  #plan: Plan | undefined;

  private constructor(file: string) {
    this.file = file;
  }

  /** Opens the results in a folder; `fresh` puts what is there aside. */
  static open(folder: string, fresh: boolean): Results {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, "results.jsonl");
    if (fresh && existsSync(file)) renameSync(file, join(folder, `results-${Date.now()}.jsonl`));
    const results = new Results(file);
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    // What comes next must not be glued to a line that was cut short.
    if (text !== "" && !text.endsWith("\n")) appendFileSync(file, "\n");
    for (const one of text.split("\n")) results.#take(one);
    return results;
  }

  /** The points that the first clean run found, so that a resumed matrix has the rows of the one before. */
  get plan(): Plan | undefined {
    return this.#plan;
  }

  setPlan(seed: number, points: readonly KnownPoint[]): Plan {
    this.#plan = { seed, points: [...points] };
    this.#append({ kind: "plan", ...this.#plan });
    return this.#plan;
  }

  of(row: string): Result | undefined {
    return this.#latest.get(row);
  }

  add(one: Omit<Result, "kind" | "at">): Result {
    const whole: Result = { kind: "result", ...one, at: new Date().toISOString() };
    this.#latest.set(whole.row, whole);
    this.#append(whole);
    return whole;
  }

  #append(one: z.infer<typeof line>): void {
    appendFileSync(this.file, `${JSON.stringify(one)}\n`);
  }

  /** A line that was cut short by a kill is as if it had not been written. */
  #take(text: string): void {
    const parsed = line.safeParse(parseJson(text));
    if (parsed.data?.kind === "plan") this.#plan = { seed: parsed.data.seed, points: parsed.data.points };
    if (parsed.data?.kind === "result") this.#latest.set(parsed.data.row, parsed.data);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
