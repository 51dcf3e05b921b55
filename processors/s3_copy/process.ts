import type { S3Client } from "@aws-sdk/client-s3";
import type { SNSClient } from "@aws-sdk/client-sns";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { AlreadyDone, RecoverableError } from "../../contracts/errors.ts";
import { s3CopyMessage } from "../../contracts/messages.ts";
import type { S3CopyMessage } from "../../contracts/messages.ts";
import { batchHandler } from "../shared/batch_handler.ts";
import type { BatchHandler } from "../shared/batch_handler.ts";
import { isMissingObject } from "../shared/failures.ts";
import { redeliveryOf } from "../shared/feed.ts";
import type { Feed } from "../shared/feed.ts";
import { assertWithinCases } from "../shared/keys.ts";
import { logFields } from "../shared/log.ts";
import type { Logger } from "../shared/log.ts";
import { publishEvent } from "../shared/publish.ts";
import { sendMessage } from "../shared/send.ts";
import { outcomeEvent, uploaderMessage } from "./events.ts";
import { findObject } from "./objects.ts";
import type { FoundObject } from "./objects.ts";
import type { CountRedactions } from "./redactions.ts";
import { copyInParts, copyWhole, needsParts } from "./transfer.ts";
import type { MultipartLimits } from "./transfer.ts";
import { checksumToAsk, differenceOf } from "./verify.ts";

export interface S3CopyDependencies {
  s3: S3Client;
  sqs: SQSClient;
  sns: SNSClient;
  log: Logger;
  now: () => Date;
  topicArn: string;
  uploaderQueueUrl: string;
  feed: Feed;
  multipart: MultipartLimits;
  /** Absent where there is no Document Engine, or where another processor accounts for redactions. */
  countRedactions?: CountRedactions | undefined;
}

/** The handler of an exchange's `s3_copy` queue. */
export function s3CopyHandler(to: S3CopyDependencies): BatchHandler {
  return batchHandler({
    log: to.log,
    schema: s3CopyMessage,
    fields: (message) => ({ ...logFields(message), fileId: message.file.fileId }),
    process: (message, { log }) => copyFile({ ...to, log }, message),
    redelivery: redeliveryOf(to.feed, to.sqs),
  });
}

/**
 * Copies one file into the destination case and tells the world.
 *
 * The telling is repeated even where the file had arrived before, for the process may have died between the two. The
 * event goes first: if the last attempt dies before the uploader is told, the dead letter then truly says that the
 * file was copied and not uploaded.
 *
 * @throws AlreadyDone when a true copy was there already
 */
export async function copyFile(to: S3CopyDependencies, message: S3CopyMessage): Promise<void> {
  assertWithinCases(message);
  const { bucket, file } = message;
  const [source, earlier] = await Promise.all([
    findObject(to.s3, bucket, file.sourceKey),
    findObject(to.s3, bucket, file.destinationKey),
  ]);
  if (!source) return tellMissing(to, message);
  if (source.size !== file.size) {
    to.log.warn({ recorded: file.size, found: source.size }, "the source object has another size than its record says");
  }

  const done = earlier !== undefined && (await differenceOf(to.s3, source, earlier, file.sha256)) === undefined;
  if (!done && (await copyVerified(to, source, message)) === "missing") return tellMissing(to, message);

  const redactions = file.role === "document" ? await to.countRedactions?.(message, to.log) : undefined;
  const outcome = { found: true, size: source.size, redactions } as const;
  await publishEvent(to.sns, to.topicArn, outcomeEvent(message, outcome, to.now()));
  if (file.role === "document") await sendMessage(to.sqs, to.uploaderQueueUrl, uploaderMessage(message, source.size));

  if (done) throw new AlreadyDone("ALREADY_COPIED", `file ${file.fileId} lay in the destination case before`);
  to.log.info({ bytes: source.size }, "file copied");
}

async function copyVerified(
  to: S3CopyDependencies,
  source: FoundObject,
  { bucket, file }: S3CopyMessage,
): Promise<"copied" | "missing"> {
  const inParts = needsParts(source.size, to.multipart);
  const checksum = checksumToAsk(source.checksums, file.sha256, inParts);
  try {
    if (inParts) await copyInParts(to.s3, source, file.destinationKey, checksum, to.multipart, to.log);
    else await copyWhole(to.s3, source, file.destinationKey, checksum);
  } catch (thrown) {
    // Gone since it was looked at.
    if (isMissingObject(thrown)) return "missing";
    throw thrown;
  }
  const copy = await findObject(to.s3, bucket, file.destinationKey);
  const difference = copy ? await differenceOf(to.s3, source, copy, file.sha256) : "no object";
  if (difference !== undefined) {
    throw new RecoverableError("CHECKSUM_MISMATCH", `the copy of ${file.sourceKey} is not true: ${difference}`);
  }
  return "copied";
}

async function tellMissing(to: S3CopyDependencies, message: S3CopyMessage): Promise<void> {
  to.log.warn({ key: message.file.sourceKey }, "the source case has a record of this file, but no object");
  await publishEvent(to.sns, to.topicArn, outcomeEvent(message, { found: false }, to.now()));
}
