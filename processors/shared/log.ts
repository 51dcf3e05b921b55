import pino from "pino";
import type { Logger } from "pino";
import type { ExchangeEvent } from "../../contracts/events.ts";
import type { ExchangeContext } from "../../contracts/ids.ts";

export type { Logger };

/** The root logger of one processor: JSON lines on stdout, which Lambda keeps. */
export function createLog(processor: string): Logger {
  return pino({
    level: process.env["LOG_LEVEL"] ?? "info",
    base: { processor },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}

/** The fields that every log line about one message carries. */
export function logFields(message: {
  exchange: ExchangeContext;
  documentId?: string | undefined;
  exhibitIds?: string[] | undefined;
}): Record<string, unknown> {
  const { exchange, documentId, exhibitIds } = message;
  return { ...exchange, documentId, exhibitIds };
}

/** The same fields of an event. */
export function eventFields(event: ExchangeEvent): Record<string, unknown> {
  const { jobId: exchangeId, sourceCaseId, caseId, batchId, documentId, exhibitIds, eventType, eventId } = event;
  return { exchangeId, sourceCaseId, caseId, batchId, documentId, exhibitIds, eventType, eventId };
}
