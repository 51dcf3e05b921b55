import { Readable } from "node:stream";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import type { SNSClient } from "@aws-sdk/client-sns";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { PermanentError, RecoverableError } from "../../contracts/errors.ts";
import { payloadInput } from "../../contracts/execution.ts";
import type { PayloadInput, PayloadResult } from "../../contracts/execution.ts";
import type { ExchangeEvent } from "../../contracts/events.ts";
import { readManifest, unitsOf } from "../../contracts/manifest-reader.ts";
import type { ManifestRecord } from "../../contracts/manifest-reader.ts";
import { stagesOf } from "../../contracts/plan.ts";
import type { ManifestFile, ManifestLine } from "../../contracts/manifest.ts";
import type { PreUploaderMessage, S3CopyMessage } from "../../contracts/messages.ts";
import { classify } from "../shared/failures.ts";
import { logFields } from "../shared/log.ts";
import type { Logger } from "../shared/log.ts";
import { publishEvents } from "../shared/publish.ts";
import { maxMessageBytes, sendMessages, toBody } from "../shared/send.ts";
import { failureEvents } from "./events.ts";

export interface PayloadDependencies {
  s3: S3Client;
  sqs: SQSClient;
  sns: SNSClient;
  topicArn: string;
  now: () => Date;
  log: Logger;
}

/**
 * A document with more exhibits than this is copied without its redactions being counted: their names would make the
 * message larger than a queue takes.
 */
const countedExhibits = 1000;

/** Messages and events that are gathered before they are sent together: ten batches. */
const gathered = 100;

/** Room is left for what later stages add: the reason in the dead-letter queue, the details of an event. */
const longestMessage = maxMessageBytes - 8 * 1024;

/**
 * Reads one part of the manifest and sends a message for each of its files. A record that does not fit fails its own
 * document, by an error event for each of its units, and is counted like any other. Called again it sends all of it again,
 * which the processor of the queue and the ledger stand.
 *
 * @throws PermanentError INVALID_INPUT, INVALID_MANIFEST (the part has a wrong name), NO_SUCH_KEY, QUEUE_MISSING
 * @throws RecoverableError when AWS fails, or refuses messages in passing
 */
export async function constructPayload(to: PayloadDependencies, event: unknown): Promise<PayloadResult> {
  const input = parseInput(event);
  const log = to.log.child({ ...logFields(input), part: input.partKey });
  try {
    const result = await sendPart({ ...to, log }, input);
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
  const request = input.annotations ? { annotations: input.annotations } : {};
  let waiting: Outgoing[] = [];
  let failures: ExchangeEvent[] = [];
  const flush = async () => {
    await Promise.all([sendAll(to.sqs, waiting), publishEvents(to.sns, to.topicArn, failures)]);
    [waiting, failures] = [[], []];
  };
  for await (const found of readManifest(input.partKey, () => openPart(to.s3, input))) {
    const { record, outgoing } = deliverable(found, input);
    const units = unitsOf(record, request);
    result.documents += 1;
    for (const { stage } of units) result[stage] += 1;
    if (record.kind === "refused") {
      to.log.error({ documentId: record.documentId, ...record.error }, "a record of the manifest is refused");
      failures.push(...failureEvents(record, units, input, to.now()));
    }
    waiting.push(...outgoing);
    if (waiting.length + failures.length >= gathered) await flush();
  }
  await flush();
  return result;
}

/** The messages of a record; one that no queue takes makes a refused record of it. */
function deliverable(
  record: ManifestRecord,
  input: PayloadInput,
): { record: ManifestRecord; outgoing: readonly Outgoing[] } {
  if (record.kind === "refused") return { record, outgoing: [] };
  const { documentId, exhibits, files } = record.line;
  const outgoing = messagesOf(record.line, input);
  const bytes = Math.max(0, ...outgoing.map(({ message }) => Buffer.byteLength(toBody(message))));
  if (bytes <= longestMessage) return { record, outgoing };
  const message = `document ${documentId} has ${exhibits.length} exhibits: a message about it has ${bytes} bytes, at most ${longestMessage} are possible`;
  const { place } = record;
  return {
    record: { kind: "refused", place, documentId, files, error: { code: "RECORD_TOO_LARGE", message } },
    outgoing: [],
  };
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

/** A message and the queue that it goes to. */
export interface Outgoing {
  queueUrl: string;
  message: S3CopyMessage | PreUploaderMessage;
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
  });
  if (!annotations) return files.map(copy);
  const preUpload = (file: ManifestFile): Outgoing => ({
    queueUrl: queueOf(queues, "pre_uploader"),
    message: { kind: "pre_uploader", ...common, exhibits, sourceBatchId, file, annotations },
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
