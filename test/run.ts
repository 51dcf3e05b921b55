/**
 * `npm test`: every check and every suite, stopping for nothing, so that one run shows all that is wrong. The checks run
 * beside the suites, which mostly wait; their output is shown whole when they end.
 * `npm test -- --only mocha` runs the steps of that name; what follows `--` goes to it.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { ensureToolchain } from "../local/toolchain/index.ts";

interface Step {
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

interface Outcome {
  readonly step: Step;
  readonly ok: boolean;
  readonly seconds: number;
  readonly passed: number;
  readonly failed: number;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function stepsWith(tools: { python: string }, rest: readonly string[]): Step[] {
  const sources = ["build.ts", "contracts", "engine", "programs", "processors", "local", "test", "bench"];
  return [
    { name: "build", lane: "first", what: "bundles of the Lambdas and of the Glue job", command: ["node", "build.ts"] },
    { name: "typecheck", lane: "checks", what: "TypeScript types", command: ["tsc", "-p", "."] },
    { name: "lint", lane: "checks", what: "ESLint", command: ["eslint", ".", "--max-warnings", "0"] },
    { name: "format", lane: "checks", what: "Prettier", command: ["prettier", "--check", "--log-level", "warn", "."] },
    {
      name: "imports",
      lane: "checks",
      what: "direction of imports",
      command: ["depcruise", ...sources, "--config", ".dependency-cruiser.cjs", "--output-type", "err"],
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
      name: "mocha",
      lane: "suites",
      what: "everything else, up to whole exchanges over HTTP",
      command: ["mocha", ...(rest.length > 0 ? rest : ["test/**/*.test.ts"])],
      counts: { passed: /(\d+) passing/, failed: /(\d+) failing/ },
    },
    {
      name: "chaos",
      lane: "suites",
      what: "a sample of kills, cancellations, faults and seeded bugs",
      command: ["node", "local/chaos/main.ts", "--quick"],
      counts: { passed: /"runs":(\d+)/, failed: /"violations":(\d+)/ },
    },
  ];
}

function lastNumber(pattern: RegExp, text: string): number {
  const found = [...text.matchAll(new RegExp(pattern, "g"))].at(-1);
  return Number(found?.[1] ?? 0);
}

async function run(step: Step, live: boolean): Promise<Outcome> {
  say(`▶ ${step.name}: ${step.what}`);
  const [file, ...args] = step.command;
  const started = performance.now();
  const result = await execa(file, args, {
    preferLocal: true,
    cwd: join(import.meta.dirname, "..", step.folder ?? "."),
    reject: false,
    stdin: "ignore",
    all: true,
    stdout: live ? ["inherit", "pipe"] : "pipe",
    stderr: live ? ["inherit", "pipe"] : "pipe",
  });
  const seconds = (performance.now() - started) / 1000;
  const ok = result.exitCode === 0;
  if (!live && result.all) say(`\n${result.all}\n`);
  say(
    `${ok ? "✔" : "✖"} ${step.name} (${seconds.toFixed(1)} s)${ok ? "" : `: repeat with npm test -- --only ${step.name}`}`,
  );
  const failed = step.counts ? lastNumber(step.counts.failed, result.stdout) : 0;
  return {
    step,
    ok,
    seconds,
    passed: step.counts ? lastNumber(step.counts.passed, result.stdout) : 0,
    failed: step.counts && !ok ? Math.max(failed, 1) : failed,
  };
}

const { values, positionals } = parseArgs({
  options: { only: { type: "string", multiple: true } },
  allowPositionals: true,
});
const toolchain = await ensureToolchain(say);
const all = stepsWith(toolchain, positionals);
const steps = values.only ? all.filter((step) => values.only?.includes(step.name)) : all;
if (steps.length === 0) {
  say(`there is no step ${String(values.only)}; there are: ${all.map((step) => step.name).join(", ")}`);
  process.exit(2);
}
const started = performance.now();
const inTurn = async (lane: Step["lane"]): Promise<Outcome[]> => {
  const ended: Outcome[] = [];
  for (const step of steps.filter((one) => one.lane === lane))
    ended.push(await run(step, lane === "suites" || steps.length === 1));
  return ended;
};
const first = await inTurn("first");
const outcomes = [...first, ...(await Promise.all([inTurn("checks"), inTurn("suites")])).flat()];

const broken = outcomes.filter((outcome) => !outcome.ok);
const checksBroken = broken.filter((outcome) => !outcome.step.counts).length;
const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
say(
  `\n${broken.length === 0 ? "All green" : `Broken: ${broken.map((outcome) => outcome.step.name).join(", ")}`} in ${((performance.now() - started) / 1000).toFixed(0)} s`,
);
process.stdout.write(
  `${sum((outcome) => outcome.passed)} passed, ${sum((outcome) => outcome.failed) + checksBroken} failed\n`,
);
process.exitCode = broken.length === 0 ? 0 : 1;
