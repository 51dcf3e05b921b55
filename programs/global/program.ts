import { getCallerIdentityOutput } from "@pulumi/aws/getCallerIdentity.js";
import { processorKinds } from "../../contracts/plan.ts";
import { awsProvider } from "../components/provider.ts";
import type { Artifacts } from "./artifacts.ts";
import type { GlobalConfig } from "./config.ts";
import { makeGlueJob } from "./glue-job.ts";
import { makeLambdas } from "./lambdas.ts";
import { makeQueues } from "./queues.ts";
import { makeBoundary } from "./roles/boundary.ts";
import { makeEngineRole } from "./roles/engine.ts";
import { makeSecrets } from "./secrets.ts";
import { makeStateMachine } from "./state-machine.ts";
import { makeStorage } from "./storage.ts";
import { makeTopic } from "./topic.ts";

/**
 * The long-lived stack of one environment in one Region. The result has the shape of `globalOutputs`.
 */
export function globalProgram(config: GlobalConfig, artifacts: Artifacts) {
  const options = { provider: awsProvider(config) };
  const accountId = getCallerIdentityOutput({}, options).accountId;
  const scope = { config, accountId, options };

  const topic = makeTopic(scope);
  const queues = makeQueues(scope, topic);
  const storage = makeStorage(scope, artifacts);
  const secrets = makeSecrets(scope);
  const lambdas = makeLambdas(scope, { topic, queues, storage, secrets });
  const glueJob = makeGlueJob(scope, storage, secrets.caseDatabase.arn);
  const stateMachine = makeStateMachine(scope, {
    glueJob,
    payloadFunctionArn: lambdas.payload.function.arn,
    topicArn: topic.arn,
    dataBucketArn: storage.bucket.arn,
  });
  const boundary = makeBoundary(scope, {
    topicArn: topic.arn,
    deadLetterQueueArn: queues.deadLetter.queue.arn,
    documentEngineSecretArn: secrets.documentEngine.arn,
    searchTextSecretArn: secrets.searchText.arn,
  });
  const engineRole = makeEngineRole(scope, {
    account: accountId,
    boundaryArn: boundary.arn,
    topicArn: topic.arn,
    orchestrationQueueArn: queues.orchestration.queue.arn,
    stateMachineArn: stateMachine.arn,
    glueJobArn: glueJob.arn,
    dataBucketArn: storage.bucket.arn,
    registrySecretArn: secrets.registry.arn,
    caseReaderSecretArn: secrets.caseReader.arn,
  });

  return {
    environment: config.environment,
    region: config.region,
    accountId,
    topicArn: topic.arn,
    orchestrationQueue: queues.orchestration.address(),
    statusQueue: queues.status.address(),
    ledgerQueue: queues.ledger.address(),
    deadLetterQueue: queues.deadLetter.address(),
    parkedQueue: queues.parked.address(),
    stateMachineArn: stateMachine.arn,
    glueJobName: glueJob.name,
    dataBucket: storage.bucket.bucket,
    caseBucket: config.caseBucket,
    caseSchemaPrefix: config.caseSchemaPrefix,
    caseReaderSecretArn: secrets.caseReader.arn,
    caseDatabaseSecretArn: secrets.caseDatabase.arn,
    registrySecretArn: secrets.registry.arn,
    ledgerSecretArn: secrets.ledger.arn,
    boundaryArn: boundary.arn,
    engineRoleArn: engineRole.arn,
    uploader: config.uploader,
    requireTls: config.requireTls,
    maxReceiveCount: config.maxReceiveCount,
    retrySeconds: config.retrySeconds,
    logRetentionDays: config.logRetentionDays,
    ...(config.documentEngine && {
      documentEngine: { url: config.documentEngine.url, secretArn: secrets.documentEngine.arn },
    }),
    searchTextSecretArn: secrets.searchText.arn,
    ...(config.vpc && { vpc: config.vpc }),
    processors: Object.fromEntries(
      processorKinds.map((kind) => [kind, { code: storage.bundles[kind], tuning: config.processors[kind] }]),
    ),
  };
}
