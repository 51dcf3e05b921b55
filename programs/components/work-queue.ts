import * as sqs from "@pulumi/aws/sqs/index.js";
import {
  ComponentResource,
  jsonStringify,
  type ComponentResourceOptions,
  type Input,
  type Output,
} from "@pulumi/pulumi";
import { onlyOverTls, policyOf, type Statement } from "./policy.ts";

/** Fourteen days, the longest that SQS keeps a message: an exchange that waits for an operator loses nothing. */
const retentionSeconds = 1_209_600;

/** The size that our batches are cut to; set, because AWS's own default has changed before. */
const maximumMessageBytes = 262_144;

export interface WorkQueueArgs {
  /** How long a received message stays hidden. */
  visibilityTimeoutSeconds: number;
  /** Where a message goes that was received too often. */
  redrive?: { deadLetterArn: Input<string>; maxReceiveCount: number };
  requireTls: boolean;
  /** Who else may do what on the queue, given its ARN. */
  grants?: (queueArn: Output<string>) => Output<readonly Statement[]>;
}

/** A standard queue, encrypted at rest, with its access policy. */
export class WorkQueue extends ComponentResource {
  readonly queue: sqs.Queue;

  constructor(name: string, args: WorkQueueArgs, options: ComponentResourceOptions) {
    super("documentexchanger:components:WorkQueue", name, {}, options);
    const child = { parent: this };
    this.queue = new sqs.Queue(
      name,
      {
        visibilityTimeoutSeconds: args.visibilityTimeoutSeconds,
        messageRetentionSeconds: retentionSeconds,
        maxMessageSize: maximumMessageBytes,
        sqsManagedSseEnabled: true,
        ...(args.redrive && {
          redrivePolicy: jsonStringify({
            deadLetterTargetArn: args.redrive.deadLetterArn,
            maxReceiveCount: args.redrive.maxReceiveCount,
          }),
        }),
      },
      child,
    );
    if (args.requireTls || args.grants) {
      const policy = policyOf(
        { arn: this.queue.arn, granted: args.grants?.(this.queue.arn) ?? [] },
        ({ arn, granted }) => (args.requireTls ? [...granted, onlyOverTls("sqs:*", arn)] : granted),
      );
      new sqs.QueuePolicy(name, { queueUrl: this.queue.url, policy }, child);
    }
    this.registerOutputs();
  }

  /** URL and ARN, as outputs name a queue. */
  address(): { url: sqs.Queue["url"]; arn: sqs.Queue["arn"] } {
    return { url: this.queue.url, arn: this.queue.arn };
  }
}

/** How long a message must stay hidden so that a Lambda with its own retries is not handed it twice (AWS's advice). */
export function visibilityFor(tuning: { timeoutSeconds: number; batchWindowSeconds: number }): number {
  return 6 * tuning.timeoutSeconds + tuning.batchWindowSeconds;
}
