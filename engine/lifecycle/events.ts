import type { EventType, ExchangeEvent } from "../../contracts/events.ts";
import type { ExchangerRecheck } from "../../contracts/messages.ts";
import type { ExchangeRecord } from "../exchange/record.ts";
import type { OutboxMessage } from "../registry/outbox.ts";

const eventSource = "engine";

/** The part of an event's id after the exchange's. */
const suffixes: Partial<Record<EventType, string>> = {
  EXCHANGER_INITIATED: "initiated",
  EXCHANGER_DELETE_INITIATED: "delete-initiated",
  EXCHANGER_FINISHED: "finished",
  EXCHANGER_FAILED: "failed",
  EXCHANGER_CANCELLED: "cancelled",
};

const ended: readonly EventType[] = ["EXCHANGER_FINISHED", "EXCHANGER_FAILED", "EXCHANGER_CANCELLED"];

/** An event of the engine about an exchange; the same fact always has the same id. */
export function eventMessage(record: ExchangeRecord, eventType: EventType, now: Date): OutboxMessage {
  const { context, facts, request } = record;
  const eventId = `${record.id}:${suffixes[eventType] ?? eventType.toLowerCase()}`;
  const body: ExchangeEvent = {
    eventId,
    source: eventSource,
    eventType,
    status: eventType === "EXCHANGER_FAILED" ? "ERROR" : "SUCCESS",
    jobId: record.id,
    caseId: context.caseId,
    sourceCaseId: context.sourceCaseId,
    batchId: context.batchId,
    timestamp: now.toISOString(),
    detail: {
      selection: request.selection.by,
      ...(eventType === "EXCHANGER_FAILED" && facts.failure && { error: facts.failure }),
      ...(ended.includes(eventType) && facts.records && { records: facts.records.fate }),
    },
  };
  return { messageId: eventId, exchangeId: record.id, channel: "topic", body };
}

/** The delayed message that makes some engine look again whether the exchange is done. */
export function recheckMessage(record: ExchangeRecord, delaySeconds: number): OutboxMessage {
  const body: ExchangerRecheck = { kind: "recheck", exchangeId: record.id };
  return { messageId: `${record.id}:recheck`, exchangeId: record.id, channel: "orchestration", body, delaySeconds };
}
