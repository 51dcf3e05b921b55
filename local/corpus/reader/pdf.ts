/** PDFs as pdf.js reads them, a library that shares no code with those that make, write and prove a file. */
import { fileURLToPath } from "node:url";
import { getDocument, VerbosityLevel, type PDFDocumentProxy, type PDFPageProxy } from "pdfjs-dist/legacy/build/pdf.mjs";
import { identity, multiply, type Matrix } from "./matrix.ts";

export type { PDFDocumentProxy, PDFPageProxy };

const asset = (folder: string) => fileURLToPath(new URL(`${folder}/`, import.meta.resolve("pdfjs-dist/package.json")));
const assets = {
  standardFontDataUrl: asset("standard_fonts"),
  cMapUrl: asset("cmaps"),
  wasmUrl: asset("wasm"),
  iccUrl: asset("iccs"),
};

/** Opens a PDF for as long as `use` runs. @throws what pdf.js throws for a file that it cannot open */
export async function withPdf<Result>(
  bytes: Uint8Array,
  use: (pdf: PDFDocumentProxy) => Promise<Result>,
): Promise<Result> {
  const loading = getDocument({
    // pdf.js takes the bytes for itself.
    data: Uint8Array.from(bytes),
    verbosity: VerbosityLevel.ERRORS,
    useSystemFonts: false,
    // The names of fonts.
    fontExtraProperties: true,
    enableXfa: false,
    stopAtErrors: false,
    ...assets,
  });
  try {
    return await use(await loading.promise);
  } finally {
    await loading.destroy();
  }
}

/** A page's shown size in points, and the map from its own coordinates to the shown ones; UserUnit is ignored. */
export interface PageGeometry {
  width: number;
  height: number;
  toShown: Matrix;
}

export function geometryOf(page: PDFPageProxy): PageGeometry {
  const { width, height, transform } = page.getViewport({ scale: 1 / page.userUnit });
  return { width, height, toShown: multiply(identity, transform) };
}
