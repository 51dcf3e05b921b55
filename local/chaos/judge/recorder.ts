import { randomUUID } from "node:crypto";
import { SNSClient, SubscribeCommand, UnsubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { event, statusEvents } from "../../../contracts/events.ts";
import type { Platform } from "../../platform/platform.ts";
import type { PublishedEvent } from "./facts.ts";

/** Another subscriber of the topic, which remembers everything that is published about the lives of exchanges. */
export interface Recorder {
  /** What has arrived about one exchange since the beginning. */
  heard(exchangeId: string): Promise<PublishedEvent[]>;
  close(): Promise<void>;
}

const recorded = [...statusEvents, "EXCHANGER_DELETE_INITIATED"];

export async function openRecorder({ cloud, outputs }: Platform): Promise<Recorder> {
  const [sqs, sns] = [new SQSClient(cloud.client("operator")), new SNSClient(cloud.client("operator"))];
  const name = `witness-${randomUUID().slice(0, 8)}`;
  const arn = `arn:aws:sqs:${cloud.region}:${cloud.accountId}:${name}`;
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "sns.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: arn,
        Condition: { ArnEquals: { "aws:SourceArn": outputs.topicArn } },
      },
    ],
  });
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: { Policy } }));
  const { SubscriptionArn } = await sns.send(
    new SubscribeCommand({
      TopicArn: outputs.topicArn,
      Protocol: "sqs",
      Endpoint: arn,
      Attributes: { RawMessageDelivery: "true", FilterPolicy: JSON.stringify({ eventType: recorded }) },
    }),
  );
  const events: (PublishedEvent & { exchangeId: string })[] = [];

  async function receive(): Promise<void> {
    for (;;) {
      const receiving = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 };
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(receiving));
      if (Messages.length === 0) return;
      for (const { Body: body = "" } of Messages) {
        const { eventId, eventType, jobId } = event.parse(JSON.parse(body));
        events.push({ eventId, eventType, body, exchangeId: jobId });
      }
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    }
  }

  return {
    async heard(exchangeId) {
      await receive();
      return events
        .filter((one) => one.exchangeId === exchangeId)
        .map(({ eventId, eventType, body }) => ({ eventId, eventType, body }));
    },
    async close() {
      await sns.send(new UnsubscribeCommand({ SubscriptionArn }));
      await sqs.send(new DeleteQueueCommand({ QueueUrl }));
      sqs.destroy();
      sns.destroy();
    },
  };
}
