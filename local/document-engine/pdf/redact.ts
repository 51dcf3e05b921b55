import { PDFPage, type PDFDocument, type PDFObject } from "mupdf";
import { flatten } from "./flatten.ts";
import { hull, rectOf, touches, type Box } from "./geometry.ts";
import {
  annotationObjects,
  boxOfObject,
  eachPage,
  markedBoxes,
  numbersOf,
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

/**
 * Applies every redaction of the file: text, image parts and drawings under it are taken out of the contents, all other
 * annotations that touch it go, a box with its overlay text is drawn. Without redactions nothing happens.
 */
export function applyRedactions(pdf: PDFDocument): void {
  const overlays = new Set<number>();
  eachPage(pdf, (page, index) => {
    const redactions = annotationObjects(pdf, page)
      .filter((object) => subtype(object) === "Redact")
      .map((object) => readRedaction(object, page));
    if (!redactions.length) return;
    const boxes = redactions.flatMap((redaction) => redaction.boxes);
    dropTouching(pdf, page, boxes);
    page.destroy();
    const clean = pdf.loadPage(index);
    clean.applyRedactions(false, PDFPage.REDACT_IMAGE_PIXELS, PDFPage.REDACT_LINE_ART_REMOVE_IF_COVERED);
    appendBoxes(pdf, clean, redactions);
    for (const redaction of redactions) for (const number of addOverlay(clean, redaction)) overlays.add(number);
    clean.destroy();
  });
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

function dropTouching(pdf: PDFDocument, page: PDFPage, boxes: readonly Box[]): void {
  const objects = annotationObjects(pdf, page);
  const touched = (object: PDFObject) => {
    const marked = markedBoxes(object, page);
    const own = marked.length ? hull(marked) : boxOfObject(object, page);
    return boxes.some((redacted) => touches(own, redacted));
  };
  const gone = objects.filter((object) => subtype(object) !== "Redact" && touched(object));
  for (const object of gone) if (subtype(object) === "Widget") forgetField(pdf, object);
  const numbers = withDependents(objects, new Set(gone.map((object) => object.asIndirect())));
  const left = objects.filter((object) => !numbers.has(object.asIndirect()));
  setAnnotations(pdf, page, left);
}

/** The value of a form field lives outside the page, too. */
function forgetField(pdf: PDFDocument, widget: PDFObject): void {
  const parent = widget.get("Parent");
  for (const object of parent.isDictionary() ? [widget, parent] : [widget]) {
    for (const key of ["V", "DV", "AP", "MK"]) object.delete(key);
  }
  const fields = pdf.getTrailer().get("Root", "AcroForm", "Fields");
  if (!fields.isArray()) return;
  for (let index = fields.length - 1; index >= 0; index--) {
    if (fields.get(index).asIndirect() === widget.asIndirect()) fields.delete(index);
  }
}

/** Paints the boxes over the page's contents, in the space of the page as it is shown. */
function appendBoxes(pdf: PDFDocument, page: PDFPage, redactions: readonly Redaction[]): void {
  const painted = redactions.flatMap(({ boxes, fill }) =>
    boxes.map((box) => `${fill.map(number).join(" ")} rg ${box.map(number).join(" ")} re f`),
  );
  const matrix = inverse(page.getTransform()).map(number).join(" ");
  const stream = pdf.addStream(`Q\nq ${matrix} cm\n${painted.join("\n")}\nQ\n`, {});
  const opening = pdf.addStream("q\n", {});
  const old = page.getObject().get("Contents");
  const contents = pdf.newArray();
  contents.push(opening);
  if (old.isArray()) {
    for (let at = 0; at < old.length; at++) contents.push(old.get(at));
  } else if (old.isStream() || old.isIndirect()) contents.push(old);
  contents.push(stream);
  page.getObject().put("Contents", contents);
}

function addOverlay(page: PDFPage, { boxes, overlay }: Redaction): number[] {
  if (!overlay) return [];
  return boxes.map((box) => {
    const [, , width, height] = box;
    const size = Math.max(1, Math.min(9, height * 0.7));
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

function inverse([a, b, c, d, e, f]: ReturnType<PDFPage["getTransform"]>): number[] {
  const det = a * d - b * c;
  return [d / det, -b / det, -c / det, a / det, (c * f - d * e) / det, (b * e - a * f) / det];
}

/** Plain decimals: PDF knows no exponents. */
function number(value: number): string {
  return value.toFixed(4);
}
