import { PermanentError } from "../../contracts/errors.ts";
import type { BuildAction, DocumentEngine, InstantJson } from "../shared/document_engine/client.ts";
import { brandedJsonOf, destinationId, drawnContent } from "./layers.ts";
import type { Attachments } from "./layers.ts";
import type { Box } from "./pdf/geometry.ts";
import type { PdfTasks } from "./pdf-worker/pool.ts";
import type { Drawn } from "./proof/claim.ts";
import { RedactedTerms } from "./proof/terms.ts";
import { isQuoting } from "./quoting.ts";
import { drawnBoxesOf, redactionOf, splitUnderRedactions, textOf } from "./sort.ts";
import type { CarriedAnnotation } from "./sort.ts";

/** What shall become part of the pages. */
export interface Branding {
  engineDocumentId: string;
  branded: readonly CarriedAnnotation[];
  attachments: Attachments;
}

interface Branded {
  pdf: Uint8Array;
  /** The terms that are to be found nowhere any more. */
  terms: RedactedTerms;
  redactions: number;
  /** What the document lost when it was rebuilt, by plural nouns. */
  removed: Record<string, number>;
  /** How many annotations went with a redaction of another exhibit that they touch. */
  droppedUnderRedaction: number;
}

/** Texts that the product itself prints: they hide nothing and quote nobody. */
const stamps = new Set(["bates", "confidentialityCodes"]);

/**
 * Makes annotations part of the pages, redactions first, in one call, rebuilds a document that has redactions, and proves
 * that it happened.
 *
 * @throws PermanentError BRANDED_TEXT_QUOTES when an annotation would print what a redaction hides, PROOF_FAILED
 */
export async function brand(
  deps: { engine: DocumentEngine; pdf: PdfTasks },
  source: Uint8Array,
  allBrandings: readonly Branding[],
): Promise<Branded> {
  const { branded, droppedUnderRedaction } = splitUnderRedactions(allBrandings.flatMap((branding) => branding.branded));
  const brandings = allBrandings.map((branding) => ({
    ...branding,
    branded: branding.branded.filter((annotation) => !droppedUnderRedaction.includes(annotation)),
  }));
  const redactions = branded.filter(({ type }) => type === "redactions").map(redactionOf);
  const others = branded.filter(({ type }) => type !== "redactions");
  const report = { redactions: redactions.length, droppedUnderRedaction: droppedUnderRedaction.length };
  if (branded.length === 0) return { ...report, pdf: source, terms: new RedactedTerms({ terms: [] }), removed: {} };

  const pages = new Set(redactions.map(({ pageIndex }) => pageIndex));
  const given = pages.size > 0 ? await deps.pdf.separate(source, pages) : source;
  const stamped = others.filter(({ type }) => stamps.has(type));
  const allowedTexts = [...redactions.map(({ overlayText }) => overlayText ?? ""), ...stamped.map(textOf)];
  // What was separated can be read better: its fonts say which characters they draw, and PDFium cuts no content short.
  const data = pages.size > 0 ? await deps.pdf.terms(given, redactions, allowedTexts) : { terms: [] };
  const terms = new RedactedTerms(data);
  assertNothingQuotes(others, terms);

  const produced = await deps.engine.build(given, together(brandings), actionsOf(brandings));
  const drawn = others.flatMap(drawingsOf);
  // The work takes its files over, and other exhibits need the source.
  const compared = given === source ? source.slice() : given;
  const { pdf, removed } = await deps.pdf.finish({ source: compared, produced, redactions, terms: data, drawn });
  return { ...report, pdf, terms, removed };
}

function assertNothingQuotes(annotations: readonly CarriedAnnotation[], terms: RedactedTerms): void {
  const quoting = annotations.find(
    (one) => !stamps.has(one.type) && isQuoting({ id: one.record.id, content: drawnContent(one) }, terms),
  );
  if (!quoting) return;
  const { id } = quoting.record;
  throw new PermanentError(
    "BRANDED_TEXT_QUOTES",
    `annotation ${id} would print words that a redaction hides: change it`,
  );
}

/** Where an annotation is drawn, and the text that must be readable there. */
function drawingsOf(annotation: CarriedAnnotation): Drawn[] {
  const { content, type } = annotation;
  const text = stamps.has(type) ? textOf(annotation) : "";
  const boxes = drawnBoxesOf(content).map((box) => (type === "highlights" ? withRoundEnds(box) : box));
  return boxes.map((box, index) => ({ pageIndex: content.pageIndex, box, text: index === 0 ? text : "" }));
}

/** A highlight may be drawn with round ends, which reach beyond its box. */
function withRoundEnds({ left, top, right, bottom }: Box): Box {
  const reach = Math.min(right - left, bottom - top) / 4;
  return { left: left - reach, top: top - reach, right: right + reach, bottom: bottom + reach };
}

/** Flattening names what it means: without ids it would take form fields and links too. */
function actionsOf(brandings: readonly Branding[]): BuildAction[] {
  const annotationIds = brandings.flatMap(({ branded, engineDocumentId }) =>
    branded.flatMap(({ type, record }) => (type === "redactions" ? [] : destinationId(engineDocumentId, record.id))),
  );
  const hasRedactions = brandings.some(({ branded }) => branded.some(({ type }) => type === "redactions"));
  return [
    { type: "applyInstantJson" },
    ...(hasRedactions ? [{ type: "applyRedactions" } as const] : []),
    ...(annotationIds.length > 0 ? [{ type: "flatten", annotationIds } as const] : []),
  ];
}

/** The Instant JSON of several brandings as one, all redactions before everything else. */
function together(brandings: readonly Branding[]): InstantJson {
  const documents = [true, false].flatMap((isRedaction) =>
    brandings.map(({ branded, attachments, engineDocumentId }) =>
      brandedJsonOf(
        branded.filter(({ type }) => (type === "redactions") === isRedaction),
        attachments,
        engineDocumentId,
      ),
    ),
  );
  return {
    format: "https://pspdfkit.com/instant-json/v1",
    annotations: documents.flatMap(({ annotations }) => annotations),
    attachments: Object.fromEntries(documents.flatMap(({ attachments = {} }) => Object.entries(attachments))),
  };
}
