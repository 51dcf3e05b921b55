/** What tests of processors need: queues, a topic that can be listened to, events as Lambda hands them over. */
import { randomUUID } from "node:crypto";
import { S3Client } from "@aws-sdk/client-s3";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { MessageAttributeValue } from "@aws-sdk/client-sqs";
import type { SQSBatchResponse, SQSEvent, SQSMessageAttributes } from "aws-lambda";
import pino from "pino";
import { event as eventSchema } from "../../contracts/events.ts";
import type { ExchangeEvent } from "../../contracts/events.ts";
import type { ExchangeContext } from "../../contracts/ids.ts";
import type { S3CopyMessage } from "../../contracts/messages.ts";
import type { Cloud } from "../../local/cloud/cloud.ts";
import type { Feed } from "../../processors/shared/feed.ts";
import { sharedCloud } from "../support/cloud.ts";

export const now = new Date("2026-01-02T03:04:05.678Z");
export const silent = pino({ level: "silent" });

/** A log whose lines can be looked at. */
export function recordingLog(): { log: pino.Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>);
  return { log: pino({ base: null }, { write }), lines };
}

export interface Aws {
  cloud: Cloud;
  s3: S3Client;
  sqs: SQSClient;
  sns: SNSClient;
  /** A new queue, which the given topic may send to; answers its URL. */
  queue: (topicArn?: string) => Promise<string>;
  /** A processor's own queue, and one for what it gives up. */
  feed: () => Promise<Feed>;
  /** A new topic and a queue that hears all of it. */
  topic: () => Promise<{ topicArn: string; heard: string }>;
  destroy: () => void;
}

/** Starts the cloud before the tests of a suite, for that may take longer than a test. */
export function startCloudFirst(): void {
  before(async function () {
    this.timeout(120_000);
    await sharedCloud();
  });
}

export async function connect(): Promise<Aws> {
  const cloud = await sharedCloud();
  const settings = cloud.client("operator");
  const [s3, sqs, sns] = [new S3Client(settings), new SQSClient(settings), new SNSClient(settings)];
  const queue = async (sender?: string) => {
    const name = `doc_exch_test_${randomUUID()}`;
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Service: "sns.amazonaws.com" },
          Action: "sqs:SendMessage",
          Resource: `arn:aws:sqs:${cloud.region}:${cloud.accountId}:${name}`,
          Condition: { ArnEquals: { "aws:SourceArn": sender } },
        },
      ],
    });
    const { QueueUrl } = await sqs.send(
      new CreateQueueCommand({ QueueName: name, Attributes: sender === undefined ? {} : { Policy } }),
    );
    return required(QueueUrl);
  };
  const feed = async () => ({
    ...{ queueUrl: await queue(), deadLetterQueueUrl: await queue() },
    ...{ maxReceiveCount: 3, retrySeconds: 0 },
  });
  const topic = async () => {
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: `doc_exch_test_${randomUUID()}` }));
    const heard = await queue(TopicArn);
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: heard, AttributeNames: ["QueueArn"] }),
    );
    const Endpoint = required(Attributes?.["QueueArn"]);
    const raw = { RawMessageDelivery: "true" };
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint, Attributes: raw }));
    return { topicArn: required(TopicArn), heard };
  };
  const destroy = () => {
    for (const client of [s3, sqs, sns]) client.destroy();
  };
  return { cloud, s3, sqs, sns, queue, feed, topic, destroy };
}

export interface Received {
  body: unknown;
  attributes: Record<string, string | undefined>;
}

/** Takes everything that lies in a queue. */
export async function drain(sqs: SQSClient, queueUrl: string): Promise<Received[]> {
  const taken: Received[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ["All"] }),
    );
    if (Messages.length === 0) return taken;
    for (const { Body = "", MessageAttributes = {} } of Messages) {
      const attributes = Object.entries(MessageAttributes).map(([name, value]) => [name, value.StringValue]);
      taken.push({ body: readable(Body), attributes: Object.fromEntries(attributes) as Received["attributes"] });
    }
    const Entries = Messages.map(({ MessageId, ReceiptHandle }) => ({ Id: MessageId, ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
  }
}

/** Takes every event that a queue heard, in the order of their ids. */
export async function drainEvents(sqs: SQSClient, queueUrl: string): Promise<ExchangeEvent[]> {
  const events = (await drain(sqs, queueUrl)).map(({ body }) => eventSchema.parse(body));
  return events.sort((one, other) => (one.eventId < other.eventId ? -1 : 1));
}

/** A message of a batch: what is not a string becomes JSON. */
export interface Sent {
  body: unknown;
  receives?: number;
  messageId?: string;
  attributes?: Record<string, MessageAttributeValue>;
}

/** A batch as the event source mapping hands it over; record n has the id `message-n` unless it says another. */
export function sqsEvent(...messages: Sent[]): SQSEvent {
  return {
    Records: messages.map(({ body, receives = 1, attributes = {}, messageId }, index) => ({
      messageId: messageId ?? `message-${index}`,
      receiptHandle: `receipt-${index}`,
      body: typeof body === "string" ? body : JSON.stringify(body),
      attributes: {
        ApproximateReceiveCount: String(receives),
        SentTimestamp: "1767323045678",
        SenderId: "sender",
        ApproximateFirstReceiveTimestamp: "1767323045678",
      },
      messageAttributes: lambdaAttributes(attributes),
      md5OfBody: "",
      eventSource: "aws:sqs",
      eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:queue",
      awsRegion: "us-east-1",
    })),
  };
}

/** The answer that says: these records, and no others, shall come again. */
export function failed(...indexes: number[]): SQSBatchResponse {
  return { batchItemFailures: indexes.map((index) => ({ itemIdentifier: `message-${index}` })) };
}

let exchanges = 0;

/** A new exchange between two new cases, so that suites in one cloud do not meet. */
export function newExchange(): ExchangeContext {
  exchanges += 1;
  const sourceCaseId = 500_000 + 2 * exchanges;
  return { exchangeId: randomUUID(), sourceCaseId, caseId: sourceCaseId + 1, batchId: "b1" };
}

/** A message to copy a PDF of the exchange's source case; override what the test is about. */
export function copyMessage(
  exchange: ExchangeContext,
  bucket: string,
  file: Partial<S3CopyMessage["file"]> = {},
): S3CopyMessage {
  const fileId = file.fileId ?? "11";
  return {
    kind: "s3_copy",
    exchange,
    documentId: "7",
    destinationDocumentId: "70",
    exhibitIds: ["700", "701"],
    exhibits: [
      { sourceExhibitId: "50", exhibitId: "700" },
      { sourceExhibitId: "51", exhibitId: "701" },
    ],
    sourceBatchId: "import-1",
    bucket,
    file: {
      fileId,
      destinationFileId: `${fileId}0`,
      role: "document",
      sourceKey: `case_${exchange.sourceCaseId}/files/${fileId}.pdf`,
      destinationKey: `case_${exchange.caseId}/processed-files/b1/document/70/${fileId}0.pdf`,
      size: 5,
      sha256: null,
      ...file,
    },
  };
}

export function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("AWS left out a value that the test needs");
  return value;
}

function readable(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function lambdaAttributes(attributes: Record<string, MessageAttributeValue>): SQSMessageAttributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { StringValue = "" }]) => [
      name,
      { stringValue: StringValue, dataType: "String" as const, stringListValues: [], binaryListValues: [] },
    ]),
  );
}
