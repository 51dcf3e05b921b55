import { EncryptedPDFError, ParseSpeeds, PDFDocument } from "@cantoo/pdf-lib";
import { PermanentError } from "../../contracts/errors.ts";

/** Above this many bytes a PDF is not taken apart in memory: its pages stay uncounted. */
export const parseLimit = 64 * 1024 * 1024;

const magic = Buffer.from("%PDF-");

export function beginsLikePdf(head: Uint8Array): boolean {
  return Buffer.from(head.subarray(0, magic.length)).equals(magic);
}

/**
 * The number of pages of a whole PDF; `null` where it is encrypted and so cannot be looked into.
 * @throws PermanentError DAMAGED_PDF
 */
export async function countPages(bytes: Uint8Array): Promise<number | null> {
  const options = { updateMetadata: false, parseSpeed: ParseSpeeds.Fastest, throwOnInvalidObject: true };
  try {
    return (await PDFDocument.load(bytes, options)).getPageCount();
  } catch (error) {
    if (error instanceof EncryptedPDFError) return null;
    const reason = error instanceof Error ? error.message : String(error);
    throw new PermanentError("DAMAGED_PDF", `the PDF cannot be read: ${reason}`, { cause: error });
  }
}
