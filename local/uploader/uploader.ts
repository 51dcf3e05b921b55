import type { S3Client } from "@aws-sdk/client-s3";
import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import type { Message, SQSClient } from "@aws-sdk/client-sqs";
import type { Logger } from "pino";
import { PermanentError } from "../../contracts/errors.ts";
import { eventAttributes, type ExchangeEvent, type FileDetail } from "../../contracts/events.ts";
import {
  docUploaderMessage,
  uploaderCommand,
  type DocUploaderMessage,
  type UploaderCommand,
} from "../../contracts/messages.ts";
import { Journal, type Outcome } from "./journal.ts";
import { loaderFrom, withFaults, type Faults, type LoadDocument } from "./load.ts";
import { consumeQueue, type QueueConsumer } from "./queue-consumer.ts";

type Consume = Extract<UploaderCommand, { kind: "consume" }>;

export interface UploaderOptions {
  sqs: SQSClient;
  s3: S3Client;
  sns: SNSClient;
  logger: Logger;
  commandQueueUrl: string;
  /** Where it remembers, across restarts, what it consumes and what it has loaded. */
  journalFile: string;
  /** Seconds of one long poll. */
  waitTimeSeconds?: number;
  clock?: () => Date;
  faults?: Faults;
  /** What takes the documents in; by default they are read and judged, and kept nowhere. */
  load?: LoadDocument;
}

export interface Uploader {
  /** The exchanges whose queues are being consumed. */
  consuming: () => string[];
  /** Finishes what is in hand; nothing of it runs afterwards. */
  stop: () => Promise<void>;
}

/**
 * The stand-in of the uploader module: it is told which `doc_uploader` queues to consume, takes the documents in and
 * publishes DOCUMENT_UPLOADED for each, with status ERROR for those that can never be loaded.
 */
export async function startUploader(options: UploaderOptions): Promise<Uploader> {
  const { sqs, logger, waitTimeSeconds = 1 } = options;
  const journal = await Journal.open(options.journalFile);
  const upload = uploadWith(options, journal);
  const consumers = new Map<string, QueueConsumer>();
  // A command that comes while stopping is in the journal, for the next start.
  let stopping = false;

  const onError = (error: Error, message?: Message) => {
    logger.warn({ err: error, messageId: message?.MessageId }, "a message or a poll failed; it is tried again");
  };

  function consume(command: Consume): void {
    const { exchange, queueUrl, topicArn } = command;
    const { exchangeId } = exchange;
    if (stopping || consumers.has(exchangeId)) return;
    const log = logger.child({ exchangeId, caseId: exchange.caseId, batchId: exchange.batchId });
    const consumer = consumeQueue({
      sqs,
      queueUrl,
      waitTimeSeconds,
      handle: async (message) => {
        await upload(docUploaderMessage.parse(JSON.parse(message.Body ?? "")), topicArn);
      },
      onError,
      onGone: () => {
        log.info("the queue is gone, so it is consumed no more");
        consumers.delete(exchangeId);
        journal.command({ kind: "release", exchange }).catch(onError);
      },
    });
    consumers.set(exchangeId, consumer);
    log.info({ queueUrl }, "consuming");
  }

  async function release(exchangeId: string): Promise<void> {
    const consumer = consumers.get(exchangeId);
    if (!consumer) return;
    consumers.delete(exchangeId);
    await consumer.stop();
    logger.info({ exchangeId }, "released");
  }

  for (const command of journal.consumed) consume(command);
  const commands = consumeQueue({
    sqs,
    queueUrl: options.commandQueueUrl,
    waitTimeSeconds,
    handle: async (message) => {
      const command = uploaderCommand.parse(JSON.parse(message.Body ?? ""));
      await journal.command(command);
      if (command.kind === "consume") consume(command);
      else await release(command.exchange.exchangeId);
    },
    onError,
    onGone: () => {
      logger.error({ queueUrl: options.commandQueueUrl }, "the command queue is gone; no command can arrive");
    },
  });

  return {
    consuming: () => [...consumers.keys()],
    stop: async () => {
      stopping = true;
      await Promise.all([commands, ...consumers.values()].map((consumer) => consumer.stop()));
    },
  };
}

/** Loads a document once, however often its message comes, and publishes how that ended. */
function uploadWith(options: UploaderOptions, journal: Journal) {
  const { clock = () => new Date(), faults = {}, logger } = options;
  const load = withFaults(options.load ?? loaderFrom(options.s3), faults);
  const inHand = new Map<string, Promise<Outcome>>();

  async function loadOnce(message: DocUploaderMessage): Promise<Outcome> {
    const { exchangeId } = message.exchange;
    const known = journal.outcomeOf(exchangeId, message.fileId);
    if (known) return known;
    const outcome = await judge(() => load(message), clock);
    await journal.document(exchangeId, message.fileId, outcome);
    return outcome;
  }

  return async (message: DocUploaderMessage, topicArn: string): Promise<void> => {
    const unit = `${message.exchange.exchangeId} ${message.fileId}`;
    const running = inHand.get(unit) ?? loadOnce(message).finally(() => inHand.delete(unit));
    inHand.set(unit, running);
    const outcome = await running;
    // Published again for a message that comes again: the event may have been lost with a crash, its id is the same.
    const event = uploadedEvent(message, outcome);
    await options.sns.send(
      new PublishCommand({
        TopicArn: topicArn,
        Message: JSON.stringify(event),
        MessageAttributes: eventAttributes(event),
      }),
    );
    const { documentId, exhibitIds, fileId } = message;
    logger.info({ ...message.exchange, documentId, exhibitIds, fileId, outcome }, "uploaded");
  };
}

/** A permanent error is an outcome; any other leaves the document to be tried again. */
async function judge(load: () => Promise<{ pages: number | null }>, clock: () => Date): Promise<Outcome> {
  try {
    const { pages } = await load();
    return { status: "SUCCESS", pages, at: clock().toISOString() };
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    return { status: "ERROR", error: error.toWire(), at: clock().toISOString() };
  }
}

/** What the rest of the world learns of a document; equal for equal input. */
export function uploadedEvent(message: DocUploaderMessage, outcome: Outcome): ExchangeEvent {
  const { exchange, documentId, destinationDocumentId, exhibitIds, fileId } = message;
  const { exchangeId, ...cases } = exchange;
  const detail: FileDetail = { fileId, role: "document", destinationDocumentId };
  if (outcome.status === "SUCCESS") detail["pages"] = outcome.pages;
  else detail.error = outcome.error;
  return {
    eventId: `${exchangeId}:upload:${fileId}:${outcome.status === "SUCCESS" ? "done" : "failed"}`,
    source: "documentuploader",
    eventType: "DOCUMENT_UPLOADED",
    status: outcome.status,
    jobId: exchangeId,
    ...cases,
    documentId,
    exhibitIds,
    timestamp: outcome.at,
    detail,
  };
}
