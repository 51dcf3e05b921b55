/**
 * The syntax of PDF objects (ISO 32000-1, 7.3), strictly, for files that the rebuild has written: no comments, no
 * generations, nothing that a lenient reader would repair. Shared with nothing that writes, so that no mistake of a writer
 * is repeated here.
 */

export class Name {
  readonly value: string;
  /** @param value without the slash, escapes undone, a character for each byte */
  constructor(value: string) {
    this.value = value;
  }
}

export class Reference {
  readonly number: number;
  constructor(number: number) {
    this.number = number;
  }
}

/** Keys without the slash. */
export type Dictionary = Map<string, Value>;

export class Stream {
  readonly dictionary: Dictionary;
  readonly raw: Uint8Array;
  constructor(dictionary: Dictionary, raw: Uint8Array) {
    this.dictionary = dictionary;
    this.raw = raw;
  }
}

/** Strings are bytes. */
export type Value = null | boolean | number | Name | Uint8Array | Reference | Value[] | Dictionary;

/** Something that does not follow the rules. Messages never quote the file. */
export class Fault extends Error {
  override readonly name = "Fault";
}

/** A run of regular characters that is no value: an operator or a keyword. */
export class Word {
  readonly value: string;
  constructor(value: string) {
    this.value = value;
  }
}

const deepest = 64;
/** Numbers of more digits than any program needs may carry a message; zeros before the first of them do not. */
const mostDigits = 24;
const mostLeadingZeros = 64;
const numeric = /^[+-]?(?:\d+\.?\d*|\.\d+)$/;
/** The zeros before the first other digit, with the point among them, and what follows. */
const digitsApart = /^[+-]?([0.]*)(.*)$/;

const kind = { other: 0, space: 1, delimiter: 2 } as const;
const classes = new Uint8Array(256);
for (const space of [0, 9, 10, 12, 13, 32]) classes[space] = kind.space;
for (const delimiter of "()<>[]{}/%") classes[delimiter.charCodeAt(0)] = kind.delimiter;

export function isSpace(byte: number): boolean {
  return classes[byte] === kind.space;
}

function isRegular(byte: number | undefined): boolean {
  return byte !== undefined && classes[byte] === kind.other;
}

export class Lexer {
  readonly bytes: Buffer;
  position: number;

