import type { Matrix, PDFDocument, PDFObject, PDFPage, Point, Rect } from "mupdf";
import { numbersOf } from "../objects.ts";
import { coveredShare, overlap } from "./cut.ts";
import { readFont, type ContentFont, type ShownCode } from "./fonts.ts";
import { GlyphInk } from "./glyphs.ts";
import { wipeImage } from "./images.ts";
import { concatenated, matrixOf, transformed } from "./matrix.ts";
import { ContentRun, initialState, type Editing, type GraphicsState, type Run } from "./run.ts";
import { ContentStreams } from "./streams.ts";

/** A glyph goes whole once this share of its ink is covered: the engine core was measured at 0.19 to 0.32. */
const coveredEnough = 0.25;
const deepestForm = 24;
const mostForms = 10_000;

/** What an edited page is like. */
export interface EditedPage {
  /** Whether anything was under a box. */
  isChanged: boolean;
  /** Operators `q` that no `Q` answers, and the other way round. */
  unclosed: number;
  unopened: number;
}

/**
 * Takes what is under boxes out of the contents of a page, in the very streams that hold it: glyphs, parts of paths, and
 * pixels of images that are objects of their own. Inline images, patterns and soft masks stay as they are.
 */
export function editPage(pdf: PDFDocument, page: PDFPage, boxes: readonly Rect[]): EditedPage {
  const streams = new ContentStreams(page.getObject().get("Contents"));
  const editor = new Editor(pdf, boxes, new GlyphInk(page, boxes));
  const resources = page.getObject().getInheritable("Resources");
  const run = editor.run(streams.bytes, resources, { ...initialState, ctm: page.getTransform() }, 0);
  streams.apply(run.edits);
  return { isChanged: editor.isChanged, unclosed: run.unclosed, unopened: run.unopened };
}

class Editor implements Editing {
  isChanged = false;
  readonly #pdf: PDFDocument;
  readonly #boxes: readonly Rect[];
  readonly #ink: GlyphInk;
  readonly #fonts = new Map<number, ContentFont>();
  readonly #openForms = new Set<number>();
  #forms = 0;

  constructor(pdf: PDFDocument, boxes: readonly Rect[], ink: GlyphInk) {
    this.#pdf = pdf;
    this.#boxes = boxes;
    this.#ink = ink;
  }

  run(bytes: Uint8Array, resources: PDFObject, state: GraphicsState, depth: number): Run {
    return new ContentRun({ bytes, resources, state: { ...state }, depth, editor: this }).run();
  }

  get boxes(): readonly Rect[] {
    return this.#boxes;
  }

  font(font: PDFObject): ContentFont {
    const number = font.isIndirect() ? font.asIndirect() : 0;
    const read = this.#fonts.get(number) ?? readFont(font);
    if (number) this.#fonts.set(number, read);
    return read;
  }

  /** Whether a glyph is covered so far that it goes. */
  isCovered({ ink, shift, isExact }: ShownCode, toPage: Matrix): boolean {
    const origin = transformed(shift, toPage);
    const size = Math.max(...toPage.slice(0, 4).map(Math.abs));
    // A glyph of a Type3 font may be many times as large as the size of its font.
    const reach = size * Math.max(3, ...ink.map((edge) => Math.abs(edge) + 1));
    const area: Rect = [origin[0] - reach, origin[1] - reach, origin[0] + reach, origin[1] + reach];
    const near = this.#boxes.filter((box) => overlap(area, box));
    if (!near.length) return false;
    const known = isExact ? undefined : this.#ink.at(origin, Math.min(1, Math.max(0.3, size * 0.03)));
    const isInked = known && (known[2] - known[0]) * (known[3] - known[1]) > 1e-6;
    const [left, bottom, right, top] = ink;
    const [dx, dy] = shift;
    const outline = isInked
      ? cornersOf(known)
      : cornersOf([left + dx, bottom + dy, right + dx, top + dy]).map((corner) => transformed(corner, toPage));
    return coveredShare(outline, near) >= coveredEnough;
  }

  draw(object: PDFObject, resources: PDFObject, state: GraphicsState, depth: number): void {
    const subtype = object.get("Subtype");
    const kind = subtype.isName() ? subtype.asName() : "";
    if (kind === "Image") this.#image(object, state.ctm);
    else if (kind === "Form" || object.get("BBox").isArray()) this.#form(object, resources, state, depth);
  }

  #image(object: PDFObject, ctm: Matrix): void {
    if (wipeImage(this.#pdf, object, ctm, this.#boxes)) this.isChanged = true;
  }

  #form(form: PDFObject, outer: PDFObject, state: GraphicsState, depth: number): void {
    const number = form.asIndirect();
    if (depth >= deepestForm || this.#openForms.has(number) || ++this.#forms > mostForms) return;
    this.#openForms.add(number);
    const own = form.get("Resources");
    const inner = { ...state, ctm: concatenated(matrixOf(numbersOf(form, "Matrix")), state.ctm) };
    const streams = new ContentStreams(form);
    streams.apply(this.run(streams.bytes, own.isDictionary() ? own : outer, inner, depth + 1).edits);
    this.#openForms.delete(number);
  }
}

function cornersOf([left, top, right, bottom]: Rect): Point[] {
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ];
}
