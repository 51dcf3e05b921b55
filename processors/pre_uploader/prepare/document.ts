import { PDFParser, PDFWriter } from "@cantoo/pdf-lib";
import type { PDFContext } from "@cantoo/pdf-lib";
import { PermanentError } from "../../../contracts/errors.ts";
import { heapOf, withDocument, withMemory } from "../pdf/pdfium.ts";
import type { Pdfium } from "../pdf/pdfium.ts";

/** FPDF_REMOVE_SECURITY: the whole file anew, one revision, not encrypted. */
const wholeAndOpen = 3;

/** Writes an open document as a file of one revision without encryption. @throws PermanentError PDF_DAMAGED */
export function saved(pdfium: Pdfium, document: number): Uint8Array {
  const writer = pdfium.PDFiumExt_OpenFileWriter();
  try {
    if (!pdfium.FPDF_SaveAsCopy(document, writer, wholeAndOpen)) {
      throw new PermanentError("PDF_DAMAGED", "the PDF cannot be written anew: repair it in the source case");
    }
    const size = pdfium.PDFiumExt_GetFileWriterSize(writer);
    return withMemory(pdfium, size, (buffer) => {
      pdfium.PDFiumExt_GetFileWriterData(writer, buffer, size);
      return heapOf(pdfium).slice(buffer, buffer + size);
    });
  } finally {
    pdfium.PDFiumExt_CloseFileWriter(writer);
  }
}

/** The objects of a file that PDFium wrote. @throws PermanentError PDF_DAMAGED */
export async function parsed(bytes: Uint8Array): Promise<PDFContext> {
  try {
    return await PDFParser.forBytesWithOptions(bytes, Infinity, true).parseDocument();
  } catch (cause) {
    const message = "the objects of the PDF cannot be read: repair it in the source case";
    throw new PermanentError("PDF_DAMAGED", message, { cause });
  }
}

/** The objects as a file. */
export function written(context: PDFContext): Promise<Uint8Array> {
  return PDFWriter.forContext(context, Infinity).serializeToBuffer();
}

/** The number of pages and, of each, its rotation and boxes. */
export interface Shape {
  pages: number;
  outline: string;
}

export function shapeOf(pdfium: Pdfium, document: number, pages: number): Shape {
  const outline = withMemory(pdfium, 4 * Float32Array.BYTES_PER_ELEMENT, (address) =>
    Array.from({ length: pages }, (_, index) => {
      pdfium.FPDF_GetPageSizeByIndexF(document, index, address);
      const [width, height] = new Float32Array(heapOf(pdfium).buffer, address, 2);
      return `${width} ${height} ${pdfium.EPDF_GetPageRotationByIndex(document, index)}`;
    }).join(),
  );
  return { pages, outline };
}

/** @throws PermanentError PDF_NOT_KEPT when a file that was written anew has other pages than before */
export function assertSameShape(pdfium: Pdfium, bytes: Uint8Array, before: Shape): void {
  const after = withDocument(pdfium, bytes, (document, pages) => shapeOf(pdfium, document, pages));
  if (after.pages === before.pages && after.outline === before.outline) return;
  const difference =
    after.pages === before.pages
      ? "its pages have other sizes"
      : `it has ${after.pages} pages instead of ${before.pages}`;
  throw new PermanentError(
    "PDF_NOT_KEPT",
    `written anew without its annotations the PDF is another, ${difference}: repair it in the source case`,
  );
}
