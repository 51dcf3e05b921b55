import { commentsFile, engineDocumentId } from "../../contracts/annotations.ts";
import type { AnnotationType } from "../../contracts/annotations.ts";
import { PermanentError } from "../../contracts/errors.ts";
import type { ExhibitPair } from "../../contracts/manifest.ts";
import type { ExhibitLoad, PreUploaderMessage } from "../../contracts/messages.ts";
import { exhibitPrefix } from "../../contracts/names.ts";
import type { RedactionCounts } from "../../contracts/redactions.ts";
import { brand } from "./brand.ts";
import type { Branding } from "./brand.ts";
import type { PreUploaderDependencies } from "./dependencies.ts";
import type { Gathered } from "./gather.ts";
import type { PdfTasks } from "./pdf-worker/pool.ts";
import { byType, commentsFileOf, instantJsonOf } from "./layers.ts";
import { isQuoting } from "./quoting.ts";
import { assertAccounted, redactionsAmong } from "./sort.ts";
import type { CarriedAnnotation } from "./sort.ts";
import { putJson, putPdf } from "./storage.ts";

/** What became of the annotations of one exhibit, for the event and the log: numbers, and ids of what was held back. */
export interface ExhibitReport {
  exhibitId: string;
  branded: Partial<Record<AnnotationType, number>>;
  layered: Partial<Record<AnnotationType, number>>;
  threads: number;
  comments: number;
  /** Went with a redaction that they touch. */
  droppedUnderRedaction: number;
  redactions: RedactionCounts;
  /** Not carried, because their own text quotes what a redaction hides: how many, and the first of them. */
  withheld: { count: number; ids: string[] };
  /** Not carried, because the request does not name their type. */
  excluded: Record<string, number>;
  /** What the PDF lost when it was rebuilt, by plural nouns. */
  removed: Record<string, number>;
}

/** As many as an event can name, however many exhibits its document has. */
export const namedAtMost = 10;

/** Gives one exhibit its PDF, its layers and its comment threads in the destination case. */
export async function makeExhibit(
  deps: Pick<PreUploaderDependencies, "engine" | "s3"> & { pdf: PdfTasks },
  { exchange, bucket, destinationDocumentId }: PreUploaderMessage,
  source: Uint8Array,
  { sorted, attachments, threads }: Gathered,
  exhibitId: string,
  pdfKey: string,
): Promise<{ load: ExhibitLoad; report: ExhibitReport; branding: Branding; size: number }> {
  const destination = { ...exchange, documentId: destinationDocumentId, exhibitId };
  const documentId = engineDocumentId(destination);
  const branding = { engineDocumentId: documentId, branded: sorted.branded, attachments };
  const { pdf, terms, redactions, removed } = await brand(deps, source, [branding]);

  const layered = sorted.layered.filter(({ record }) => !isQuoting(record, terms));
  const carried = threads.filter(
    ({ root, comments }) => ![root.record, ...comments].some((record) => isQuoting(record, terms)),
  );
  const withheld = [
    ...sorted.layered.filter((one) => !layered.includes(one)).map(({ record }) => record.id),
    ...threads.filter((thread) => !carried.includes(thread)).map(({ root }) => root.commentedId),
  ];
  assertAccounted({ ...sorted.redactions, branded: redactions, layered: redactionsAmong(layered) });

  const prefix = exhibitPrefix(destination);
  const layers = byType(layered).map(([type, ofType]) => ({
    type,
    key: `${prefix}${type}.json`,
    content: instantJsonOf(ofType, attachments, documentId),
  }));
  const commentsKey = carried.length > 0 ? `${prefix}comments.json` : null;
  await Promise.all([
    putPdf(deps.s3, bucket, pdfKey, pdf),
    ...layers.map(({ key, content }) => putJson(deps.s3, bucket, key, content)),
    ...(commentsKey === null
      ? []
      : [putJson(deps.s3, bucket, commentsKey, commentsFile.parse(commentsFileOf(carried, documentId)))]),
  ]);

  return {
    load: {
      exhibitId,
      engineDocumentId: documentId,
      key: pdfKey,
      layers: layers.map(({ type, key }) => ({ type, key })),
      commentsKey,
    },
    report: {
      exhibitId,
      branded: counted(sorted.branded),
      layered: counted(layered),
      threads: carried.length,
      comments: carried.reduce((sum, { comments }) => sum + comments.length, 0),
      droppedUnderRedaction: sorted.droppedUnderRedaction.length,
      redactions: sorted.redactions,
      withheld: { count: withheld.length, ids: withheld.slice(0, namedAtMost) },
      excluded: sorted.excluded,
      removed,
    },
    branding,
    size: pdf.length,
  };
}

/** The id under which an exhibit lies in the source case. @throws PermanentError NO_SOURCE_BATCH */
export function sourceIdOf(
  { exchange, documentId, sourceBatchId }: PreUploaderMessage,
  { sourceExhibitId: exhibitId }: ExhibitPair,
): string {
  if (sourceBatchId !== null) {
    return engineDocumentId({ caseId: exchange.sourceCaseId, batchId: sourceBatchId, documentId, exhibitId });
  }
  throw new PermanentError(
    "NO_SOURCE_BATCH",
    `document ${documentId} of the source case has no batch, so its annotations cannot be found in Document Engine`,
  );
}

function counted(annotations: readonly CarriedAnnotation[]): Partial<Record<AnnotationType, number>> {
  return Object.fromEntries(byType(annotations).map(([type, ofType]) => [type, ofType.length]));
}
