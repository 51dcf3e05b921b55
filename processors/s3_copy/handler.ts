import { S3Client } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { ExponentialBackoff, handleWhen, retry } from "cockatiel";
import { z } from "zod";
import { createDocumentEngine } from "../shared/document_engine/client.ts";
import { isPassing } from "../shared/document_engine/http.ts";
import { documentEngineSettings, readEnvironment } from "../shared/environment.ts";
import { feedOf, feedSettings } from "../shared/feed.ts";
import { createLog } from "../shared/log.ts";
import { persistent } from "../shared/persistent.ts";
import { documentEngineSecretReader } from "../shared/secret.ts";
import { s3CopyHandler } from "./process.ts";
import { redactionCounter, type CountRedactions } from "./redactions.ts";

const mebibyte = 1024 ** 2;
/** So long may Document Engine hold up the copying of a file. */
const countMilliseconds = 10_000;
const pauseMilliseconds = 30_000;
/** All attempts together are over well before that. */
const retries = retry(handleWhen(isPassing), {
  maxAttempts: 5,
  backoff: new ExponentialBackoff({ initialDelay: 200, maxDelay: 2000 }),
});

const environment = readEnvironment(
  z.object({
    ...feedSettings,
    TOPIC_ARN: z.string().min(1),
    UPLOADER_QUEUE_URL: z.url(),
    DOCUMENT_ENGINE_URL: documentEngineSettings.DOCUMENT_ENGINE_URL.optional(),
    DOCUMENT_ENGINE_SECRET_ARN: documentEngineSettings.DOCUMENT_ENGINE_SECRET_ARN.optional(),
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
  countRedactions: countingIn(environment.DOCUMENT_ENGINE_URL, environment.DOCUMENT_ENGINE_SECRET_ARN),
});

function countingIn(url: string | undefined, secretArn: string | undefined): CountRedactions | undefined {
  if (url === undefined || secretArn === undefined) return undefined;
  const secret = documentEngineSecretReader(new SecretsManagerClient(persistent), secretArn);
  const engine = createDocumentEngine({ url, secret, timeoutMilliseconds: countMilliseconds, retries });
  return redactionCounter(engine, { timeoutMilliseconds: countMilliseconds, pauseMilliseconds });
}
