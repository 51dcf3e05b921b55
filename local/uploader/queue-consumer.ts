import { Consumer } from "sqs-consumer";
import type { Message, SQSClient } from "@aws-sdk/client-sqs";

export interface QueueConsumerOptions {
  sqs: SQSClient;
  queueUrl: string;
  /** Seconds of one long poll; stopping waits for at most that long when the queue is quiet. */
  waitTimeSeconds: number;
  /** Resolves: the message is deleted. Rejects: it is tried again, at once at first and then more and more slowly. */
  handle: (message: Message) => Promise<void>;
  onError: (error: Error, message?: Message) => void;
  /** The queue does not exist any more; the consumer has stopped. */
  onGone: () => void;
}

export interface QueueConsumer {
  /** Resolves when the messages in hand are done with. */
  stop: () => Promise<void>;
}

const goneCodes = ["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"];

/** Seconds before a message that was received so many times is tried again: 0, 1, 2, 4 … 60. */
function retryDelay(received: number): number {
  return received <= 1 ? 0 : Math.min(60, 2 ** (received - 2));
}

/** Consumes a queue until it is stopped or the queue is gone. */
export function consumeQueue(options: QueueConsumerOptions): QueueConsumer {
  const consumer = Consumer.create({
    sqs: options.sqs,
    queueUrl: options.queueUrl,
    batchSize: 10,
    waitTimeSeconds: options.waitTimeSeconds,
    messageSystemAttributeNames: ["ApproximateReceiveCount"],
    terminateVisibilityTimeout: ([message]) => retryDelay(Number(message?.Attributes?.ApproximateReceiveCount ?? 1)),
    // A refused receive is tried again soon: a fresh queue's policy takes a moment to be known everywhere.
    authenticationErrorTimeout: 500,
    alwaysAcknowledge: true,
    handleMessage: async (message) => {
      await options.handle(message);
      return message;
    },
  });
  const settled: (() => void)[] = [];
  const settle = () => {
    for (const resolve of settled.splice(0)) resolve();
  };
  consumer.on("response_processed", settle);
  consumer.on("empty", settle);
  consumer.on("processing_error", (error, message) => {
    options.onError(error, message);
  });
  consumer.on("error", (error, message) => {
    const code = "code" in error ? String(error.code) : "";
    if (goneCodes.includes(code) && !message) {
      if (consumer.status.isRunning) {
        consumer.stop();
        options.onGone();
      }
    } else options.onError(error, Array.isArray(message) ? message[0] : message);
    if (!message) settle();
  });
  consumer.start();
  return {
    stop: async () => {
      const polling = consumer.status.isPolling;
      const last = new Promise<void>((resolve) => settled.push(resolve));
      consumer.stop();
      if (polling) await last;
    },
  };
}
