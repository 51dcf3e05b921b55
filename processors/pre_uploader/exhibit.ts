import { commentsFile, engineDocumentId } from "../../contracts/annotations.ts";
import type { AnnotationType } from "../../contracts/annotations.ts";
import { PermanentError } from "../../contracts/errors.ts";
import type { ExhibitPair } from "../../contracts/manifest.ts";
import type { ExhibitLoad, PreUploaderMessage } from "../../contracts/messages.ts";
import { exhibitPrefix } from "../../contracts/names.ts";
import { brand } from "./brand.ts";
import type { Branding } from "./brand.ts";
import type { PreUploaderDependencies } from "./dependencies.ts";
import { gather } from "./gather.ts";
import { byType, commentsFileOf, instantJsonOf } from "./layers.ts";
import type { SourcePdf } from "./pdf/source.ts";
import { quotes } from "./proof/secrets.ts";
import type { Travelling } from "./sort.ts";
import { putJson, putPdf } from "./storage.ts";

/** What became of the annotations of one exhibit, for the event and the log: numbers, and ids of what was held back. */
export interface ExhibitReport {
  exhibitId: string;
  branded: Partial<Record<AnnotationType, number>>;
  layered: Partial<Record<AnnotationType, number>>;
  threads: number;
  comments: number;
  /** Went with a redaction that they touch. */
  swallowed: number;
  redactionsProven: number;
  /** Not carried, because their own text quotes what a redaction hides: how many, and the first of them. */
  withheld: { count: number; ids: string[] };
  /** Not carried, because the request does not name their type. */
  staying: Record<string, number>;
}

/** As many as an event can name, however many exhibits its document has. */
export const namedAtMost = 10;

/** Gives one exhibit its PDF, its layers and its comment threads in the destination case. */
export async function makeExhibit(
  to: PreUploaderDependencies,
  message: PreUploaderMessage,
  source: SourcePdf,
  { sourceExhibitId, exhibitId }: ExhibitPair,
  pdfKey: string,
): Promise<{ load: ExhibitLoad; report: ExhibitReport; branding: Branding; size: number }> {
  const { exchange, bucket, annotations } = message;
  const { sorted, attachments, threads } = await gather(to.engine, sourceIdOf(message, sourceExhibitId), annotations);
  const destination = { ...exchange, documentId: message.destinationDocumentId, exhibitId };
  const documentId = engineDocumentId(destination);
  const branding = { engineDocumentId: documentId, branded: sorted.branded, attachments };
  const { pdf, secrets, redactions } = await brand(to, source, [branding]);

  const isQuoting = (one: unknown) => quotes(one, secrets);
  const layered = sorted.layered.filter(({ record }) => !isQuoting(record.content));
  const carried = threads.filter(
    ({ root, comments }) => ![root.record, ...comments].some(({ content }) => isQuoting(content)),
  );
  const withheld = [
    ...sorted.layered.filter((one) => !layered.includes(one)),
    ...threads.filter((thread) => !carried.includes(thread)).map(({ root }) => root),
  ];

  const prefix = exhibitPrefix(destination);
  const layers = byType(layered).map(([type, ofType]) => ({
    type,
    key: `${prefix}${type}.json`,
    content: instantJsonOf(ofType, attachments, documentId),
  }));
  const commentsKey = carried.length > 0 ? `${prefix}comments.json` : null;
  await Promise.all([
    putPdf(to.s3, bucket, pdfKey, pdf),
    ...layers.map(({ key, content }) => putJson(to.s3, bucket, key, content)),
    ...(commentsKey === null
      ? []
      : [putJson(to.s3, bucket, commentsKey, commentsFile.parse(commentsFileOf(carried, documentId)))]),
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
      swallowed: sorted.swallowed.length,
      redactionsProven: redactions,
      withheld: { count: withheld.length, ids: withheld.slice(0, namedAtMost).map(({ record }) => record.id) },
      staying: sorted.staying,
    },
    branding,
    size: pdf.length,
  };
}

/** @throws PermanentError NO_SOURCE_BATCH */
function sourceIdOf({ exchange, documentId, sourceBatchId }: PreUploaderMessage, exhibitId: string): string {
  if (sourceBatchId !== null) {
    return engineDocumentId({ caseId: exchange.sourceCaseId, batchId: sourceBatchId, documentId, exhibitId });
  }
  throw new PermanentError(
    "NO_SOURCE_BATCH",
    `document ${documentId} of the source case has no batch, so its annotations cannot be found in Document Engine`,
  );
}

function counted(travelling: readonly Travelling[]): Partial<Record<AnnotationType, number>> {
  return Object.fromEntries(byType(travelling).map(([type, ofType]) => [type, ofType.length]));
}
