import { createHash, randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { S3Client } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";

interface Asked {
  method: string;
  hostname: string;
  path: string;
  headers: Record<string, string>;
  body?: unknown;
}

/** What a queue gets. */
export interface SentMessage {
  queueUrl: string;
  body: string;
  attributes: Readonly<Record<string, { StringValue?: string | undefined }>>;
}

interface Answer {
  statusCode: number;
  headers: Record<string, string>;
  body: Readable;
}

/**
 * The vendor's own clients over objects, a topic and queues that are this process's memory: for measuring what is beside
 * them, where an emulator on the same machine would take most of the time.
 *
 * @param publishedTo is called with each message that the topic gets
 * @param sentTo is called with each message that a queue gets
 */
export function awsInMemory(
  objects: Map<string, Uint8Array>,
  publishedTo: (message: string) => void = () => undefined,
  sentTo: (message: SentMessage) => void = () => undefined,
): { s3: S3Client; sns: SNSClient; sqs: SQSClient } {
  const client = (answer: (asked: Asked, body: Buffer) => Answer) => ({
    region: "us-east-1",
    credentials: { accessKeyId: "nobody", secretAccessKey: "nothing" },
    requestHandler: {
      handle: async (asked: Asked) => ({ response: answer(asked, await bytesOf(asked.body)) }),
      updateHttpClientConfig: () => undefined,
      httpHandlerConfigs: () => ({}),
    },
  });
  return {
    s3: new S3Client({ ...client(store(objects)), forcePathStyle: true, responseChecksumValidation: "WHEN_REQUIRED" }),
    sns: new SNSClient(
      client((_asked, body) => {
        publishedTo(new URLSearchParams(body.toString()).get("Message") ?? "");
        return said("text/xml", published());
      }),
    ),
    sqs: new SQSClient(client((_asked, body) => said("application/x-amz-json-1.0", sent(body, sentTo)))),
  };
}

function store(objects: Map<string, Uint8Array>) {
  return ({ method, path }: Asked, body: Buffer): Answer => {
    if (method === "PUT") {
      objects.set(path, body);
      return said("application/xml", "");
    }
    const found = objects.get(path);
    return found ? said("application/octet-stream", found) : { ...said("application/xml", ""), statusCode: 404 };
  };
}

function said(type: string, content: string | Uint8Array): Answer {
  const bytes = Buffer.from(content);
  const headers = { "content-type": type, "content-length": String(bytes.length) };
  return { statusCode: 200, headers, body: Readable.from(bytes.length > 0 ? [bytes] : []) };
}

function published(): string {
  return `<PublishResponse><PublishResult><MessageId>${randomUUID()}</MessageId></PublishResult></PublishResponse>`;
}

function sent(body: Buffer, sentTo: (message: SentMessage) => void): string {
  const {
    QueueUrl: queueUrl,
    MessageBody: text,
    MessageAttributes: attributes = {},
  } = JSON.parse(body.toString()) as {
    QueueUrl: string;
    MessageBody: string;
    MessageAttributes?: SentMessage["attributes"];
  };
  sentTo({ queueUrl, body: text, attributes });
  return JSON.stringify({ MessageId: randomUUID(), MD5OfMessageBody: createHash("md5").update(text).digest("hex") });
}

async function bytesOf(body: unknown): Promise<Buffer> {
  if (body instanceof Readable) return buffer(body);
  return typeof body === "string" || body instanceof Uint8Array ? Buffer.from(body as Uint8Array) : Buffer.alloc(0);
}
