import type { ExchangeEvent } from "../../contracts/events.ts";
import type { DocUploaderMessage, ExhibitLoad, PreUploaderMessage } from "../../contracts/messages.ts";
import { contentRemoved, missedContent, notCarried, removedText } from "../../contracts/redactions.ts";
import { envelopeOf } from "../shared/publish.ts";
import { namedAtMost, type ExhibitReport } from "./exhibit.ts";

/** What became of a document whose pre-processing did not fail. */
type PreUploadOutcome =
  | { skipped: true }
  | {
      skipped: false;
      size: number;
      exhibits: ExhibitReport[];
      /** What the PDF of the document lost when it was rebuilt, by plural nouns. */
      removed: Record<string, number>;
      /** How many annotations of one exhibit touch a redaction of another, and went with it where both are shown. */
      droppedFromDocument: number;
    };

/** The event about a document; the same outcome has the same id, however often it is published. */
export function outcomeEvent(message: PreUploaderMessage, outcome: PreUploadOutcome, now: Date): ExchangeEvent {
  const { exchange, documentId, destinationDocumentId, exhibitIds, file } = message;
  const { fileId, role, sourceKey, destinationKey } = file;
  return {
    eventId: `${exchange.exchangeId}:pre_upload:${fileId}:${outcome.skipped ? "not_found" : "done"}`,
    source: "pre_uploader_processor",
    eventType: outcome.skipped ? "DOCUMENT_NOT_FOUND" : "DOCUMENT_PRE_PROCESSED",
    status: outcome.skipped ? "ERROR" : "SUCCESS",
    ...envelopeOf(exchange),
    documentId,
    exhibitIds,
    timestamp: now.toISOString(),
    detail: {
      ...{ fileId, role, stage: "pre_upload", destinationDocumentId, sourceKey, destinationKey },
      ...(outcome.skipped
        ? { error: { code: "NO_SUCH_KEY", message: `there is no object ${sourceKey} in the source case` } }
        : {
            size: outcome.size,
            exhibits: outcome.exhibits.map(exhibitDetail),
            removed: outcome.removed,
            warning: warningOf(outcome),
          }),
    },
  };
}

/** An exhibit under the names that consumers of the event read; they outlive the names of the code. */
function exhibitDetail({ droppedUnderRedaction, excluded, ...report }: ExhibitReport) {
  return {
    ...report,
    redactionsProven: report.redactions.branded,
    swallowed: droppedUnderRedaction,
    staying: excluded,
  };
}

/** What did not arrive although the request asks for it. */
function warningOf({ exhibits, removed, droppedFromDocument }: PreUploadOutcome & { skipped: false }) {
  const annotations = annotationsNotCarried(exhibits, droppedFromDocument);
  const missed = missedContent(removed);
  if (annotations === undefined && missed.length === 0) return undefined;
  return {
    code: annotations === undefined ? contentRemoved : notCarried,
    message: [annotations ?? [], missed.length > 0 ? removedText(missed) : []].flat().join("; "),
  };
}

function annotationsNotCarried(exhibits: readonly ExhibitReport[], droppedFromDocument: number): string | undefined {
  const quoting = exhibits.reduce((sum, { withheld }) => sum + withheld.count, 0);
  const touching = exhibits.reduce(
    (sum, { droppedUnderRedaction }) => sum + droppedUnderRedaction,
    droppedFromDocument,
  );
  if (quoting + touching === 0) return undefined;
  const ids = exhibits.flatMap(({ withheld }) => withheld.ids).slice(0, namedAtMost);
  const quotes = quoting > 0 ? ` (${ids.join(", ")}${ids.length < quoting ? ", …" : ""})` : "";
  return `annotations were not carried: ${quoting} quote what a redaction hides${quotes}, ${touching} touch a redaction and went with it`;
}

/** The message to the uploader about a document that is ready in the destination case. */
export function uploaderMessage(message: PreUploaderMessage, size: number, loads: ExhibitLoad[]): DocUploaderMessage {
  const { exchange, documentId, destinationDocumentId, exhibitIds, bucket, file } = message;
  const { destinationKey: key, fileId } = file;
  return {
    kind: "doc_uploader",
    exchange,
    documentId,
    destinationDocumentId,
    exhibitIds,
    bucket,
    key,
    fileId,
    size,
    loads,
  };
}
