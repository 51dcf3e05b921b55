import { DescribeExecutionCommand, ExecutionDoesNotExist } from "@aws-sdk/client-sfn";
import { GetEventSourceMappingCommand, ResourceNotFoundException } from "@aws-sdk/client-lambda";
import { GetQueueAttributesCommand, QueueDoesNotExist } from "@aws-sdk/client-sqs";
import type { AwsClients } from "../aws/clients.ts";
import { reportKey } from "../../contracts/manifest.ts";
import type { ExchangeState } from "../../contracts/states.ts";
import type { GlobalOutputs } from "../../programs/global/outputs.ts";
import { progressOf, type Execution, type Observed, type QueueDepth } from "../exchange/observed.ts";
import { lastAttempt } from "../exchange/operate.ts";
import type { ExchangeRecord, Operation } from "../exchange/record.ts";
import type { Registry } from "../registry/database.ts";
import { stageCounts } from "../registry/ledger.ts";
import { isAbandoned } from "./liveness.ts";
import { executionArn } from "./execution.ts";
import { isThere, readRemoval } from "./copy-files.ts";
import { runsOf } from "./runs.ts";
import type { Sweeper } from "./sweep.ts";

export interface Eyes {
  readonly db: Registry;
  readonly aws: Pick<AwsClients, "sfn" | "lambda" | "sqs" | "glue" | "s3">;
  readonly sweeper: Sweeper;
  readonly global: Pick<GlobalOutputs, "stateMachineArn" | "glueJobName" | "dataBucket">;
  readonly instance: string;
  readonly leaseSeconds: number;
}

/** Looks at what the decision of this state needs, and at nothing else. */
export async function observe(
  record: ExchangeRecord,
  operations: readonly Operation[],
  now: Date,
  eyes: Eyes,
): Promise<Observed> {
  return { ...known(operations, now, eyes), ...(await outside(record, operations, eyes)) };
}

/** What the registry itself shows. */
export function known(
  operations: readonly Operation[],
  now: Date,
  eyes: Pick<Eyes, "instance" | "leaseSeconds">,
): Pick<Observed, "operations" | "abandoned"> {
  const abandoned = new Set(
    operations.filter((operation) => isAbandoned(operation, now, eyes)).map((operation) => operation.id),
  );
  return { operations, abandoned };
}

async function outside(
  record: ExchangeRecord,
  operations: readonly Operation[],
  eyes: Eyes,
): Promise<Partial<Observed>> {
  const { state, facts } = record;
  const missing = needingStack.includes(state) ? await missingParts(record, eyes) : [];
  if (missing.length > 0) return { missing };
  if (state === "COPYING_RECORDS" || state === "CONSTRUCTING_PAYLOAD")
    return { execution: await describe(record, eyes) };
  if (state === "FAILING" || state === "CANCELLING") return copyOf(record, eyes);
  if (state === "PROCESSING") {
    const ledger = await stageCounts(eyes.db, record.id);
    const complete =
      facts.payload && progressOf(facts.payload, ledger).every(({ expected, ended }) => ended >= expected);
    return complete ? { ledger, queues: await depths(record, eyes) } : { ledger };
  }
  if (state === "DRAINING" && lastAttempt(operations, `drain:${facts.drainRound}`)?.state === "succeeded") {
    return { mappings: await mappings(record, eyes), queues: await depths(record, eyes) };
  }
  if (state === "DESTROYING" && lastAttempt(operations, "destroy")?.state === "succeeded") {
    return { leftovers: await eyes.sweeper.find(record) };
  }
  return {};
}

/** The states in which everything that the stack's outputs name has to exist. */
const needingStack: readonly ExchangeState[] = ["COPYING_RECORDS", "CONSTRUCTING_PAYLOAD", "PROCESSING", "DRAINING"];

/** What somebody else has taken away. */
async function missingParts({ facts: { outputs } }: ExchangeRecord, eyes: Eyes): Promise<string[]> {
  const queues = Object.entries(outputs?.queues ?? {}).map(async ([kind, { url }]) =>
    (await depth(url, eyes)) ? [] : [`queue ${kind}`],
  );
  const consumers = Object.entries(outputs?.processors ?? {}).map(async ([kind, { mappingUuid }]) =>
    (await mappingState(mappingUuid, eyes)) === null ? [`mapping ${kind}`] : [],
  );
  return (await Promise.all([...queues, ...consumers])).flat();
}

/** The execution and, once it can start no run any more, its runs and what they came to. */
async function copyOf(record: ExchangeRecord, eyes: Eyes): Promise<Partial<Observed>> {
  const execution = await describe(record, eyes);
  if (!execution || execution.status === "RUNNING") return { execution };
  const { glueJobName, dataBucket } = eyes.global;
  const runs = await runsOf(eyes.aws.glue, glueJobName, record.id, record.createdAt);
  if (runs.length === 0) return { execution, runs };
  const copied = await isThere(eyes.aws.s3, dataBucket, reportKey(record.id));
  const removal = await readRemoval(eyes.aws.s3, dataBucket, record.id);
  return { execution, runs, copied, removal };
}

/** Null when no execution was ever started. Asked by name, since a crash may have come before its ARN was noted. */
async function describe(record: ExchangeRecord, eyes: Eyes): Promise<Execution | null> {
  if (!record.facts.outputs) return null;
  const arn = record.facts.executionArn ?? executionArn(eyes.global.stateMachineArn, record.id);
  try {
    const found = await eyes.aws.sfn.send(new DescribeExecutionCommand({ executionArn: arn }));
    return {
      status: found.status ?? "RUNNING",
      stoppedAt: found.stopDate ?? null,
      error: found.error ?? null,
      cause: found.cause ?? null,
    };
  } catch (error) {
    if (error instanceof ExecutionDoesNotExist) return null;
    throw error;
  }
}

/** A queue that is gone has nothing in it. */
async function depths(record: ExchangeRecord, eyes: Eyes): Promise<NonNullable<Observed["queues"]>> {
  const queues = Object.entries(record.facts.outputs?.queues ?? {});
  const found = await Promise.all(
    queues.map(async ([kind, queue]) => [kind, (await depth(queue.url, eyes)) ?? nothing] as const),
  );
  return Object.fromEntries(found);
}

const nothing: QueueDepth = { visible: 0, inFlight: 0, delayed: 0 };

/** Null when there is no such queue. */
async function depth(queueUrl: string, eyes: Eyes): Promise<QueueDepth | null> {
  const names = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
  ] as const;
  try {
    const { Attributes: values } = await eyes.aws.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] }),
    );
    const [visible = 0, inFlight = 0, delayed = 0] = names.map((name) => Number(values?.[name] ?? 0));
    return { visible, inFlight, delayed };
  } catch (error) {
    if (error instanceof QueueDoesNotExist) return null;
    throw error;
  }
}

/** A mapping that is gone polls nothing, which is all that draining wants. */
async function mappings(record: ExchangeRecord, eyes: Eyes): Promise<NonNullable<Observed["mappings"]>> {
  const processors = Object.entries(record.facts.outputs?.processors ?? {});
  const states = await Promise.all(
    processors.map(
      async ([kind, { mappingUuid }]) => [kind, (await mappingState(mappingUuid, eyes)) ?? "Disabled"] as const,
    ),
  );
  return Object.fromEntries(states);
}

/** Null when there is no such mapping. */
async function mappingState(uuid: string, eyes: Eyes): Promise<string | null> {
  try {
    const { State: state } = await eyes.aws.lambda.send(new GetEventSourceMappingCommand({ UUID: uuid }));
    return state ?? "Unknown";
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return null;
    throw error;
  }
}
