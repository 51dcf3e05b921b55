import { PutObjectCommand } from "@aws-sdk/client-s3";
import { sql } from "kysely";
import type { Logger } from "pino";
import { exchangePrefix } from "../../contracts/manifest.ts";
import { PermanentError, type WireError } from "../../contracts/errors.ts";
import type { UploaderCommand } from "../../contracts/messages.ts";
import type { GlobalOutputs } from "../../programs/global/outputs.ts";
import type { AwsClients } from "../aws/clients.ts";
import type { Action, Decision } from "../exchange/decision.ts";
import type { ExchangeRecord } from "../exchange/record.ts";
import { now as databaseNow, type Registry } from "../registry/database.ts";
import type { ExchangeChange, Lease } from "../registry/lease.ts";
import { end, requestCancel } from "../registry/operations.ts";
import type { UploaderCoordinator } from "../uploader/coordinator.ts";
import { readReport } from "./copy-files.ts";
import { eventMessage, recheckMessage } from "./events.ts";
import { listExcluded } from "./exclusions.ts";
import {
  copyArguments,
  executionArn,
  executionInput,
  longestSelectionArgument,
  startExecution,
  stopExecution,
} from "./execution.ts";
import { failMissingUnits, payloadFromManifest } from "./manifest.ts";
import type { OperationRunner } from "./operation-runner.ts";
import { startRemoval, stopRuns } from "./runs.ts";
import type { Sweeper } from "./sweep.ts";

/** What acting needs from its surroundings. */
export interface Hands {
  readonly db: Registry;
  readonly aws: Pick<AwsClients, "s3" | "sfn" | "glue">;
  readonly global: GlobalOutputs;
  readonly operations: OperationRunner;
  readonly uploader: UploaderCoordinator;
  readonly sweeper: Sweeper;
  readonly drainDelaySeconds: number;
  readonly log: Logger;
}

type Acting<Kind extends Action["do"]> = Extract<Action, { do: Kind }>;

/**
 * Carries out one decision under the exchange's lease. Every effect may be repeated; what it did is noted afterwards,
 * so that a crash between the two repeats it.
 */
export async function act(
  decision: Decision,
  record: ExchangeRecord,
  now: Date,
  lease: Lease,
  hands: Hands,
): Promise<void> {
  const { action, reason } = decision;
  lease.assertHeld();
  switch (action.do) {
    case "wait":
      return;
    case "move":
      return move(action, reason, record, now, lease, hands);
    case "operate":
      return hands.operations.begin(record, action.wish, action.attempt, action.recover);
    case "abandon_operation": {
      const error = {
        code: "OWNER_DIED",
        message: `${action.operation.owner} showed no sign of life`,
        retryable: true,
      };
      return end(hands.db, { id: action.operation.id, exchangeId: record.id }, { state: "aborted", error });
    }
    case "cancel_operation":
      await requestCancel(hands.db, action.operation.id);
      hands.operations.cancel(action.operation.id);
      return;
    case "tell_uploader":
      await command(consumeCommand(record, hands.global), lease, hands);
      return lease.record({ uploader_told_at: databaseNow, uploader_silent_since: null });
    case "release_uploader":
      await command({ kind: "release", exchange: record.context }, lease, hands);
      return lease.record({ uploader_released_at: databaseNow, uploader_silent_since: null });
    case "start_execution":
      return start(record, lease, hands);
    case "stop_execution": {
      const arn = record.facts.executionArn ?? executionArn(hands.global.stateMachineArn, record.id);
      return stopExecution(hands.aws.sfn, arn, record.facts.failure?.message.slice(0, 200) ?? record.state);
    }
    case "stop_runs":
      return stopRuns(hands.aws.glue, hands.global.glueJobName, action.runIds);
    case "remove_records": {
      const selectionKey = await storeSelection(record, hands);
      lease.assertHeld();
      return startRemoval(hands.aws.glue, hands.global.glueJobName, copyArguments(record, selectionKey));
    }
    case "read_payload_from_manifest": {
      const payload = await payloadFromManifest(hands.aws.s3, hands.global.dataBucket, record);
      return lease.record({ payload: JSON.stringify(payload) });
    }
    case "fail_missing_units": {
      const missing = await failMissingUnits(hands.db, hands.aws.s3, hands.global.dataBucket, record, now);
      if (missing === 0) throw unaccounted(record);
      return;
    }
    case "note_quiet":
      return lease.record({ quiet_since: action.quiet ? databaseNow : null });
    case "remove_leftovers":
      hands.log.warn({ exchangeId: record.id, leftovers: action.leftovers }, "leftovers are removed");
      return hands.sweeper.remove(action.leftovers);
  }
}

