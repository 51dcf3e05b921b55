import { S3Client } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { z } from "zod";
import { readEnvironment } from "../shared/environment.ts";
import { feedOf, feedSettings } from "../shared/feed.ts";
import { createLog } from "../shared/log.ts";
import { persistent } from "../shared/persistent.ts";
import { s3CopyHandler } from "./process.ts";

const mebibyte = 1024 ** 2;

const environment = readEnvironment(
  z.object({
    ...feedSettings,
    TOPIC_ARN: z.string().min(1),
    UPLOADER_QUEUE_URL: z.url(),
    MULTIPART_THRESHOLD_BYTES: z.coerce
      .number()
      .int()
      .positive()
      .default(5 * 1024 * mebibyte),
    MULTIPART_PART_BYTES: z.coerce
      .number()
      .int()
      .positive()
      .default(512 * mebibyte),
  }),
);

export const handler = s3CopyHandler({
  s3: new S3Client(persistent),
  sqs: new SQSClient(persistent),
  sns: new SNSClient(persistent),
  log: createLog("s3_copy_processor"),
  now: () => new Date(),
  topicArn: environment.TOPIC_ARN,
  uploaderQueueUrl: environment.UPLOADER_QUEUE_URL,
  feed: feedOf(environment),
  multipart: {
    thresholdBytes: environment.MULTIPART_THRESHOLD_BYTES,
    partBytes: environment.MULTIPART_PART_BYTES,
  },
});
