/** One Pre-Uploader as a Lambda has it: a thread of its own with clients of its own. Works off batches that it is sent. */
import { randomUUID } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import type { SQSEvent } from "aws-lambda";
import { pino } from "pino";
import type { PreUploaderMessage } from "../contracts/messages.ts";
import { awsInMemory } from "../local/platform/aws-in-memory.ts";
import { connectDocumentEngine } from "../local/platform/services.ts";
import { createPdfWork } from "../processors/pre_uploader/pdf-worker/pool.ts";
import { workerFilesOfSources } from "../processors/pre_uploader/pdf-worker/worker-files.ts";
import { preUploaderHandler } from "../processors/pre_uploader/process.ts";

/** What it is started with. */
export interface LambdaData {
  documentEngine: { port: number; url: string; directory: string; tokenFile: string };
  /** The objects that there are, by bucket and key. */
  objects: Map<string, Uint8Array>;
}

const { documentEngine, objects } = workerData as LambdaData;
const { s3, sns, sqs } = awsInMemory(objects);
const handle = preUploaderHandler({
  ...{ s3, sns, sqs, engine: await connectDocumentEngine({ documentEngine }) },
  pdf: createPdfWork(workerFilesOfSources()),
  log: pino({ level: "silent" }),
  now: () => new Date(),
  topicArn: "arn:aws:sns:us-east-1:000000000000:bench",
  uploaderQueueUrl: "https://sqs.us-east-1.amazonaws.com/000000000000/uploader",
  feed: {
    queueUrl: "https://sqs.us-east-1.amazonaws.com/000000000000/pre_uploader",
    deadLetterQueueUrl: "https://sqs.us-east-1.amazonaws.com/000000000000/dead",
    ...{ maxReceiveCount: 3, retrySeconds: 60 },
  },
  maximumPdfBytes: 128 * 1024 ** 2,
});

parentPort?.on("message", (messages: PreUploaderMessage[]) => {
  handle(batchOf(messages)).then(
    ({ batchItemFailures }) => parentPort?.postMessage(batchItemFailures.length),
    () => parentPort?.postMessage(messages.length),
  );
});
parentPort?.postMessage("ready");

function batchOf(messages: readonly PreUploaderMessage[]): SQSEvent {
  return {
    Records: messages.map((message) => ({
      ...{ messageId: randomUUID(), receiptHandle: "", body: JSON.stringify(message), messageAttributes: {} },
      attributes: {
        ...{ ApproximateReceiveCount: "1", SentTimestamp: "", SenderId: "", ApproximateFirstReceiveTimestamp: "" },
      },
      ...{ md5OfBody: "", eventSource: "aws:sqs", eventSourceARN: "", awsRegion: "us-east-1" },
    })),
  };
}
