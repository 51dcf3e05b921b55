import type { PDFDocument, PDFObject, PDFPage } from "mupdf";
import { editPage, type EditedPage } from "./content/editor.ts";
import { inverted } from "./content/matrix.ts";
import { decimal } from "./content/tokens.ts";
import { flatten } from "./flatten.ts";
import { hull, rectOf, touches, type Box } from "./geometry.ts";
import {
  annotationObjects,
  boxOfObject,
  eachPage,
  entry,
  markedBoxes,
  numbersOf,
  onPage,
  parentOf,
  setAnnotations,
  stringOf,
  subtype,
  withDependents,
} from "./objects.ts";

interface Redaction {
  boxes: Box[];
  fill: number[];
  overlay: { text: string; repeat: boolean; color: number[] } | undefined;
}

/** A page whose redactions had nothing under their boxes. */
export interface EmptyRedactions {
  pageIndex: number;
  redactions: readonly Redaction[];
  /** The stream that paints the boxes, after it closes what the contents leave open. */
  painting: PDFObject;
  open: number;
}

/**
 * Applies every redaction of the file: text, image parts and drawings under it are taken out of the contents, all other
 * annotations that touch it go, a box with its overlay text is drawn. Without redactions nothing happens.
 * @returns the pages on which nothing was under any box
 */
export function applyRedactions(pdf: PDFDocument): EmptyRedactions[] {
  const overlays = new Set<number>();
  const empty: EmptyRedactions[] = [];
  eachPage(pdf, (page, pageIndex) => {
    const objects = annotationObjects(pdf, page).filter((object) => subtype(object) === "Redact");
    if (!objects.length) return;
    const redactions = objects.map((object) => readRedaction(object, page));
    const boxes = redactions.flatMap((redaction) => redaction.boxes);
    dropTouching(pdf, page, boxes);
    const edited = editPage(pdf, page, boxes.map(rectOf));
    const painting = appendBoxes(pdf, page, redactions, edited);
    if (!edited.isChanged) empty.push({ pageIndex, redactions, painting, open: edited.unclosed + 1 });
    for (const redaction of redactions) for (const number of addOverlay(page, redaction)) overlays.add(number);
  });
  flatten(pdf, overlays);
  return empty;
}

/**
 * What the engine core makes of empty redactions when everything is flattened in the same call: a red outline instead
 * of the box, and the overlay text a second time.
 */
export function outlineEmpty(pdf: PDFDocument, empty: readonly EmptyRedactions[]): void {
  const overlays = new Set<number>();
  for (const { pageIndex, redactions, painting, open } of empty) {
    onPage(pdf, pageIndex, (page) => {
      const boxes = redactions.flatMap((redaction) => redaction.boxes);
      const outlines = boxes.map((box) => `1 0 0 RG 1 w ${box.map((edge) => decimal(edge)).join(" ")} re S`);
      painting.writeStream(drawing(page, outlines, open));
      for (const redaction of redactions) for (const number of addOverlay(page, redaction)) overlays.add(number);
    });
  }
  flatten(pdf, overlays);
}

function readRedaction(object: PDFObject, page: PDFPage): Redaction {
  const marked = markedBoxes(object, page);
  const fill = numbersOf(object, "IC");
  const text = stringOf(object, "OverlayText");
  const repeat = object.get("Repeat");
  const [r = 1, g = 1, b = 1] = (stringOf(object, "DA") ?? "").split(" ").slice(0, 3).map(Number);
  return {
    boxes: marked.length ? marked : [boxOfObject(object, page)],
    fill: fill.length === 3 ? fill : [0, 0, 0],
    overlay: text ? { text, repeat: repeat.isBoolean() && repeat.asBoolean(), color: [r, g, b] } : undefined,
  };
}

