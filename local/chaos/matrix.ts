import { join } from "node:path";
import type { Progress } from "../toolchain/index.ts";
import { quietly } from "../platform/stage.ts";
import { openWitness, type Witness } from "./judge/witness.ts";
import { openLane, type Lane, type Outcome } from "./lane.ts";
import type { Result, Results } from "./results.ts";
import type { Scenario } from "./scenario.ts";
import type { Violation } from "./invariants.ts";

export interface Judged {
  readonly outcome: Outcome;
  readonly violations: readonly Violation[];
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

  /** Begins to open, so that it is there when it is needed. */
  async ready(): Promise<void> {
    await this.#opened();
  }

  /** Runs one scenario and judges it. */
  async run(scenario: Scenario): Promise<Judged> {
    const { lane, witness } = await this.#opened();
    const started = performance.now();
    try {
      const outcome = await lane.run(scenario);
      const violations = await witness.judge(outcome);
      if (violations.length > 0) await this.close();
      return { outcome, violations, seconds: Math.round((performance.now() - started) / 100) / 10 };
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
    this.#open ??= this.#start();
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

/** Runs one row, again when its point did not come, and writes what came out. */
export async function runRow(
  scenario: Scenario,
  lane: WatchedLane,
  results: Results,
): Promise<{ result: Result; outcome: Outcome }> {
  for (let attempt = 1; ; attempt++) {
    const { outcome, violations, seconds } = await persistently(() => lane.run(scenario));
    if (!outcome.reached && violations.length === 0 && attempt < attempts) continue;
    const result = results.add({
      row: scenario.name,
      verdict: violations.length > 0 ? "violated" : outcome.reached ? "held" : "unreached",
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

/** Shares rows among the lanes, until all are done, the time is over, or somebody has had enough. */
export async function runRows(
  rows: readonly Scenario[],
  lanes: readonly WatchedLane[],
  results: Results,
  options: { signal: AbortSignal; progress: Progress; endsAt?: number },
): Promise<{ leftOut: readonly Scenario[] }> {
  const waiting = [...rows];
  const started = performance.now();
  let done = 0;
  const work = async (lane: WatchedLane) => {
    while (!options.signal.aborted && Date.now() < (options.endsAt ?? Infinity)) {
      const scenario = waiting.shift();
      if (!scenario) return;
      const { result } = await runRow(scenario, lane, results);
      done++;
      const left = ((performance.now() - started) / 1000 / done) * (rows.length - done);
      options.progress(`${done}/${rows.length}, ${duration(left)} left: ${line(result)}`);
    }
  };
  await Promise.all(lanes.map(work));
  return { leftOut: waiting };
}

function line({ row, verdict, state, seconds, violations }: Result): string {
  const wrong = violations.map(({ invariant, what }) => `\n    ${invariant} ${what}`).slice(0, 12);
  return `${verdict === "held" ? "✔" : "✖"} ${row}: ${verdict}, ${state ?? "no end"} (${seconds.toFixed(1)} s)${wrong.join("")}`;
}

function duration(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
