import type { WireError } from "../../contracts/errors.ts";
import type { ExchangeEvent } from "../../contracts/events.ts";
import { deadLetterReason, deadLetterReasonAttribute } from "../../contracts/messages.ts";
import type { DeadLetter } from "../../contracts/messages.ts";
import { envelopeOf } from "../shared/publish.ts";

/** Message attributes as Lambda hands them over. */
type Attributes = Record<string, { stringValue?: string | undefined } | undefined>;

/** Why a message was given up; SQS itself moves those whose last receive ended without an answer, and says nothing. */
export function reasonOf(attributes: Attributes): WireError {
  const parsed = deadLetterReason.safeParse(readJson(attributes[deadLetterReasonAttribute]?.stringValue));
  if (parsed.success) return parsed.data;
  return {
    code: "RECEIVE_COUNT_EXCEEDED",
    message: "the last receive ended without an answer; see the log of the processor",
  };
}

function readJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

/** The error event of a message that was given up; its id is that of the fact, not of the message. */
export function errorEvent(letter: DeadLetter, error: WireError, now: Date): ExchangeEvent {
  const { exchange, documentId, exhibitIds } = letter;
  const common = {
    status: "ERROR",
    source: "dead_letter_processor",
    ...envelopeOf(exchange),
    documentId,
    exhibitIds,
    timestamp: now.toISOString(),
  } as const;
  switch (letter.kind) {
    case "s3_copy": {
      const { fileId, role, sourceKey, destinationKey } = letter.file;
      return {
        eventId: `${exchange.exchangeId}:copy:${fileId}:failed`,
        eventType: "S3_DOC_COPIED",
        ...common,
        detail: { fileId, role, sourceKey, destinationKey, error },
      };
    }
    case "doc_uploader": {
      const { fileId, key } = letter;
      return {
        eventId: `${exchange.exchangeId}:upload:${fileId}:failed`,
        eventType: "DOCUMENT_UPLOADED",
        ...common,
        detail: { fileId, role: "document", destinationKey: key, error },
      };
    }
  }
}
