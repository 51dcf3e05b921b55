/** Small PDFs of the tests of the pre-uploader, and what is in a PDF. */
import { PDFArray, PDFDict, PDFDocument, PDFName, PDFRawStream } from "@cantoo/pdf-lib";
import type { PDFContext, PDFObject, PDFRef } from "@cantoo/pdf-lib";
import { PermanentError } from "../../../contracts/errors.ts";
import { heapOf, withDocument, withPage } from "../../../processors/pre_uploader/pdf/pdfium.ts";
import type { Pdfium } from "../../../processors/pre_uploader/pdf/pdfium.ts";
import { Budget, Place } from "../../../processors/pre_uploader/rebuild/faults.ts";
import { Reading } from "../../../processors/pre_uploader/rebuild/reading.ts";

/** A PDF whose objects are given as they are written, from number 1; the first is the catalog. */
export function pdfOf(objects: readonly (string | Uint8Array)[], trailer = ""): Uint8Array {
  const pieces: Buffer[] = [Buffer.from("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "latin1")];
  const offsets: number[] = [];
  let length = pieces[0]?.length ?? 0;
  const add = (piece: Uint8Array | string) => {
    const bytes = typeof piece === "string" ? Buffer.from(piece, "latin1") : Buffer.from(piece);
    pieces.push(bytes);
    length += bytes.length;
  };
  for (const [index, object] of objects.entries()) {
    offsets.push(length);
    add(`${index + 1} 0 obj\n`);
    add(object);
    add("\nendobj\n");
  }
  const start = length;
  const entries = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  const size = objects.length + 1;
  add(`xref\n0 ${size}\n0000000000 65535 f \n${entries}trailer\n<</Size ${size}/Root 1 0 R${trailer}>>\n`);
  add(`startxref\n${start}\n%%EOF\n`);
  return Uint8Array.from(Buffer.concat(pieces));
}

/** A stream as it is written. */
export function stream(content: string | Uint8Array, entries = ""): Uint8Array {
  const bytes = typeof content === "string" ? Buffer.from(content, "latin1") : Buffer.from(content);
  return Buffer.concat([
    Buffer.from(`<</Length ${bytes.length}${entries}>>\nstream\n`, "latin1"),
    bytes,
    Buffer.from("\nendstream"),
  ]);
}

/** Everything that is written in a file, each object on its own, streams unpacked. */
export async function allTextOf(pdf: Uint8Array): Promise<string> {
  const { context } = await PDFDocument.load(pdf, { updateMetadata: false });
  return context
    .enumerateIndirectObjects()
    .map(([, object]) =>
      object instanceof PDFRawStream ? `${object.dict.toString()}${unpacked(object)}` : object.toString(),
    )
    .join("\n");
}

/** Nothing of what only pictures are packed by, and of what is damaged. */
function unpacked(stream: PDFRawStream): string {
  try {
    return new Reading(stream.dict.context, new Budget()).decode(stream, new Place("stream")).toString("latin1");
  } catch (cause) {
    if (cause instanceof PermanentError) return "";
    throw cause;
  }
}

/** The value behind keys and indexes, from the catalog on. */
export async function at(pdf: Uint8Array, ...path: (string | number)[]): Promise<PDFObject | undefined> {
  const { catalog } = await PDFDocument.load(pdf, { updateMetadata: false });
  return path.reduce<PDFObject | undefined>((value, step) => {
    if (value instanceof PDFArray && typeof step === "number") return value.lookup(step);
    const dictionary = value instanceof PDFRawStream ? value.dict : value;
    return dictionary instanceof PDFDict ? dictionary.lookup(PDFName.of(String(step))) : undefined;
  }, catalog);
}

/** The pixels of a page, in three bytes of colour and one unused each. */
export function pixelsOf(pdfium: Pdfium, pdf: Uint8Array, index = 0, withAnnotations = true): Buffer {
  return withDocument(pdfium, pdf, (document) =>
    withPage(pdfium, document, index, (page) => {
      const [width, height] = [pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page)].map(Math.round) as [
        number,
        number,
      ];
      const bitmap = pdfium.FPDFBitmap_Create(width, height, 0);
      pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, 0xffffffff);
      pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, withAnnotations ? 1 : 0);
      const address = pdfium.FPDFBitmap_GetBuffer(bitmap);
      const pixels = Buffer.from(heapOf(pdfium).slice(address, address + 4 * width * height));
      pdfium.FPDFBitmap_Destroy(bitmap);
      return pixels;
    }),
  );
}

/** Puts annotations on a page beside those that it has. */
export function annotate(
  page: { node: PDFDict; ref: PDFRef },
  context: PDFContext,
  ...dictionaries: object[]
): PDFRef[] {
  const known = page.node.lookup(PDFName.of("Annots"));
  const list = known instanceof PDFArray ? known : context.obj([]);
  page.node.set(PDFName.of("Annots"), list);
  return dictionaries.map((dictionary) => {
    const entries = { Type: "Annot", Rect: [50, 50, 90, 90], P: page.ref, ...dictionary };
    const ref = context.register(context.obj(entries as Parameters<PDFContext["obj"]>[0] & object));
    list.push(ref);
    return ref;
  });
}
