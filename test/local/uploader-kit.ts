/** A topic that is listened to, an exchange's queue and its files: what the uploader's suite needs around it. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateTopicCommand, DeleteTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { pino } from "pino";
import { event, type ExchangeEvent } from "../../contracts/events.ts";
import type { DocUploaderMessage, UploaderCommand } from "../../contracts/messages.ts";
import type { Cloud } from "../../local/cloud/cloud.ts";
import { startUploader, type Uploader, type UploaderOptions } from "../../local/uploader/uploader.ts";

export const moment = new Date("2026-05-06T07:08:09.010Z");

export async function uploaderKit(cloud: Cloud) {
  const sqs = new SQSClient(cloud.client("operator"));
  const sns = new SNSClient(cloud.client("operator"));
  const s3 = new S3Client(cloud.client("platform"));
  const own = {
    sqs: new SQSClient(cloud.client("uploader")),
    sns: new SNSClient(cloud.client("uploader")),
    s3: new S3Client(cloud.client("uploader")),
  };
  const name = `doc_exch_${randomUUID().slice(0, 8)}`;
  const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: `${name}_topic` }));
  const listener = await createQueue(`${name}_listener`);
  const mayDeliver = { Effect: "Allow", Principal: { Service: "sns.amazonaws.com" }, Action: "sqs:SendMessage" };
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [{ ...mayDeliver, Resource: listener.arn }] });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: listener.url, Attributes: { Policy } }));
  await sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: "sqs",
      Endpoint: listener.arn,
      Attributes: { RawMessageDelivery: "true" },
    }),
  );
  const folder = await mkdtemp(join(tmpdir(), "uploader-"));
  const started = new Set<Uploader>();
  const queues = new Set([listener.url]);

  async function createQueue(QueueName: string) {
    const { QueueUrl: url = "" } = await sqs.send(new CreateQueueCommand({ QueueName }));
    return { url, arn: `arn:aws:sqs:${cloud.region}:${cloud.accountId}:${QueueName}` };
  }
  const send = (QueueUrl: string, body: unknown) =>
    sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(body) }));

  return {
    /** The journal of one test; equal for equal exchange. */
    journalFile: (exchangeId: string) => join(folder, `${exchangeId}.jsonl`),

    /** An exchange with its `doc_uploader` queue, not yet consumed. */
    async exchange() {
      const exchange = { exchangeId: randomUUID(), sourceCaseId: 7, caseId: 9, batchId: "b1" };
      const queue = await createQueue(`doc_exch_doc_uploader_queue_9_b1-${randomUUID().slice(0, 7)}`);
      queues.add(queue.url);
      let files = 0;
      return {
        exchange,
        queueUrl: queue.url,
        command: (kind: UploaderCommand["kind"]) =>
          send(
            cloud.uploader.queueUrl,
            kind === "release"
              ? { kind, exchange }
              : { kind, exchange, queueUrl: queue.url, queueArn: queue.arn, topicArn: TopicArn },
          ),
        /** A file in the destination case, and the message that announces it. */
        file: async (content: Uint8Array | undefined): Promise<DocUploaderMessage> => {
          const fileId = String(++files);
          const key = `case_9/processed-files/b1/document/${exchange.exchangeId}/${fileId}.pdf`;
          if (content) await s3.send(new PutObjectCommand({ Bucket: cloud.caseBucket, Key: key, Body: content }));
          return {
            kind: "doc_uploader",
            exchange,
            documentId: `10${fileId}`,
            destinationDocumentId: `20${fileId}`,
            exhibitIds: [`30${fileId}`],
            bucket: cloud.caseBucket,
            key,
            fileId,
            size: content?.length ?? 0,
          };
        },
        announce: (message: unknown) => send(queue.url, message),
        removeQueue: () => sqs.send(new DeleteQueueCommand({ QueueUrl: queue.url })),
        /** Resolves when no message is in the queue, neither waiting nor in hand. */
        emptied: () =>
          until(async () => {
            const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
            const asked = new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: [...names] });
            const { Attributes = {} } = await sqs.send(asked);
            return names.every((attribute) => Attributes[attribute] === "0");
          }),
      };
    },

    async start(options: Pick<UploaderOptions, "journalFile"> & Partial<UploaderOptions>): Promise<Uploader> {
      const uploader = await startUploader({
        ...own,
        logger: pino({ level: "silent" }),
        commandQueueUrl: cloud.uploader.queueUrl,
        waitTimeSeconds: 1,
        clock: () => moment,
        ...options,
      });
      started.add(uploader);
      return uploader;
    },

    /** The next so many events of an exchange, by event id. */
    async events(exchangeId: string, count: number): Promise<ExchangeEvent[]> {
      const found: ExchangeEvent[] = [];
      await until(async () => {
        const asked = new ReceiveMessageCommand({
          QueueUrl: listener.url,
          MaxNumberOfMessages: 10,
          WaitTimeSeconds: 1,
        });
        for (const { Body = "", ReceiptHandle } of (await sqs.send(asked)).Messages ?? []) {
          await sqs.send(new DeleteMessageCommand({ QueueUrl: listener.url, ReceiptHandle }));
          const received = event.parse(JSON.parse(Body));
          if (received.jobId === exchangeId) found.push(received);
        }
        return found.length >= count;
      });
      return found.sort((a, b) => a.eventId.localeCompare(b.eventId));
    },

    async stopUploaders(): Promise<void> {
      await Promise.all([...started].map((uploader) => uploader.stop()));
      started.clear();
    },

    async close(): Promise<void> {
      for (const QueueUrl of queues) await sqs.send(new DeleteQueueCommand({ QueueUrl })).catch(() => undefined);
      await sns.send(new DeleteTopicCommand({ TopicArn }));
      for (const client of [sqs, sns, s3, ...Object.values(own)]) client.destroy();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Waits for a condition; the test's own timeout ends a wait in vain. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(20);
}
