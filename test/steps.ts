/** The steps of `npm test`. Those that are scripts of package.json are run as such, so that each of them is known to work. */
import packageJson from "../package.json" with { type: "json" };

export interface Step {
  readonly name: string;
  readonly what: string;
  readonly command: readonly [string, ...string[]];
  /** Steps of one lane run one after the other; lanes run side by side, after `first`. */
  readonly lane: "first" | "checks" | "suites";
  /** The folder to run in, relative to the project's. */
  readonly folder?: string;
  /** Where the step's own output says how many tests passed and failed. */
  readonly counts?: { readonly passed: RegExp; readonly failed: RegExp };
}

export type ScriptName = keyof typeof packageJson.scripts;

const npmRun = ["npm", "run", "--silent"] as const;
const script = (name: ScriptName, ...args: readonly string[]): Step["command"] => [
  ...npmRun,
  name,
  ...(args.length > 0 ? ["--", ...args] : []),
];
const mochaCounts = { passed: /(\d+) passing/, failed: /(\d+) failing/ };

export function stepsWith(tools: { python: string }, rest: readonly string[] = []): Step[] {
  return [
    { name: "build", lane: "first", what: "bundles of the Lambdas and of the Glue job", command: script("build") },
    { name: "typecheck", lane: "checks", what: "TypeScript types", command: script("typecheck") },
    { name: "lint", lane: "checks", what: "ESLint", command: script("lint") },
    {
      name: "format",
      lane: "checks",
      what: "Prettier, which changes nothing here",
      command: script("format", "--no-write", "--check", "--log-level", "warn"),
    },
    {
      name: "imports",
      lane: "checks",
      what: "direction of imports",
      command: script("imports", "--output-type", "err"),
    },
    {
      name: "ruff",
      lane: "checks",
      what: "Python lint",
      command: [tools.python, "-m", "ruff", "check", "glue", "local", "bench"],
    },
    {
      name: "ruff-format",
      lane: "checks",
      what: "Python format",
      command: [tools.python, "-m", "ruff", "format", "--check", "glue", "local", "bench"],
    },
    {
      name: "glue",
      lane: "checks",
      what: "the record copy against MariaDB",
      command: [tools.python, "-m", "pytest", "-q"],
      folder: "glue",
      counts: { passed: /(\d+) passed/, failed: /(\d+) (?:failed|error)/ },
    },
    {
      name: "scripts",
      lane: "checks",
      what: "every other npm script at its smallest size",
      command: ["mocha", "--timeout", "600000", "test/scripts/smallest.ts"],
      counts: mochaCounts,
    },
    {
      name: "mocha",
      lane: "suites",
      what: "everything else, up to whole exchanges over HTTP",
      command: ["mocha", ...(rest.length > 0 ? rest : ["test/**/*.test.ts"])],
      counts: mochaCounts,
    },
    {
      name: "chaos",
      lane: "suites",
      what: "a sample of kills, cancellations, faults and seeded bugs",
      command: script("chaos", "--quick"),
      counts: { passed: /"runs":(\d+)/, failed: /"violations":(\d+)/ },
    },
  ];
}

/** The script of package.json that a step runs. */
export function scriptOf({ command }: Step): string | undefined {
  return npmRun.every((word, index) => command[index] === word) ? command[npmRun.length] : undefined;
}
