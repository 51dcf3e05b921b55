import { SendMessageBatchCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { ExchangerError } from "../../contracts/errors.ts";
import { deadLetterReasonAttribute } from "../../contracts/messages.ts";
import { deliver, inBatches, maxBytes } from "./batches.ts";
import type { RefusalPolicy } from "./batches.ts";

/** The longest message that a queue takes. */
export const maxMessageBytes = maxBytes;

/** JSON that SQS takes: it refuses the two noncharacters, which file names may contain. */
export function toBody(message: unknown): string {
  return JSON.stringify(message).replace(
    /[\uFFFE\uFFFF]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16)}`,
  );
}

export async function sendMessage(sqs: SQSClient, queueUrl: string, message: unknown): Promise<void> {
  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: toBody(message) }));
}

/**
 * Sends messages in as few batches as there can be, all at once: keep the number within what may be in flight.
 *
 * @throws RecoverableError | PermanentError see {@link deliver}; some of the messages may have been sent
 */
export async function sendMessages(
  sqs: SQSClient,
  queueUrl: string,
  messages: readonly unknown[],
  policy?: RefusalPolicy,
): Promise<void> {
  const entries = messages.map((message, index) => ({ Id: String(index), MessageBody: toBody(message) }));
  const batches = inBatches(entries, ({ MessageBody }) => Buffer.byteLength(MessageBody));
  const offer = async (batch: typeof entries) => {
    const answer = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: batch }));
    return answer.Failed ?? [];
  };
  await Promise.all(batches.map((batch) => deliver(batch, queueUrl, offer, policy)));
}

/** Lays a message into the shared dead-letter queue as it was received, with the reason beside it. */
export async function sendDeadLetter(
  sqs: SQSClient,
  queueUrl: string,
  body: string,
  reason: ExchangerError,
): Promise<void> {
  const { code, message } = reason.toWire();
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: body,
      MessageAttributes: {
        [deadLetterReasonAttribute]: {
          DataType: "String",
          // The attribute counts into the message's size: a long tale must not make it undeliverable.
          StringValue: toBody({ code, message: message.slice(0, 2_000) }),
        },
      },
    }),
  );
}
