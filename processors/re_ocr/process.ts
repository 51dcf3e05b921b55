import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import type { SNSClient } from "@aws-sdk/client-sns";
import type { SQSClient } from "@aws-sdk/client-sqs";
import PQueue from "p-queue";
import { engineDocumentId } from "../../contracts/annotations.ts";
import { event as eventSchema } from "../../contracts/events.ts";
import type { ExchangeEvent } from "../../contracts/events.ts";
import type { SearchTextMessage } from "../../contracts/messages.ts";
import { pageTextKey, textPrefix } from "../../contracts/names.ts";
import { batchHandler } from "../shared/batch_handler.ts";
import type { BatchHandler } from "../shared/batch_handler.ts";
import type { DocumentEngine } from "../shared/document_engine/client.ts";
import { redeliveryOf } from "../shared/feed.ts";
import type { Feed } from "../shared/feed.ts";
import { eventFields } from "../shared/log.ts";
import type { Logger } from "../shared/log.ts";
import { publishEvent } from "../shared/publish.ts";
import { sendMessage } from "../shared/send.ts";
import { extractedEvent, notUploadedEvent, uploadedFile } from "./events.ts";
import type { UploadedFile } from "./events.ts";

export interface ReOcrDependencies {
  s3: S3Client;
  sqs: SQSClient;
  sns: SNSClient;
  engine: DocumentEngine;
  log: Logger;
  now: () => Date;
  topicArn: string;
  searchQueueUrl: string;
  feed: Feed;
  /** The bucket that holds the files of all cases. */
  bucket: string;
  /** The exchange that this Lambda belongs to: its queue hears of every upload of the case and batch. */
  exchangeId: string;
}

/** Pages whose text is written at once. */
const writeConcurrency = 16;

/** The handler of an exchange's `re_ocr` queue, which is fed with DOCUMENT_UPLOADED. */
export function reOcrHandler(to: ReOcrDependencies): BatchHandler {
  return batchHandler({
    log: to.log,
    schema: eventSchema,
    fields: eventFields,
    process: (event, { log }) => reOcr({ ...to, log }, event),
    redelivery: redeliveryOf(to.feed, to.sqs),
  });
}

/**
 * Writes the text of each page of a document that was uploaded, tells the world, and hands it on to be indexed. What was
 * not uploaded has no text: that is told as well, for nobody else would.
 */
export async function reOcr(to: ReOcrDependencies, event: ExchangeEvent): Promise<void> {
  if (event.eventType !== "DOCUMENT_UPLOADED" || event.jobId !== to.exchangeId) {
    to.log.info("the event is not about an upload of this exchange");
    return;
  }
  const file = uploadedFile(event);
  if (event.status === "ERROR") {
    await publishEvent(to.sns, to.topicArn, notUploadedEvent(event, file, to.now()));
    return;
  }
  const texts: SearchTextMessage["texts"] = [];
  // One after the other: the calls about one document meet a server that has it at hand.
  for (const exhibitId of file.exhibitIds) texts.push(await writeTexts(to, event, file, exhibitId));
  await publishEvent(to.sns, to.topicArn, extractedEvent(event, file, texts, to.now()));
  await sendMessage(to.sqs, to.searchQueueUrl, searchMessage(event, file, texts, to.bucket));
  to.log.info({ pages: texts.map(({ pages }) => pages) }, "page texts written");
}

async function writeTexts(
  { s3, engine, bucket }: ReOcrDependencies,
  { caseId, batchId }: ExchangeEvent,
  { destinationDocumentId: documentId, exhibitIds }: UploadedFile,
  exhibitId: string,
): Promise<SearchTextMessage["texts"][number]> {
  const texts = await engine.pageTexts(engineDocumentId({ caseId, batchId, documentId, exhibitId }));
  const furtherExhibitId = exhibitId === exhibitIds[0] ? undefined : exhibitId;
  const prefix = textPrefix({ caseId, batchId, documentId, furtherExhibitId });
  const writing = new PQueue({ concurrency: writeConcurrency });
  await writing.addAll(
    texts.map(
      (text, index) => () =>
        s3.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: pageTextKey(prefix, index + 1),
            Body: Buffer.from(text),
            ContentType: "text/plain; charset=utf-8",
          }),
        ),
    ),
  );
  return { exhibitId, prefix, pages: texts.length };
}

function searchMessage(
  event: ExchangeEvent,
  { documentId, destinationDocumentId, exhibitIds, fileId }: UploadedFile,
  texts: SearchTextMessage["texts"],
  bucket: string,
): SearchTextMessage {
  const { jobId: exchangeId, sourceCaseId, caseId, batchId } = event;
  const exchange = { exchangeId, sourceCaseId, caseId, batchId };
  return { kind: "search_text", exchange, documentId, destinationDocumentId, exhibitIds, fileId, bucket, texts };
}
