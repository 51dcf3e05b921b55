/** An S3 copy processor with a topic, queues and a bucket of its own, and what tests of it expect. */
import { createHash } from "node:crypto";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { S3CopyMessage } from "../../contracts/messages.ts";
import type { S3CopyDependencies } from "../../processors/s3_copy/process.ts";
import { connect, now, required, silent } from "./support.ts";
import type { Aws } from "./support.ts";

export const sha256 = (content: string) => createHash("sha256").update(content).digest("hex");

export interface CopyBench {
  aws: Aws;
  to: S3CopyDependencies;
  /** The queue that hears the topic. */
  heard: string;
  bucket: string;
  put: (key: string, content: string, more?: object) => Promise<void>;
  /** As `put`, but as those did who wrote before S3 kept a checksum of everything. */
  putWithoutChecksum: (key: string, content: string) => Promise<void>;
  read: (key: string) => Promise<string>;
  exists: (key: string) => Promise<boolean>;
  /** Runs ahead of every S3 command of this name, and may change its input; what it throws, the command throws. */
  beforeCommand: (name: string, run: (input: Record<string, unknown>) => unknown) => void;
  /** Runs after every S3 command of this name, before its caller hears of it. */
  afterCommand: (name: string, run: () => Promise<void>) => void;
}

export async function openCopyBench(): Promise<CopyBench> {
  const aws = await connect();
  const bucket = aws.cloud.caseBucket;
  const { topicArn, heard } = await aws.topic();
  const put = async (key: string, content: string, more = {}, s3 = aws.s3) => {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: Buffer.from(content), ...more }));
  };
  return {
    aws,
    bucket,
    heard,
    to: {
      s3: aws.s3,
      sqs: aws.sqs,
      sns: aws.sns,
      log: silent,
      now: () => now,
      topicArn,
      uploaderQueueUrl: await aws.queue(),
      feed: await aws.feed(),
      multipart: { thresholdBytes: 1_000_000, partBytes: 500_000 },
    },
    put,
    putWithoutChecksum: async (key, content) => {
      const old = new S3Client({ ...aws.cloud.client("operator"), requestChecksumCalculation: "WHEN_REQUIRED" });
      await put(key, content, {}, old);
      old.destroy();
    },
    read: async (key) => {
      const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return required(Body).transformToString();
    },
    exists: (key) =>
      aws.s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key })).then(
        () => true,
        () => false,
      ),
    beforeCommand: (name, run) => {
      around(aws.s3, async (command, input, send) => {
        if (command === name) await run(input);
        return send();
      });
    },
    afterCommand: (name, run) => {
      around(aws.s3, async (command, _input, send) => {
        const answer = await send();
        if (command === name) await run();
        return answer;
      });
    },
  };
}

type Around = <Answer>(
  command: string | undefined,
  input: Record<string, unknown>,
  send: () => Promise<Answer>,
) => Promise<Answer>;

function around(s3: S3Client, wrap: Around): void {
  s3.middlewareStack.add(
    (next, { commandName }) =>
      (args) =>
        wrap(commandName, args.input as unknown as Record<string, unknown>, () => next(args)),
    { step: "initialize" },
  );
}

export const copiedEvent = (message: S3CopyMessage, size: number) => ({
  eventId: `${message.exchange.exchangeId}:copy:${message.file.fileId}:copied`,
  source: "s3_copy_processor",
  eventType: message.file.role === "native" ? "NATIVE_DOCUMENT_COPIED" : "DOCUMENT_COPIED",
  status: "SUCCESS",
  jobId: message.exchange.exchangeId,
  caseId: message.exchange.caseId,
  sourceCaseId: message.exchange.sourceCaseId,
  batchId: "b1",
  documentId: "7",
  exhibitIds: ["700", "701"],
  timestamp: now.toISOString(),
  detail: {
    fileId: message.file.fileId,
    role: message.file.role,
    destinationDocumentId: "70",
    sourceKey: message.file.sourceKey,
    destinationKey: message.file.destinationKey,
    size,
  },
});

export const uploaderMessageOf = (message: S3CopyMessage, size: number) => ({
  kind: "doc_uploader",
  exchange: message.exchange,
  documentId: "7",
  destinationDocumentId: "70",
  exhibitIds: ["700", "701"],
  bucket: message.bucket,
  key: message.file.destinationKey,
  fileId: message.file.fileId,
  size,
});
