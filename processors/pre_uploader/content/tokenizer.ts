import { PermanentError } from "../../../contracts/errors.ts";
import { isRegular, isWhitespace, hexDigit } from "./characters.ts";
import { endOfImageData } from "./inline_image.ts";
import type { ComponentsOf } from "./inline_image.ts";
import type { InlineImage, Operand, Operation, Value } from "./operation.ts";

export type { InlineImage, Operand, Operation, Value } from "./operation.ts";

/** A content stream that is not made of operands and operators. */
export class ContentError extends PermanentError {
  constructor(what: string, position: number) {
    super("CONTENT_UNREADABLE", `${what} at byte ${position} of a content stream`);
  }
}

/** Budgets: a page that needs more is no page that a program draws. */
const deepestNesting = 64;
const mostOperands = 4096;

/**
 * Reads a content stream strictly: every byte belongs to an operation, to white space or to a comment.
 *
 * @param componentsOf how many components a colour space of the resources has, to find the end of inline images
 * @throws ContentError what is no content; PermanentError PDF_TOO_COMPLEX nesting and operands beyond the budget
 */
export function* tokenize(content: Uint8Array, componentsOf: ComponentsOf = () => undefined): Generator<Operation> {
  const reader = new Reader(content);
  let operands: Operand[] = [];
  for (;;) {
    const start = reader.skipSpace();
    if (reader.isAtEnd()) break;
    const operand = reader.readOperand(0);
    if (operand !== undefined) {
      if (operands.push(operand) > mostOperands) throw tooComplex(`${mostOperands} operands of one operator`);
      continue;
    }
    const operator = reader.readKeyword();
    const from = operands[0]?.start ?? start;
    if (operator === "BI") {
      const image = reader.readInlineImage(componentsOf);
      yield { operator, operands, start: from, end: reader.position, image };
    } else {
      yield { operator, operands, start: from, end: reader.position };
    }
    operands = [];
  }
  if (operands.length > 0) throw new ContentError("there are operands without an operator", operands[0]?.start ?? 0);
}

export function tooComplex(budget: string): PermanentError {
  return new PermanentError(
    "PDF_TOO_COMPLEX",
    `the PDF has more than ${budget}: print it to a simpler PDF in the source case`,
  );
}

/** Characters of syntax, by their codes. */
const code = {
  ...{ percent: 0x25, parenthesis: 0x28, parenthesisEnd: 0x29, slash: 0x2f, less: 0x3c, greater: 0x3e },
  ...{ bracket: 0x5b, backslash: 0x5c, bracketEnd: 0x5d, feed: 0x0a, carriage: 0x0d, hash: 0x23 },
} as const;

const escapes: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, f: 12 };

class Reader {
  position = 0;
  readonly #content: Uint8Array;

  constructor(content: Uint8Array) {
    this.#content = content;
  }

  isAtEnd(): boolean {
    return this.position >= this.#content.length;
  }

  /** Skips white space and comments. @returns where the next token begins */
  skipSpace(): number {
    for (; this.position < this.#content.length; this.position++) {
      const byte = this.#at();
      if (byte === code.percent) this.#skipComment();
      else if (!isWhitespace(byte)) break;
    }
    return this.position;
  }

  #skipComment(): void {
    while (!this.isAtEnd() && this.#at() !== code.feed && this.#at() !== code.carriage) this.position++;
  }

  /** @returns undefined before an operator */
  readOperand(depth: number): Operand | undefined {
    if (depth > deepestNesting) throw tooComplex(`${deepestNesting} levels of nesting in a content stream`);
    const start = this.position;
    const value = this.#readValue(depth);
    return value && { ...value, start, end: this.position };
  }

