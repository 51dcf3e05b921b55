import { SNSClient } from "@aws-sdk/client-sns";
import { z } from "zod";
import { readEnvironment } from "../shared/environment.ts";
import { createLog } from "../shared/log.ts";
import { persistent } from "../shared/persistent.ts";
import { deadLetterHandler } from "./process.ts";

const environment = readEnvironment(z.object({ TOPIC_ARN: z.string().min(1) }));

export const handler = deadLetterHandler({
  sns: new SNSClient(persistent),
  log: createLog("dead_letter"),
  now: () => new Date(),
  topicArn: environment.TOPIC_ARN,
});
