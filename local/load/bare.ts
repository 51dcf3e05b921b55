import {
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  PutRetentionPolicyCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  DeleteEventSourceMappingCommand,
  DeleteFunctionCommand,
} from "@aws-sdk/client-lambda";
import { CreateQueueCommand, DeleteQueueCommand, SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { lambdaName, queueName, roleName } from "../../contracts/names.ts";
import { awsClients, destroyClients, type AwsClients } from "../../engine/aws/clients.ts";
import { consumeQueue, policyDocument, trustService, writeLogs } from "../../programs/components/policy.ts";
import { visibilityFor } from "../../programs/components/work-queue.ts";
import { processorStatements, uploaderGrant } from "../../programs/exchange/policies.ts";
import type { GlobalOutputs } from "../../programs/global/outputs.ts";
import type { Platform } from "../platform/platform.ts";
import type { Wanted } from "./together.ts";

/** Makes the resources that the stacks of these exchanges have, all at once, and removes them; returns the seconds. */
export async function makeAndRemove({ cloud, outputs }: Platform, wanted: readonly Wanted[]): Promise<number> {
  const aws = awsClients(cloud.client("operator"));
  try {
    const started = performance.now();
    const made = await Promise.all(wanted.map((exchange) => make(aws, outputs, exchange)));
    await Promise.all(made.map((remove) => remove()));
    return Math.round((performance.now() - started) / 100) / 10;
  } finally {
    destroyClients(aws);
  }
}

/** Everything that the program of an exchange without annotations declares; returns what removes it. */
async function make(aws: AwsClients, global: GlobalOutputs, wanted: Wanted): Promise<() => Promise<void>> {
  const { destinationCaseId: caseId, batchId, sourceCaseId } = wanted;
  const [function_, role] = [lambdaName("s3_copy", caseId, batchId), roleName("s3_copy", caseId, batchId)];
  const { code, tuning } = global.processors.s3_copy;
  const logGroup = `/aws/lambda/${function_}`;
  const inAccount = (service: string, name: string) =>
    `arn:aws:${service}:${global.region}:${global.accountId}:${name}`;

  const queue = async (kind: "s3_copy" | "doc_uploader", visibilitySeconds: number) => {
    const name = queueName(kind, caseId, batchId);
    const Attributes = {
      VisibilityTimeout: String(visibilitySeconds),
      MessageRetentionPeriod: "1209600",
      MaximumMessageSize: "262144",
      SqsManagedSseEnabled: "true",
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: global.deadLetterQueue.arn,
        maxReceiveCount: global.maxReceiveCount,
      }),
    };
    const { QueueUrl: url = "" } = await aws.sqs.send(new CreateQueueCommand({ QueueName: name, Attributes, tags }));
    return { url, arn: inAccount("sqs", name) };
  };
  const [copyQueue, uploaderQueue, { Role: made }] = await Promise.all([
    queue("s3_copy", visibilityFor(tuning)),
    queue("doc_uploader", global.uploader.visibilityTimeoutSeconds),
    aws.iam.send(
      new CreateRoleCommand({
        RoleName: role,
        AssumeRolePolicyDocument: trustService("lambda.amazonaws.com"),
        PermissionsBoundary: global.boundaryArn,
        Tags: tagList,
      }),
    ),
    aws.logs
      .send(new CreateLogGroupCommand({ logGroupName: logGroup, tags }))
      .then(() =>
        aws.logs.send(
          new PutRetentionPolicyCommand({ logGroupName: logGroup, retentionInDays: global.logRetentionDays }),
        ),
      ),
  ]);
  const statements = [
    ...processorStatements.s3_copy({
      caseBucket: global.caseBucket,
      sourceCaseId,
      caseId,
      topicArn: global.topicArn,
      queueArn: copyQueue.arn,
      nextQueueArn: uploaderQueue.arn,
      deadLetterQueueArn: global.deadLetterQueue.arn,
      documentEngineSecretArn: global.documentEngine?.secretArn,
      searchTextSecretArn: global.searchTextSecretArn,
    }),
    consumeQueue(copyQueue.arn),
    writeLogs(inAccount("logs", `log-group:${logGroup}`)),
  ];
  await Promise.all([
    aws.sqs.send(
      new SetQueueAttributesCommand({
        QueueUrl: uploaderQueue.url,
        Attributes: { Policy: policyDocument([uploaderGrant(uploaderQueue.arn, global.uploader.principalArn)]) },
      }),
    ),
    aws.iam.send(
      new PutRolePolicyCommand({ RoleName: role, PolicyName: role, PolicyDocument: policyDocument(statements) }),
    ),
    aws.lambda.send(
      new CreateFunctionCommand({
        FunctionName: function_,
        Role: made?.Arn,
        Runtime: "nodejs24.x",
        Handler: "handler.handler",
        Architectures: [tuning.architecture],
        Code: { S3Bucket: code.bucket, S3Key: code.key },
        MemorySize: tuning.memoryMiB,
        Timeout: tuning.timeoutSeconds,
        Environment: {
          Variables: {
            ...tuning.environment,
            TOPIC_ARN: global.topicArn,
            DEAD_LETTER_QUEUE_URL: global.deadLetterQueue.url,
            UPLOADER_QUEUE_URL: uploaderQueue.url,
            MAX_RECEIVE_COUNT: String(global.maxReceiveCount),
            QUEUE_URL: copyQueue.url,
            RETRY_SECONDS: String(global.retrySeconds),
            ...(global.documentEngine && {
              DOCUMENT_ENGINE_URL: global.documentEngine.url,
              DOCUMENT_ENGINE_SECRET_ARN: global.documentEngine.secretArn,
            }),
          },
        },
        LoggingConfig: { LogFormat: "Text", LogGroup: logGroup },
        Tags: tags,
      }),
    ),
  ]);
  const { UUID: mapping } = await aws.lambda.send(
    new CreateEventSourceMappingCommand({
      EventSourceArn: copyQueue.arn,
      FunctionName: function_,
      BatchSize: tuning.batchSize,
      MaximumBatchingWindowInSeconds: tuning.batchWindowSeconds,
      ScalingConfig: { MaximumConcurrency: tuning.maximumConcurrency },
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      Tags: tags,
    }),
  );

  return async () => {
    await aws.lambda.send(new DeleteEventSourceMappingCommand({ UUID: mapping }));
    await Promise.all([
      aws.lambda.send(new DeleteFunctionCommand({ FunctionName: function_ })),
      aws.iam
        .send(new DeleteRolePolicyCommand({ RoleName: role, PolicyName: role }))
        .then(() => aws.iam.send(new DeleteRoleCommand({ RoleName: role }))),
      aws.logs.send(new DeleteLogGroupCommand({ logGroupName: logGroup })),
      ...[copyQueue, uploaderQueue].map(({ url }) => aws.sqs.send(new DeleteQueueCommand({ QueueUrl: url }))),
    ]);
  };
}

const tags = { service: "documentexchanger", purpose: "yardstick" };
const tagList = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
