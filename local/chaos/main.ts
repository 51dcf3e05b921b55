/**
 * `npm run chaos`: kills the engine before and after everything that it does, and lets other misfortunes happen; after
 * each run an outsider judges. Progress goes to stderr, the table and a JSON line as the last one to stdout.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { explain, onInterrupt } from "../platform/terminal.ts";
import { Random } from "../samples/content/random.ts";
import { runBug } from "./bug-run.ts";
import { bugs } from "./bugs/index.ts";
import { faults } from "./faults/index.ts";
import { lanesIn, runRow, runRows, type WatchedLane } from "./matrix.ts";
import { quickSample, wholeMatrix } from "./plan.ts";
import { summary, table } from "./report.ts";
import { Results, type Plan } from "./results.ts";
import { clean, parseRow, pointsOf } from "./rows.ts";
import type { Scenario } from "./scenario.ts";

const usage = `Usage: npm run chaos [-- OPTIONS]

Runs every row of the matrix that has no result yet: kills before and after each effect of an exchange, cancellations,
other faults, pairs, and seeded bugs that have to be caught.

  --quick       a sample of each kind, in at most 6 minutes, with no memory of former runs
  --only ROW    this row alone; may be given several times
  --list        the names of all rows that are known
  --pairs N     seeded pairs: a kill, or a cancellation, and another kill during the recovery (default 40)
  --seed S      what is random comes from this number (default: of the clock; of the first run when going on)
  --lanes K     clouds side by side (default 2)
  --out DIR     where results, logs and clouds are (default .chaos)
  --fresh       puts former results aside and begins anew
  --help        this text
`;

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const root = join(import.meta.dirname, "..", "..");
/** A sample that takes longer than this on a busy machine begins no further row. */
const quickMs = 285_000;

const interrupt = onInterrupt();
try {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true },
      list: { type: "boolean", default: false },
      pairs: { type: "string", default: "40" },
      seed: { type: "string" },
      lanes: { type: "string", default: "2" },
      out: { type: "string", default: join(root, ".chaos") },
      fresh: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) process.stdout.write(usage);
  else if (values.quick) await quick(seedOf(values.seed), Number(values.lanes));
  else await matrix({ ...values, out: resolve(values.out), lanes: Number(values.lanes), pairs: Number(values.pairs) });
} catch (error) {
  process.exitCode = explain(error, interrupt.signal);
}
interrupt.dispose();

interface MatrixOptions {
  readonly out: string;
  readonly lanes: number;
  readonly pairs: number;
  readonly fresh: boolean;
  readonly list: boolean;
  readonly only?: readonly string[] | undefined;
  readonly seed?: string | undefined;
}

async function matrix(options: MatrixOptions): Promise<void> {
  const results = Results.open(options.out, options.fresh);
  const only = options.only?.map((name) => (bugs.some((bug) => name === bugRow(bug)) ? name : parseRow(name, faults)));
  const lanes = lanesIn(options.out, options.lanes, interrupt.signal);
  try {
    if (only) {
      await run(only, lanes, results);
      report(options.only ?? [], results);
      return;
    }
    const plan = await planOf(results, lanes, seedOf(options.seed ?? results.plan?.seed.toString()));
    const rows = [...wholeMatrix({ ...plan, faults, pairs: options.pairs }), ...bugs.map(bugRow)];
    const names = [clean.name, ...rows.map(nameOf)];
    if (options.list) process.stdout.write(`${names.join("\n")}\n`);
    else {
      const open = rows.filter((row) => results.of(nameOf(row)) === undefined);
      say(`${open.length} of ${rows.length} rows to run, seed ${plan.seed}, results in ${results.file}`);
      await run(open, lanes, results);
      report(names, results);
    }
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()));
  }
}

/** The sample has a folder of its own that goes with it, unless something went wrong. */
async function quick(seed: number, count: number): Promise<void> {
  const endsAt = Date.now() + quickMs;
  const out = await mkdtemp(join(tmpdir(), "exchanger-chaos-"));
  const results = Results.open(out, true);
  const lanes = lanesIn(out, count, interrupt.signal);
  try {
    const bug = new Random(seed).some(bugs, 1).map(bugRow);
    const plan = await planOf(results, lanes, seed);
    const rows = [...quickSample({ ...plan, faults }), ...bug];
    say(`${rows.length} rows, seed ${seed}`);
    const { leftOut } = await run(rows, lanes, results, endsAt);
    for (const row of leftOut) say(`no time was left for: ${nameOf(row)}`);
    report([clean.name, ...rows.map(nameOf)], results);
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()));
    if (process.exitCode === undefined) await rm(out, { recursive: true, force: true });
    else say(`logs and results are kept in ${out}`);
  }
}

/** The points of a clean run: of the first one of these results, so that the rows stay the same. */
async function planOf(results: Results, lanes: readonly WatchedLane[], seed: number): Promise<Plan> {
  if (results.plan) return results.plan;
  const [first, ...others] = lanes;
  if (!first) throw new RangeError("--lanes must be at least 1");
  say("a clean run, to number what an exchange does");
  // The others come up meanwhile; what is wrong with one is told when it gets its first row.
  for (const lane of others) lane.ready().catch(() => undefined);
  const { outcome } = await runRow(clean, first, results);
  return results.setPlan(seed, pointsOf(outcome.calls));
}

type Row = Scenario | string;

async function run(rows: readonly Row[], lanes: readonly WatchedLane[], results: Results, endsAt?: number) {
  const scenarios = rows.filter((row) => typeof row !== "string");
  const options = { signal: interrupt.signal, progress: say, ...(endsAt !== undefined && { endsAt }) };
  const { leftOut } = await runRows(scenarios, lanes, results, options);
  const left: Row[] = [...leftOut];
  // Each has a tree and a cloud of its own, so the lanes make room for it.
  for (const row of rows.filter((one) => typeof one === "string")) {
    if (interrupt.signal.aborted || Date.now() > (endsAt ?? Infinity)) left.push(row);
    else {
      await Promise.all(lanes.map((lane) => lane.close()));
      const bug = bugs.find((one) => bugRow(one) === row);
      if (bug) say(`${row}: ${results.add(await runBug(bug, interrupt.signal)).verdict}`);
    }
  }
  return { leftOut: left };
}

function report(names: readonly string[], results: Results): void {
  const known = names.flatMap((name) => results.of(name) ?? []);
  process.stdout.write(`${table(known, results.plan)}\n${summary(known)}\n`);
  if (known.some(({ verdict }) => verdict === "violated" || verdict === "missed")) process.exitCode = 1;
  if (known.length < names.length) say(`${names.length - known.length} rows have no result yet`);
}

function bugRow({ name }: { name: string }): string {
  return `bug ${name}`;
}

function nameOf(row: Row): string {
  return typeof row === "string" ? row : row.name;
}

function seedOf(text: string | undefined): number {
  return text === undefined ? Date.now() % 1_000_000 : Number(text);
}
