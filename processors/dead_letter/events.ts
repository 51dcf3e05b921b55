import { z } from "zod";
import { PermanentError } from "../../contracts/errors.ts";
import type { WireError } from "../../contracts/errors.ts";
import { event as eventSchema, fileDetail } from "../../contracts/events.ts";
import type { ExchangeEvent } from "../../contracts/events.ts";
import { deadLetter, deadLetterReason, deadLetterReasonAttribute } from "../../contracts/messages.ts";
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

/** What lies in the queue: a message of ours, or the event that a processor is fed with. */
export const letter = z.union([deadLetter, eventSchema]);
export type Letter = z.infer<typeof letter>;

/** The error event of what was given up; its id is that of the fact, not of the message. */
export function errorEvent(letter: Letter, error: WireError, now: Date): ExchangeEvent {
  const told = "kind" in letter ? ofMessage(letter, error) : ofEvent(letter, error);
  return { source: "dead_letter_processor", status: "ERROR", timestamp: now.toISOString(), ...told };
}

type Told = Omit<ExchangeEvent, "source" | "status" | "timestamp">;

function ofMessage(letter: DeadLetter, error: WireError): Told {
  const { exchange, documentId, exhibitIds } = letter;
  const common = { ...envelopeOf(exchange), documentId, exhibitIds };
  const id = (stage: string, fileId: string) => `${exchange.exchangeId}:${stage}:${fileId}:failed`;
  switch (letter.kind) {
    case "s3_copy":
    case "pre_uploader": {
      const { fileId, role, sourceKey, destinationKey } = letter.file;
      const [stage, eventType] =
        letter.kind === "s3_copy"
          ? (["copy", "S3_DOC_COPIED"] as const)
          : (["pre_upload", "PRE_UPLOADER_FINISHED"] as const);
      return {
        eventId: id(stage, fileId),
        eventType,
        ...common,
        detail: { fileId, role, sourceKey, destinationKey, error },
      };
    }
    case "doc_uploader": {
      const { fileId, key } = letter;
      return {
        eventId: id("upload", fileId),
        eventType: "DOCUMENT_UPLOADED",
        ...common,
        detail: { fileId, role: "document", destinationKey: key, error },
      };
    }
    case "search_text": {
      const { fileId } = letter;
      return {
        eventId: id("search", fileId),
        eventType: "DOCUMENT_INDEXED",
        ...common,
        detail: { fileId, role: "document", error },
      };
    }
  }
}

/** Only the re-OCR processor is fed with events. @throws PermanentError INVALID_MESSAGE for one that it never gets */
function ofEvent(event: ExchangeEvent, error: WireError): Told {
  const { jobId, caseId, sourceCaseId, batchId, documentId, exhibitIds, eventId, eventType } = event;
  const detail = fileDetail.safeParse(event.detail);
  if (eventType !== "DOCUMENT_UPLOADED" || !detail.success) {
    throw new PermanentError(
      "INVALID_MESSAGE",
      `no processor is fed with ${eventType} ${eventId}, yet it was given up`,
    );
  }
  const { fileId } = detail.data;
  return {
    eventId: `${jobId}:re_ocr:${fileId}:failed`,
    eventType: "DOCUMENT_TEXT_EXTRACTED",
    ...{ jobId, caseId, sourceCaseId, batchId, documentId, exhibitIds },
    detail: { fileId, role: "document", error },
  };
}
