import type { S3Client } from "@aws-sdk/client-s3";
import type { SNSClient } from "@aws-sdk/client-sns";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { DocumentEngine } from "../shared/document_engine/client.ts";
import type { Feed } from "../shared/feed.ts";
import type { Logger } from "../shared/log.ts";
import type { PdfWork } from "./pdf-worker/pool.ts";

/** What the processor works with. */
export interface PreUploaderDependencies {
  s3: S3Client;
  sqs: SQSClient;
  sns: SNSClient;
  engine: DocumentEngine;
  pdf: PdfWork;
  log: Logger;
  now: () => Date;
  topicArn: string;
  uploaderQueueUrl: string;
  feed: Feed;
  maximumPdfBytes: number;
}
