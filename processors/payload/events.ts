import type { ExchangeEvent } from "../../contracts/events.ts";
import type { PayloadInput } from "../../contracts/execution.ts";
import type { ManifestUnit, RefusedRecord } from "../../contracts/manifest-reader.ts";
import { envelopeOf } from "../shared/publish.ts";

/**
 * The error events of a refused record: one for each of its files closes every stage that the file would have passed. The
 * same record has the same events, however often its part is read.
 */
export function failureEvents(
  { documentId, error }: RefusedRecord,
  units: readonly ManifestUnit[],
  { exchange }: Pick<PayloadInput, "exchange">,
  now: Date,
): ExchangeEvent[] {
  const first = units.filter(({ stage }) => stage === "copy" || stage === "pre_upload");
  return first.map(({ stage, unitId: fileId, role }) => ({
    eventId: `${exchange.exchangeId}:${stage}:${fileId}:failed`,
    source: "payload_processor",
    eventType: stage === "copy" ? "S3_DOC_COPIED" : "PRE_UPLOADER_FINISHED",
    status: "ERROR",
    ...envelopeOf(exchange),
    ...(documentId !== null && { documentId }),
    timestamp: now.toISOString(),
    detail: { fileId, role, error },
  }));
}
