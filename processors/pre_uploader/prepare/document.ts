import { createHash } from "node:crypto";
import { PDFContext, PDFDict, PDFName, PDFObjectParser, PDFRef, PDFWriter } from "@cantoo/pdf-lib";
import { PermanentError } from "../../../contracts/errors.ts";
import { writtenBy } from "../pdf/files.ts";
import { heapOf, withDocument, withMemory, withPage } from "../pdf/pdfium.ts";
import type { Pdfium } from "../pdf/pdfium.ts";

/** FPDF_REMOVE_SECURITY: the whole file anew, one revision, not encrypted. */
const wholeAndOpen = 3;

const mebibyte = 1024 ** 2;

/**
 * Writes an open document as a file of one revision without encryption.
 *
 * @param bytes how many the document has as it is
 * @throws PermanentError PDF_DAMAGED
 */
export function saved(pdfium: Pdfium, document: number, bytes: number): Uint8Array {
  const likely = Math.ceil(1.25 * bytes) + mebibyte;
  const file = writtenBy(pdfium, likely, (writer) => pdfium.FPDF_SaveAsCopy(document, writer, wholeAndOpen));
  if (file) return file;
  throw new PermanentError("PDF_DAMAGED", "the PDF cannot be written anew: repair it in the source case");
}

/**
 * The objects of a file that {@link saved} wrote, each from the place that its cross-reference table names: to read the
 * file from its beginning would take what lies in streams for objects of their own.
 *
 * @throws PermanentError PDF_DAMAGED
 */
export function parsed(bytes: Uint8Array): PDFContext {
  const context = PDFContext.create();
  try {
    // Slices of a `Buffer` are views: the content of streams is not copied.
    const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const table = Number(/startxref\s+(\d+)\s+%%EOF\s*$/.exec(file.toString("latin1", file.length - 64))?.[1]);
    const { offsets, trailer } = readTable(file.toString("latin1", table));
    for (const offset of offsets) {
      const [header = "", number] = /^\s*(\d+)\s+0\s+obj\b/.exec(file.toString("latin1", offset, offset + 32)) ?? [];
      const object = PDFObjectParser.forBytes(file.subarray(offset + header.length), context).parseObject();
      context.assign(PDFRef.of(Number(number)), object);
    }
    const end = PDFObjectParser.forBytes(Buffer.from(trailer, "latin1"), context).parseObject();
    if (!(end instanceof PDFDict)) throw new TypeError("the trailer is no dictionary");
    const [root, info, id] = ["Root", "Info", "ID"].map((key) => end.get(PDFName.of(key)));
    context.trailerInfo = { ...(root && { Root: root }), ...(info && { Info: info }), ...(id && { ID: id }) };
    return context;
  } catch (cause) {
    const message = "the objects of the PDF cannot be read: repair it in the source case";
    throw new PermanentError("PDF_DAMAGED", message, { cause });
  }
}

/** The places of the objects that are in use, and the dictionary behind the table. */
function readTable(text: string): { offsets: number[]; trailer: string } {
  const offsets: number[] = [];
  const line = /(\d{10}) \d{5} ([nf])|(trailer)/g;
  for (let entry = line.exec(text); entry; entry = line.exec(text)) {
    if (entry[3]) return { offsets, trailer: text.slice(line.lastIndex).trimStart() };
    if (entry[2] === "n") offsets.push(Number(entry[1]));
  }
  throw new PermanentError("PDF_DAMAGED", "the cross-reference table of the PDF has no end");
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

/** As PDFium numbers them: media, crop, bleed, trim and art box. */
const boxNumbers = [0, 1, 2, 3, 4];

export function shapeOf(pdfium: Pdfium, document: number, pages: number): Shape {
  const outline = withMemory(pdfium, 4 * Float32Array.BYTES_PER_ELEMENT, (address) => {
    const floats = (count: number) => Array.from(new Float32Array(heapOf(pdfium).buffer, address, count)).join(" ");
    const boxOf = (page: number, box: number) =>
      pdfium.EPDF_GetPageBoxByIndex(document, page, box, address) ? floats(4) : "none";
    return Array.from({ length: pages }, (_, page) => {
      pdfium.FPDF_GetPageSizeByIndexF(document, page, address);
      const size = floats(2);
      const boxes = boxNumbers.map((box) => boxOf(page, box));
      return [size, pdfium.EPDF_GetPageRotationByIndex(document, page), ...boxes].join();
    }).join("\n");
  });
  return { pages, outline };
}

/** @throws PermanentError PDF_NOT_KEPT when a file that was written anew has other pages than before */
export function assertSameShape(pdfium: Pdfium, bytes: Uint8Array, before: Shape): void {
  const after = withDocument(pdfium, bytes, (document, pages) => shapeOf(pdfium, document, pages));
  if (after.pages === before.pages && after.outline === before.outline) return;
  const difference =
    after.pages === before.pages
      ? "its pages have other boxes"
      : `it has ${after.pages} pages instead of ${before.pages}`;
  throw new PermanentError(
    "PDF_NOT_KEPT",
    `written anew without its annotations the PDF is another, ${difference}: repair it in the source case`,
  );
}

/** Points of the longer side of a page as it is compared. */
const comparedSide = 800;

/** @throws PermanentError PDF_NOT_KEPT when one of these pages looks other than before */
export function assertSameLook(
  pdfium: Pdfium,
  before: Uint8Array,
  after: Uint8Array,
  pageIndexes: readonly number[],
): void {
  if (pageIndexes.length === 0) return;
  const looks = (bytes: Uint8Array) =>
    withDocument(pdfium, bytes, (document) => pageIndexes.map((index) => lookOf(pdfium, document, index)));
  const [first, second] = [looks(before), looks(after)];
  if (pageIndexes.every((_, at) => first[at] === second[at])) return;
  // What PDFium draws in place of a font that the file lacks may change with what it has drawn before.
  const again = looks(before);
  const changed = pageIndexes.find((_, at) => first[at] !== second[at] && again[at] !== second[at]);
  if (changed === undefined) return;
  throw new PermanentError(
    "PDF_NOT_KEPT",
    `page ${changed + 1} of the PDF looks different when its inline images are made objects: print it to a new PDF in the source case`,
  );
}

/** A digest of the pixels of a page. */
function lookOf(pdfium: Pdfium, document: number, index: number): string {
  return withPage(pdfium, document, index, (page) => {
    const [width, height] = [pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page)];
    const scale = comparedSide / Math.max(width, height, 1);
    const [columns, rows] = [width, height].map((side) => Math.max(1, Math.round(side * scale))) as [number, number];
    const bitmap = pdfium.FPDFBitmap_Create(columns, rows, 0);
    if (bitmap === 0)
      throw new PermanentError("PDF_TOO_LARGE", `page ${index + 1} of the PDF does not fit into memory`);
    try {
      pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, columns, rows, 0xffffffff);
      pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, columns, rows, 0, 0);
      const address = pdfium.FPDFBitmap_GetBuffer(bitmap);
      const bytes = pdfium.FPDFBitmap_GetStride(bitmap) * rows;
      return createHash("sha256")
        .update(heapOf(pdfium).subarray(address, address + bytes))
        .digest("hex");
    } finally {
      pdfium.FPDFBitmap_Destroy(bitmap);
    }
  });
}
