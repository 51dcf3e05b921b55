import type { Matrix, PDFDocument, PDFObject, PDFPage, Point, Rect } from "mupdf";
import { entry, numbersOf } from "../objects.ts";
import { boundsOf, coveredShare, overlap } from "./cut.ts";
import { readFont, type ContentFont, type ShownCode } from "./fonts.ts";
import { GlyphInk } from "./glyphs.ts";
import { wipeImage } from "./images.ts";
import { concatenated, matrixOf, transformed } from "./matrix.ts";
import { PathUnderWay, type Stroke } from "./paths.ts";
import { decimal, numbersIn, OperationReader, type Operand, type Operation } from "./tokens.ts";
import { ContentStreams, type Edit } from "./streams.ts";

/** A glyph goes whole once this share of its ink is covered: the engine core was measured at 0.19 to 0.32. */
const coveredEnough = 0.25;
const deepestForm = 24;
const mostForms = 10_000;

interface TextState {
  font: ContentFont | undefined;
  size: number;
  characterSpacing: number;
  wordSpacing: number;
  scaling: number;
  leading: number;
  rise: number;
}
interface GraphicsState extends TextState, Stroke {
  ctm: Matrix;
}
const initialState: Omit<GraphicsState, "ctm"> = {
  font: undefined,
  size: 0,
  characterSpacing: 0,
  wordSpacing: 0,
  scaling: 1,
  leading: 0,
  rise: 0,
  width: 1,
  dash: [],
  phase: 0,
};

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

interface Run {
  edits: Edit[];
  unclosed: number;
  unopened: number;
}