  #readValue(depth: number): Value | undefined {
    const byte = this.#at();
    if (byte === code.slash) return { type: "name", value: this.#readName() };
    if (byte === code.parenthesis) return { type: "string", bytes: this.#readLiteral() };
    if (byte === code.bracket) return { type: "array", items: this.#readArray(depth) };
    if (byte === code.less) {
      if (this.#at(1) === code.less) return { type: "dictionary", entries: this.#readDictionary(depth) };
      return { type: "string", bytes: this.#readHexadecimal() };
    }
    if (!isRegular(byte)) throw new ContentError("there is a delimiter that opens nothing", this.position);
    return this.#readWordValue();
  }

  #readWordValue(): Value | undefined {
    const start = this.position;
    const first = this.#at();
    const canBeValue = isNumberStart(first) || first === 0x74 || first === 0x66 || first === 0x6e;
    if (!canBeValue) return undefined;
    const word = this.readKeyword();
    if (isNumber(word)) return { type: "number", value: numberOf(word) };
    if (word === "true" || word === "false") return { type: "boolean", value: word === "true" };
    if (word === "null") return { type: "null" };
    this.position = start;
    return undefined;
  }

  /** A run of regular characters. */
  readKeyword(): string {
    const start = this.position;
    while (!this.isAtEnd() && isRegular(this.#at())) this.position++;
    return latin1(this.#content.subarray(start, this.position));
  }

  #readName(): string {
    this.position++;
    const written = this.readKeyword();
    if (!written.includes("#")) return written;
    return written.replaceAll(/#([\dA-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
  }

  #readArray(depth: number): Operand[] {
    const start = this.position++;
    const items: Operand[] = [];
    for (;;) {
      this.skipSpace();
      if (this.isAtEnd()) throw new ContentError("an array has no end", start);
      if (this.#at() === code.bracketEnd) break;
      const item = this.readOperand(depth + 1);
      if (item === undefined) throw new ContentError("there is an operator within an array", this.position);
      items.push(item);
    }
    this.position++;
    return items;
  }

  #readDictionary(depth: number): Map<string, Operand> {
    const start = this.position;
    this.position += 2;
    const isEnd = () => this.#at() === code.greater && this.#at(1) === code.greater;
    const entries = this.#readEntries(depth, start, isEnd);
    this.position += 2;
    return entries;
  }

  /** Names with their values, until `isEnd`. */
  #readEntries(depth: number, start: number, isEnd: () => boolean): Map<string, Operand> {
    const entries = new Map<string, Operand>();
    for (;;) {
      this.skipSpace();
      if (this.isAtEnd()) throw new ContentError("a dictionary has no end", start);
      if (isEnd()) return entries;
      if (this.#at() !== code.slash) throw new ContentError("a key of a dictionary is no name", this.position);
      const key = this.#readName();
      this.skipSpace();
      const value = this.isAtEnd() || isEnd() ? undefined : this.readOperand(depth + 1);
      if (value === undefined) throw new ContentError("a key of a dictionary has no value", this.position);
      entries.set(key, value);
    }
  }

  #readLiteral(): Uint8Array {
    const start = this.position++;
    const bytes: number[] = [];
    for (let open = 1; ; this.position++) {
      if (this.isAtEnd()) throw new ContentError("a string has no end", start);
      const byte = this.#at();
      if (byte === code.backslash) {
        this.#readEscape(bytes);
        continue;
      }
      if (byte === code.parenthesis) open++;
      if (byte === code.parenthesisEnd && --open === 0) break;
      bytes.push(byte);
    }
    this.position++;
    return Uint8Array.from(bytes);
  }

  /** Reads one escape and stops at its last character. */
  #readEscape(bytes: number[]): void {
    const next = this.#at(1);
    if (next >= 0x30 && next <= 0x37) {
      let value = 0;
      for (let digits = 0; digits < 3 && this.#at(1) >= 0x30 && this.#at(1) <= 0x37; digits++) {
        value = value * 8 + this.#at(1) - 0x30;
        this.position++;
      }
      bytes.push(value & 0xff);
      return;
    }
    this.position++;
    if (this.isAtEnd()) return;
    if (next === code.carriage) {
      if (this.#at(1) === code.feed) this.position++;
    } else if (next !== code.feed) {
      bytes.push(escapes[String.fromCharCode(next)] ?? next);
    }
  }

  #readHexadecimal(): Uint8Array {
    const start = this.position++;
    const bytes: number[] = [];
    let high: number | undefined;
    for (; ; this.position++) {
      if (this.isAtEnd()) throw new ContentError("a hexadecimal string has no end", start);
      const byte = this.#at();
      if (byte === code.greater) break;
      if (isWhitespace(byte)) continue;
      const digit = hexDigit(byte);
      if (digit === undefined) throw new ContentError("a hexadecimal string has other characters", this.position);
      if (high !== undefined) bytes.push(high + digit);
      high = high === undefined ? digit << 4 : undefined;
    }
    this.position++;
    if (high !== undefined) bytes.push(high);
    return Uint8Array.from(bytes);
  }

  /** What follows `BI`, through `EI`. */
  readInlineImage(componentsOf: ComponentsOf): InlineImage {
    const start = this.position;
    const isData = () => this.#at() === 0x49 && this.#at(1) === 0x44 && !isRegular(this.#at(2));
    const entries = this.#readEntries(0, start, isData);
    this.position += 2;
    if (isWhitespace(this.#at())) this.position++;
    const end = endOfImageData(this.#content, this.position, entries, componentsOf);
    if (end === undefined) throw new ContentError("an inline image has no end", start);
    const data = this.#content.subarray(this.position, end.data);
    this.position = end.operator;
    return { entries, data };
  }

  /** The byte so many places on, -1 behind the last. */
  #at(further = 0): number {
    return this.#content[this.position + further] ?? -1;
  }
}

function isNumberStart(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2b || byte === 0x2d || byte === 0x2e;
}

function isNumber(word: string): boolean {
  return /^[\d+.-]+$/.test(word);
}

/** As readers take careless numbers: `1.2.3` is 1.2, `--5` is -5, `-` is 0. */
function numberOf(word: string): number {
  const value = Number.parseFloat(word.replace(/^([+-])[+-]+/, "$1"));
  return Number.isNaN(value) ? 0 : value;
}

function latin1(bytes: Uint8Array): string {
  return bytes.length < 16
    ? String.fromCharCode(...bytes)
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
