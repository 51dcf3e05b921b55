/** What the worker thread does, as plain functions over a PDFium: tests call them directly. */
import { prepare as prepareFile } from "../prepare/prepare.ts";
import type { Prepared } from "../prepare/prepare.ts";
import { separate as separatePages } from "../prepare/separate.ts";
import type { Pdfium } from "../pdf/pdfium.ts";
import { SourcePdf } from "../pdf/source.ts";
import { prove } from "../proof/proof.ts";
import type { Drawn } from "../proof/claim.ts";
import { RedactedTerms, redactedTerms } from "../proof/terms.ts";
import type { TermsData } from "../proof/terms.ts";
import { visibilityOf } from "../proof/visibility.ts";
import { rebuild } from "../rebuild/rebuild.ts";
import type { Redaction } from "../redaction.ts";

/** A PDF that Document Engine returned, and what was asked of it. */
export interface FinishJob {
  /** The PDF that Document Engine was given. */
  source: Uint8Array;
  /** The PDF that it returned. */
  produced: Uint8Array;
  /** Those that became part of the pages. */
  redactions: readonly Redaction[];
  terms: TermsData;
  /** Stamps that have to be readable. */
  drawn: readonly Drawn[];
}

export interface Finished {
  pdf: Uint8Array;
  /** What the document lost when it was rebuilt, by plural nouns: `{ attachments: 2 }`. */
  removed: Record<string, number>;
}

/**
 * The PDF as Document Engine is given it: decrypted, without annotations of the kinds that travel.
 *
 * @param onRewriting is called with the number of pages before a file is written anew
 * @throws PermanentError PDF_EMPTY, PDF_PROTECTED, PDF_DAMAGED
 */
export function prepare(
  pdfium: Pdfium,
  original: Uint8Array,
  onRewriting?: (pages: number) => void,
): Promise<Prepared> {
  return prepareFile(pdfium, original, onRewriting);
}

/** The terms that the redactions hide. */
export function terms(
  pdfium: Pdfium,
  source: Uint8Array,
  redactions: readonly Redaction[],
  allowedTexts: readonly string[],
): TermsData {
  const redacted = redactions.map(({ pageIndex }) => pageIndex);
  const pdf = new SourcePdf(pdfium, source, redacted);
  return redactedTerms(pdf.pages, redactions, allowedTexts, visibilityOf(pdfium, source));
}

/** The PDF in which the given pages share nothing with any other page. */
export function separate(pdfium: Pdfium, source: Uint8Array, pageIndexes: ReadonlySet<number>): Promise<Uint8Array> {
  return separatePages(pdfium, source, pageIndexes);
}

/**
 * Rebuilds a PDF with redactions from what is allowed, and proves it.
 *
 * @param rebuilt called when what Document Engine returned is needed no more
 * @throws PermanentError PROOF_FAILED, PDF_DAMAGED, PDF_TOO_COMPLEX
 */
export async function finish(pdfium: Pdfium, job: FinishJob, rebuilt?: () => void): Promise<Finished> {
  const { source, produced, redactions, terms: data, drawn } = job;
  const isRebuilt = redactions.length > 0;
  const redacted = new RedactedTerms(data);
  const { pdf, removed } = isRebuilt
    ? await rebuild({ source, produced, redactions, isQuoting: (text) => redacted.areIn(text) })
    : { pdf: produced, removed: {} };
  if (isRebuilt) rebuilt?.();
  prove(pdfium, pdf, { source, redactions, terms: data, drawn, isRebuilt, removed });
  return { pdf, removed };
}
