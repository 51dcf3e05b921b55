import { stages, type Stage, type UnitState } from "../../contracts/ledger.ts";
import type { ProcessorKind, QueueKind } from "../../contracts/plan.ts";
import type { CopyRemoval } from "../../contracts/manifest.ts";
import type { PayloadDetail } from "../../contracts/events.ts";
import type { Operation } from "./record.ts";

export interface Execution {
  readonly status: "RUNNING" | "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED" | "PENDING_REDRIVE";
  readonly stoppedAt: Date | null;
  readonly error: string | null;
  readonly cause: string | null;
}

/** One run of the Glue job for an exchange. */
export interface CopyRun {
  readonly id: string;
  readonly state: "active" | "stopping" | "succeeded" | "failed";
  /** Whether it takes out what the copy wrote, instead of copying. */
  readonly removes: boolean;
  readonly endedAt: Date | null;
  readonly error: string | null;
}

/** Approximate counters of one queue. */
export interface QueueDepth {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
}

/** What was seen outside the record just now; each state looks only at what it needs, the rest is absent. */
export interface Observed {
  readonly operations: readonly Operation[];
  /** Operations whose owner shows no sign of life any more. */
  readonly abandoned: ReadonlySet<string>;
  readonly execution?: Execution | null;
  /** Every run of the Glue job for this exchange, oldest first. */
  readonly runs?: readonly CopyRun[];
  /** Whether the record copy has written its report, which it does last. */
  readonly copied?: boolean;
  /** What a removal took out and what had to stay, which it writes last. */
  readonly removal?: CopyRemoval | null;
  readonly ledger?: Partial<Record<Stage, Record<UnitState, number>>>;
  readonly queues?: Partial<Record<QueueKind, QueueDepth>>;
  /** State of each processor's event source mapping, as Lambda names it. */
  readonly mappings?: Partial<Record<ProcessorKind, string>>;
  /** What the stack's outputs name and AWS does not know: somebody has destroyed the stack. */
  readonly missing?: readonly string[];
  /** ARNs and names of resources of the exchange that still exist although its stack is gone. */
  readonly leftovers?: readonly string[];
}

/** Documents, and units that each stage will see, over all parts. */
export function expectedUnits(payload: PayloadDetail): Record<"documents" | Stage, number> {
  const sum = (of: "documents" | Stage) => payload.parts.reduce((total, part) => total + (part[of] ?? 0), 0);
  return {
    documents: sum("documents"),
    copy: sum("copy"),
    pre_upload: sum("pre_upload"),
    upload: sum("upload"),
    re_ocr: sum("re_ocr"),
    search: sum("search"),
  };
}

/** Each stage that sees units: how many, and how many of them have a final row. */
export function progressOf(
  payload: PayloadDetail,
  ledger: Observed["ledger"],
): { stage: Stage; expected: number; ended: number }[] {
  const expected = expectedUnits(payload);
  return stages
    .filter((stage) => expected[stage] > 0)
    .map((stage) => ({
      stage,
      expected: expected[stage],
      ended: Object.values(ledger?.[stage] ?? {}).reduce((sum, units) => sum + units, 0),
    }));
}
