import { selectionStage, stages as allStages, type Stage } from "../../contracts/ledger.ts";
import { exchangeStackName } from "../../contracts/names.ts";
import { planOf, stageOfQueue } from "../../contracts/plan.ts";
import { isFinal } from "../../contracts/states.ts";
import { expectedUnits } from "../exchange/observed.ts";
import type { ExchangeRecord } from "../exchange/record.ts";
import { noUnits, type DocumentCounts, type LedgerRow, type stageCounts } from "../registry/ledger.ts";
import type { Transition } from "../registry/exchanges.ts";
import type { DocumentTotals } from "../registry/totals.ts";
import { warningsOf, warningsOfRequest, warningsOfRow, isFailure, type Warning } from "./warnings.ts";

/** Final rows of the ledger, by stage. */
type Stages = Awaited<ReturnType<typeof stageCounts>>;

/** What `POST` answers, the first time and ever again: how far the exchange is by then tells `GET`. */
export function accepted(record: ExchangeRecord) {
  return { exchangeId: record.id, jobId: record.id, state: "ACCEPTED", ...listed(warningsOfRequest(record)) };
}

function listed(warnings: readonly Warning[]): { warnings?: readonly Warning[] } {
  return warnings.length > 0 ? { warnings } : {};
}

/** What a cancel and a forced destroy answer: where the exchange will end, and what becomes of its records. */
export function ending(record: ExchangeRecord) {
  const { id, facts } = record;
  const outcome = facts.cancelRequestedAt ? "CANCELLED" : (facts.outcome ?? "FAILED");
  return { exchangeId: id, jobId: id, outcome, records: recordsOf(record) };
}

/**
 * What becomes of the records: they stay or go as a whole. `undecided` while the copy may still finish: it is removed
 * unless it does.
 */
function recordsOf({ state, facts }: ExchangeRecord) {
  if (facts.records) return facts.records.fate;
  if (facts.copyFinishedAt) return "kept";
  const nothingRan = ["ACCEPTED", "PROVISIONING", "CANCELLED"].includes(state);
  return nothingRan ? "none" : "undecided";
}

export function entry(record: ExchangeRecord) {
  const { request } = record;
  return {
    exchangeId: record.id,
    jobId: record.id,
    state: record.state,
    sourceCaseId: request.sourceCaseId,
    destinationCaseId: request.destinationCaseId,
    batchId: request.batchId,
    createdAt: record.createdAt.toISOString(),
    updatedAt: record.updatedAt.toISOString(),
  };
}

/** What the ledger holds of one exchange. */
interface LedgerSummary {
  readonly counts: DocumentCounts;
  readonly totals: DocumentTotals;
  readonly stages: Stages;
}

/** Everything that is known of one exchange. */
export function full(
  record: ExchangeRecord,
  history: readonly Transition[],
  { counts, totals, stages }: LedgerSummary,
) {
  const { request, facts } = record;
  const isComplete = hasEnded(record, stages);
  const failed = record.state === "FAILED" || record.state === "FAILING" || facts.outcome === "FAILED";
  return {
    ...entry(record),
    selection: request.selection,
    includeNatives: request.includeNatives,
    ...(request.annotations && { annotations: request.annotations }),
    ...(request.excludePrivileged && { excludePrivileged: true }),
    metadata: request.metadata,
    ...listed(warningsOf(record, { ...totals, withheld: counts.withheld, isComplete })),
    stack: exchangeStackName(record.id),
    stateHistory: history.map(({ state, at, reason }) => ({ state, at: at.toISOString(), reason })),
    ...(record.waiting !== null && { waiting: record.waiting }),
    documents: documentsOf(record, counts, isComplete),
    ...(totals.redactions && { redactions: totals.redactions }),
    stages: stagesOf(record, stages),
    ...(facts.cancelRequestedAt && { cancelRequestedAt: facts.cancelRequestedAt.toISOString() }),
    ...(facts.rows && { rows: facts.rows }),
    ...(failed && facts.failure && { failure: facts.failure }),
    ...(isEnding(record) && { records: recordsOf(record) }),
    ...(facts.records?.fate === "partial" && { recordsFailure: facts.records.error }),
  };
}

function isEnding({ state }: ExchangeRecord): boolean {
  return isFinal(state) || ["FAILING", "CANCELLING", "DESTROYING"].includes(state);
}

/**
 * Documents by how they fared. Until every unit has a final row, a document of which one file arrived counts as copied;
 * of which nothing was heard yet, as pending.
 */
function documentsOf(record: ExchangeRecord, counts: DocumentCounts, isComplete: boolean) {
  const { notFound, failed, excluded } = counts;
  const known = isComplete ? record.selected : counts.seen;
  return {
    selected: record.selected,
    copied: known - notFound - failed,
    notFound,
    failed,
    ...(excluded > 0 && { excluded }),
    ...(known < record.selected && { pending: record.selected - known }),
  };
}

interface StageView {
  expected: number | null;
  done: number;
  notFound: number;
  failed: number;
}

/** Files by stage that the exchange has; `expected` is null until the payload says how many each stage will see. */
function stagesOf({ request, facts }: ExchangeRecord, stages: Stages): Partial<Record<Stage, StageView>> {
  const expected = facts.payload && expectedUnits(facts.payload);
  const of = (stage: Stage): StageView => {
    const { done, not_found: notFound, failed } = stages[stage] ?? noUnits;
    return { expected: expected?.[stage] ?? null, done, notFound, failed };
  };
  const own = new Set<Stage>(planOf(request).queues.map((queue) => stageOfQueue[queue]));
  return Object.fromEntries(allStages.filter((stage) => own.has(stage)).map((stage) => [stage, of(stage)]));
}

/** Whether every unit of every stage has a final row. */
function hasEnded(record: ExchangeRecord, stages: Stages): boolean {
  return Object.values(stagesOf(record, stages)).every(isStageComplete);
}

function isStageComplete({ expected, done, notFound, failed }: StageView): boolean {
  return expected !== null && done + notFound + failed >= expected;
}

/** One row of the ledger: a file in a stage, or a document that was left out. `warning`, the first, is a former name. */
export function documentEntry(row: LedgerRow) {
  const { stage, unitId, documentId, state, error, redactions, removed, occurredAt } = row;
  const warnings = warningsOfRow(row);
  const [warning] = warnings;
  return {
    documentId,
    ...(stage !== selectionStage && { fileId: unitId }),
    stage,
    state,
    ...(warning && { warning, warnings }),
    ...(error && isFailure(row) && { error }),
    ...(redactions && { redactions }),
    ...(removed && { removed }),
    occurredAt: occurredAt.toISOString(),
  };
}
