import type { Selectable } from "kysely";
import { z } from "zod";
import { wireError } from "../../contracts/errors.ts";
import { payloadDetail } from "../../contracts/events.ts";
import { privilegedCounts, tableCount } from "../../contracts/manifest.ts";
import type { ExchangeRequest } from "../../contracts/request.ts";
import { exchangeOutputs } from "../../programs/exchange/config.ts";
import type { ExchangeRecord, Operation, RecordsFate } from "../exchange/record.ts";
import { fromJson, fromNullableJson } from "./database.ts";
import type { RegistrySchema } from "./schema.ts";

/** The request was parsed when it was accepted; what is stored is its parsed form. */
const storedRequest = z
  .custom<ExchangeRequest>((value) => typeof value === "object" && value !== null)
  // Accepted before the field was there.
  .transform((request): ExchangeRequest => ({ ...request, excludePrivileged: request.excludePrivileged || false }));
const tableRows = z.record(z.string(), tableCount);
const recordsFate: z.ZodType<RecordsFate> = z.union([
  z.object({ fate: z.enum(["none", "kept", "removed"]) }),
  z.object({ fate: z.literal("partial"), error: wireError }),
]);
const operationError = wireError.extend({ retryable: z.boolean() });

export function toRecord(row: Selectable<RegistrySchema["exchanges"]>): ExchangeRecord {
  return {
    id: row.id,
    state: row.state,
    stateSince: row.state_since,
    context: {
      exchangeId: row.id,
      sourceCaseId: row.source_case_id,
      caseId: row.destination_case_id,
      batchId: row.batch_id,
    },
    request: fromJson(storedRequest, row.request),
    selected: row.selected,
    facts: {
      outputs: fromNullableJson(exchangeOutputs, row.outputs),
      uploaderToldAt: row.uploader_told_at,
      uploaderReleasedAt: row.uploader_released_at,
      uploaderSilentSince: row.uploader_silent_since,
      executionArn: row.execution_arn,
      copyFinishedAt: row.copy_finished_at,
      payload: fromNullableJson(payloadDetail, row.payload),
      failure: fromNullableJson(wireError, row.failure),
      drainRound: row.drain_round,
      quietSince: row.quiet_since,
      rows: fromNullableJson(tableRows, row.table_rows),
      privilegedSelected: row.privileged_selected,
      privilegedCopied: fromNullableJson(privilegedCounts, row.privileged_copied),
      outcome: row.outcome,
      records: fromNullableJson(recordsFate, row.records),
      cancelRequestedAt: row.cancel_requested_at,
      hurriedAt: row.hurried_at,
    },
    waiting: row.waiting,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export function toOperation(row: Selectable<RegistrySchema["operations"]>): Operation {
  return {
    id: row.id,
    kind: row.kind,
    purpose: row.purpose,
    attempt: row.attempt,
    state: row.state,
    owner: row.owner,
    pid: row.pid,
    heartbeatAt: row.heartbeat_at,
    endedAt: row.ended_at,
    error: fromNullableJson(operationError, row.error),
    cancelRequested: row.cancel_requested === 1,
  };
}
