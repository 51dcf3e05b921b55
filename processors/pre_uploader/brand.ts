import { PermanentError } from "../../contracts/errors.ts";
import type { DocumentEngine } from "../shared/document_engine/client.ts";
import type { Attachments } from "./layers.ts";
import { instantJsonOf } from "./layers.ts";
import { boxOf } from "./pdf/geometry.ts";
import type { Pdfium } from "./pdf/pdfium.ts";
import type { SourcePdf } from "./pdf/source.ts";
import { prove } from "./proof/proof.ts";
import { quotes, Secrets } from "./proof/secrets.ts";
import { redactionOf, textOf } from "./sort.ts";
import type { Travelling } from "./sort.ts";

/** What shall become part of the pages. */
export interface Branding {
  engineDocumentId: string;
  branded: readonly Travelling[];
  attachments: Attachments;
}

export interface Branded {
  pdf: Uint8Array;
  /** The words that are to be found nowhere any more. */
  secrets: Secrets;
  redactions: number;
}

/** Texts that the product itself prints: they hide nothing and quote nobody. */
const stamps = new Set(["bates", "confidentialityCodes"]);

/**
 * Makes annotations part of the pages, redactions first, in one call, and proves that it happened.
 *
 * @throws PermanentError BRANDED_TEXT_QUOTES when an annotation would print what a redaction hides, PROOF_FAILED
 */
export async function brand(
  to: { engine: DocumentEngine; pdfium: Pdfium },
  source: SourcePdf,
  brandings: readonly Branding[],
): Promise<Branded> {
  const branded = brandings.flatMap((branding) => branding.branded);
  if (branded.length === 0) return { pdf: source.bytes, secrets: new Secrets([], [], []), redactions: 0 };

  const redactions = branded.filter(({ type }) => type === "redactions").map(redactionOf);
  const stamped = branded.filter(({ type }) => stamps.has(type));
  const innocent = [...redactions.map(({ overlayText }) => overlayText ?? ""), ...stamped.map(textOf)];
  source.read(redactions.map(({ pageIndex }) => pageIndex));
  const secrets = new Secrets(source.pages, redactions, innocent);
  const quoting = branded.find(
    ({ type, content }) => type !== "redactions" && !stamps.has(type) && quotes(content, secrets),
  );
  if (quoting) {
    const { id } = quoting.record;
    throw new PermanentError(
      "BRANDED_TEXT_QUOTES",
      `annotation ${id} would print words that a redaction hides: change it`,
    );
  }

  const produced = await to.engine.build(source.bytes, together(brandings), [
    "applyInstantJson",
    "applyRedactions",
    "flatten",
  ]);
  const drawn = stamped.map((stamp) => {
    const { pageIndex, bbox } = stamp.content;
    return { pageIndex, text: textOf(stamp), box: boxOf(bbox) };
  });
  prove(to.pdfium, produced, { source: source.bytes, redactions, terms: { terms: [] }, drawn, isRebuilt: false });
  return { pdf: produced, secrets, redactions: redactions.length };
}

/** The Instant JSON of several brandings as one, all redactions before everything else. */
function together(brandings: readonly Branding[]) {
  const parts = brandings.map(({ branded, attachments, engineDocumentId }) => {
    const [redactions, others] = [true, false].map((wanted) =>
      instantJsonOf(
        branded.filter(({ type }) => (type === "redactions") === wanted),
        attachments,
        engineDocumentId,
      ),
    );
    return { redactions, others };
  });
  const documents = [...parts.map(({ redactions }) => redactions), ...parts.map(({ others }) => others)];
  return {
    format: "https://pspdfkit.com/instant-json/v1" as const,
    annotations: documents.flatMap((one) => one?.annotations ?? []),
    attachments: Object.assign({}, ...documents.map((one) => one?.attachments ?? {})) as NonNullable<
      ReturnType<typeof instantJsonOf>["attachments"]
    >,
  };
}
