import { PDFDocument, type PDFObject } from "mupdf";
import { badRequest, type Refusal } from "../refusal.ts";

/** A key of a page that the engine core does not heed, and what it was. */
export interface Irregular {
  page: PDFObject;
  key: "UserUnit" | "Rotate";
  value: PDFObject | undefined;
}

/** @throws Refusal for bytes that the engine core does not open, in its words */
export function parse(bytes: Uint8Array): PDFDocument {
  if (bytes.length === 0) throw badRequest("INVALID_PDF", "File not found or could not be opened.");
  if (!isWhole(bytes)) throw damaged();
  try {
    return new PDFDocument(bytes);
  } catch {
    throw damaged();
  }
}

export function damaged(): Refusal {
  return badRequest("INVALID_PDF", "File not in PDF format or corrupted.");
}

/** Whether an error is the library's, which then met what it cannot read. */
export function isOfLibrary(error: unknown): boolean {
  return error instanceof Error && error.stack?.includes("mupdf-wasm") === true;
}

/** A wrong offset of the cross-reference table and bytes before the file are mended, a missing end is not. */
function isWhole(bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = file.lastIndexOf("endobj");
  return file.lastIndexOf("startxref") > end || file.lastIndexOf("trailer") > end;
}

/** The number of pages; a page tree that cannot be walked has none. */
export function pagesOf(pdf: PDFDocument): number {
  try {
    return pdf.countPages();
  } catch {
    throw damaged();
  }
}

/** Sets aside what the engine core does not heed: user units, and rotations that are no quarter turns. */
export function straighten(pdf: PDFDocument): Irregular[] {
  const irregular: Irregular[] = [];
  for (let index = 0; index < pdf.countPages(); index++) {
    const page = pdf.findPage(index);
    if (!page.isDictionary()) continue;
    const unit = page.get("UserUnit");
    if (unit.isNumber()) {
      irregular.push({ page, key: "UserUnit", value: unit });
      page.delete("UserUnit");
    }
    const rotate = page.getInheritable("Rotate");
    if (rotate.isNumber() && rotate.asNumber() % 90 !== 0) {
      const own = page.get("Rotate");
      irregular.push({ page, key: "Rotate", value: own.isNull() ? undefined : own });
      page.put("Rotate", 0);
    }
  }
  return irregular;
}

/** Puts back what was set aside. */
export function restore(irregular: readonly Irregular[]): void {
  for (const { page, key, value } of irregular) {
    if (value) page.put(key, value);
    else page.delete(key);
  }
}
