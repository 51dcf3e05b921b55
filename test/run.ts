/**
 * `npm test`: every check and every suite, stopping for nothing, so that one run shows all that is wrong. The checks run
 * beside the suites, which mostly wait; their output is shown whole when they end.
 * `npm test -- --only mocha` runs the steps of that name; what follows `--` goes to it.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { ensureToolchain } from "../local/toolchain/index.ts";
import { stepsWith, type Step } from "./steps.ts";

interface Outcome {
  readonly step: Step;
  readonly ok: boolean;
  readonly seconds: number;
  readonly passed: number;
  readonly failed: number;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

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