  constructor(bytes: Uint8Array, position = 0) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = position;
  }

  skipSpace(): void {
    while (this.position < this.bytes.length && isSpace(this.bytes[this.position] ?? 0)) this.position++;
  }

  /** Whether nothing but white space is left. */
  isAtEnd(): boolean {
    this.skipSpace();
    return this.position >= this.bytes.length;
  }

  /** The next value, or the next word that is none. @throws Fault */
  next(depth = 0): Value | Word {
    if (depth > deepest) throw new Fault("objects are nested too deeply");
    this.skipSpace();
    const byte = this.bytes[this.position];
    if (byte === undefined) throw new Fault("it ends within an object");
    switch (byte) {
      case 0x2f:
        this.position++;
        return this.#name();
      case 0x28:
        return this.#literal();
      case 0x3c:
        return this.bytes[this.position + 1] === 0x3c ? this.#dictionary(depth) : this.#hexadecimal();
      case 0x5b:
        return this.#array(depth);
      default:
        if (classes[byte] !== kind.other) throw new Fault("a delimiter opens nothing");
        return this.#word();
    }
  }

  /** The next value. @throws Fault */
  value(depth = 0): Value {
    const value = this.next(depth);
    if (value instanceof Word) throw new Fault("there is a word where a value must be");
    return typeof value === "number" ? this.#referenceOr(value) : value;
  }

  /** Reads a word and no other one. @throws Fault */
  keyword(word: string): void {
    this.skipSpace();
    const end = this.position + word.length;
    if (this.bytes.toString("latin1", this.position, end) !== word || isRegular(this.bytes[end])) {
      throw new Fault(`the word ${word} is missing`);
    }
    this.position = end;
  }

  isAtKeyword(word: string): boolean {
    this.skipSpace();
    const end = this.position + word.length;
    return this.bytes.toString("latin1", this.position, end) === word && !isRegular(this.bytes[end]);
  }

  /** `0 R` behind a number makes it a reference. */
  #referenceOr(number: number): number | Reference {
    const { bytes, position } = this;
    const isReference =
      Number.isInteger(number) &&
      bytes[position] === 0x20 &&
      bytes[position + 1] === 0x30 &&
      bytes[position + 2] === 0x20 &&
      bytes[position + 3] === 0x52 &&
      !isRegular(bytes[position + 4]);
    if (!isReference) return number;
    this.position += 4;
    return new Reference(number);
  }

  #word(): Value | Word {
    const start = this.position;
    while (isRegular(this.bytes[this.position])) this.position++;
    const first = this.bytes[start] ?? 0;
    const isNumeric = (first >= 0x30 && first <= 0x39) || first === 0x2d || first === 0x2b || first === 0x2e;
    const word = this.bytes.toString("latin1", start, this.position);
    if (isNumeric) {
      const [, zeros = "", digits = ""] = digitsApart.exec(word) ?? [];
      if (!numeric.test(word) || zeros.length > mostLeadingZeros + 1 || digits.length > mostDigits) {
        throw new Fault("a number is none");
      }
      return Number(word);
    }
    if (word === "true") return true;
    if (word === "false") return false;
    return word === "null" ? null : new Word(word);
  }

  #name(): Name {
    const start = this.position;
    while (isRegular(this.bytes[this.position])) this.position++;
    const written = this.bytes.toString("latin1", start, this.position);
    if (!written.includes("#")) return new Name(written);
    if (/#(?![\dA-Fa-f]{2})/.test(written)) throw new Fault("a name has a broken escape");
    return new Name(
      written.replaceAll(/#(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
    );
  }

  #array(depth: number): Value[] {
    this.position++;
    const items: Value[] = [];
    for (;;) {
      this.skipSpace();
      if (this.bytes[this.position] === 0x5d) break;
      items.push(this.value(depth + 1));
    }
    this.position++;
    return items;
  }

  #dictionary(depth: number): Dictionary {
    this.position += 2;
    const entries: Dictionary = new Map();
    for (;;) {
      this.skipSpace();
      if (this.bytes[this.position] === 0x3e && this.bytes[this.position + 1] === 0x3e) break;
      const key = this.next(depth + 1);
      if (!(key instanceof Name)) throw new Fault("a key of a dictionary is no name");
      if (entries.has(key.value)) throw new Fault("a key stands twice in a dictionary");
      entries.set(key.value, this.value(depth + 1));
    }
    this.position += 2;
    return entries;
  }

  #literal(): Uint8Array {
    const { bytes } = this;
    const start = ++this.position;
    const parts: number[] = [];
    let isPlain = true;
    for (let open = 1; ; this.position++) {
      const byte = bytes[this.position];
      if (byte === undefined) throw new Fault("a string has no end");
      if (byte === 0x5c) {
        if (isPlain) for (let at = start; at < this.position; at++) parts.push(bytes[at] ?? 0);
        isPlain = false;
        this.#escape(parts);
        continue;
      }
      if (byte === 0x28) open++;
      if (byte === 0x29 && --open === 0) break;
      if (!isPlain) parts.push(byte);
    }
    const end = this.position++;
    return isPlain ? bytes.subarray(start, end) : Uint8Array.from(parts);
  }

  /** Reads an escape and stops at its last character. */
  #escape(parts: number[]): void {
    const { bytes } = this;
    const next = bytes[++this.position];
    if (next === undefined) throw new Fault("a string has no end");
    if (next >= 0x30 && next <= 0x37) {
      let value = next - 0x30;
      for (let digits = 1; digits < 3; digits++) {
        const digit = bytes[this.position + 1] ?? 0;
        if (digit < 0x30 || digit > 0x37) break;
        value = value * 8 + digit - 0x30;
        this.position++;
      }
      parts.push(value & 0xff);
    } else if (next === 0x0d) {
      if (bytes[this.position + 1] === 0x0a) this.position++;
    } else if (next !== 0x0a) {
      parts.push(escapes.get(next) ?? next);
    }
  }

  #hexadecimal(): Uint8Array {
    const start = this.position + 1;
    const end = this.bytes.indexOf(0x3e, start);
    if (end < 0) throw new Fault("a string has no end");
    const digits = this.bytes.toString("latin1", start, end).replaceAll(/[\s\0]/g, "");
    if (/[^\dA-Fa-f]/.test(digits)) throw new Fault("a hexadecimal string has other characters");
    this.position = end + 1;
    return Buffer.from(digits.length % 2 === 0 ? digits : `${digits}0`, "hex");
  }
}

const escapes: ReadonlyMap<number, number> = new Map(
  Object.entries({ n: 10, r: 13, t: 9, b: 8, f: 12 }).map(([letter, code]) => [letter.charCodeAt(0), code]),
);
