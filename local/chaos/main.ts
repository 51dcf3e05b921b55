/**
 * `npm run chaos`: kills the engine before and after everything that it does, and lets other misfortunes happen; after
 * each run an outsider judges. Progress goes to stderr, the table and a JSON line as the last one to stdout.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { explain, onInterrupt } from "../platform/terminal.ts";
import { bugs } from "./bugs/index.ts";
import { faults } from "./faults/index.ts";
import { bugRow, lanesIn, runRow, runRows, type Row, type WatchedLane } from "./matrix.ts";
import { quickSample, wholeMatrix } from "./plan.ts";
import { summary, table } from "./report.ts";
import { Results, type Plan } from "./results.ts";
import { clean, parseRow, pointsOf } from "./rows.ts";

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
const running = { signal: interrupt.signal, progress: say };
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
  const only = options.only?.map(rowOf);
  const lanes = lanesIn(options.out, options.lanes, interrupt.signal);
  try {
    if (only) {
      await runRows(only, lanes.slice(0, only.length), results, running);
      report(only, results);
      return;
    }
    const plan = await planOf(results, lanes, seedOf(options.seed ?? results.plan?.seed.toString()));
    const rows = [clean, ...wholeMatrix({ ...plan, faults, pairs: options.pairs }), ...bugs.map(bugRow)];
    if (options.list) return void process.stdout.write(`${rows.map(({ name }) => name).join("\n")}\n`);
    const open = rows.filter(({ name }) => results.of(name) === undefined);
    say(`${open.length} of ${rows.length} rows to run, seed ${plan.seed}, results in ${results.file}`);
    await runRows(open, lanes, results, running);
    report(rows, results);
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
    const plan = await planOf(results, lanes, seed);
    const rows = quickSample({ ...plan, faults, bugs });
    say(`${rows.length} rows, seed ${seed}`);
    const { leftOut } = await runRows(rows, lanes, results, { ...running, endsAt });
    for (const { name } of leftOut) say(`no time was left for: ${name}`);
    report([clean, ...rows], results);
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

function rowOf(name: string): Row {
  return bugs.map(bugRow).find((row) => row.name === name) ?? parseRow(name, faults);
}

function report(rows: readonly Row[], results: Results): void {
  const known = rows.flatMap(({ name }) => results.of(name) ?? []);
  process.stdout.write(`${table(known, results.plan)}\n${summary(known)}\n`);
  if (known.some(({ verdict }) => verdict === "violated" || verdict === "missed")) process.exitCode = 1;
  if (known.length < rows.length) say(`${rows.length - known.length} rows have no result yet`);
}

function seedOf(text: string | undefined): number {
  return text === undefined ? Date.now() % 1_000_000 : Number(text);
}
