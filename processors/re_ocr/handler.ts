import { S3Client } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { z } from "zod";
import { connectDocumentEngine } from "../shared/document_engine/connect.ts";
import { documentEngineSettings, readEnvironment } from "../shared/environment.ts";
import { feedOf, feedSettings } from "../shared/feed.ts";
import { createLog } from "../shared/log.ts";
import { persistent } from "../shared/persistent.ts";
import { reOcrHandler } from "./process.ts";

const environment = readEnvironment(
  z.object({
    ...feedSettings,
    ...documentEngineSettings,
    TOPIC_ARN: z.string().min(1),
    SEARCH_QUEUE_URL: z.url(),
    CASE_BUCKET: z.string().min(1),
    EXCHANGE_ID: z.uuid(),
  }),
);

export const handler = reOcrHandler({
  s3: new S3Client(persistent),
  sqs: new SQSClient(persistent),
  sns: new SNSClient(persistent),
  engine: connectDocumentEngine(environment),
  log: createLog("re_ocr_processor"),
  now: () => new Date(),
  topicArn: environment.TOPIC_ARN,
  searchQueueUrl: environment.SEARCH_QUEUE_URL,
  bucket: environment.CASE_BUCKET,
  exchangeId: environment.EXCHANGE_ID,
  feed: feedOf(environment),
});
