import { S3Client } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { z } from "zod";
import type { PayloadResult } from "../../contracts/execution.ts";
import { readEnvironment } from "../shared/environment.ts";
import { createLog } from "../shared/log.ts";
import { persistent } from "../shared/persistent.ts";
import { constructPayload } from "./process.ts";

const environment = readEnvironment(z.object({ TOPIC_ARN: z.string().min(1) }));

const to = {
  s3: new S3Client(persistent),
  sqs: new SQSClient(persistent),
  sns: new SNSClient(persistent),
  topicArn: environment.TOPIC_ARN,
  now: () => new Date(),
  log: createLog("payload"),
};

/** Invoked by the state machine with one part of the manifest. */
export const handler = (event: unknown): Promise<PayloadResult> => constructPayload(to, event);
