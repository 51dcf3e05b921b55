import {
  ExecutionAlreadyExists,
  StartExecutionCommand,
  StopExecutionCommand,
  type SFNClient,
} from "@aws-sdk/client-sfn";
import type { ExecutionInput } from "../../contracts/execution.ts";
import { manifestPrefix, reportKey } from "../../contracts/manifest.ts";
import { PermanentError } from "../../contracts/errors.ts";
import type { GlobalOutputs } from "../../programs/global/outputs.ts";
import type { ExchangeRecord } from "../exchange/record.ts";

/** Glue takes 260 KB of arguments in all; a selection beyond this goes to S3. */
export const longestSelectionArgument = 100_000;

/** The ARN of the execution that carries an exchange's id as its name; AWS defines it by the machine's ARN. */
export function executionArn(stateMachineArn: string, exchangeId: string): string {
  return `${stateMachineArn.replace(":stateMachine:", ":execution:")}:${exchangeId}`;
}

/** Arguments of every Glue run for an exchange. `selectionKey`: where a long selection lies in the data bucket. */
export function copyArguments(
  { id, context, request }: ExchangeRecord,
  selectionKey: string | null,
): Record<string, string> {
  return {
    "--exchange_id": id,
    "--source_case_id": String(context.sourceCaseId),
    "--destination_case_id": String(context.caseId),
    "--batch_id": context.batchId,
    "--include_natives": String(request.includeNatives),
    "--annotated": String(request.annotations !== undefined),
    "--exclude_privileged": String(request.excludePrivileged),
    "--metadata": JSON.stringify(request.metadata),
    "--manifest_prefix": manifestPrefix(id),
    "--report_key": reportKey(id),
    ...(selectionKey === null
      ? { "--selection": JSON.stringify(request.selection) }
      : { "--selection_key": selectionKey }),
  };
}

/** What the state machine is given. `selectionKey`: where a long selection lies in the data bucket. */
export function executionInput(
  record: ExchangeRecord,
  global: GlobalOutputs,
  selectionKey: string | null,
): ExecutionInput {
  const { s3_copy, pre_uploader } = record.facts.outputs?.queues ?? {};
  if (!s3_copy && !pre_uploader)
    throw new PermanentError("NO_QUEUE", `exchange ${record.id} has no queue to send files to`);
  return {
    exchange: record.context,
    glueArguments: copyArguments(record, selectionKey),
    dataBucket: global.dataBucket,
    manifestPrefix: manifestPrefix(record.id),
    caseBucket: global.caseBucket,
    annotations: record.request.annotations ?? null,
    queues: { ...(s3_copy && { s3_copy: s3_copy.url }), ...(pre_uploader && { pre_uploader: pre_uploader.url }) },
  };
}

/** Starts the execution; one that exists already is this exchange's own, since the name is its id. */
export async function startExecution(
  sfn: SFNClient,
  stateMachineArn: string,
  exchangeId: string,
  input: ExecutionInput,
): Promise<string> {
  try {
    const started = await sfn.send(
      new StartExecutionCommand({ stateMachineArn, name: exchangeId, input: JSON.stringify(input) }),
    );
    return started.executionArn ?? executionArn(stateMachineArn, exchangeId);
  } catch (error) {
    if (error instanceof ExecutionAlreadyExists) return executionArn(stateMachineArn, exchangeId);
    throw error;
  }
}

export async function stopExecution(sfn: SFNClient, arn: string, cause: string): Promise<void> {
  await sfn.send(new StopExecutionCommand({ executionArn: arn, error: "EXCHANGE_ENDED", cause }));
}