/** Removes the redactions and what touches them; an answer to a redaction that touches none stays. */
function dropTouching(pdf: PDFDocument, page: PDFPage, boxes: readonly Box[]): void {
  const objects = annotationObjects(pdf, page);
  const redactions = new Set(
    objects.filter((object) => subtype(object) === "Redact").map((object) => object.asIndirect()),
  );
  const touched = (object: PDFObject) => {
    const marked = markedBoxes(object, page);
    const own = marked.length ? hull(marked) : boxOfObject(object, page);
    return boxes.some((redacted) => touches(own, redacted));
  };
  const isWindow = (object: PDFObject) => subtype(object) === "Popup" && redactions.has(parentOf(object) ?? 0);
  const gone = objects.filter(
    (object) => !redactions.has(object.asIndirect()) && (touched(object) || isWindow(object)),
  );
  for (const object of gone) if (subtype(object) === "Widget") forgetField(pdf, object);
  const numbers = withDependents(objects, new Set(gone.map((object) => object.asIndirect())));
  const left = objects.filter((object) => !numbers.has(object.asIndirect()) && !redactions.has(object.asIndirect()));
  setAnnotations(pdf, page, left);
}

/** Removes the value of a form field, which is kept outside the page, unless the field has other widgets. */
function forgetField(pdf: PDFDocument, widget: PDFObject): void {
  const parent = widget.get("Parent");
  const kids = entry(parent, "Kids");
  if (kids.isArray() && kids.length > 1) return;
  for (const object of parent.isDictionary() ? [widget, parent] : [widget]) {
    for (const key of ["V", "DV", "AP", "MK", "RV"]) object.delete(key);
  }
  const fields = entry(pdf.getTrailer(), "Root", "AcroForm", "Fields");
  if (!fields.isArray()) return;
  const numbers = new Set([widget.asIndirect(), parent.isIndirect() ? parent.asIndirect() : 0]);
  for (let index = fields.length - 1; index >= 0; index--) {
    const field = fields.get(index);
    if (field.isIndirect() && numbers.has(field.asIndirect())) fields.delete(index);
  }
}

/** Paints the boxes over the page's contents. Returns the stream that does. */
function appendBoxes(
  pdf: PDFDocument,
  page: PDFPage,
  redactions: readonly Redaction[],
  { unclosed, unopened }: EditedPage,
): PDFObject {
  const painted = redactions.flatMap(({ boxes, fill }) =>
    boxes.map(
      (box) => `${fill.map((part) => decimal(part)).join(" ")} rg ${box.map((edge) => decimal(edge)).join(" ")} re f`,
    ),
  );
  const painting = pdf.addStream(drawing(page, painted, unclosed + 1), {});
  const opening = pdf.addStream("q\n".repeat(unopened + 1), {});
  const old = page.getObject().get("Contents");
  const contents = pdf.newArray();
  contents.push(opening);
  if (old.isArray()) {
    for (let at = 0; at < old.length; at++) contents.push(old.get(at));
  } else if (old.isStream()) contents.push(old);
  contents.push(painting);
  page.getObject().put("Contents", contents);
  return painting;
}

/** Operations in the space of the page as it is shown, after what is open has been closed. */
function drawing(page: PDFPage, operations: readonly string[], open: number): string {
  const back = inverted(page.getTransform()) ?? [1, 0, 0, 1, 0, 0];
  const matrix = back.map((value) => decimal(value, 6)).join(" ");
  return `${"Q\n".repeat(open)}q ${matrix} cm\n${operations.join("\n")}\nQ\n`;
}

/** In points; smaller ones nobody reads. */
const smallestOverlay = 5;

function addOverlay(page: PDFPage, { boxes, overlay }: Redaction): number[] {
  if (!overlay) return [];
  return boxes.flatMap((box) => {
    const [, , width, height] = box;
    // It is printed within the box, or not at all.
    const size = Math.min(9, height * 0.7, (width - 4) / (0.75 * overlay.text.length));
    if (size < smallestOverlay) return [];
    const times = overlay.repeat ? Math.max(1, Math.floor(width / (size * 0.6 * (overlay.text.length + 1)))) : 1;
    const text = page.createAnnotation("FreeText");
    text.setRect(rectOf(box));
    text.setContents(Array.from({ length: times }, () => overlay.text).join(" "));
    const [r = 1, g = 1, b = 1] = overlay.color;
    text.setDefaultAppearance("Helv", size, [r, g, b]);
    text.setBorderWidth(0);
    text.update();
    return text.getObject().asIndirect();
  });
}
