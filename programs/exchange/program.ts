import { InvalidInputError } from "../../contracts/errors.ts";
import { lambdaName, queueName, roleName } from "../../contracts/names.ts";
import type { ProcessorKind, QueueKind } from "../../contracts/plan.ts";
import { awsProvider } from "../components/provider.ts";
import { QueueWorker } from "../components/queue-worker.ts";
import { visibilityFor, WorkQueue } from "../components/work-queue.ts";
import type { ExchangeStackConfig } from "./config.ts";
import { s3CopyStatements, uploaderGrant } from "./policies.ts";

/** What an exchange without annotations is made of; the other kinds are refused until they are built. */
const built: readonly (QueueKind | ProcessorKind)[] = ["s3_copy", "doc_uploader"];

/**
 * The stack of one exchange: its queues and processors, as planned, in the given phase.
 *
 * Everything that it makes follows from the configuration; names are read from outputs, never rebuilt.
 * The result has the shape of `exchangeOutputs`.
 * Throws `NOT_SUPPORTED` for a plan with a queue or processor that is not built yet.
 */
export function exchangeProgram(config: ExchangeStackConfig) {
  const { exchange, plan, global } = config;
  const missing = [...new Set([...plan.queues, ...plan.processors])].filter((kind) => !built.includes(kind));
  if (missing.length > 0) {
    throw new InvalidInputError("NOT_SUPPORTED", `processors ${missing.join(", ")} are not supported yet`);
  }

  const provider = awsProvider({ ...global, exchangeId: exchange.exchangeId });
  const options = { providers: [provider] };
  const redrive = { deadLetterArn: global.deadLetterQueue.arn, maxReceiveCount: global.maxReceiveCount };
  const { tuning, code } = global.processors.s3_copy;
  const nameOfQueue = (kind: QueueKind) => queueName(kind, exchange.caseId, exchange.batchId);

  const copyQueue = new WorkQueue(
    nameOfQueue("s3_copy"),
    { visibilityTimeoutSeconds: visibilityFor(tuning), redrive, requireTls: global.requireTls },
    options,
  );
  const uploaderQueue = new WorkQueue(
    nameOfQueue("doc_uploader"),
    {
      visibilityTimeoutSeconds: global.uploader.visibilityTimeoutSeconds,
      redrive,
      requireTls: global.requireTls,
      grants: (queueArn) => queueArn.apply((arn) => [uploaderGrant(arn, global.uploader.principalArn)]),
    },
    options,
  );
  const copy = new QueueWorker(
    lambdaName("s3_copy", exchange.caseId, exchange.batchId),
    {
      roleName: roleName("s3_copy", exchange.caseId, exchange.batchId),
      boundaryArn: global.boundaryArn,
      policy: uploaderQueue.queue.arn.apply((uploaderQueueArn) =>
        s3CopyStatements({
          ...exchange,
          caseBucket: global.caseBucket,
          topicArn: global.topicArn,
          uploaderQueueArn,
          deadLetterQueueArn: global.deadLetterQueue.arn,
        }),
      ),
      code,
      tuning,
      environment: {
        TOPIC_ARN: global.topicArn,
        DEAD_LETTER_QUEUE_URL: global.deadLetterQueue.url,
        UPLOADER_QUEUE_URL: uploaderQueue.queue.url,
        MAX_RECEIVE_COUNT: String(global.maxReceiveCount),
      },
      logRetentionDays: global.logRetentionDays,
      queueArn: copyQueue.queue.arn,
      enabled: config.phase === "running",
    },
    options,
  );

  return {
    queues: { s3_copy: copyQueue.address(), doc_uploader: uploaderQueue.address() },
    processors: { s3_copy: copy.address() },
  };
}