class Editor {
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
  isCovered({ ink, shift }: ShownCode, toPage: Matrix): boolean {
    const origin = transformed(shift, toPage);
    const size = Math.max(...toPage.slice(0, 4).map(Math.abs));
    const area: Rect = [origin[0] - 3 * size, origin[1] - 3 * size, origin[0] + 3 * size, origin[1] + 3 * size];
    const near = this.#boxes.filter((box) => overlap(area, box));
    if (!near.length) return false;
    const known = this.#ink.at(origin, Math.min(1, Math.max(0.3, size * 0.03)));
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

interface Given {
  bytes: Uint8Array;
  resources: PDFObject;
  state: GraphicsState;
  depth: number;
  editor: Editor;
}

/** One pass over the operations of a page or a form. */
class ContentRun {
  readonly #given: Given;
  readonly #edits: Edit[] = [];
  readonly #stack: GraphicsState[] = [];
  #state: GraphicsState;
  #unopened = 0;
  #path = new PathUnderWay();
  #textMatrix: Matrix = [1, 0, 0, 1, 0, 0];
  #lineMatrix: Matrix = [1, 0, 0, 1, 0, 0];

  constructor(given: Given) {
    this.#given = given;
    this.#state = given.state;
  }

  run(): Run {
    for (const operation of new OperationReader(this.#given.bytes).read()) this.#carryOut(operation);
    return { edits: this.#edits, unclosed: this.#stack.length, unopened: this.#unopened };
  }

  #carryOut(operation: Operation): void {
    const { name, operands } = operation;
    const numbers = numbersIn(operands);
    const [first = 0] = numbers;
    if (this.#path.construct(name, numbers, this.#state.ctm)) {
      this.#path.covers(operation.start, operation.end);
      return;
    }
    if (name === "W" || name === "W*") {
      this.#path.isClip = true;
      this.#path.covers(operation.start, operation.end);
      return;
    }
    this.#path.interrupt();
    switch (name) {
      case "q":
        this.#stack.push({ ...this.#state });
        break;
      case "Q": {
        const saved = this.#stack.pop();
        if (saved) this.#state = saved;
        else this.#unopened++;
        break;
      }
      case "cm":
        this.#state.ctm = concatenated(matrixOf(numbers), this.#state.ctm);
        break;
      case "w":
        this.#state.width = first;
        break;
      case "d":
        this.#setDash(operands[0], numbers.at(-1) ?? 0);
        break;
      case "gs":
        this.#setExtended(nameOf(operands[0]));
        break;
      case "f":
      case "F":
      case "f*":
      case "S":
      case "s":
      case "B":
      case "B*":
      case "b":
      case "b*":
      case "n":
        this.#paint(operation);
        break;
      case "Do": {
        const object = entry(this.#given.resources, "XObject", nameOf(operands[0]));
        if (object.isStream()) {
          this.#given.editor.draw(object, this.#given.resources, this.#state, this.#given.depth);
        }
        break;
      }
      default:
        this.#carryOutText(operation, numbers);
    }
  }

  #setDash(list: Operand | undefined, phase: number): void {
    this.#state.dash = list?.kind === "array" ? numbersIn(list.value) : [];
    this.#state.phase = phase;
  }

  #setExtended(name: string): void {
    const extended = entry(this.#given.resources, "ExtGState", name);
    if (!extended.isDictionary()) return;
    const width = extended.get("LW");
    if (width.isNumber()) this.#state.width = width.asNumber();
    const font = extended.get("Font");
    if (font.isArray()) {
      this.#state.font = this.#given.editor.font(font.get(0));
      this.#state.size = font.get(1).isNumber() ? font.get(1).asNumber() : 0;
    }
  }

  #paint({ name, start, end }: Operation): void {
    const path = this.#path;
    this.#path = new PathUnderWay();
    const { ctm } = this.#state;
    const painted = path.paintedWithout(name, ctm, this.#state, this.#given.editor.boxes);
    if (painted === undefined) return;
    const construction = path.ranges.map((range) =>
      Buffer.from(this.#given.bytes.subarray(range.start, range.end)).toString("latin1"),
    );
    for (const range of path.ranges) this.#edit(range.start, range.end, "");
    this.#edit(start, end, `${painted}${path.isClip ? `\n${construction.join("\n")} n` : ""}\n`);
  }

  #edit(start: number, end: number, replacement: string): void {
    this.#edits.push({ start, end, replacement });
    this.#given.editor.isChanged = true;
  }

  #carryOutText(operation: Operation, numbers: readonly number[]): void {
    const { name, operands } = operation;
    const [first = 0, second = 0] = numbers;
    const state = this.#state;
    switch (name) {
      case "BT":
        this.#textMatrix = this.#lineMatrix = [1, 0, 0, 1, 0, 0];
        break;
      case "Tc":
        state.characterSpacing = first;
        break;
      case "Tw":
        state.wordSpacing = first;
        break;
      case "Tz":
        state.scaling = first / 100;
        break;
      case "TL":
        state.leading = first;
        break;
      case "Ts":
        state.rise = first;
        break;
      case "Tf":
        state.font = this.#given.editor.font(entry(this.#given.resources, "Font", nameOf(operands[0])));
        state.size = first;
        break;
      case "Td":
        this.#newLine(first, second);
        break;
      case "TD":
        state.leading = -second;
        this.#newLine(first, second);
        break;
      case "T*":
        this.#newLine(0, -state.leading);
        break;
      case "Tm":
        this.#textMatrix = this.#lineMatrix = matrixOf(numbers);
        break;
      case "Tj":
        this.#show(operation, operands.slice(-1), "");
        break;
      case "TJ":
        this.#show(
          operation,
          operands.at(-1)?.kind === "array" ? (operands.at(-1) as { value: Operand[] }).value : [],
          "",
        );
        break;
      case "'":
        this.#newLine(0, -state.leading);
        this.#show(operation, operands.slice(-1), "T*\n");
        break;
      case '"':
        [state.wordSpacing, state.characterSpacing] = [first, second];
        this.#newLine(0, -state.leading);
        this.#show(operation, operands.slice(-1), `${decimal(first)} Tw ${decimal(second)} Tc T*\n`);
    }
  }

  #newLine(x: number, y: number): void {
    this.#textMatrix = this.#lineMatrix = concatenated([1, 0, 0, 1, x, y], this.#lineMatrix);
  }

  /** Shows strings; those with glyphs under a box are written anew without them, and with the room that they took. */
  #show({ start, end }: Operation, items: readonly Operand[], before: string): void {
    const { font } = this.#state;
    const written: (string | number)[] = [];
    let isChanged = false;
    for (const item of items) {
      if (item.kind === "number") {
        this.#move(-item.value / 1000, 0);
        written.push(item.value);
      } else if (item.kind === "string" && font) {
        isChanged = this.#showString(item.value, font, written) || isChanged;
      }
    }
    if (!isChanged) return;
    const parts = written.map((part) => (typeof part === "number" ? decimal(part) : `<${part}>`));
    this.#edit(start, end, `${before}[${parts.join(" ")}] TJ\n`);
  }

  #showString(bytes: Uint8Array, font: ContentFont, written: (string | number)[]): boolean {
    const { size, characterSpacing, wordSpacing, scaling, rise } = this.#state;
    let isChanged = false;
    let at = 0;
    let kept = "";
    for (const shown of font.codes(bytes)) {
      const code = Buffer.from(bytes.subarray(at, at + shown.length)).toString("hex");
      at += shown.length;
      const spacing = characterSpacing + (shown.isWordSpace ? wordSpacing : 0);
      const toPage = concatenated(
        concatenated([size * scaling, 0, 0, size, 0, rise], this.#textMatrix),
        this.#state.ctm,
      );
      if (size !== 0 && this.#given.editor.isCovered(shown, toPage)) {
        isChanged = true;
        if (kept) written.push(kept);
        kept = "";
        written.push((-1000 * (shown.advance * size + spacing)) / size);
      } else kept += code;
      this.#move(shown.advance, spacing);
    }
    if (kept) written.push(kept);
    return isChanged;
  }

  /** @param advance in parts of the font's size */
  #move(advance: number, spacing: number): void {
    const { font, size, scaling } = this.#state;
    const along = advance * size + spacing;
    const step: Matrix = font?.isVertical ? [1, 0, 0, 1, 0, along] : [1, 0, 0, 1, along * scaling, 0];
    this.#textMatrix = concatenated(step, this.#textMatrix);
  }
}

function nameOf(operand: Operand | undefined): string {
  return operand?.kind === "name" ? operand.value : "";
}
