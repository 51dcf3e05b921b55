import * as lambda from "@pulumi/aws/lambda/index.js";
import { all, type ComponentResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import { consumeQueue } from "./policy.ts";
import { ServiceFunction, type FunctionTuning, type ServiceFunctionArgs } from "./service-function.ts";

/** How a function runs and works off its queue. */
export interface ConsumerTuning extends FunctionTuning {
  batchSize: number;
  batchWindowSeconds: number;
  maximumConcurrency: number;
}

export interface QueueWorkerArgs extends ServiceFunctionArgs {
  tuning: ConsumerTuning;
  queueArn: Input<string>;
  /** Whether it polls now. */
  enabled: boolean;
}

/** A Lambda that works off a queue and answers for each message by itself. */
export class QueueWorker extends ServiceFunction {
  readonly mapping: lambda.EventSourceMapping;

  constructor(name: string, args: QueueWorkerArgs, options: ComponentResourceOptions) {
    const { tuning, queueArn } = args;
    const policy = all([args.policy, queueArn]).apply(([own, queue]) => [...own, consumeQueue(queue)]);
    super(name, { ...args, policy }, options);
    this.mapping = new lambda.EventSourceMapping(
      name,
      {
        eventSourceArn: queueArn,
        functionName: this.function.name,
        batchSize: tuning.batchSize,
        maximumBatchingWindowInSeconds: tuning.batchWindowSeconds,
        scalingConfig: { maximumConcurrency: tuning.maximumConcurrency },
        functionResponseTypes: ["ReportBatchItemFailures"],
        enabled: args.enabled,
      },
      // The function's name alone does not order it: AWS refuses a mapping whose role may not receive yet.
      { parent: this, dependsOn: [this.rolePolicy] },
    );
  }

  /** What is needed to watch, drain and find it. */
  address(): Record<"functionName" | "functionArn" | "mappingUuid" | "roleArn" | "logGroup", Output<string>> {
    return {
      functionName: this.function.name,
      functionArn: this.function.arn,
      mappingUuid: this.mapping.uuid,
      roleArn: this.role.arn,
      logGroup: this.logGroup.name,
    };
  }
}
