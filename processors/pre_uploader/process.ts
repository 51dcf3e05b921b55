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
import { makeExhibit, sourceIdOf } from "./exhibit.ts";
import type { ExhibitReport } from "./exhibit.ts";
import { gather } from "./gather.ts";
import type { Gathered } from "./gather.ts";
import { putPdf, readPdfObject } from "./storage.ts";

/** The handler of an exchange's `pre_uploader` queue. */
export function preUploaderHandler(deps: PreUploaderDependencies): BatchHandler {
  return batchHandler({
    log: deps.log,
    schema: preUploaderMessage,
    fields: (message) => ({ ...logFields(message), fileId: message.file.fileId }),
    process: async (message, { log }) => {
      await preUpload({ ...deps, log }, message);
    },
    redelivery: redeliveryOf(deps.feed, deps.sqs),
  });
}

/**
 * Brings one document's PDF with its annotations into the destination case and publishes it.
 *
 * No event is published, and nothing sent on, before the proof of every exhibit. Done again it makes the same objects under
 * the same keys and ids. The event goes first: see S3 Copy.
 *
 * @returns whether the document was skipped, because the source case has no object of it
 * @throws PermanentError PDF_EMPTY, PDF_PROTECTED, PDF_DAMAGED, PDF_TOO_LARGE, PROOF_FAILED and others that say more
 */
export async function preUpload(
  deps: PreUploaderDependencies,
  message: PreUploaderMessage,
): Promise<{ skipped: boolean }> {
  assertWithinCases(message);
  const { bucket, file } = message;
  const original = await readPdfObject(deps.s3, bucket, file.sourceKey, deps.maximumPdfBytes);
  if (!original) {
    deps.log.warn({ key: file.sourceKey }, "the source case has a record of this file, but no object");
    await publishEvent(deps.sns, deps.topicArn, outcomeEvent(message, { skipped: true }, deps.now()));
    return { skipped: true };
  }
  const { loads, reports, ...made } = await makeDocument(deps, message, original);
  const { size } = made;
  const outcome = { skipped: false as const, exhibits: reports, ...made };
  await publishEvent(deps.sns, deps.topicArn, outcomeEvent(message, outcome, deps.now()));
  await sendMessage(deps.sqs, deps.uploaderQueueUrl, uploaderMessage(message, size, loads));
  for (const report of reports) {
    if (report.withheld.count > 0) deps.log.warn(report, "annotations quote what redactions hide, and are not carried");
    else deps.log.info(report, "annotations of an exhibit carried");
  }
  return { skipped: false };
}

interface MadeDocument {
  size: number;
  loads: ExhibitLoad[];
  reports: ExhibitReport[];
  removed: Record<string, number>;
  droppedFromDocument: number;
}

/**
 * A document with one exhibit has one PDF. With several, each has its own, and the document's record points to one that
 * has what any of them made part of its pages, so that it shows nothing that was hidden in one of them. The annotations
 * of all are read, and every redaction accounted for, before anything is written.
 */
async function makeDocument(
  deps: PreUploaderDependencies,
  message: PreUploaderMessage,
  original: Uint8Array,
): Promise<MadeDocument> {
  const { exchange, destinationDocumentId, exhibits, bucket, file } = message;
  const pdf = deps.pdf.ofDocument();
  // The work takes its files over.
  const { bytes: source } = await pdf.prepare(exhibits.length === 0 ? original.slice() : original);
  if (exhibits.length === 0) {
    await putPdf(deps.s3, bucket, file.destinationKey, original);
    return { size: original.length, loads: [], reports: [], removed: {}, droppedFromDocument: 0 };
  }
  const gathered: (Gathered & { exhibitId: string })[] = [];
  for (const pair of exhibits) {
    const found = await gather(deps.engine, sourceIdOf(message, pair), message.annotations);
    gathered.push({ ...found, exhibitId: pair.exhibitId });
  }
  const document: MadeDocument = { size: 0, loads: [], reports: [], removed: {}, droppedFromDocument: 0 };
  const brandings: Branding[] = [];
  for (const { exhibitId, ...found } of gathered) {
    const own = { ...exchange, documentId: destinationDocumentId, exhibitId };
    const key = exhibits.length === 1 ? file.destinationKey : `${exhibitPrefix(own)}document.pdf`;
    const made = await makeExhibit({ ...deps, pdf }, message, source, found, exhibitId, key);
    document.loads.push(made.load);
    document.reports.push(made.report);
    brandings.push(made.branding);
    document.size = made.size;
    document.removed = made.report.removed;
  }
  if (exhibits.length > 1) {
    const made = await brand({ ...deps, pdf }, source, brandings);
    await putPdf(deps.s3, bucket, file.destinationKey, made.pdf);
    document.size = made.pdf.length;
    document.removed = made.removed;
    document.droppedFromDocument = made.droppedUnderRedaction;
  }
  return document;
}
