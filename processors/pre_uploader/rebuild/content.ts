/** Writes a content stream anew: known operators only, resources under names of ours, nothing that is marked or hidden. */
import { PDFName } from "@cantoo/pdf-lib";
import type { PDFObject, PDFRawStream } from "@cantoo/pdf-lib";
import { PermanentError } from "../../../contracts/errors.ts";
import { limits, tooComplex, unreadable } from "./faults.ts";
import type { Place } from "./faults.ts";
import { deviceSpaces, renderingIntents } from "./grammar.ts";
import { inlineImage } from "./inline-image.ts";
import {
  colorOperands,
  hasGlyphs,
  isConstant,
  lastOperands,
  operators,
  paintsPath,
  placesText,
  showsText,
} from "./operators.ts";
import { isDictionary } from "./reading.ts";
import type { Reading } from "./reading.ts";
import { Settings } from "./settings.ts";
import type { Setting } from "./settings.ts";
import { Tokens } from "./tokens.ts";
import type { Operand, Token } from "./tokens.ts";

export type Category = "Font" | "XObject" | "ExtGState" | "ColorSpace" | "Pattern" | "Shading";

/** What a content stream needs to know of its surroundings. */
export interface Surroundings {
  /** What the name stands for in the resources; undefined where it stands for nothing. */
  find: (category: Category | "Properties", name: string) => PDFObject | undefined;
  /** Copies a resource; the name under which the new content finds it, undefined where it must not or cannot be used. */
  use: (category: Category, value: PDFObject | undefined, place: Place) => string | undefined;
  useImage: (image: PDFRawStream, place: Place) => string | undefined;
  isVisible: (membership: PDFObject | undefined) => boolean;
  isHiddenObject: (xObject: PDFObject | undefined) => boolean;
  reading: Reading;
  place: Place;
  /** Whether nothing is painted, and all is set for what others paint. */
  isOnlyState?: boolean;
}

export function rewriteContent(content: Buffer, surroundings: Surroundings): Buffer {
  return new Rewriting(content, surroundings).run();
}

class Rewriting {
  readonly #content: Buffer;
  readonly #tokens: Tokens;
  readonly #around: Surroundings;
  readonly #place: Place;
  readonly #out: string[] = [];
  readonly #settings = new Settings();
  /** Fonts that show nothing, yet move what follows by their size. */
  readonly #sizes = new Map<Setting, () => void>();
  readonly #measured = new Set<Setting>();
  /** Of each marked-content sequence that is open, whether it is hidden. */
  readonly #marks: boolean[] = [];
  #hidden = 0;
  /** Whether text that is gone stood before what comes next in its line. */
  #followsHiddenText = false;

  constructor(content: Buffer, surroundings: Surroundings) {
    this.#content = content;
    this.#around = surroundings;
    this.#place = surroundings.place;
    this.#tokens = new Tokens(content, this.#place);
  }

