import { preUploaderMessage } from "../../contracts/messages.ts";
import type { ExhibitLoad, PreUploaderMessage } from "../../contracts/messages.ts";
import { exhibitPrefix } from "../../contracts/names.ts";
import { batchHandler } from "../shared/batch_handler.ts";
import type { BatchHandler } from "../shared/batch_handler.ts";
import { redeliveryOf } from "../shared/feed.ts";
import { assertWithinCases } from "../shared/keys.ts";
import { logFields } from "../shared/log.ts";
import { publishEvent } from "../shared/publish.ts";
import { sendMessage } from "../shared/send.ts";
import { brand } from "./brand.ts";
import type { Branding } from "./brand.ts";
import type { PreUploaderDependencies } from "./dependencies.ts";
import { outcomeEvent, uploaderMessage } from "./events.ts";
import { makeExhibit } from "./exhibit.ts";
import type { ExhibitReport } from "./exhibit.ts";
import { hasTravelling, withoutTravelling } from "./pdf/reader.ts";
import { SourcePdf } from "./pdf/source.ts";
import { putPdf, readPdfObject } from "./storage.ts";

/** The handler of an exchange's `pre_uploader` queue. */
export function preUploaderHandler(to: PreUploaderDependencies): BatchHandler {
  return batchHandler({
    log: to.log,
    schema: preUploaderMessage,
    fields: (message) => ({ ...logFields(message), fileId: message.file.fileId }),
    process: async (message, { log }) => {
      await preUpload({ ...to, log }, message);
    },
    redelivery: redeliveryOf(to.feed, to.sqs),
  });
}

/**
 * Brings one document's PDF with its annotations into the destination case and tells the world.
 *
 * Nothing is told, and nothing sent on, before the proof of every exhibit. Done again it makes the same objects under
 * the same keys and ids. The event goes first: see S3 Copy.
 *
 * @returns whether the document was skipped, because the source case has no object of it
 * @throws PermanentError PDF_EMPTY, PDF_PROTECTED, PDF_DAMAGED, PDF_TOO_LARGE, PROOF_FAILED and others that say more
 */
export async function preUpload(
  to: PreUploaderDependencies,
  message: PreUploaderMessage,
): Promise<{ skipped: boolean }> {
  assertWithinCases(message);
  const { bucket, file } = message;
  const original = await readPdfObject(to.s3, bucket, file.sourceKey, to.maximumPdfBytes);
  if (!original) {
    to.log.warn({ key: file.sourceKey }, "the source case has a record of this file, but no object");
    await publishEvent(to.sns, to.topicArn, outcomeEvent(message, { skipped: true }, to.now()));
    return { skipped: true };
  }
  const { size, loads, reports } = await makeDocument(to, message, original);
  await publishEvent(to.sns, to.topicArn, outcomeEvent(message, { skipped: false, size, exhibits: reports }, to.now()));
  await sendMessage(to.sqs, to.uploaderQueueUrl, uploaderMessage(message, size, loads));
  for (const report of reports) {
    if (report.withheld.count > 0) to.log.warn(report, "annotations quote what redactions hide, and are not carried");
    else to.log.info(report, "annotations of an exhibit carried");
  }
  return { skipped: false };
}

/**
 * A document with one exhibit has one PDF. With several, each has its own, and the document's record points to one that
 * has what any of them made part of its pages, so that it shows nothing that was hidden in one of them.
 */
async function makeDocument(
  to: PreUploaderDependencies,
  message: PreUploaderMessage,
  original: Uint8Array,
): Promise<{ size: number; loads: ExhibitLoad[]; reports: ExhibitReport[] }> {
  const { exchange, destinationDocumentId, exhibits, bucket, file } = message;
  const found = new SourcePdf(to.pdfium, original);
  if (exhibits.length === 0) {
    await putPdf(to.s3, bucket, file.destinationKey, original);
    return { size: original.length, loads: [], reports: [] };
  }
  const source = found.pages.some(hasTravelling)
    ? new SourcePdf(to.pdfium, withoutTravelling(to.pdfium, original))
    : found;
  const loads: ExhibitLoad[] = [];
  const reports: ExhibitReport[] = [];
  const brandings: Branding[] = [];
  let size = 0;
  for (const pair of exhibits) {
    const own = { ...exchange, documentId: destinationDocumentId, exhibitId: pair.exhibitId };
    const key = exhibits.length === 1 ? file.destinationKey : `${exhibitPrefix(own)}document.pdf`;
    const made = await makeExhibit(to, message, source, pair, key);
    loads.push(made.load);
    reports.push(made.report);
    brandings.push(made.branding);
    size = made.size;
  }
  if (exhibits.length > 1) {
    const { pdf } = await brand(to, source, brandings);
    await putPdf(to.s3, bucket, file.destinationKey, pdf);
    size = pdf.length;
  }
  return { size, loads, reports };
}
