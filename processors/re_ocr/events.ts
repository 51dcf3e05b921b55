import { PermanentError } from "../../contracts/errors.ts";
import { fileDetail } from "../../contracts/events.ts";
import type { ExchangeEvent } from "../../contracts/events.ts";
import { rowId } from "../../contracts/ids.ts";
import type { SearchTextMessage } from "../../contracts/messages.ts";

/** The file that a DOCUMENT_UPLOADED is about. */
export interface UploadedFile {
  fileId: string;
  documentId: string;
  destinationDocumentId: string;
  /** Smallest first, so that which of them is the first does not depend on who tells. */
  exhibitIds: string[];
}

const uploadedDetail = fileDetail.extend({ destinationDocumentId: rowId.optional() });

/** @throws PermanentError INVALID_MESSAGE when a success does not name file, documents and exhibits */
export function uploadedFile({ detail, documentId, exhibitIds, eventId, status }: ExchangeEvent): UploadedFile {
  const parsed = uploadedDetail.safeParse(detail);
  const destinationDocumentId = parsed.data?.destinationDocumentId ?? (status === "ERROR" ? documentId : undefined);
  if (!parsed.success || documentId === undefined || destinationDocumentId === undefined || exhibitIds === undefined) {
    const message = `DOCUMENT_UPLOADED ${eventId} does not name its file, its documents and its exhibits`;
    throw new PermanentError("INVALID_MESSAGE", message);
  }
  const inOrder = exhibitIds.toSorted((one, other) => one.length - other.length || (one < other ? -1 : 1));
  return { fileId: parsed.data.fileId, documentId, destinationDocumentId, exhibitIds: inOrder };
}

/** The event about the texts of a document. */
export function extractedEvent(
  event: ExchangeEvent,
  file: UploadedFile,
  texts: SearchTextMessage["texts"],
  now: Date,
): ExchangeEvent {
  return { ...eventAbout(event, file, "done", now), status: "SUCCESS", detail: { ...detailOf(file), texts } };
}

/** The event about a document that has no text, because it was not uploaded. */
export function notUploadedEvent(event: ExchangeEvent, file: UploadedFile, now: Date): ExchangeEvent {
  const error = { code: "NOT_UPLOADED", message: "the document was not uploaded, so it has no text" };
  return { ...eventAbout(event, file, "failed", now), status: "ERROR", detail: { ...detailOf(file), error } };
}

function detailOf({ fileId, destinationDocumentId }: UploadedFile) {
  return { fileId, role: "document" as const, destinationDocumentId };
}

function eventAbout(event: ExchangeEvent, { fileId }: UploadedFile, outcome: string, now: Date) {
  const { jobId, caseId, sourceCaseId, batchId, documentId, exhibitIds } = event;
  return {
    eventId: `${jobId}:re_ocr:${fileId}:${outcome}`,
    source: "re_ocr_processor",
    eventType: "DOCUMENT_TEXT_EXTRACTED" as const,
    ...{ jobId, caseId, sourceCaseId, batchId, documentId, exhibitIds },
    timestamp: now.toISOString(),
  };
}
