import { PDFObject, type PDFDocument, type PDFPage } from "mupdf";
import { boxOnPage, type Box } from "./geometry.ts";

/** The annotations of a page as objects of the file, each under a number of its own. */
export function annotationObjects(pdf: PDFDocument, page: PDFPage): PDFObject[] {
  const list = entry(page.getObject(), "Annots");
  return Array.from({ length: list.isArray() ? list.length : 0 }, (_, index) => {
    const item = list.get(index);
    if (item.isIndirect() || !item.isDictionary()) return item;
    const numbered = pdf.addObject(item);
    list.put(index, numbered);
    return numbered;
  }).filter((item) => item.isDictionary());
}

/** Makes these the annotations of a page; whoever holds the page loaded must load it again. */
export function setAnnotations(pdf: PDFDocument, page: PDFPage, objects: readonly PDFObject[]): void {
  const object = page.getObject();
  // A tree of pages may name one that is none.
  if (!object.isDictionary() || (!objects.length && object.get("Annots").isNull())) return;
  const list = pdf.newArray();
  for (const annotation of objects) list.push(annotation);
  object.put("Annots", list);
}

/** Turns the order of the annotations of every page round. */
export function reverseAnnotations(pdf: PDFDocument): void {
  for (let index = 0; index < pdf.countPages(); index++) {
    const page = pdf.findPage(index);
    const list = entry(page, "Annots");
    if (!list.isArray() || list.length < 2) continue;
    const reversed = pdf.newArray();
    for (let at = list.length - 1; at >= 0; at--) reversed.push(list.get(at));
    page.put("Annots", reversed);
  }
}

export function subtype(object: PDFObject): string {
  const value = object.get("Subtype");
  return value.isName() ? value.asName() : "";
}

/** The number of the annotation that this one answers, or whose pop-up window it is; members of a group answer none. */
export function parentOf(object: PDFObject): number | undefined {
  const relation = object.get("RT");
  if (relation.isName() && relation.asName() === "Group") return undefined;
  for (const key of ["IRT", ...(subtype(object) === "Popup" ? ["Parent"] : [])]) {
    const parent = object.get(key);
    if (parent.isIndirect()) return parent.asIndirect();
  }
  return undefined;
}

/** These annotations, the answers to them, the answers to those, and the windows of all. */
export function withDependents(objects: readonly PDFObject[], numbers: ReadonlySet<number>): Set<number> {
  const all = new Set(numbers);
  for (let size = -1; size !== all.size;) {
    size = all.size;
    for (const object of objects) if (all.has(parentOf(object) ?? 0)) all.add(object.asIndirect());
  }
  return all;
}

/** What is under a path of keys; the library's null cannot be asked for more. */
export function entry(object: PDFObject, ...path: (string | number)[]): PDFObject {
  return object.isDictionary() || object.isArray() ? object.get(...path) : PDFObject.Null;
}

export function numbersOf(object: PDFObject, key: string): number[] {
  return numbersIn(entry(object, key));
}

export function numbersIn(list: PDFObject): number[] {
  if (!list.isArray()) return [];
  return Array.from({ length: list.length }, (_, index) => list.get(index)).flatMap((item) =>
    item.isNumber() ? [item.asNumber()] : [],
  );
}

export function stringOf(object: PDFObject, key: string): string | undefined {
  const value = entry(object, key);
  return value.isString() ? value.asString() : undefined;
}

/** A plain string given to the library would become a name. */
export function putString(object: PDFObject, key: string, value: string): void {
  object.put(key, object._doc.newString(value));
}

export function boxOfObject(object: PDFObject, page: PDFPage): Box {
  return boxOnPage(numbersOf(object, "Rect"), page.getTransform());
}

/** The boxes of what a markup annotation marks. */
export function markedBoxes(object: PDFObject, page: PDFPage): Box[] {
  const points = numbersOf(object, "QuadPoints");
  const boxes: Box[] = [];
  for (let at = 0; at + 8 <= points.length; at += 8) {
    const xs = [points[at], points[at + 2], points[at + 4], points[at + 6]].map(Number);
    const ys = [points[at + 1], points[at + 3], points[at + 5], points[at + 7]].map(Number);
    const corners = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    boxes.push(boxOnPage(corners, page.getTransform()));
  }
  return boxes;
}

/** Calls for every page, loaded afresh, and lets go of it. */
export function eachPage(pdf: PDFDocument, visit: (page: PDFPage, index: number) => void): void {
  for (let index = 0; index < pdf.countPages(); index++) onPage(pdf, index, (page) => visit(page, index));
}

export function onPage<T>(pdf: PDFDocument, index: number, use: (page: PDFPage) => T): T {
  const page = pdf.loadPage(index);
  try {
    return use(page);
  } finally {
    page.destroy();
  }
}

const privateKey = "DocumentEngine";

/** What PDF has no place for, kept as JSON beside an annotation. */
export function writeExtras(object: PDFObject, extras: Readonly<Record<string, unknown>>): void {
  const given = Object.entries(extras).filter(([, value]) => value !== undefined && value !== null);
  if (given.length) putString(object, privateKey, JSON.stringify(Object.fromEntries(given)));
}

export function readExtras(object: PDFObject): Record<string, unknown> {
  const text = stringOf(object, privateKey);
  if (text === undefined) return {};
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}
