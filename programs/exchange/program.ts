import * as sns from "@pulumi/aws/sns/index.js";
import { all, type CustomResourceOptions, type Input } from "@pulumi/pulumi";
import { InvalidInputError } from "../../contracts/errors.ts";
import { lambdaName, queueName, roleName } from "../../contracts/names.ts";
import type { ProcessorKind, QueueKind } from "../../contracts/plan.ts";
import { awsProvider } from "../components/provider.ts";
import { QueueWorker } from "../components/queue-worker.ts";
import { visibilityFor, WorkQueue } from "../components/work-queue.ts";
import { topicDelivers } from "../global/queues.ts";
import type { ExchangeStackConfig } from "./config.ts";
import { callsDocumentEngine, environmentOf, nextQueue, usesVpc } from "./environment.ts";
import { processorStatements, uploaderGrant } from "./policies.ts";

/**
 * The stack of one exchange: its queues and processors, as planned, in the given phase.
 *
 * Everything that it makes follows from the configuration; names are read from outputs, never rebuilt.
 * The result has the shape of `exchangeOutputs`.
 * Throws `NO_DOCUMENT_ENGINE` for a plan with annotations where there is nothing that knows them.
 */
export function exchangeProgram(config: ExchangeStackConfig) {
  const { exchange, plan, global } = config;
  if (plan.processors.includes("pre_uploader") && !global.documentEngine) {
    throw new InvalidInputError(
      "NO_DOCUMENT_ENGINE",
      "this environment has no Document Engine: set documentEngine.url",
    );
  }
  const provider = awsProvider({ ...global, exchangeId: exchange.exchangeId });
  const options = { providers: [provider] };

  const queues = new Map(plan.queues.map((kind) => [kind, makeQueue(kind, config, options)]));
  const arnOf = (kind: QueueKind | undefined): Input<string | undefined> => kind && queues.get(kind)?.queue.arn;
  const workers = new Map(
    plan.processors.map((kind) => [kind, makeWorker(kind, config, queues, arnOf(nextQueue[kind]), options)]),
  );
  if (queues.has("re_ocr") && config.phase === "running") subscribe(config, arnOf("re_ocr"), { provider });

  return {
    queues: Object.fromEntries([...queues].map(([kind, queue]) => [kind, queue.address()])),
    processors: Object.fromEntries([...workers].map(([kind, worker]) => [kind, worker.address()])),
  };
}

type Options = ConstructorParameters<typeof WorkQueue>[2];

function makeQueue(kind: QueueKind, { exchange, global }: ExchangeStackConfig, options: Options): WorkQueue {
  const { topicArn, uploader, requireTls, processors, deadLetterQueue, maxReceiveCount } = global;
  const grants: Partial<Record<QueueKind, (arn: string) => ReturnType<typeof topicDelivers>>> = {
    doc_uploader: (arn) => uploaderGrant(arn, uploader.principalArn),
    re_ocr: (arn) => topicDelivers(arn, topicArn),
  };
  const grant = grants[kind];
  return new WorkQueue(
    queueName(kind, exchange.caseId, exchange.batchId),
    {
      visibilityTimeoutSeconds:
        kind === "doc_uploader" ? uploader.visibilityTimeoutSeconds : visibilityFor(processors[kind].tuning),
      redrive: { deadLetterArn: deadLetterQueue.arn, maxReceiveCount },
      requireTls,
      ...(grant && { grants: (queueArn) => queueArn.apply((arn) => [grant(arn)]) }),
    },
    options,
  );
}

function makeWorker(
  kind: ProcessorKind,
  config: ExchangeStackConfig,
  queues: ReadonlyMap<QueueKind, WorkQueue>,
  nextQueueArn: Input<string | undefined>,
  options: Options,
): QueueWorker {
  const { exchange, global, phase } = config;
  const own = queues.get(kind);
  if (!own) throw new InvalidInputError("PLAN_INVALID", `the plan has a processor ${kind} and no queue of that name`);
  const { code, tuning } = global.processors[kind];
  return new QueueWorker(
    lambdaName(kind, exchange.caseId, exchange.batchId),
    {
      roleName: roleName(kind, exchange.caseId, exchange.batchId),
      boundaryArn: global.boundaryArn,
      policy: all([own.queue.arn, nextQueueArn]).apply(([queueArn, nextArn]) =>
        processorStatements[kind]({
          ...exchange,
          caseBucket: global.caseBucket,
          topicArn: global.topicArn,
          queueArn,
          deadLetterQueueArn: global.deadLetterQueue.arn,
          nextQueueArn: nextArn,
          documentEngineSecretArn: callsDocumentEngine(kind, config) ? global.documentEngine?.secretArn : undefined,
          searchTextSecretArn: global.searchTextSecretArn,
        }),
      ),
      code,
      tuning,
      environment: environmentOf(kind, config, (queue) => queues.get(queue)?.queue.url),
      logRetentionDays: global.logRetentionDays,
      queueArn: own.queue.arn,
      enabled: phase === "running",
      vpc: usesVpc(kind, config) ? global.vpc : undefined,
    },
    options,
  );
}

/** What was uploaded for this case and batch is read again. Gone while the exchange drains, so that nothing new comes. */
function subscribe(
  { exchange, global }: ExchangeStackConfig,
  queueArn: Input<string | undefined>,
  options: CustomResourceOptions,
): void {
  new sns.TopicSubscription(
    queueName("re_ocr", exchange.caseId, exchange.batchId),
    {
      topic: global.topicArn,
      protocol: "sqs",
      endpoint: all([queueArn]).apply(([arn]) => arn ?? ""),
      rawMessageDelivery: true,
      filterPolicy: JSON.stringify({
        eventType: ["DOCUMENT_UPLOADED"],
        caseId: [String(exchange.caseId)],
        batchId: [exchange.batchId],
      }),
    },
    options,
  );
}
