import { Readable } from "node:stream";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { PermanentError, RecoverableError } from "../../contracts/errors.ts";
import { payloadInput } from "../../contracts/execution.ts";
import type { PayloadInput, PayloadResult } from "../../contracts/execution.ts";
import { manifestLine } from "../../contracts/manifest.ts";
import type { ManifestLine } from "../../contracts/manifest.ts";
import type { S3CopyMessage } from "../../contracts/messages.ts";
import { classify } from "../shared/failures.ts";
import { logFields } from "../shared/log.ts";
import type { Logger } from "../shared/log.ts";
import { sendMessages } from "../shared/send.ts";
import { linesOf } from "./lines.ts";

export interface PayloadDependencies {
  s3: S3Client;
  sqs: SQSClient;
  log: Logger;
}

/** Messages that are gathered before they are sent together: ten batches. */
const gathered = 100;

/**
 * Reads one part of the manifest and sends a message for each of its files. Called again it sends them again, which
 * the processor of the queue stands.
 *
 * @throws PermanentError INVALID_INPUT, INVALID_MANIFEST (names part and line), NO_SUCH_KEY
 * @throws RecoverableError when AWS fails or refuses messages for now
 */
export async function constructPayload(to: PayloadDependencies, event: unknown): Promise<PayloadResult> {
  const input = parseInput(event);
  const log = to.log.child({ ...logFields(input), part: input.partKey });
  try {
    const result = await sendPart(to, input);
    log.info(result, "payload of a part constructed");
    return result;
  } catch (thrown) {
    const error = classify(thrown);
    log.error({ err: error, code: error.code }, "payload of a part not constructed");
    throw error;
  }
}

function parseInput(event: unknown): PayloadInput {
  const parsed = payloadInput.safeParse(event);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "input"}: ${message}`);
  throw new PermanentError("INVALID_INPUT", `the input does not fit its contract: ${faults.join("; ")}`);
}

async function sendPart(to: PayloadDependencies, input: PayloadInput): Promise<PayloadResult> {
  const result: PayloadResult = { part: input.partKey, documents: 0, copy: 0, upload: 0 };
  let messages: S3CopyMessage[] = [];
  let number = 0;
  for await (const text of linesOf(await openPart(to.s3, input))) {
    number += 1;
    const line = parseLine(text, input.partKey, number);
    result.documents += 1;
    result.copy += line.files.length;
    result.upload += line.files.filter(({ role }) => role === "document").length;
    messages.push(...messagesOf(line, input));
    if (messages.length >= gathered) {
      await sendMessages(to.sqs, input.queues.s3_copy, messages);
      messages = [];
    }
  }
  await sendMessages(to.sqs, input.queues.s3_copy, messages);
  return result;
}

async function openPart(s3: S3Client, { dataBucket, partKey }: PayloadInput): Promise<Readable> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: dataBucket, Key: partKey }));
  if (!(Body instanceof Readable)) throw new RecoverableError("INCOMPLETE_ANSWER", `S3 sent no content of ${partKey}`);
  return Body;
}

/** @param number counts from 1, as editors do; empty lines are not counted */
export function parseLine(text: string, part: string, number: number): ManifestLine {
  try {
    return manifestLine.parse(JSON.parse(text));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replaceAll(/\s+/g, " ").slice(0, 500) : "unreadable";
    throw new PermanentError("INVALID_MANIFEST", `line ${number} of ${part} is not a manifest line: ${why}`, { cause });
  }
}

/** One message per file of a document. */
export function messagesOf(line: ManifestLine, input: PayloadInput): S3CopyMessage[] {
  const { documentId, destinationDocumentId, exhibitIds, files } = line;
  const { exchange, caseBucket: bucket } = input;
  return files.map((file) => ({
    kind: "s3_copy",
    exchange,
    documentId,
    destinationDocumentId,
    exhibitIds,
    bucket,
    file,
  }));
}
