import { fileDetail } from "../../contracts/events.ts";
import type { EventType, ExchangeEvent, FileDetail } from "../../contracts/events.ts";
import { PermanentError } from "../../contracts/errors.ts";
import type { LedgerEntry, Stage, UnitState } from "../../contracts/ledger.ts";
import { sumOfRedactions, type RedactionCounts } from "../../contracts/redactions.ts";

type Reading = (event: ExchangeEvent) => LedgerEntry[];

const readings: Partial<Record<EventType, Reading>> = {
  DOCUMENT_COPIED: (event) => entries(event, "done", copyOnly),
  NATIVE_DOCUMENT_COPIED: (event) => entries(event, "done", copyOnly),
  DOCUMENT_NOT_FOUND: (event) => entries(event, "not_found", fromWhereItSpeaks),
  S3_DOC_COPIED: (event) => (event.status === "ERROR" ? entries(event, "failed", fromWhereItSpeaks) : []),
  DOCUMENT_PRE_PROCESSED: (event) => entries(event, "done", () => ["pre_upload"]),
  PRE_UPLOADER_FINISHED: (event) => (event.status === "ERROR" ? entries(event, "failed", annotated) : []),
  DOCUMENT_UPLOADED: (event) => entries(event, event.status === "SUCCESS" ? "done" : "failed", () => ["upload"]),
  DOCUMENT_TEXT_EXTRACTED: (event) =>
    event.status === "SUCCESS"
      ? entries(event, "done", () => ["re_ocr"])
      : entries(event, "failed", () => ["re_ocr", "search"]),
  DOCUMENT_INDEXED: (event) => entries(event, event.status === "SUCCESS" ? "done" : "failed", () => ["search"]),
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
const annotated = (): Stage[] => ["pre_upload", "upload", "re_ocr", "search"];

/** What did not come through a stage never reaches those that follow: nobody else closes them. */
function fromWhereItSpeaks({ role, stage = "copy" }: FileDetail): Stage[] {
  if (stage === "pre_upload") return annotated();
  return role === "document" ? ["copy", "upload"] : ["copy"];
}

function entries(event: ExchangeEvent, state: UnitState, stagesOf: (detail: FileDetail) => Stage[]): LedgerEntry[] {
  const { eventType, eventId, documentId, jobId, timestamp } = event;
  const detail = fileDetail.safeParse(event.detail);
  if (!detail.success || documentId === undefined) {
    const faults = (detail.error?.issues ?? []).map(({ path, message }) => `: ${path.join(".")} ${message}`).join("");
    throw new PermanentError("INVALID_MESSAGE", `${eventType} ${eventId} does not name its document and file${faults}`);
  }
  return stagesOf(detail.data).map((stage) => ({
    exchangeId: jobId,
    stage,
    unitId: detail.data.fileId,
    documentId,
    state,
    eventId,
    error: detail.data.error ?? detail.data.warning ?? null,
    redactions: redactionsOf(detail.data),
    removed: removedOf(detail.data),
    occurredAt: new Date(timestamp),
  }));
}

/** Of all exhibits together; null as long as one of them does not say. */
function redactionsOf({ exhibits }: FileDetail): RedactionCounts | null {
  if (exhibits === undefined) return null;
  const known = exhibits.flatMap(({ redactions }) => redactions ?? []);
  return known.length === exhibits.length ? sumOfRedactions(known) : null;
}

/** In the order of the names, so that equal ones are equal texts in the table. */
function removedOf({ removed = {} }: FileDetail): Record<string, number> | null {
  const some = Object.entries(removed).filter(([, count]) => count > 0);
  return some.length > 0 ? Object.fromEntries(some.sort(([one], [other]) => (one < other ? -1 : 1))) : null;
}
