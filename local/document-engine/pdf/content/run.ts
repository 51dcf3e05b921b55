import type { Matrix, PDFObject, Rect } from "mupdf";
import { entry } from "../objects.ts";
import type { ContentFont, ShownCode } from "./fonts.ts";
import { concatenated, matrixOf } from "./matrix.ts";
import { PathUnderWay, type Stroke } from "./paths.ts";
import type { Edit } from "./streams.ts";
import { decimal, numbersIn, OperationReader, type Operand, type Operation } from "./tokens.ts";

interface TextState {
  font: ContentFont | undefined;
  size: number;
  characterSpacing: number;
  wordSpacing: number;
  scaling: number;
  leading: number;
  rise: number;
}
export interface GraphicsState extends TextState, Stroke {
  ctm: Matrix;
}
export const initialState: Omit<GraphicsState, "ctm"> = {
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

/** What a pass over operations finds. */
export interface Run {
  edits: Edit[];
  unclosed: number;
  unopened: number;
}

/** What a pass asks of the edit that it is part of. */
export interface Editing {
  readonly boxes: readonly Rect[];
  isChanged: boolean;
  font(font: PDFObject): ContentFont;
  isCovered(shown: ShownCode, toPage: Matrix): boolean;
  /** Edits an image or a form that is drawn. */
  draw(object: PDFObject, resources: PDFObject, state: GraphicsState, depth: number): void;
}

/** Where the operations of a page or a form are, and who decides about them. */
interface Given {
  bytes: Uint8Array;
  resources: PDFObject;
  state: GraphicsState;
  depth: number;
  editor: Editing;
}

/** One pass over the operations of a page or a form. */
export class ContentRun {
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
        const room = (-1000 * (shown.advance * size + spacing)) / size;
        const last = written.at(-1);
        if (typeof last === "number") written.splice(-1, 1, last + room);
        else written.push(room);
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
