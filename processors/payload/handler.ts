import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { PayloadResult } from "../../contracts/execution.ts";
import { createLog } from "../shared/log.ts";
import { persistent } from "../shared/persistent.ts";
import { constructPayload } from "./process.ts";

const to = {
  s3: new S3Client(persistent),
  sqs: new SQSClient(persistent),
  log: createLog("payload"),
};

/** Invoked by the state machine with one part of the manifest. */
export const handler = (event: unknown): Promise<PayloadResult> => constructPayload(to, event);
