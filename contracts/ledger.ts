import type { EventType } from "./events.ts";
import type { RedactionCounts } from "./redactions.ts";

/** The stages that a unit of work passes; the unit of `copy` and `upload` is a file. */
export const stages = ["copy", "pre_upload", "upload", "re_ocr", "search"] as const;
export type Stage = (typeof stages)[number];

/**
 * The final states of a unit in a stage, weakest first. Where events disagree (a late success after a failure, any
 * order of arrival) the strongest stays.
 */
export const unitStates = ["failed", "not_found", "done"] as const;
export type UnitState = (typeof unitStates)[number];

/** One row of `exchange_documents`. */
export interface LedgerEntry {
  exchangeId: string;
  stage: Stage;
  /** The source file id. */
  unitId: string;
  documentId: string;
  state: UnitState;
  eventId: string;
  /** What the event said of it: why it did not arrive or, of one that is done, what should be known of it. */
  error: { code: string; message: string } | null;
  /** What became of the redactions of the document, all exhibits together; absent or null where that is not known. */
  redactions?: RedactionCounts | null;
  /** What the document has no longer since it was rebuilt: how many of what. */
  removed?: Readonly<Record<string, number>> | null;
  occurredAt: Date;
}

/**
 * A document that the request leaves out of its selection has one row with this stage and state. Nothing is done with
 * it, so it is no unit of any stage; its unit is the document itself.
 */
export const selectionStage = "selection";
export const excludedState = "excluded";

/** The database names that the engine creates and the ledger and status Lambdas write. */
export const ledgerTable = "exchange_documents";
export const statusTable = "exchange_statuses";

export type StatusEventType = Extract<
  EventType,
  "EXCHANGER_INITIATED" | "EXCHANGER_FINISHED" | "EXCHANGER_FAILED" | "EXCHANGER_CANCELLED"
>;
