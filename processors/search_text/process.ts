import { GetObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import type { SNSClient } from "@aws-sdk/client-sns";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { SQSEvent } from "aws-lambda";
import PQueue from "p-queue";
import { ExchangerError, PermanentError, RecoverableError } from "../../contracts/errors.ts";
import type { ExchangeEvent } from "../../contracts/events.ts";
import { searchTextMessage } from "../../contracts/messages.ts";
import type { SearchTextMessage } from "../../contracts/messages.ts";
import { casePrefix, pageTextKey } from "../../contracts/names.ts";
import { batchHandler, parseBody } from "../shared/batch_handler.ts";
import type { BatchHandler } from "../shared/batch_handler.ts";
import type { Database } from "../shared/database.ts";
import { redeliveryOf } from "../shared/feed.ts";
import type { Feed } from "../shared/feed.ts";
import { logFields } from "../shared/log.ts";
import type { Logger } from "../shared/log.ts";
import { envelopeOf, publishEvent } from "../shared/publish.ts";
import { writeRows } from "./index_rows.ts";
import type { TextRow } from "./index_rows.ts";

export interface SearchTextDependencies {
  s3: S3Client;
  sqs: SQSClient;
  sns: SNSClient;
  database: Database;
  log: Logger;
  now: () => Date;
  topicArn: string;
  /** The schema of the destination case. */
  caseSchema: string;
  /** The exchange that this Lambda belongs to. */
  exchangeId: string;
  /** Rows in one statement at most. */
  bulkRows: number;
  feed: Feed;
}

/** Texts that are read at once. */
const readConcurrency = 16;

/**
 * The handler of an exchange's `search_text` queue: the texts of all documents of a batch go into the index together. If
 * the server refuses that, each document is written alone, so that a bad one does not take the others with it.
 */
export function searchTextHandler(to: SearchTextDependencies): BatchHandler {
  return (batch) => {
    const readings = startReading(to, batch);
    const together = Promise.allSettled(readings.values()).then(async (read) => {
      const rows = read.flatMap((reading) => (reading.status === "fulfilled" ? reading.value : []));
      await writeRows(to.database, to.caseSchema, rows, to.bulkRows);
    });
    // Each message meets the failure by itself; without messages nobody does.
    together.catch(() => undefined);
    const handle = batchHandler({
      log: to.log,
      schema: searchTextMessage,
      fields: (message) => ({ ...logFields(message), fileId: message.fileId }),
      process: async (message, { record, log }) => {
        const rows = (await readings.get(record.messageId)) ?? [];
        await together.catch((error: unknown) => {
          if (!(error instanceof ExchangerError) || error.code !== "STATEMENT_REFUSED") throw error;
          return writeRows(to.database, to.caseSchema, rows, to.bulkRows);
        });
        await publishEvent(to.sns, to.topicArn, indexedEvent(message, rows.length, to.now()));
        log.info({ pages: rows.length }, "document indexed");
      },
      redelivery: redeliveryOf(to.feed, to.sqs),
    });
    return handle(batch);
  };
}

/** The rows of every message that can be read; the others are reported one by one. */
function startReading(to: SearchTextDependencies, { Records }: SQSEvent): Map<string, Promise<TextRow[]>> {
  const queue = new PQueue({ concurrency: readConcurrency });
  const readings = new Map<string, Promise<TextRow[]>>();
  for (const { messageId, body } of Records) {
    try {
      const reading = readRows(to, queue, parseBody(searchTextMessage, body));
      reading.catch(() => undefined);
      readings.set(messageId, reading);
    } catch {
      continue;
    }
  }
  return readings;
}

/** @throws PermanentError FOREIGN_MESSAGE for what is not of this exchange or lies outside of its case */
async function readRows(to: SearchTextDependencies, queue: PQueue, message: SearchTextMessage): Promise<TextRow[]> {
  const { exchange, texts, bucket, fileId } = message;
  const own = casePrefix(exchange.caseId);
  if (exchange.exchangeId !== to.exchangeId || texts.some(({ prefix }) => !prefix.startsWith(own))) {
    throw new PermanentError("FOREIGN_MESSAGE", `file ${fileId} is not of this exchange or its text not in ${own}`);
  }
  return queue.addAll(
    texts.flatMap(({ exhibitId, prefix, pages }) =>
      Array.from({ length: pages }, (_, index) => async () => {
        const content = await readText(to.s3, bucket, pageTextKey(prefix, index + 1));
        return { exhibitId, position: index + 1, content };
      }),
    ),
  );
}

async function readText(s3: S3Client, bucket: string, key: string): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  if (!Body) throw new RecoverableError("INCOMPLETE_ANSWER", `S3 sent no content of ${key}`);
  return Body.transformToString("utf-8");
}

/** The event about a document that can be found by its words. */
function indexedEvent(message: SearchTextMessage, pages: number, now: Date): ExchangeEvent {
  const { exchange, documentId, destinationDocumentId, exhibitIds, fileId } = message;
  return {
    eventId: `${exchange.exchangeId}:search:${fileId}:done`,
    source: "search_text_processor",
    eventType: "DOCUMENT_INDEXED",
    status: "SUCCESS",
    ...envelopeOf(exchange),
    documentId,
    exhibitIds,
    timestamp: now.toISOString(),
    detail: { fileId, role: "document", destinationDocumentId, pages },
  };
}
