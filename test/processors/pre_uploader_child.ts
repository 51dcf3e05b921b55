/** The pre-uploader in a process of its own, so that its memory can be measured. Reads a {@link Work} from stdin. */
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import pino from "pino";
import type { PreUploaderMessage } from "../../contracts/messages.ts";
import { startPdfium } from "../../processors/pre_uploader/pdf/pdfium.ts";
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
const wasm = await readFile(new URL(import.meta.resolve("@embedpdf/pdfium/pdfium.wasm")));
const client = createDocumentEngine({
  url: engine.url,
  secret: { read: () => Promise.resolve({ token: engine.token }), forget: () => undefined },
});
await preUpload(
  {
    ...rest,
    ...{ s3: new S3Client(aws), sns: new SNSClient(aws), sqs: new SQSClient(aws), engine: client },
    ...{ pdfium: await startPdfium(new Uint8Array(wasm)), log: pino({ level: "silent" }) },
    now: () => new Date(),
  },
  message,
);
process.stdout.write(JSON.stringify({ mebibytes: Math.round(process.resourceUsage().maxRSS / 1024) }));
process.exit(0);
