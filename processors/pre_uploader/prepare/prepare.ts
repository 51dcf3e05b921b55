import { withDocument } from "../pdf/pdfium.ts";
import type { Pdfium } from "../pdf/pdfium.ts";
import { hasTravelling, withoutTravelling } from "../pdf/reader.ts";
import { SourcePdf } from "../pdf/source.ts";

/** A PDF as Document Engine is given it. */
export interface Prepared {
  bytes: Uint8Array;
  pages: number;
}

export function prepare(pdfium: Pdfium, original: Uint8Array): Promise<Prepared> {
  const { pages } = new SourcePdf(pdfium, original);
  const bytes = pages.some(hasTravelling) ? withoutTravelling(pdfium, original) : original;
  return Promise.resolve({ bytes, pages: pages.length });
}

export function separate(pdfium: Pdfium, bytes: Uint8Array, pageIndexes: ReadonlySet<number>): Promise<Uint8Array> {
  withDocument(pdfium, bytes, (_, count) => pageIndexes.size <= count);
  return Promise.resolve(bytes);
}
