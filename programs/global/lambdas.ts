import { all, output } from "@pulumi/pulumi";
import type { Topic } from "@pulumi/aws/sns/index.js";
import { resourcePrefix } from "../../contracts/names.ts";
import { QueueWorker } from "../components/queue-worker.ts";
import { ServiceFunction } from "../components/service-function.ts";
import type { BundleName } from "./artifacts.ts";
import type { GlobalQueues } from "./queues.ts";
import { deadLetterStatements, databaseWriterStatements, payloadStatements } from "./roles/lambdas.ts";
import type { Scope } from "./scope.ts";
import type { SecretName } from "./secrets.ts";
import type { Storage } from "./storage.ts";

export interface GlobalLambdas {
  payload: ServiceFunction;
  status_update: QueueWorker;
  ledger: QueueWorker;
  dead_letter: QueueWorker;
}

/** The Lambdas that serve all exchanges. */
export function makeLambdas(
  scope: Scope,
  made: { topic: Topic; queues: GlobalQueues; storage: Storage; secrets: Record<SecretName, { arn: Topic["arn"] }> },
): GlobalLambdas {
  const { config, accountId, options } = scope;
  const { topic, queues, storage, secrets } = made;
  const common = (name: BundleName) => ({
    roleName: `${resourcePrefix}${name}`,
    code: storage.bundles[name],
    logRetentionDays: config.logRetentionDays,
    enabled: true,
  });
  const databaseWriter = {
    policy: secrets.ledger.arn.apply(databaseWriterStatements),
    environment: { DATABASE_SECRET_ARN: secrets.ledger.arn },
    vpc: config.vpc,
  };

  return {
    payload: new ServiceFunction(
      `${resourcePrefix}payload`,
      {
        ...common("payload"),
        tuning: config.lambdas.payload,
        policy: all([accountId, storage.bucket.arn, topic.arn]).apply(([account, dataBucketArn, topicArn]) =>
          payloadStatements({ account, region: config.region, dataBucketArn, topicArn }),
        ),
        environment: { TOPIC_ARN: topic.arn },
      },
      options,
    ),
    status_update: new QueueWorker(
      `${resourcePrefix}status_update`,
      {
        ...common("status_update"),
        ...databaseWriter,
        tuning: config.lambdas.status_update,
        queueArn: queues.status.queue.arn,
      },
      options,
    ),
    ledger: new QueueWorker(
      `${resourcePrefix}ledger`,
      { ...common("ledger"), ...databaseWriter, tuning: config.lambdas.ledger, queueArn: queues.ledger.queue.arn },
      options,
    ),
    dead_letter: new QueueWorker(
      `${resourcePrefix}dead_letter`,
      {
        ...common("dead_letter"),
        tuning: config.lambdas.dead_letter,
        policy: output(topic.arn).apply(deadLetterStatements),
        environment: { TOPIC_ARN: topic.arn },
        queueArn: queues.deadLetter.queue.arn,
      },
      options,
    ),
  };
}
