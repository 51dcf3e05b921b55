import { PDFDocument, type PDFObject } from "mupdf";
import { badRequest, type Refusal } from "../refusal.ts";
import { entry } from "./objects.ts";

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
  const isAfter = (word: string) => file.lastIndexOf(word) > end;
  return isAfter("startxref") || isAfter("trailer") || (isAfter("%%EOF") && file.includes("trailer"));
}

/** The number of pages, after a tree of pages that the library cannot walk has been mended. */
export function pagesOf(pdf: PDFDocument): number {
  if (!isWalkable(pdf)) mendPages(pdf);
  try {
    return pdf.countPages();
  } catch {
    throw damaged();
  }
}

function isWalkable(pdf: PDFDocument): boolean {
  try {
    const count = pdf.countPages();
    for (let index = 0; index < count; index++) if (!pdf.findPage(index).isDictionary()) return false;
    return count > 0;
  } catch {
    return false;
  }
}

const inherited = ["Resources", "MediaBox", "CropBox", "Rotate"];
const deepestTree = 64;

/** Makes a flat tree of the pages that the old one leads to. */
function mendPages(pdf: PDFDocument): void {
  const root = entry(pdf.getTrailer(), "Root");
  if (!root.isDictionary()) return;
  const pages: PDFObject[] = [];
  const seen = new Set<number>();
  const collect = (node: PDFObject, given: Record<string, PDFObject>, depth: number) => {
    if (!node.isIndirect() || !node.isDictionary() || seen.has(node.asIndirect()) || depth > deepestTree) return;
    seen.add(node.asIndirect());
    const own = inherited.flatMap((key) => (node.get(key).isNull() ? [] : [[key, node.get(key)] as const]));
    const values = { ...given, ...Object.fromEntries(own) };
    const kids = node.get("Kids");
    if (kids.isArray()) {
      for (let at = 0; at < kids.length; at++) collect(kids.get(at), values, depth + 1);
    } else if (!node.get("Contents").isNull() || !node.get("MediaBox").isNull()) {
      for (const [key, value] of Object.entries(values)) node.put(key, value);
      pages.push(node);
    }
  };
  collect(entry(root, "Pages"), {}, 0);
  if (!pages.length) return;
  const tree = pdf.addObject({ Type: pdf.newName("Pages"), Count: pages.length, Kids: [] });
  for (const page of pages) {
    page.put("Type", pdf.newName("Page"));
    page.put("Parent", tree);
    tree.get("Kids").push(page);
  }
  root.put("Pages", tree);
  pdf.setPageTreeCache(false);
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
