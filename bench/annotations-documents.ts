/** The documents of `npm run bench:annotations`, in Document Engine and in memory. */
import { randomUUID } from "node:crypto";
import PQueue from "p-queue";
import { engineDocumentId, type AnnotationChoices } from "../contracts/annotations.ts";
import type { PreUploaderMessage } from "../contracts/messages.ts";
import { reviewLayer, reviewSheet } from "../local/samples/annotations.ts";
import type { ReviewLayer } from "../local/samples/builder.ts";
import { makePdf } from "../local/samples/content/pdf.ts";
import { sampleMoment } from "../local/samples/make.ts";
import type { DocumentEngine } from "../processors/shared/document_engine/client.ts";

export interface BenchDocument {
  id: string;
  pdf: Uint8Array;
  pages: number;
  layer: ReviewLayer;
  message: PreUploaderMessage;
}

const caseId = 102;
const bucket = "case-files";
const redaction = "pspdfkit/markup/redaction";
const exchange = { exchangeId: randomUUID(), sourceCaseId: 101, caseId, batchId: "bench" };
/** What lies in the bare loop's calls as in the handler's: images and threads are calls of their own. */
export const choices: AnnotationChoices = {
  redactionsAs: "brand_in",
  highlightsAs: "brand_in",
  stickersAs: "brand_in",
  batesAs: "brand_in",
  confidentialityCodesAs: "brand_in",
  comments: true,
};

/** Makes documents and uploads them. @param number of the first one; documents of one run have numbers of their own */
export async function makeDocuments(
  engine: DocumentEngine,
  objects: Map<string, Uint8Array>,
  about: { count: number; first: number; withRedactions: boolean; concurrency: number },
): Promise<BenchDocument[]> {
  const making = new PQueue({ concurrency: about.concurrency });
  return making.addAll(
    Array.from({ length: about.count }, (_, index) => async () => {
      const sheet = reviewSheet(index);
      const text = `Page of document ${index}. ${"Words that stay where they are. ".repeat(30)}`;
      // As many pages as documents of the sample case have.
      const pages = Array.from({ length: 1 + (index % 3) }, () => text);
      const pdf = await makePdf({ title: "", author: "", pages, created: sampleMoment, unicode: false, sheet });
      const whole = reviewLayer({ serial: index, sheet, exhibit: 0, pageIndex: pages.length, now: sampleMoment });
      const layer = about.withRedactions
        ? whole
        : { ...whole, annotations: whole.annotations.filter(({ type }) => type !== redaction) };
      const [documentId, exhibitId] = [String(about.first + index), String(about.first + index + 1_000_000)];
      const id = engineDocumentId({ caseId: exchange.sourceCaseId, batchId: "import", documentId, exhibitId });
      const sourceKey = `case_${exchange.sourceCaseId}/${documentId}.pdf`;
      objects.set(`/${bucket}/${sourceKey}`, pdf);
      await engine.upload(id, pdf, layer);
      return { id, pdf, pages: pages.length + 1, layer, message: messageOf(documentId, exhibitId, sourceKey) };
    }),
  );
}

function messageOf(documentId: string, exhibitId: string, sourceKey: string): PreUploaderMessage {
  return {
    kind: "pre_uploader",
    ...{ exchange, documentId, destinationDocumentId: documentId, exhibitIds: [exhibitId], bucket },
    exhibits: [{ sourceExhibitId: exhibitId, exhibitId }],
    sourceBatchId: "import",
    file: {
      ...{ fileId: documentId, destinationFileId: documentId, role: "document", sourceKey, size: 1, sha256: null },
      destinationKey: `case_${caseId}/processed-files/bench/document/${documentId}.pdf`,
    },
    annotations: choices,
  };
}

/** The calls that the handler makes about a document, and nothing else. */
export async function bareCalls(engine: DocumentEngine, { id, pdf, layer }: BenchDocument): Promise<void> {
  const records = await engine.annotations(id);
  const images = Object.keys(layer.attachments ?? {});
  const roots = records.filter(({ content }) => content["isCommentThreadRoot"] === true);
  await Promise.all([
    ...images.map((image) => engine.attachment(id, image)),
    ...roots.map((root) => engine.comments(id, root.id)),
  ]);
  const branded = layer.annotations.filter(
    ({ type, isCommentThreadRoot }) => type !== "pspdfkit/note" && isCommentThreadRoot !== true,
  );
  const flattened = branded.filter(({ type }) => type !== redaction);
  await engine.build(pdf, { format: layer.format, annotations: branded, attachments: layer.attachments ?? {} }, [
    { type: "applyInstantJson" },
    ...(flattened.length < branded.length ? [{ type: "applyRedactions" } as const] : []),
    { type: "flatten", annotationIds: flattened.map((annotation) => String(annotation["id"])) },
  ]);
}
