import { withDocument } from "../pdf/pdfium.ts";
import type { Pdfium } from "../pdf/pdfium.ts";
import { removeAnnotations } from "./annotations.ts";
import { assertSameShape, parsed, saved, shapeOf, written } from "./document.ts";
import { isIntact } from "./intact.ts";

/** A PDF as Document Engine is given it. */
export interface Prepared {
  bytes: Uint8Array;
  pages: number;
}

/** The numbers that PDFium gives to the kinds of annotations that Document Engine carries, and to popups. */
const kinds: ReadonlySet<number> = new Set([1, 3, 9, 13, 16, 28]);

/**
 * The PDF of the source case as Document Engine takes it: one that opens without a password is decrypted, one that only a
 * forgiving reader opens is written anew, and annotations of the kinds that Document Engine carries are gone with all
 * that belongs to them. Everything else stays; a file with nothing to do is returned as it is.
 *
 * @param onRewriting is called with the number of pages before a file is written anew
 * @throws PermanentError PDF_EMPTY, PDF_PROTECTED, PDF_DAMAGED, PDF_NOT_KEPT
 */
export async function prepare(
  pdfium: Pdfium,
  original: Uint8Array,
  onRewriting: (pages: number) => void = () => undefined,
): Promise<Prepared> {
  const { pages, shape, rewritten, isAnnotated } = withDocument(pdfium, original, (document, count) => {
    const hasAnnotations = hasCarriedAnnotations(pdfium, document, count);
    const hasToBeWritten = hasAnnotations || pdfium.EPDF_IsEncrypted(document) || !isIntact(original);
    if (hasToBeWritten) onRewriting(count);
    return {
      pages: count,
      isAnnotated: hasAnnotations,
      ...(hasToBeWritten && {
        shape: shapeOf(pdfium, document, count),
        rewritten: saved(pdfium, document, original.length),
      }),
    };
  });
  if (rewritten === undefined || shape === undefined) return { bytes: original, pages };
  const bytes = isAnnotated ? await withoutAnnotations(rewritten) : rewritten;
  assertSameShape(pdfium, bytes, shape);
  return { bytes, pages };
}

function hasCarriedAnnotations(pdfium: Pdfium, document: number, pages: number): boolean {
  for (let page = 0; page < pages; page++) {
    const count = pdfium.EPDFPage_GetAnnotCountRaw(document, page);
    for (let index = 0; index < count; index++) {
      const annotation = pdfium.EPDFPage_GetAnnotRaw(document, page, index);
      if (annotation === 0) continue;
      const subtype = pdfium.FPDFAnnot_GetSubtype(annotation);
      pdfium.FPDFPage_CloseAnnot(annotation);
      if (kinds.has(subtype)) return true;
    }
  }
  return false;
}

async function withoutAnnotations(bytes: Uint8Array): Promise<Uint8Array> {
  const context = parsed(bytes);
  removeAnnotations(context);
  return written(context);
}
