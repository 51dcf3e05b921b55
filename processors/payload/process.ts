import { Readable } from "node:stream";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { PermanentError, RecoverableError } from "../../contracts/errors.ts";
import { payloadInput } from "../../contracts/execution.ts";
import type { PayloadInput, PayloadResult } from "../../contracts/execution.ts";
import { manifestLine } from "../../contracts/manifest.ts";
import { stagesOf } from "../../contracts/plan.ts";
import type { Stage } from "../../contracts/ledger.ts";
import type { ManifestFile, ManifestLine } from "../../contracts/manifest.ts";
import type { PreUploaderMessage, S3CopyMessage } from "../../contracts/messages.ts";
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

/**
 * A document with more exhibits than this is copied without its redactions being counted: their names would make the
 * message larger than a queue takes.
 */
const countedExhibits = 1000;

/** Messages that are gathered before they are sent together: ten batches. */
const gathered = 100;

/**
 * Reads one part of the manifest and sends a message for each of its files. Called again it sends them again, which
 * the processor of the queue stands.
 *
 * @throws PermanentError INVALID_INPUT, INVALID_MANIFEST (names part and line), NO_SUCH_KEY, QUEUE_MISSING
 * @throws RecoverableError when AWS fails, or refuses messages in passing
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
  const result = { part: input.partKey, documents: 0, copy: 0, pre_upload: 0, upload: 0, re_ocr: 0, search: 0 };
  let waiting: Outgoing[] = [];
  let number = 0;
  for await (const text of linesOf(await openPart(to.s3, input))) {
    number += 1;
    const line = parseLine(text, input.partKey, number);
    const outgoing = messagesOf(line, input);
    result.documents += 1;
    for (const stage of outgoing.flatMap(({ stages }) => stages)) result[stage] += 1;
    waiting.push(...outgoing);
    if (waiting.length >= gathered) {
      await sendAll(to.sqs, waiting);
      waiting = [];
    }
  }
  await sendAll(to.sqs, waiting);
  return result;
}

async function sendAll(sqs: SQSClient, outgoing: readonly Outgoing[]): Promise<void> {
  for (const [queueUrl, ofQueue] of Map.groupBy(outgoing, ({ queueUrl }) => queueUrl)) {
    await sendMessages(
      sqs,
      queueUrl,
      ofQueue.map(({ message }) => message),
    );
  }
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

/** A message, the queue that it goes to, and the stages that its file will pass. */
export interface Outgoing {
  queueUrl: string;
  message: S3CopyMessage | PreUploaderMessage;
  stages: readonly Stage[];
}

/**
 * One message for each file of a document that travels, to the first of the stages that it passes.
 *
 * @throws PermanentError QUEUE_MISSING
 */
export function messagesOf(
  line: ManifestLine,
  { exchange, caseBucket: bucket, annotations, queues }: PayloadInput,
): Outgoing[] {
  const { documentId, destinationDocumentId, exhibits, sourceBatchId, files } = line;
  const exhibitIds = exhibits.map(({ exhibitId }) => exhibitId);
  const common = { exchange, documentId, destinationDocumentId, exhibitIds, bucket };
  const copy = (file: ManifestFile): Outgoing => ({
    queueUrl: queueOf(queues, "s3_copy"),
    message: {
      kind: "s3_copy",
      ...common,
      // What reviewers see is what has redactions.
      exhibits: file.role === "document" && exhibits.length <= countedExhibits ? exhibits : [],
      sourceBatchId,
      file,
    },
    stages: stagesOf(file.role, {}),
  });
  if (!annotations) return files.map(copy);
  const preUpload = (file: ManifestFile): Outgoing => ({
    queueUrl: queueOf(queues, "pre_uploader"),
    message: { kind: "pre_uploader", ...common, exhibits, sourceBatchId, file, annotations },
    stages: stagesOf(file.role, { annotations }),
  });
  return files.flatMap((file) => {
    const [first] = stagesOf(file.role, { annotations });
    return first === undefined ? [] : [first === "copy" ? copy(file) : preUpload(file)];
  });
}

function queueOf(queues: PayloadInput["queues"], kind: keyof PayloadInput["queues"]): string {
  const url = queues[kind];
  if (url !== undefined) return url;
  throw new PermanentError("QUEUE_MISSING", `the exchange has no ${kind} queue for a file that needs it`);
}