async function move(
  action: Acting<"move">,
  reason: string,
  record: ExchangeRecord,
  now: Date,
  lease: Lease,
  hands: Hands,
): Promise<void> {
  const known = record.facts.failure;
  const failure = action.isCause === true ? (action.failure ?? known) : (known ?? action.failure ?? null);
  const told = { ...record, facts: { ...record.facts, failure } };
  const messages = (action.events ?? []).map((type) => eventMessage(told, type, now));
  if (action.recheck === true) messages.push(recheckMessage(record, hands.drainDelaySeconds));
  await lease.move({
    from: record.state,
    to: action.to,
    reason,
    change: {
      ...(await changesOf(action, record, now, hands)),
      // The first cause stays: what failed later is often only its consequence.
      ...(action.failure && { failure: stored(action.failure, action.isCause === true) }),
    },
    messages,
  });
}

function stored(failure: WireError, isCause: boolean) {
  const json = JSON.stringify(failure);
  return isCause ? json : sql<string>`coalesce(failure, ${json})`;
}

/** Facts that belong to the entering of a state. */
async function changesOf(
  action: Acting<"move">,
  record: ExchangeRecord,
  now: Date,
  hands: Hands,
): Promise<ExchangeChange> {
  if (action.to === "DRAINING") return { drain_round: record.facts.drainRound + 1, quiet_since: null };
  if (action.to === "DESTROYING") {
    const { outcome = "FAILED", records } = action;
    return { outcome, ...(records && { records: JSON.stringify(records) }) };
  }
  if (action.to !== "CONSTRUCTING_PAYLOAD") return {};
  const { s3 } = hands.aws;
  const { dataBucket } = hands.global;
  const report = await readReport(s3, dataBucket, record.id);
  if (report && !report.privileged && record.request.excludePrivileged) throw notExcluded(record);
  if (report?.privileged?.excluded) await listExcluded(hands.db, s3, dataBucket, record.id, now);
  return {
    table_rows: report && JSON.stringify(report.rows),
    privileged_copied: report?.privileged ? JSON.stringify(report.privileged) : null,
    copy_finished_at: databaseNow,
  };
}

/** Notes since when the uploader cannot be told anything. */
async function command(message: UploaderCommand, lease: Lease, { uploader }: Hands): Promise<void> {
  try {
    await uploader.send(message);
  } catch (error) {
    await lease.record({ uploader_silent_since: sql<Date>`coalesce(uploader_silent_since, ${databaseNow})` });
    throw error;
  }
}

async function start(record: ExchangeRecord, lease: Lease, hands: Hands): Promise<void> {
  const { aws, global } = hands;
  const selectionKey = await storeSelection(record, hands);
  lease.assertHeld();
  const input = executionInput(record, global, selectionKey);
  const arn = await startExecution(aws.sfn, global.stateMachineArn, record.id, input);
  await lease.record({ execution_arn: arn });
}

/** Stores a selection that is too long for an argument; returns where it lies, null for a short one. */
async function storeSelection({ id, request }: ExchangeRecord, { aws, global }: Hands): Promise<string | null> {
  const selection = JSON.stringify(request.selection);
  if (selection.length <= longestSelectionArgument) return null;
  const key = `${exchangePrefix(id)}selection.json`;
  await aws.s3.send(new PutObjectCommand({ Bucket: global.dataBucket, Key: key, Body: selection }));
  return key;
}

function consumeCommand(record: ExchangeRecord, global: GlobalOutputs) {
  const queue = record.facts.outputs?.queues.doc_uploader;
  if (!queue) throw new PermanentError("NO_QUEUE", `exchange ${record.id} has no doc_uploader queue`);
  return {
    kind: "consume" as const,
    exchange: record.context,
    queueUrl: queue.url,
    queueArn: queue.arn,
    topicArn: global.topicArn,
  };
}

function unaccounted(record: ExchangeRecord): PermanentError {
  return new PermanentError(
    "MANIFEST_INCOMPLETE",
    `exchange ${record.id} expects more units than its manifest lists, and every unit of the manifest is accounted for`,
  );
}

/** A record copy that does not know the argument copies everything. */
function notExcluded(record: ExchangeRecord): PermanentError {
  return new PermanentError(
    "PRIVILEGED_NOT_EXCLUDED",
    `the record copy of exchange ${record.id} does not report what it left out as excludePrivileged asks: deploy the Glue job of this release`,
  );
}
