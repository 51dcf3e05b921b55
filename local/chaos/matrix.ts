import { join } from "node:path";
import { quietly } from "../platform/stage.ts";
import type { Progress } from "../toolchain/index.ts";
import type { Bug } from "./bugs/bug.ts";
import { tryBug } from "./bugs/try.ts";
import type { Violation } from "./invariants.ts";
import { openWitness, type Witness } from "./judge/witness.ts";
import { openLane, type Lane, type Outcome } from "./lane.ts";
import type { Result, Results } from "./results.ts";
import type { Scenario } from "./scenario.ts";

/** What is run and judged: our code under some misfortune, or code with a bug that has to be caught. */
export type Row = Scenario | PlantedBug;

export interface PlantedBug {
  readonly name: string;
  readonly bug: Bug;
}

export function bugRow(bug: Bug): PlantedBug {
  return { name: `bug ${bug.name}`, bug };
}

interface Judged {
  readonly outcome: Outcome;
  readonly violations: readonly Violation[];
  readonly verdict: Result["verdict"];
  /** Of the run and the judging of it. */
  readonly seconds: number;
}

/** How often a row is run whose point does not come, before it is reported as not reached. */
const attempts = 3;

/** A lane and who watches it, opened again when a run has left something behind that would fail the next ones. */
export class WatchedLane {
  readonly #runDir: string;
  readonly #signal: AbortSignal;
  #open: Promise<{ lane: Lane; witness: Witness }> | undefined;

  constructor(runDir: string, signal: AbortSignal) {
    this.#runDir = runDir;
    this.#signal = signal;
  }

  /** Opens it, so that it is there when it is needed. */
  async ready(): Promise<void> {
    await this.#opened();
  }

  /** Runs one row once and judges it. */
  async run(row: Row): Promise<Judged> {
    const { lane, witness } = await this.#opened();
    const started = performance.now();
    try {
      const judged = "bug" in row ? await plantAndJudge(row, lane, witness) : await runAndJudge(row, lane, witness);
      if (judged.verdict === "violated" || !judged.outcome.view) await this.close();
      return { ...judged, seconds: Math.round((performance.now() - started) / 100) / 10 };
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const open = await this.#open?.catch(() => undefined);
    this.#open = undefined;
    await open?.witness.close();
    await open?.lane.close();
  }

  #opened(): Promise<{ lane: Lane; witness: Witness }> {
    this.#open ??= this.#start().catch((error: unknown) => {
      this.#open = undefined;
      throw error;
    });
    return this.#open;
  }

  async #start() {
    const lane = await openLane({ stage: quietly, runDir: this.#runDir, signal: this.#signal });
    try {
      return { lane, witness: await openWitness(lane.platform) };
    } catch (error) {
      await lane.close();
      throw error;
    }
  }
}

export function lanesIn(folder: string, count: number, signal: AbortSignal): WatchedLane[] {
  return Array.from({ length: count }, (_, index) => new WatchedLane(join(folder, `lane-${index + 1}`), signal));
}

async function runAndJudge(scenario: Scenario, lane: Lane, witness: Witness): Promise<Omit<Judged, "seconds">> {
  const outcome = await lane.run(scenario);
  const violations = await witness.judge(outcome);
  const verdict = violations.length > 0 ? "violated" : outcome.reached ? "held" : "unreached";
  return { outcome, violations, verdict };
}

async function plantAndJudge({ bug }: PlantedBug, lane: Lane, witness: Witness): Promise<Omit<Judged, "seconds">> {
  const { outcome, violations, caught } = await tryBug(bug, lane, witness);
  return { outcome, violations, verdict: caught ? "caught" : outcome.reached ? "missed" : "unreached" };
}

/** Runs one row, again when its point did not come, and writes what came out. */
export async function runRow(
  row: Row,
  lane: WatchedLane,
  results: Results,
): Promise<{ result: Result; outcome: Outcome }> {
  for (let attempt = 1; ; attempt++) {
    const { outcome, violations, verdict, seconds } = await persistently(() => lane.run(row));
    if (verdict === "unreached" && attempt < attempts) continue;
    const result = results.add({
      row: row.name,
      verdict,
      violations: [...violations],
      state: outcome.view?.state ?? null,
      struck: outcome.struck.map(({ label, occurrence }) => `${label}#${occurrence}`),
      attempts: attempt,
      seconds,
    });
    return { result, outcome };
  }
}

/** What goes wrong in the harness itself says nothing about the row: the lane is opened anew, and the row run again. */
async function persistently<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch {
    return work();
  }
}

/** Shares rows among the lanes until all are done, the time is over, the run is interrupted, or a lane fails twice at a row. */
export async function runRows(
  rows: readonly Row[],
  lanes: readonly WatchedLane[],
  results: Results,
  options: { signal: AbortSignal; progress: Progress; endsAt?: number },
): Promise<{ leftOut: readonly Row[] }> {
  const waiting = [...rows];
  const failed = new AbortController();
  const stopped = AbortSignal.any([options.signal, failed.signal]);
  const started = performance.now();
  let done = 0;
  const work = async (lane: WatchedLane) => {
    while (!stopped.aborted && Date.now() < (options.endsAt ?? Infinity)) {
      const row = waiting.shift();
      if (!row) return;
      const { result } = await runRow(row, lane, results).catch((error: unknown) => {
        failed.abort();
        throw error;
      });
      done++;
      const left = ((performance.now() - started) / 1000 / done) * (rows.length - done);
      options.progress(`${done}/${rows.length}, ${duration(left)} left: ${line(result)}`);
    }
  };
  const ended = await Promise.allSettled(lanes.map(work));
  for (const lane of ended) if (lane.status === "rejected") throw lane.reason;
  return { leftOut: waiting };
}

function line({ row, verdict, state, seconds, violations }: Result): string {
  const good = verdict === "held" || verdict === "caught";
  const found = violations.slice(0, verdict === "caught" ? 1 : 12);
  const told = found.map(({ invariant, what }) => `\n    ${invariant} ${what}`).join("");
  return `${good ? "✔" : "✖"} ${row}: ${verdict}, ${state ?? "no end"} (${seconds.toFixed(1)} s)${told}`;
}

function duration(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
