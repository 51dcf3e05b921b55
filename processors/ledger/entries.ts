import { fileDetail } from "../../contracts/events.ts";
import type { EventType, ExchangeEvent, FileDetail } from "../../contracts/events.ts";
import { PermanentError } from "../../contracts/errors.ts";
import type { LedgerEntry, Stage, UnitState } from "../../contracts/ledger.ts";

type Reading = (event: ExchangeEvent) => LedgerEntry[];

const readings: Partial<Record<EventType, Reading>> = {
  DOCUMENT_COPIED: (event) => entries(event, "done", copyOnly),
  NATIVE_DOCUMENT_COPIED: (event) => entries(event, "done", copyOnly),
  DOCUMENT_NOT_FOUND: (event) => entries(event, "not_found", copyAndWhatFollows),
  S3_DOC_COPIED: (event) => (event.status === "ERROR" ? entries(event, "failed", copyAndWhatFollows) : []),
  DOCUMENT_UPLOADED: (event) => entries(event, event.status === "SUCCESS" ? "done" : "failed", uploadOnly),
};

/**
 * What an event says about files: a final state for each stage that it closes, nothing for events of other kinds.
 *
 * @throws PermanentError INVALID_MESSAGE when an event about a file does not name it
 */
export function entriesOf(event: ExchangeEvent): LedgerEntry[] {
  return readings[event.eventType]?.(event) ?? [];
}

const copyOnly = (): Stage[] => ["copy"];
const uploadOnly = (): Stage[] => ["upload"];

/** A document's PDF that was not copied will never be uploaded: nobody else closes that stage. */
function copyAndWhatFollows({ role }: FileDetail): Stage[] {
  return role === "document" ? ["copy", "upload"] : ["copy"];
}

function entries(event: ExchangeEvent, state: UnitState, stagesOf: (detail: FileDetail) => Stage[]): LedgerEntry[] {
  const { eventType, eventId, documentId, jobId, timestamp } = event;
  const detail = fileDetail.safeParse(event.detail);
  if (!detail.success || documentId === undefined) {
    throw new PermanentError("INVALID_MESSAGE", `${eventType} ${eventId} does not name its document and file`);
  }
  return stagesOf(detail.data).map((stage) => ({
    exchangeId: jobId,
    stage,
    unitId: detail.data.fileId,
    documentId,
    state,
    eventId,
    error: detail.data.error ?? null,
    occurredAt: new Date(timestamp),
  }));
}
