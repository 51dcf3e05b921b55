import { z } from "zod";
import { batchId, caseId, exchangeId, rowId } from "./ids.ts";
import { redactionCounts } from "./redactions.ts";

/** Every event on the topic, by the name that consumers filter on. */
export const eventTypes = [
  "EXCHANGER_INITIATED",
  "EXCHANGER_DELETE_INITIATED",
  "EXCHANGER_FINISHED",
  "EXCHANGER_FAILED",
  "EXCHANGER_CANCELLED",
  "DB_COPY_FINISHED",
  "GLUE_JOB_FAILED",
  "PAYLOAD_CONSTRUCTION_FINISHED",
  "PAYLOAD_CONSTRUCTION_FAILED",
  "DOCUMENT_COPIED",
  "NATIVE_DOCUMENT_COPIED",
  "DOCUMENT_NOT_FOUND",
  "S3_DOC_COPIED",
  "DOCUMENT_PRE_PROCESSED",
  "PRE_UPLOADER_FINISHED",
  "DOCUMENT_UPLOADED",
  "DOCUMENT_TEXT_EXTRACTED",
  "DOCUMENT_INDEXED",
] as const;
export type EventType = (typeof eventTypes)[number];

/** What drives the life of an exchange (queue `exch-orch`). */
export const orchestrationEvents = [
  "DB_COPY_FINISHED",
  "PAYLOAD_CONSTRUCTION_FINISHED",
  "PAYLOAD_CONSTRUCTION_FAILED",
  "GLUE_JOB_FAILED",
  "EXCHANGER_DELETE_INITIATED",
] as const satisfies readonly EventType[];

/** What users of the product see of an exchange's life (queue `exch-status`). */
export const statusEvents = [
  "EXCHANGER_INITIATED",
  "EXCHANGER_FINISHED",
  "EXCHANGER_FAILED",
  "EXCHANGER_CANCELLED",
] as const satisfies readonly EventType[];

/** What happened to single files and documents (queue `exch-ledger`). */
export const documentEvents = [
  "DOCUMENT_COPIED",
  "NATIVE_DOCUMENT_COPIED",
  "DOCUMENT_NOT_FOUND",
  "S3_DOC_COPIED",
  "DOCUMENT_PRE_PROCESSED",
  "PRE_UPLOADER_FINISHED",
  "DOCUMENT_UPLOADED",
  "DOCUMENT_TEXT_EXTRACTED",
  "DOCUMENT_INDEXED",
] as const satisfies readonly EventType[];

/** The body of every message on the topic. */
export const event = z.strictObject({
  /** Names the event for good: whoever publishes the same fact again uses the same id. */
  eventId: z.string().min(1).max(200),
  /** The component that speaks, e.g. `engine`, `s3_copy_processor`. */
  source: z.string().min(1),
  eventType: z.enum(eventTypes),
  status: z.enum(["SUCCESS", "ERROR"]),
  /** The exchange. */
  jobId: exchangeId,
  /** The destination case. */
  caseId,
  sourceCaseId: caseId,
  batchId,
  /** A document of the source case: what the caller selected. */
  documentId: rowId.optional(),
  /** Exhibits of the destination case. */
  exhibitIds: z.array(rowId).optional(),
  timestamp: z.iso.datetime(),
  detail: z.record(z.string(), z.unknown()),
});
export type ExchangeEvent = z.infer<typeof event>;

/** The message attributes that go with an event, all strings, for filter policies. */
export function eventAttributes(
  of: Pick<ExchangeEvent, "eventType" | "caseId" | "batchId" | "jobId">,
): Record<"eventType" | "caseId" | "batchId" | "jobId", { DataType: "String"; StringValue: string }> {
  const text = (value: string | number) => ({ DataType: "String" as const, StringValue: String(value) });
  return { eventType: text(of.eventType), caseId: text(of.caseId), batchId: text(of.batchId), jobId: text(of.jobId) };
}

/** The `detail` of an event about one file. */
export const fileDetail = z.looseObject({
  fileId: rowId,
  role: z.enum(["document", "native", "text"]),
  /** The stage that speaks, where the event's type leaves it open. */
  stage: z.enum(["copy", "pre_upload"]).optional(),
  error: z.strictObject({ code: z.string(), message: z.string() }).optional(),
  /** What should be known of it although it arrived. */
  warning: z.strictObject({ code: z.string(), message: z.string() }).optional(),
  /** What became of the redactions of each exhibit, where that is known. */
  exhibits: z.array(z.looseObject({ redactions: redactionCounts.optional() })).optional(),
  /** What a rebuilt document has no longer: how many of what, e.g. `{ attachments: 2 }`. */
  removed: z.record(z.string(), z.int().nonnegative()).optional(),
});
export type FileDetail = z.infer<typeof fileDetail>;

/** The `detail` of PAYLOAD_CONSTRUCTION_FINISHED: how many units each stage will see, part by part. */
export const payloadDetail = z.object({
  parts: z.array(
    z.object({
      part: z.string(),
      documents: z.int().nonnegative(),
      copy: z.int().nonnegative(),
      upload: z.int().nonnegative(),
      pre_upload: z.int().nonnegative().optional(),
      re_ocr: z.int().nonnegative().optional(),
      search: z.int().nonnegative().optional(),
    }),
  ),
});
export type PayloadDetail = z.infer<typeof payloadDetail>;

/** The `detail` of GLUE_JOB_FAILED and PAYLOAD_CONSTRUCTION_FAILED: what Step Functions caught. */
export const failureDetail = z.object({ error: z.string(), cause: z.string() });
