/** One Pre-Uploader as a Lambda has it: a thread of its own with clients of its own. Works off batches that it is sent. */
import { randomUUID } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import type { SQSEvent } from "aws-lambda";
import { pino } from "pino";
import { deadLetterReasonAttribute } from "../contracts/messages.ts";
import type { PreUploaderMessage } from "../contracts/messages.ts";
import { awsInMemory } from "../local/platform/aws-in-memory.ts";
import type { SentMessage } from "../local/platform/aws-in-memory.ts";
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
const deadLetterQueueUrl = "https://sqs.us-east-1.amazonaws.com/000000000000/dead";
/** What has become of documents of the batch that is worked off, where it is not what was wanted. */
let refusals: string[] = [];
const { s3, sns, sqs } = awsInMemory(objects, undefined, (message) => {
  if (message.queueUrl === deadLetterQueueUrl) refusals.push(refusalOf(message));
});
const handle = preUploaderHandler({
  ...{ s3, sns, sqs, engine: await connectDocumentEngine({ documentEngine }) },
  pdf: createPdfWork(workerFilesOfSources()),
  log: pino({ level: "silent" }),
  now: () => new Date(),
  topicArn: "arn:aws:sns:us-east-1:000000000000:bench",
  uploaderQueueUrl: "https://sqs.us-east-1.amazonaws.com/000000000000/uploader",
  feed: {
    queueUrl: "https://sqs.us-east-1.amazonaws.com/000000000000/pre_uploader",
    deadLetterQueueUrl,
    ...{ maxReceiveCount: 3, retrySeconds: 60 },
  },
  maximumPdfBytes: 128 * 1024 ** 2,
});

parentPort?.on("message", (messages: PreUploaderMessage[]) => {
  refusals = [];
  handle(batchOf(messages)).then(
    ({ batchItemFailures }) => {
      const again = batchItemFailures.length;
      parentPort?.postMessage(again > 0 ? [...refusals, `${again} documents shall come again`] : refusals);
    },
    (thrown: unknown) => parentPort?.postMessage([`${messages.length} documents: ${String(thrown)}`]),
  );
});
parentPort?.postMessage("ready");

/** The document of a message that is given up, and why. */
function refusalOf({ body, attributes }: SentMessage): string {
  const { documentId } = JSON.parse(body) as PreUploaderMessage;
  return `document ${documentId} is refused: ${attributes[deadLetterReasonAttribute]?.StringValue ?? "without a reason"}`;
}

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
