/** The pre-uploader in a process of its own, so that its memory can be measured. Reads a {@link Work} from stdin. */
import { text } from "node:stream/consumers";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import pino from "pino";
import type { PreUploaderMessage } from "../../contracts/messages.ts";
import { createPdfWork } from "../../processors/pre_uploader/pdf-worker/pool.ts";
import { workerFilesOfSources } from "../../processors/pre_uploader/pdf-worker/worker-files.ts";
import { preUpload } from "../../processors/pre_uploader/process.ts";
import type { Feed } from "../../processors/shared/feed.ts";
import { createDocumentEngine } from "../../processors/shared/document_engine/client.ts";

export interface Work {
  aws: Pick<S3ClientConfig, "endpoint" | "region" | "credentials">;
  engine: { url: string; token: string };
  topicArn: string;
  uploaderQueueUrl: string;
  feed: Feed;
  maximumPdfBytes: number;
  message: PreUploaderMessage;
}

const { aws, engine, message, ...rest } = JSON.parse(await text(process.stdin)) as Work;
const client = createDocumentEngine({
  url: engine.url,
  secret: { read: () => Promise.resolve({ token: engine.token }), forget: () => undefined },
});
await preUpload(
  {
    ...rest,
    ...{ s3: new S3Client(aws), sns: new SNSClient(aws), sqs: new SQSClient(aws), engine: client },
    ...{ pdf: createPdfWork(workerFilesOfSources()), log: pino({ level: "silent" }) },
    now: () => new Date(),
  },
  message,
);
process.stdout.write(JSON.stringify({ mebibytes: Math.round(process.resourceUsage().maxRSS / 1024) }));
process.exit(0);
