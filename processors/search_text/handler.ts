import { S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { z } from "zod";
import { createDatabase } from "../shared/database.ts";
import { readEnvironment } from "../shared/environment.ts";
import { feedOf, feedSettings } from "../shared/feed.ts";
import { createLog } from "../shared/log.ts";
import { persistent } from "../shared/persistent.ts";
import { databaseSecretReader } from "../shared/secret.ts";
import { searchTextHandler } from "./process.ts";

const environment = readEnvironment(
  z.object({
    ...feedSettings,
    TOPIC_ARN: z.string().min(1),
    DATABASE_SECRET_ARN: z.string().min(1),
    CASE_SCHEMA: z.string().min(1),
    EXCHANGE_ID: z.uuid(),
    BULK_ROWS: z.coerce.number().int().positive().default(1_000),
  }),
);

const secret = databaseSecretReader(new SecretsManagerClient(persistent), environment.DATABASE_SECRET_ARN);

export const handler = searchTextHandler({
  s3: new S3Client(persistent),
  sqs: new SQSClient(persistent),
  sns: new SNSClient(persistent),
  database: createDatabase(secret),
  log: createLog("search_text_processor"),
  now: () => new Date(),
  topicArn: environment.TOPIC_ARN,
  caseSchema: environment.CASE_SCHEMA,
  exchangeId: environment.EXCHANGE_ID,
  bulkRows: environment.BULK_ROWS,
  feed: feedOf(environment),
});
