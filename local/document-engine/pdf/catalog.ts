import type { PDFDocument } from "mupdf";

/** Keys of the catalog that outlive an operation of the engine core. */
const kept = new Set([
  "Type",
  "Version",
  "Pages",
  "PageLabels",
  "Names",
  "Dests",
  "ViewerPreferences",
  "PageLayout",
  "PageMode",
  "Outlines",
  "Metadata",
  "StructTreeRoot",
  "MarkInfo",
  "Lang",
  "AcroForm",
]);

/**
 * Removes what every operation of the engine core loses: what opens with the document, associated files, collections,
 * private data, and the states of the layers, so that hidden ones become visible.
 */
export function dropCatalogKeys(pdf: PDFDocument): void {
  const root = pdf.getTrailer().get("Root");
  const keys: string[] = [];
  root.forEach((_, key) => keys.push(String(key)));
  for (const key of keys) if (!kept.has(key)) root.delete(key);
}
