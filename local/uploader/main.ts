import { readFile } from "node:fs/promises";
import { S3Client } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { pino } from "pino";
import { z } from "zod";
import { InvalidInputError } from "../../contracts/errors.ts";
import { createDocumentEngine, type DocumentEngine } from "../../processors/shared/document_engine/client.ts";
import { loaderFrom, type Faults } from "./load.ts";
import { startUploader } from "./uploader.ts";

const faults = z
  .strictObject({
    /** Ids of source files that are refused for good. */
    refuse: z.array(z.string()).optional(),
    failTimes: z.int().nonnegative().optional(),
    delay: z.int().nonnegative().optional(),
  })
  .transform(({ refuse, failTimes, delay }): Faults => {
    const refused = new Set(refuse);
    return {
      refuse: (message) => refused.has(message.fileId),
      ...(failTimes !== undefined && { failTimes }),
      ...(delay !== undefined && { delay }),
    };
  });

const environment = z.object({
  UPLOADER_COMMAND_QUEUE_URL: z.url(),
  UPLOADER_JOURNAL_FILE: z.string().min(1),
  /** JSON of the faults that it shall have. */
  UPLOADER_FAULTS: z.string().default("{}"),
  /** Without both, documents are judged and stored nowhere. */
  UPLOADER_DOCUMENT_ENGINE_URL: z.url().optional(),
  UPLOADER_DOCUMENT_ENGINE_TOKEN_FILE: z.string().min(1).optional(),
  LOG_LEVEL: z.string().default("info"),
});

/** The stand-in as a process of its own, with the AWS environment of its own user. */
async function main(): Promise<void> {
  const parsed = environment.safeParse(process.env);
  if (!parsed.success) throw new InvalidInputError("INVALID_ENVIRONMENT", z.prettifyError(parsed.error));
  const env = parsed.data;
  const logger = pino({ level: env.LOG_LEVEL, base: { service: "documentuploader" } });
  const s3 = new S3Client({ forcePathStyle: true });
  const engine = engineOf(env.UPLOADER_DOCUMENT_ENGINE_URL, env.UPLOADER_DOCUMENT_ENGINE_TOKEN_FILE);
  const uploader = await startUploader({
    sqs: new SQSClient(),
    s3,
    load: loaderFrom(s3, engine),
    sns: new SNSClient(),
    logger,
    commandQueueUrl: env.UPLOADER_COMMAND_QUEUE_URL,
    journalFile: env.UPLOADER_JOURNAL_FILE,
    faults: faults.parse(JSON.parse(env.UPLOADER_FAULTS)),
  });
  const stop = () => {
    uploader.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, "stopping failed");
        process.exit(1);
      },
    );
  };
  process.once("SIGTERM", stop).once("SIGINT", stop);
  // The parent's end is ours too: nobody else would stop us.
  process.once("disconnect", stop);
  logger.info("the uploader is running");
  process.send?.("ready");
}

function engineOf(url: string | undefined, tokenFile: string | undefined): DocumentEngine | undefined {
  if (url === undefined || tokenFile === undefined) return undefined;
  const read = async () => ({ token: (await readFile(tokenFile, "utf8")).trim() });
  return createDocumentEngine({ url, secret: { read, forget: () => undefined } });
}

await main();
