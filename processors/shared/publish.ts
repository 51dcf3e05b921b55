import { PublishBatchCommand, PublishCommand } from "@aws-sdk/client-sns";
import type { SNSClient } from "@aws-sdk/client-sns";
import { eventAttributes } from "../../contracts/events.ts";
import type { ExchangeEvent } from "../../contracts/events.ts";
import type { ExchangeContext } from "../../contracts/ids.ts";
import { deliver, inBatches } from "./batches.ts";
import type { RefusalPolicy } from "./batches.ts";
import { toBody } from "./send.ts";

/** The part of an event's envelope that says which exchange it is about. */
export function envelopeOf(
  exchange: ExchangeContext,
): Pick<ExchangeEvent, "jobId" | "caseId" | "sourceCaseId" | "batchId"> {
  const { exchangeId, caseId, sourceCaseId, batchId } = exchange;
  return { jobId: exchangeId, caseId, sourceCaseId, batchId };
}

export async function publishEvent(sns: SNSClient, topicArn: string, event: ExchangeEvent): Promise<void> {
  await sns.send(
    new PublishCommand({ TopicArn: topicArn, Message: toBody(event), MessageAttributes: eventAttributes(event) }),
  );
}

/**
 * Publishes many events in batches.
 *
 * @throws RecoverableError | PermanentError see {@link deliver}; some of the events may have been published
 */
export async function publishEvents(
  sns: SNSClient,
  topicArn: string,
  events: readonly ExchangeEvent[],
  policy?: RefusalPolicy,
): Promise<void> {
  const entries = events.map((event, index) => ({
    Id: String(index),
    Message: toBody(event),
    MessageAttributes: eventAttributes(event),
  }));
  const batches = inBatches(entries, (entry) => Buffer.byteLength(JSON.stringify(entry)));
  const offer = async (batch: typeof entries) => {
    const answer = await sns.send(new PublishBatchCommand({ TopicArn: topicArn, PublishBatchRequestEntries: batch }));
    return answer.Failed ?? [];
  };
  await Promise.all(batches.map((batch) => deliver(batch, topicArn, offer, policy)));
}
