import { ChangeMessageVisibilityCommand } from "@aws-sdk/client-sqs";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { z } from "zod";
import type { ExchangerError } from "../../contracts/errors.ts";
import { sendDeadLetter } from "./send.ts";

/** The queue that feeds a processor, and what becomes of messages that fail. */
export interface Feed {
  queueUrl: string;
  /** Shared by all exchanges. */
  deadLetterQueueUrl: string;
  /** On this receive a message that fails is given up. */
  maxReceiveCount: number;
  /** After its first failure a message comes again so soon, see {@link secondsUntilAgain}. */
  retrySeconds: number;
}

/** The variables that tell a processor of its feed. */
export const feedSettings = {
  QUEUE_URL: z.url(),
  DEAD_LETTER_QUEUE_URL: z.url(),
  MAX_RECEIVE_COUNT: z.coerce.number().int().positive(),
  RETRY_SECONDS: z.coerce.number().int().nonnegative(),
};

export function feedOf(settings: z.output<z.ZodObject<typeof feedSettings>>): Feed {
  return {
    queueUrl: settings.QUEUE_URL,
    deadLetterQueueUrl: settings.DEAD_LETTER_QUEUE_URL,
    maxReceiveCount: settings.MAX_RECEIVE_COUNT,
    retrySeconds: settings.RETRY_SECONDS,
  };
}

/** What a handler does about a message that fails. */
export interface Redelivery extends Pick<Feed, "maxReceiveCount" | "retrySeconds"> {
  giveUp: (body: string, reason: ExchangerError) => Promise<void>;
  comeAgainIn: (seconds: number, receiptHandle: string) => Promise<void>;
}

export function redeliveryOf(feed: Feed, sqs: SQSClient): Redelivery {
  const { queueUrl: QueueUrl, deadLetterQueueUrl, maxReceiveCount, retrySeconds } = feed;
  return {
    maxReceiveCount,
    retrySeconds,
    giveUp: (body, reason) => sendDeadLetter(sqs, deadLetterQueueUrl, body, reason),
    comeAgainIn: async (VisibilityTimeout, ReceiptHandle) => {
      await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }));
    },
  };
}

/**
 * When a message that has failed in passing shall come again: soon, then after four times as long each, in seconds.
 * Undefined before its last receive: there it waits as long as its queue hides it, so that a long absence of what it
 * needs is outlasted.
 */
export function secondsUntilAgain(
  receives: number,
  of: Pick<Feed, "maxReceiveCount" | "retrySeconds">,
): number | undefined {
  if (receives + 1 >= of.maxReceiveCount) return undefined;
  return Math.min(of.retrySeconds * 4 ** (receives - 1), longestSeconds);
}

const longestSeconds = 900;
