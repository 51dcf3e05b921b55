import type { EventType, ExchangeEvent } from "../../contracts/events.ts";
import type { DocUploaderMessage, S3CopyMessage } from "../../contracts/messages.ts";
import { envelopeOf } from "../shared/publish.ts";
import type { CountedRedactions } from "./redactions.ts";

/** What became of a file whose copying did not fail. */
export type Outcome = { found: true; size: number; redactions?: CountedRedactions | undefined } | { found: false };

/** The event about a file; the same outcome has the same id, however often it is told. */
export function outcomeEvent(message: S3CopyMessage, outcome: Outcome, now: Date): ExchangeEvent {
  const { exchange, documentId, destinationDocumentId, exhibitIds, file } = message;
  return {
    eventId: `${exchange.exchangeId}:copy:${file.fileId}:${outcome.found ? "copied" : "not_found"}`,
    source: "s3_copy_processor",
    eventType: typeOf(message, outcome),
    status: outcome.found ? "SUCCESS" : "ERROR",
    ...envelopeOf(exchange),
    documentId,
    exhibitIds,
    timestamp: now.toISOString(),
    detail: {
      fileId: file.fileId,
      role: file.role,
      destinationDocumentId,
      sourceKey: file.sourceKey,
      destinationKey: file.destinationKey,
      ...(outcome.found
        ? { size: outcome.size, ...outcome.redactions }
        : { error: { code: "NO_SUCH_KEY", message: `there is no object ${file.sourceKey} in the source case` } }),
    },
  };
}

function typeOf(message: S3CopyMessage, outcome: Outcome): EventType {
  if (!outcome.found) return "DOCUMENT_NOT_FOUND";
  return message.file.role === "native" ? "NATIVE_DOCUMENT_COPIED" : "DOCUMENT_COPIED";
}

/** What the uploader is told of a document's PDF that lies in the destination case. */
export function uploaderMessage(message: S3CopyMessage, size: number): DocUploaderMessage {
  const { exchange, documentId, destinationDocumentId, exhibitIds, bucket, file } = message;
  const { destinationKey: key, fileId } = file;
  return { kind: "doc_uploader", exchange, documentId, destinationDocumentId, exhibitIds, bucket, key, fileId, size };
}
