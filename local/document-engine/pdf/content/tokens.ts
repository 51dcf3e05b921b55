/** One operand of a content stream. Strings keep their bytes, dictionaries are only kept where an operator needs them. */
export type Operand =
  | { kind: "number"; value: number }
  | { kind: "name"; value: string }
  | { kind: "string"; value: Uint8Array }
  | { kind: "array"; value: Operand[] }
  | { kind: "other" };

/** An operator with its operands; `start` and `end` are byte offsets, `start` that of its first operand. */
export interface Operation {
  name: string;
  operands: Operand[];
  start: number;
  end: number;
}

const space = new Set([0, 9, 10, 12, 13, 32]);
const delimiters = new Set(Buffer.from("()<>[]{}/%"));
const code = (character: string) => character.charCodeAt(0);
const escapes: Record<string, number> = { n: 10, r: 13, t: 9, b: 8, f: 12 };
const other: Operand = { kind: "other" };
const deepestNesting = 64;

/** Reads the operations of a content stream. What cannot be read is skipped, as viewers do. */
export class OperationReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  *read(): Generator<Operation> {
    let operands: Operand[] = [];
    let start = -1;
    for (;;) {
      this.#skipSpace();
      if (this.#at >= this.#bytes.length) return;
      const from = this.#at;
      if (start < 0) start = from;
      const token = this.#token(0);
      if (typeof token !== "string") {
        operands.push(token);
        continue;
      }
      if (token === "BI") this.#skipInlineImage();
      yield { name: token, operands, start, end: this.#at };
      operands = [];
      start = -1;
    }
  }

  #skipSpace(): void {
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) return;
      if (space.has(byte)) this.#at++;
      else if (byte === code("%")) {
        while (this.#at < this.#bytes.length && this.#bytes[this.#at] !== 10 && this.#bytes[this.#at] !== 13)
          this.#at++;
      } else return;
    }
  }

  /** An operand, or the word of an operator. */
  #token(depth: number): Operand | string {
    const byte = this.#bytes[this.#at] ?? 0;
    const next = this.#bytes[this.#at + 1];
    if (byte === code("/")) {
      this.#at++;
      return { kind: "name", value: decodedName(this.#word()) };
    }
    if (byte === code("(")) return { kind: "string", value: this.#literal() };
    if (byte === code("<") && next === code("<")) return this.#nested(">", depth, 2);
    if (byte === code("<")) return { kind: "string", value: this.#hexadecimal() };
    if (byte === code("[")) return this.#nested("]", depth, 1);
    if (delimiters.has(byte)) {
      this.#at++;
      return other;
    }
    const word = this.#word();
    if (/^[+-]*\d*\.?\d*(?:-\d*)?$/.test(word) && /\d/.test(word)) return { kind: "number", value: numberOf(word) };
    return word;
  }

  #word(): string {
    const from = this.#at;
    while (this.#at < this.#bytes.length) {
      const byte = this.#bytes[this.#at] ?? 0;
      if (space.has(byte) || delimiters.has(byte)) break;
      this.#at++;
    }
    return Buffer.from(this.#bytes.subarray(from, this.#at)).toString("latin1");
  }

  #nested(closing: string, depth: number, width: number): Operand {
    this.#at += width;
    const value: Operand[] = [];
    for (;;) {
      this.#skipSpace();
      const byte = this.#bytes[this.#at];
      if (byte === undefined) break;
      if (byte === code(closing)) {
        this.#at += this.#bytes[this.#at + 1] === code(closing) ? width : 1;
        break;
      }
      if (depth >= deepestNesting) {
        this.#at++;
        continue;
      }
      const item = this.#token(depth + 1);
      if (typeof item !== "string") value.push(item);
    }
    return closing === "]" ? { kind: "array", value } : other;
  }

  #literal(): Uint8Array {
    const bytes: number[] = [];
    let depth = 1;
    this.#at++;
    while (this.#at < this.#bytes.length) {
      const byte = this.#bytes[this.#at++] ?? 0;
      if (byte === code("\\")) this.#escape(bytes);
      else if (byte === code(")") && --depth === 0) break;
      else {
        if (byte === code("(")) depth++;
        bytes.push(byte);
      }
    }
    return Uint8Array.from(bytes);
  }

  #escape(bytes: number[]): void {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) return;
    if (byte >= 48 && byte <= 55) {
      let value = byte - 48;
      for (let digits = 1; digits < 3; digits++) {
        const digit = this.#bytes[this.#at] ?? 0;
        if (digit < 48 || digit > 55) break;
        value = value * 8 + digit - 48;
        this.#at++;
      }
      bytes.push(value & 255);
    } else if (byte === 13) {
      if (this.#bytes[this.#at] === 10) this.#at++;
    } else if (byte !== 10) bytes.push(escapes[String.fromCharCode(byte)] ?? byte);
  }

  #hexadecimal(): Uint8Array {
    this.#at++;
    let digits = "";
    while (this.#at < this.#bytes.length) {
      const byte = this.#bytes[this.#at++] ?? 0;
      if (byte === code(">")) break;
      if (!space.has(byte)) digits += String.fromCharCode(byte);
    }
    return Uint8Array.from(Buffer.from(digits.length % 2 ? `${digits}0` : digits, "hex"));
  }

  /** From after `BI` to after the `EI` that ends the image. */
  #skipInlineImage(): void {
    for (;;) {
      this.#skipSpace();
      if (this.#at >= this.#bytes.length) return;
      const token = this.#token(0);
      if (token === "ID") break;
    }
    this.#at++;
    for (let at = this.#at; at + 1 < this.#bytes.length; at++) {
      if (this.#bytes[at] !== code("E") || this.#bytes[at + 1] !== code("I")) continue;
      const [before, after] = [this.#bytes[at - 1] ?? 32, this.#bytes[at + 2] ?? 32];
      if (!space.has(before) || !space.has(after) || !this.#isText(at + 2)) continue;
      this.#at = at + 2;
      return;
    }
    this.#at = this.#bytes.length;
  }

  /** Pixels can look like `EI`; what follows the real one is text. */
  #isText(from: number): boolean {
    return this.#bytes.subarray(from, from + 12).every((byte) => space.has(byte) || (byte >= 32 && byte < 127));
  }
}

function numberOf(word: string): number {
  const [, signs = "", digits = ""] = /^([+-]*)([\d.]*)/.exec(word) ?? [];
  const value = Number(digits || 0);
  return signs.includes("-") ? -value : value;
}

function decodedName(name: string): string {
  return name.replace(/#([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
}

/** The numbers among operands, in their order. */
export function numbersIn(operands: readonly Operand[]): number[] {
  return operands.flatMap((operand) => (operand.kind === "number" ? [operand.value] : []));
}

/** Plain decimals: PDF knows no exponents. */
export function decimal(value: number, digits = 4): string {
  const text = value.toFixed(digits);
  return text.includes(".") ? text.replace(/\.?0+$/, "") || "0" : text;
}
