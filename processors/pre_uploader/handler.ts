import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { z } from "zod";
import { connectDocumentEngine } from "../shared/document_engine/connect.ts";
import { documentEngineSettings, readEnvironment } from "../shared/environment.ts";
import { feedOf, feedSettings } from "../shared/feed.ts";
import { createLog } from "../shared/log.ts";
import { persistent } from "../shared/persistent.ts";
import { createPdfWork } from "./pdf-worker/pool.ts";
import { preUploaderHandler } from "./process.ts";

/** Two of them, a batch, fit into the memory that the Lambda has by default, as its test measures. */
const maximumPdfBytes = 128 * 1024 ** 2;

const environment = readEnvironment(
  z.object({
    ...feedSettings,
    ...documentEngineSettings,
    TOPIC_ARN: z.string().min(1),
    UPLOADER_QUEUE_URL: z.url(),
    MAXIMUM_PDF_BYTES: z.coerce.number().int().positive().default(maximumPdfBytes),
  }),
);

const handle = preUploaderHandler({
  s3: new S3Client(persistent),
  sqs: new SQSClient(persistent),
  sns: new SNSClient(persistent),
  engine: connectDocumentEngine(environment),
  // The build puts both beside the bundle.
  pdf: createPdfWork({
    script: join(import.meta.dirname, "pdf-worker.js"),
    wasm: join(import.meta.dirname, "pdfium.wasm"),
  }),
  log: createLog("pre_uploader_processor"),
  now: () => new Date(),
  topicArn: environment.TOPIC_ARN,
  uploaderQueueUrl: environment.UPLOADER_QUEUE_URL,
  feed: feedOf(environment),
  maximumPdfBytes: environment.MAXIMUM_PDF_BYTES,
});

export const handler = (event: SQSEvent): Promise<SQSBatchResponse> => handle(event);
