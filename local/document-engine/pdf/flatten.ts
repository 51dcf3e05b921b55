import { PDFAnnotation, type PDFDocument, type PDFPage } from "mupdf";
import {
  annotationObjects,
  boxOfObject,
  eachPage,
  entry,
  parentOf,
  setAnnotations,
  subtype,
  withDependents,
} from "./objects.ts";

const noteWidth = 150;
const noteFontSize = 9;
const noteCharactersPerLine = 32;
const invisible = PDFAnnotation.IS_HIDDEN | PDFAnnotation.IS_NO_VIEW;

/**
 * Draws annotations into their pages, by object number or all of them; unknown numbers are ignored. Hidden ones vanish
 * undrawn, a redaction that was not applied leaves its outline only, and answers go with what they answer. All of them
 * are the form fields, too, of which no form is left, and the links, which vanish.
 */
export function flatten(pdf: PDFDocument, which: ReadonlySet<number> | "all"): void {
  if (which !== "all" && which.size === 0) return;
  const root = pdf.getTrailer().get("Root");
  const hasForm = which === "all" && entry(root, "AcroForm").isDictionary();
  const spared: ReturnType<typeof annotationObjects>[] = [];
  eachPage(pdf, (page) => {
    spared.push(leaveOnly(pdf, page, which));
  });
  // A page draws itself anew only when it is loaded with what is left on it.
  eachPage(pdf, (page) => {
    if (page.getAnnotations().length) page.update();
  });
  eachPage(pdf, (page) => {
    shareResources(pdf, page);
  });
  pdf.bake(true, which === "all");
  eachPage(pdf, (page, index) => setAnnotations(pdf, page, spared[index] ?? []));
  if (hasForm) root.put("AcroForm", { Fields: [] });
}

/**
 * Makes an object of resources that a page inherits: the library puts them on each page, and numbers the references of a
 * dictionary anew as often as it is held.
 */
function shareResources(pdf: PDFDocument, page: PDFPage): void {
  let node = page.getObject();
  while (node.isDictionary() && node.get("Resources").isNull()) node = node.get("Parent");
  if (!node.isDictionary()) return;
  const resources = node.get("Resources");
  if (!resources.isIndirect()) node.put("Resources", pdf.addObject(resources));
}

/** Leaves on the page what shall be drawn, and returns what shall stay alive. */
function leaveOnly(
  pdf: PDFDocument,
  page: PDFPage,
  which: ReadonlySet<number> | "all",
): ReturnType<typeof annotationObjects> {
  const objects = annotationObjects(pdf, page);
  const chosen = objects
    .map((object) => object.asIndirect())
    .filter((number) => number !== 0 && (which === "all" || which.has(number)));
  const gone = withDependents(objects, new Set(chosen));
  const stays = objects.filter((object) => !gone.has(object.asIndirect()));
  const kept = new Set(stays.map((object) => object.asIndirect()));
  const drawn = objects.filter((object) => {
    if (kept.has(object.asIndirect()) || parentOf(object) !== undefined || subtype(object) === "Link") return false;
    const flags = object.get("F");
    return ((flags.isNumber() ? flags.asNumber() : 0) & invisible) === 0;
  });
  if (stays.length === objects.length) {
    setAnnotations(pdf, page, []);
    return stays;
  }
  const notes = drawn.filter((object) => subtype(object) === "Text").map((object) => noteAsText(page, object));
  const others = drawn.filter((object) => subtype(object) !== "Text");
  setAnnotations(pdf, page, [...others, ...notes.map((note) => note.getObject())]);
  return stays;
}

/** A note is an icon until it is drawn: then it is a yellow box with its text. */
function noteAsText(page: PDFPage, object: ReturnType<PDFAnnotation["getObject"]>): PDFAnnotation {
  const note = page.getAnnotations().find((candidate) => candidate.getObject().asIndirect() === object.asIndirect());
  const contents = note?.getContents() ?? "";
  const [left, top] = boxOfObject(object, page);
  const lines = contents
    .split("\n")
    .reduce((sum, line) => sum + Math.ceil((line.length + 1) / noteCharactersPerLine), 0);
  const text = page.createAnnotation("FreeText");
  text.setRect([left, top, left + noteWidth, top + lines * noteFontSize * 1.3 + 8]);
  text.setContents(contents);
  text.setDefaultAppearance("Helv", noteFontSize, [0, 0, 0]);
  text.setColor(note?.getColor() ?? [0.99, 0.93, 0.55]);
  text.setBorderWidth(1);
  text.update();
  return text;
}
