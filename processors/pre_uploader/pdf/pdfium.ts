import { init } from "@embedpdf/pdfium";
import { PermanentError } from "../../../contracts/errors.ts";
import { withReadable } from "./files.ts";
import { heapOf, withMemory } from "./memory.ts";
import type { Pdfium } from "./memory.ts";

export { heapOf, withMemory };
export type { Pdfium };

/** Errors of PDFium that say something about the file. */
const passwordNeeded = 4;

/** Instantiates PDFium, once per process. @param wasm its code */
export async function startPdfium(wasm: Uint8Array<ArrayBuffer>): Promise<Pdfium> {
  const pdfium = await init({ wasmBinary: wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength) });
  pdfium.PDFiumExt_Init();
  return pdfium;
}

/**
 * Opens a PDF for as long as `use` runs.
 *
 * @throws PermanentError PDF_EMPTY (no bytes), PDF_PROTECTED (asks for a password), PDF_DAMAGED
 */
export function withDocument<Result>(
  pdfium: Pdfium,
  bytes: Uint8Array,
  use: (document: number, pages: number) => Result,
): Result {
  if (bytes.length === 0) throw new PermanentError("PDF_EMPTY", "the PDF has no bytes: load the document anew");
  return withReadable(pdfium, bytes, (file) => {
    const document = pdfium.FPDF_LoadCustomDocument(file, "");
    if (document === 0) throw refusal(pdfium.FPDF_GetLastError());
    try {
      const pages = pdfium.FPDF_GetPageCount(document);
      if (pages === 0) throw new PermanentError("PDF_DAMAGED", "the PDF has no page that can be read");
      return use(document, pages);
    } finally {
      pdfium.FPDF_CloseDocument(document);
    }
  });
}

function refusal(error: number): PermanentError {
  return error === passwordNeeded
    ? new PermanentError("PDF_PROTECTED", "the PDF asks for a password: remove it in the source case")
    : new PermanentError("PDF_DAMAGED", `the PDF cannot be read (PDFium says ${error}): repair it in the source case`);
}

/** Opens a page for as long as `use` runs. @throws PermanentError PDF_DAMAGED */
export function withPage<Result>(
  pdfium: Pdfium,
  document: number,
  index: number,
  use: (page: number) => Result,
): Result {
  const page = pdfium.FPDF_LoadPage(document, index);
  if (page === 0) throw new PermanentError("PDF_DAMAGED", `page ${index + 1} of the PDF cannot be read`);
  try {
    return use(page);
  } finally {
    pdfium.FPDF_ClosePage(page);
  }
}

/** PDFium's own functions for single characters: the library's wrapper round a call takes longer than the call. */
interface PerCharacter {
  FPDFText_GetUnicode: (text: number, index: number) => number;
  FPDFText_IsGenerated: (text: number, index: number) => number;
  FPDFText_GetCharBox: (
    ...of: [text: number, index: number, left: number, right: number, bottom: number, top: number]
  ) => number;
  FPDFText_GetLooseCharBox: (text: number, index: number, rectangle: number) => number;
}

export function perCharacter(pdfium: Pdfium): PerCharacter {
  return pdfium.pdfium.wasmExports as unknown as PerCharacter;
}

/** A text that a function of PDFium writes as UTF-16 into a buffer, saying how many bytes it needs. */
export function readText(pdfium: Pdfium, write: (buffer: number, bytes: number) => number): string {
  const bytes = write(0, 0);
  if (bytes <= 2) return "";
  return withMemory(pdfium, bytes, (buffer) => {
    write(buffer, bytes);
    return Buffer.from(heapOf(pdfium).subarray(buffer, buffer + bytes - 2)).toString("utf16le");
  });
}
