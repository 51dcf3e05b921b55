import type { WrappedPdfiumModule } from "@embedpdf/pdfium";
import { PermanentError } from "../../../contracts/errors.ts";

export type Pdfium = WrappedPdfiumModule;

/** Lends memory of PDFium. */
export function withMemory<Result>(pdfium: Pdfium, bytes: number, use: (address: number) => Result): Result {
  const address = pdfium.pdfium.wasmExports.malloc(bytes);
  if (address === 0) throw new PermanentError("PDF_TOO_LARGE", `${bytes} bytes of PDF do not fit into memory`);
  try {
    return use(address);
  } finally {
    pdfium.pdfium.wasmExports.free(address);
  }
}

/** The memory as it is now: it moves when it grows. */
export function heapOf(pdfium: Pdfium): Uint8Array {
  return (pdfium.pdfium as unknown as { HEAPU8: Uint8Array }).HEAPU8;
}

/** Gives the memory of a file back at once, without waiting for the garbage collector. Nobody may read it afterwards. */
export function release(file: Uint8Array): void {
  if (file.buffer instanceof ArrayBuffer) file.buffer.transfer(0);
}
