/** Which npm scripts `test/scripts/smallest.ts` runs. */

/** Those that end with a JSON object of figures as the last line of stdout. */
export interface MeasuredScript {
  readonly script: string;
  readonly args: (files: string, out: string) => string[];
  /** Members of that object. */
  readonly result: readonly string[];
}

export const measured: readonly MeasuredScript[] = [
  { script: "load", args: () => ["--exchanges", "1"], result: ["exchanges", "finished", "bareSdkSeconds"] },
  { script: "bench:initiated", args: () => ["--rounds", "1"], result: ["exchanges", "seconds", "startSeconds"] },
  { script: "bench:takeover", args: () => ["--rounds", "1"], result: ["rounds", "leaseSeconds", "seconds"] },
  { script: "bench:provider", args: () => ["--rounds", "1"], result: ["one", "4AtOnce"] },
  {
    script: "bench:annotations",
    args: () => ["--documents", "4", "--rounds", "1", "--warm-ups", "0"],
    result: ["documentsPerSecond", "bareLoop", "ratio"],
  },
  { script: "bench:records", args: () => ["--rows", "20000", "--rounds", "1"], result: ["rows", "rowsPerSecond"] },
  {
    script: "corpus",
    args: (files, out) => ["--files", files, "--out", out],
    result: ["files", "produced", "leaks", "crashes"],
  },
];

/** Those that are run and judged in words. */
export const interactive = ["demo", "local", "pulumi"] as const;