  run(): Buffer {
    let operands: Operand[] = [];
    let count = 0;
    for (let token = this.#tokens.next(); token !== undefined; token = this.#tokens.next()) {
      if (token.type !== "word") {
        if (operands.length >= limits.operands) throw tooComplex("operands", this.#place);
        operands.push(token);
        continue;
      }
      // Once in a while is enough.
      if (++count % 1000 === 0) this.#around.reading.budget.spend("operators", 1000, this.#place);
      if (isConstant(token.word)) continue;
      this.#operator(token.word, operands);
      if (operands.length > 0) operands = [];
    }
    this.#around.reading.budget.spend("operators", count % 1000, this.#place);
    for (const setting of this.#measured) if (!setting.isUsed) this.#sizes.get(setting)?.();
    return Buffer.from(this.#out.join(""), "latin1");
  }

  #operator(name: string, operands: Operand[]): void {
    switch (name) {
      case "BMC":
      case "BDC":
        this.#begin(operands);
        return;
      case "EMC":
        if (this.#marks.pop() === true) this.#hidden--;
        return;
      case "BI":
        this.#inlineImage();
        return;
    }
    const wanted = operators.get(name);
    if (wanted === undefined) return;
    const taken = wanted === "*" ? colorOperands(operands) : lastOperands(operands, wanted);
    if (taken === undefined) return;
    if (showsText.has(name)) this.#text(name, taken);
    else if (!paintsPath.has(name)) this.#other(name, taken);
    else if (this.#hidden > 0) this.#out.push(name === "s" || name === "b" ? "h n\n" : "n\n");
    else {
      this.#settings.paint(false);
      this.#write(name, taken);
    }
  }

  #begin(operands: readonly Operand[]): void {
    const [tag, properties] = operands;
    const isHidden =
      tag?.type === "name" &&
      tag.name === "OC" &&
      properties?.type === "name" &&
      !this.#around.isVisible(this.#around.find("Properties", properties.name));
    if (this.#marks.length >= limits.markedContent) throw tooComplex("markedContent", this.#place);
    this.#marks.push(isHidden);
    if (isHidden) this.#hidden++;
  }

  #text(name: string, operands: readonly Operand[]): void {
    if (placesText.has(name)) this.#followsHiddenText = false;
    if (this.#hidden === 0) {
      if (this.#followsHiddenText) {
        throw new PermanentError(
          "PDF_HIDDEN_TEXT_FLOW",
          `${this.#place.toString()}: visible text is placed by hidden text before it; make the layer visible or remove it in the source case`,
        );
      }
      if (operands.some(hasGlyphs)) this.#settings.paint(true);
      else if (this.#settings.font) this.#measured.add(this.#settings.font);
      this.#write(name, operands);
      return;
    }
    if (name === '"') {
      const [word, character] = operands;
      if (word) this.#write("Tw", [word]);
      if (character) this.#write("Tc", [character]);
    }
    if (name === "'" || name === '"') this.#write("T*", []);
    this.#followsHiddenText = true;
  }

  #other(name: string, operands: Operand[]): void {
    if (placesText.has(name) || name === "ET") this.#followsHiddenText = false;
    const [first] = operands;
    const resource = first?.type === "name" ? first.name : "";
    switch (name) {
      case "q":
        if (this.#settings.save() > limits.savedStates) throw tooComplex("savedStates", this.#place);
        this.#write(name, []);
        return;
      case "Q":
        this.#settings.restore();
        this.#write(name, []);
        return;
      case "Tf":
        this.#setFont(resource, operands.slice(1));
        return;
      case "gs":
        this.#settings.addGraphics(this.#setting("gs", "ExtGState", this.#around.find("ExtGState", resource), []));
        return;
      case "sh":
        if (this.#hidden > 0) return;
        this.#settings.paint(false);
        this.#resource(name, "Shading", resource);
        return;
      case "Do":
        this.#draw(resource);
        return;
      case "g":
      case "rg":
      case "k":
      case "G":
      case "RG":
      case "K":
        this.#settings.set(name === name.toLowerCase() ? "fill" : "stroke", undefined);
        this.#write(name, operands);
        return;
      case "cs":
      case "CS":
        this.#settings.set(name === "cs" ? "fill" : "stroke", undefined);
        if (resource === "Pattern" || deviceSpaces.includes(resource)) this.#write(name, operands);
        else this.#resource(name, "ColorSpace", resource);
        return;
      case "scn":
      case "SCN":
      case "sc":
      case "SC":
        this.#color(name, operands);
        return;
      case "ri":
        if (renderingIntents.includes(resource)) this.#write(name, operands);
        return;
      default:
        this.#write(name, operands);
    }
  }

  #draw(name: string): void {
    const object = this.#around.find("XObject", name);
    if (this.#hidden > 0 || this.#around.isHiddenObject(object)) return;
    const dictionary = this.#around.reading.resolve(object);
    const isImage = isDictionary(dictionary) && this.#around.reading.name(dictionary, "Subtype") === "Image";
    this.#settings.paint(!isImage);
    this.#named("Do", object && this.#around.use("XObject", object, this.#place), []);
  }

  #setFont(name: string, size: readonly Operand[]): void {
    const font = this.#around.find("Font", name);
    const setting = this.#setting("Tf", "Font", font, size);
    const at = this.#out.length - 1;
    this.#sizes.set(setting, () => {
      const stock = this.#around.use("Font", undefined, this.#place);
      if (stock !== undefined) this.#out[at] = this.#line("Tf", [{ type: "name", name: stock }, ...size]);
    });
    this.#settings.set("font", setting);
  }

  /** An operator that is written only if something is painted with what it sets. */
  #setting(operator: string, category: Category, value: PDFObject | undefined, operands: readonly Operand[]): Setting {
    const at = this.#out.push("") - 1;
    const use = () => {
      if (value === undefined && category !== "Font") return;
      const name = this.#around.use(category, value, this.#place);
      if (name === undefined) return;
      const own: Operand = { type: "name", name };
      const isColor = category === "Pattern";
      this.#out[at] = this.#line(operator, isColor ? [...operands, own] : [own, ...operands]);
    };
    if (this.#around.isOnlyState === true) use();
    return { isUsed: false, use };
  }

  #color(name: string, operands: Operand[]): void {
    const last = operands.at(-1);
    const what = name === name.toLowerCase() ? "fill" : "stroke";
    if (last?.type !== "name") {
      this.#settings.set(what, undefined);
      this.#write(name, operands);
      return;
    }
    const pattern = this.#around.find("Pattern", last.name);
    // What names no pattern leaves the colour as it was.
    if (pattern) this.#settings.set(what, this.#setting(name, "Pattern", pattern, operands.slice(0, -1)));
  }

  #resource(operator: string, category: Category, name: string): void {
    const value = this.#around.find(category, name);
    this.#named(operator, value && this.#around.use(category, value, this.#place), []);
  }

  #named(operator: string, name: string | undefined, operands: readonly Operand[]): void {
    if (name !== undefined) this.#write(operator, [{ type: "name", name }, ...operands]);
  }

  #inlineImage(): void {
    const image = inlineImage(this.#tokens, this.#place, this.#around.reading, (name) =>
      this.#around.find("ColorSpace", name),
    );
    if (this.#hidden > 0) return;
    this.#settings.paint(false);
    this.#named("Do", this.#around.useImage(image, this.#place), []);
  }

  #write(operator: string, operands: readonly Operand[]): void {
    this.#out.push(this.#line(operator, operands));
  }

  #line(operator: string, operands: readonly Operand[]): string {
    let line = "";
    for (const operand of operands) line += `${this.#textOf(operand)} `;
    return `${line}${operator}\n`;
  }

  #textOf(operand: Token): string {
    switch (operand.type) {
      case "number":
        return operand.text;
      case "string":
        return operand.digits === undefined
          ? this.#content.toString("latin1", operand.from, operand.to)
          : `<${operand.digits}>`;
      case "name":
        return PDFName.of(operand.name).asString();
      case "array":
        return `[${operand.elements.map((element) => this.#textOf(element)).join(" ")}]`;
      case "word":
      case "dictionary":
        throw unreadable(this.#place, "an operand is of no known kind");
    }
  }
}
