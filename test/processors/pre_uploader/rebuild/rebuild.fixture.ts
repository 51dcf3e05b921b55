/** Small PDFs written by hand, and everything that can be read of a rebuilt one. */
import { inflateSync } from "node:zlib";
import {
  PDFArray,
  PDFDict,
  PDFDocument,
  PDFHexString,
  PDFName,
  PDFRawStream,
  PDFRef,
  PDFString,
} from "@cantoo/pdf-lib";
import type { PDFObject } from "@cantoo/pdf-lib";
import { heapOf, withDocument, withPage } from "../../../../processors/pre_uploader/pdf/pdfium.ts";
import { rebuild } from "../../../../processors/pre_uploader/rebuild/rebuild.ts";
import type { RebuildJob } from "../../../../processors/pre_uploader/rebuild/rebuild.ts";
import { pdfium } from "../../engine_bench.ts";

/** What the redactions hide in these tests. */
export const secret = "Geheimnis";

export function isQuoting(text: string): boolean {
  return text.normalize("NFKC").toLowerCase().includes(secret.toLowerCase());
}

/** An object: its syntax, or a stream with the keys of its dictionary. */
export type Part = string | { keys?: string; data: string | Buffer };

/** Objects by number; those of a page that says "Hello" are there if they are not given. */
export type Parts = Readonly<Record<number, Part>>;

export const page = "/Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents 4 0 R";
export const hello = "BT /F1 20 Tf 20 40 Td (Hello) Tj ET";
export const resources = "/Resources << /Font << /F1 5 0 R >> >>";

const standard: Parts = {
  1: "<< /Type /Catalog /Pages 2 0 R >>",
  2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
  3: `<< ${page} ${resources} >>`,
  4: { data: hello },
  5: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
};

/** A file with a classic cross-reference table. @param trailer further keys of the trailer */
export function pdfOf(parts: Parts, trailer = ""): Uint8Array {
  const all = Object.entries({ ...standard, ...parts });
  const chunks: Buffer[] = [Buffer.from("%PDF-1.7\n", "latin1")];
  const offsets = new Map<number, number>();
  let at = chunks[0]?.length ?? 0;
  for (const [number, part] of all) {
    offsets.set(Number(number), at);
    const data = typeof part === "string" ? undefined : Buffer.from(part.data as string, "latin1");
    const body =
      typeof part === "string"
        ? [Buffer.from(part, "latin1")]
        : [
            Buffer.from(`<< ${part.keys ?? ""} /Length ${data?.length ?? 0} >>\nstream\n`, "latin1"),
            data ?? Buffer.alloc(0),
            Buffer.from("\nendstream", "latin1"),
          ];
    const chunk = Buffer.concat([Buffer.from(`${number} 0 obj\n`), ...body, Buffer.from("\nendobj\n")]);
    chunks.push(chunk);
    at += chunk.length;
  }
  const size = Math.max(...offsets.keys()) + 1;
  const rows = Array.from({ length: size }, (_, number) => {
    const offset = offsets.get(number);
    return offset === undefined ? "0000000000 65535 f \n" : `${String(offset).padStart(10, "0")} 00000 n \n`;
  });
  const end = `xref\n0 ${size}\n${rows.join("")}trailer\n<< /Size ${size} /Root 1 0 R ${trailer} >>\nstartxref\n${at}\n%%EOF\n`;
  return Buffer.concat([...chunks, Buffer.from(end, "latin1")]);
}

/** Rebuilds a file that Document Engine left as it was, if no other is given. */
export async function rebuildOf(source: Uint8Array, rest: Partial<RebuildJob> = {}) {
  const { pdf, removed } = await rebuild({ source, produced: source, redactions: [], isQuoting, ...rest });
  return { pdf, removed, document: await PDFDocument.load(pdf, { updateMetadata: false }) };
}

/** All names, strings and stream contents, as text; strings also with each second byte. */
export async function everythingIn(pdf: Uint8Array): Promise<string> {
  const document = await PDFDocument.load(pdf, { updateMetadata: false, preserveXFA: true });
  const found: string[] = [Buffer.from(pdf).toString("latin1")];
  const visit = (object: PDFObject): void => {
    if (object instanceof PDFName) found.push(object.decodeText());
    else if (object instanceof PDFString || object instanceof PDFHexString) {
      found.push(object.decodeText(), Buffer.from(object.asBytes()).toString("latin1"));
    } else if (object instanceof PDFArray) object.asArray().forEach(visit);
    else if (object instanceof PDFDict) object.entries().flat().forEach(visit);
    else if (object instanceof PDFRawStream) {
      visit(object.dict);
      found.push(contentOf(object).toString("latin1"));
    }
  };
  for (const [, object] of document.context.enumerateIndirectObjects()) visit(object);
  return found.join("\n");
}

/** A stream of a rebuilt file, which is packed by deflate or not at all. */
export function contentOf(stream: PDFRawStream): Buffer {
  const filter = stream.dict.get(PDFName.of("Filter"));
  return filter === PDFName.of("FlateDecode") ? inflateSync(stream.contents) : Buffer.from(stream.contents);
}

/** What stands under a path of keys and indices from the catalog. */
export function at(document: PDFDocument, ...path: (string | number)[]): PDFObject | undefined {
  let object: PDFObject | undefined = document.catalog;
  for (const step of path) {
    const parent: PDFObject | undefined = object instanceof PDFRawStream ? object.dict : object;
    const value: PDFObject | undefined =
      typeof step === "number"
        ? parent instanceof PDFArray
          ? parent.get(step)
          : undefined
        : parent instanceof PDFDict
          ? parent.get(PDFName.of(step))
          : undefined;
    object = value instanceof PDFRef ? document.context.lookup(value) : value;
  }
  return object;
}

/** The content of the first page, or of what stands under a path. */
export function operatorsOf(document: PDFDocument, ...path: (string | number)[]): string {
  const stream = at(document, ...(path.length > 0 ? path : ["Pages", "Kids", 0, "Contents"]));
  if (!(stream instanceof PDFRawStream)) throw new Error("there is no content");
  return contentOf(stream).toString("latin1");
}

/** How the pages look. */
export async function picturesOf(pdf: Uint8Array): Promise<Buffer[]> {
  const library = await pdfium();
  return withDocument(library, pdf, (document, pages) =>
    Array.from({ length: pages }, (_, index) =>
      withPage(library, document, index, (shown) => {
        const [width, height] = [library.FPDF_GetPageWidthF(shown), library.FPDF_GetPageHeightF(shown)].map(Math.ceil);
        const bitmap = library.FPDFBitmap_Create(width ?? 1, height ?? 1, 0);
        library.FPDFBitmap_FillRect(bitmap, 0, 0, width ?? 1, height ?? 1, 0xffffffff);
        library.FPDF_RenderPageBitmap(bitmap, shown, 0, 0, width ?? 1, height ?? 1, 0, 1);
        const address = library.FPDFBitmap_GetBuffer(bitmap);
        const bytes = library.FPDFBitmap_GetStride(bitmap) * (height ?? 1);
        const picture = Buffer.from(heapOf(library).slice(address, address + bytes));
        library.FPDFBitmap_Destroy(bitmap);
        return picture;
      }),
    ),
  );
}
