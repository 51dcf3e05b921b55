/** PDFs as other libraries read them, which share no code with those that the product and the stand-in work with. */
import { fileURLToPath } from "node:url";
import { createCanvas } from "@napi-rs/canvas";
import { getDocument, VerbosityLevel, type PDFDocumentProxy, type PDFPageProxy } from "pdfjs-dist/legacy/build/pdf.mjs";
import { PDFArray, PDFDict, PDFDocument, PDFName, PDFRawStream, decodePDFRawStream } from "@cantoo/pdf-lib";

const standardFonts = fileURLToPath(new URL("standard_fonts/", import.meta.resolve("pdfjs-dist/package.json")));

async function opened<T>(bytes: Uint8Array, work: (pdf: PDFDocumentProxy) => Promise<T>): Promise<T> {
  const loading = getDocument({
    data: Uint8Array.from(bytes),
    verbosity: VerbosityLevel.ERRORS,
    useSystemFonts: true,
    standardFontDataUrl: standardFonts,
  });
  try {
    return await work(await loading.promise);
  } finally {
    await loading.destroy();
  }
}

/** The text of each page. */
export function textsOf(bytes: Uint8Array): Promise<string[]> {
  return opened(bytes, async (pdf) => {
    const texts: string[] = [];
    for (let number = 1; number <= pdf.numPages; number++) {
      const { items } = await (await pdf.getPage(number)).getTextContent();
      texts.push(
        items
          .map((item) => ("str" in item ? item.str : ""))
          .join(" ")
          .replace(/\s+/g, " ")
          .trim(),
      );
    }
    return texts;
  });
}

/** A page as a picture. */
export interface Picture {
  width: number;
  height: number;
  /** Red, green, blue and opacity of each point, row by row. */
  pixels: Uint8Array;
  png: Buffer;
}

/** A page as it is shown, one point of the page being one of the picture. @param pageIndex counts from 0 */
export function pictureOf(bytes: Uint8Array, pageIndex: number): Promise<Picture> {
  return opened(bytes, async (pdf) => {
    const page = await pdf.getPage(pageIndex + 1);
    const viewport = page.getViewport({ scale: 1 });
    const [width, height] = [Math.ceil(viewport.width), Math.ceil(viewport.height)];
    const canvas = createCanvas(width, height);
    // The library's types know the browser's canvas only.
    const target: unknown = { canvas, viewport };
    await page.render(target as Parameters<PDFPageProxy["render"]>[0]).promise;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    return { width, height, pixels: new Uint8Array(data.buffer), png: canvas.toBuffer("image/png") };
  });
}

/** Whether two pictures of one page differ within an area. */
export function differ(one: Picture, other: Picture, area: readonly [number, number, number, number]): boolean {
  const [left, top, width, height] = area.map(Math.round) as [number, number, number, number];
  for (let y = Math.max(top, 0); y < Math.min(top + height, one.height); y++) {
    const from = (y * one.width + Math.max(left, 0)) * 4;
    const to = (y * one.width + Math.min(left + width, one.width)) * 4;
    if (Buffer.compare(one.pixels.subarray(from, to), other.pixels.subarray(from, to)) !== 0) return true;
  }
  return false;
}

/** The subtypes of the annotations that are alive on each page, without the windows that some of them open. */
export async function livingOf(bytes: Uint8Array): Promise<string[][]> {
  const pdf = await PDFDocument.load(bytes, { updateMetadata: false });
  return pdf.getPages().map((page) => {
    const list = page.node.lookupMaybe(PDFName.of("Annots"), PDFArray);
    return Array.from({ length: list?.size() ?? 0 }, (_, index) =>
      String(list?.lookup(index, PDFDict).get(PDFName.of("Subtype"))).slice(1),
    ).filter((subtype) => subtype !== "Popup");
  });
}

/** Whether some bytes occur anywhere in the file, in its objects or in a stream of it once that is unpacked. */
export async function holds(bytes: Uint8Array, needle: string): Promise<boolean> {
  return (await heldOf(bytes, [needle])).length > 0;
}

/** Those of the needles that occur anywhere in the file: see {@link holds}. */
export async function heldOf(bytes: Uint8Array, needles: readonly string[]): Promise<string[]> {
  const pdf = await PDFDocument.load(bytes, { updateMetadata: false });
  const contents = pdf.context.enumerateIndirectObjects().map(([, object]) => {
    if (!(object instanceof PDFRawStream)) return object.toString();
    const filter = String(object.dict.get(PDFName.of("Filter")));
    const isImage = ["/DCTDecode", "/JPXDecode", "/CCITTFaxDecode"].includes(filter);
    const content = isImage ? "" : Buffer.from(decodePDFRawStream(object).decode()).toString("latin1");
    return `${object.dict.toString()}\n${content}`;
  });
  const everything = contents.join("\n");
  const lower = everything.toLowerCase();
  return needles.filter((needle) => everything.includes(needle) || lower.includes(Buffer.from(needle).toString("hex")));
}
