/**
 * The syntax of content streams (ISO 32000-1, 7.8.2): operands, then an operator. Comments are no tokens. All that writes
 * PDFs reads contents by it; the proof has a reader of its own (proof/content.ts), which must not share its mistakes.
 */
import { limits, tooComplex, unreadable } from "./faults.ts";
import type { Place } from "./faults.ts";
import { isWhiteSpace } from "./filters.ts";

export type Token =
  /** As it is to be written again. */
  | { type: "number"; text: string }
  | { type: "string"; from: number; to: number; digits?: string }
  /** Escapes undone. */
  | { type: "name"; name: string }
  | { type: "array"; elements: Token[] }
  | { type: "dictionary"; entries: Map<string, Token> }
  | { type: "word"; word: string };

export type Operand = Exclude<Token, { type: "word" }>;

/** By byte: 1 white space, 2 delimiter, 4 part of a number. */
const classes = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) if (isWhiteSpace(byte)) classes[byte] = 1;
for (const delimiter of "()<>[]{}/%") classes[delimiter.charCodeAt(0)] = 2;
for (const character of "0123456789+-.") classes[character.charCodeAt(0)] = 4;

const [percent, open, close, less, greater, slash, backslash, hash] = [0x25, 0x28, 0x29, 0x3c, 0x3e, 0x2f, 0x5c, 0x23];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

const simpleNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)$/;
const longestNumber = 20;

export class Tokens {
  readonly content: Buffer;
  at = 0;
  readonly #place: Place;

  constructor(content: Buffer, place: Place) {
    this.content = content;
    this.#place = place;
  }

  /** The next token; undefined at the end. Delimiters that close nothing are passed over, as all readers do. */
  next(depth = 0): Token | undefined {
    const { content } = this;
    for (;;) {
      const byte = content[this.at];
      if (byte === undefined) return undefined;
      const kind = classes[byte] ?? 0;
      if (kind === 1) this.at++;
      else if (kind !== 2) return this.#word(byte);
      else if (byte === percent) this.#passComment();
      else if (byte === open) return this.#literal();
      else if (byte === slash) return this.#name();
      else if (byte === less) return content[this.at + 1] === less ? this.#dictionary(depth) : this.#hex();
      else if (byte === openBracket) return this.#array(depth);
      else if (byte === openBrace || byte === closeBrace) {
        this.at++;
        return { type: "word", word: byte === openBrace ? "{" : "}" };
      } else if (depth > 0) return undefined;
      else this.at++;
    }
  }

  #passComment(): void {
    while (this.at < this.content.length && this.content[this.at] !== 10 && this.content[this.at] !== 13) this.at++;
  }

  #word(first: number): Token {
    const from = this.at;
    let mayBeNumber = true;
    for (let byte: number | undefined = first; byte !== undefined; byte = this.content[this.at]) {
      const kind = classes[byte] ?? 0;
      if (kind === 1 || kind === 2) break;
      if (kind !== 4) mayBeNumber = false;
      this.at++;
    }
    const text = this.content.toString("latin1", from, this.at);
    return mayBeNumber ? { type: "number", text: numberText(text) } : { type: "word", word: text };
  }

  #literal(): Token {
    const { content } = this;
    const from = this.at;
    let depth = 0;
    for (let at = from; at < content.length; at++) {
      const byte = content[at];
      if (byte === backslash) at++;
      else if (byte === open) depth++;
      else if (byte === close && --depth === 0) {
        this.at = at + 1;
        if (this.at - from > limits.operandBytes) throw tooComplex("operandBytes", this.#place);
        return { type: "string", from, to: this.at };
      }
    }
    throw unreadable(this.#place, "a string in its content does not end");
  }

  /** Bytes that are no digits count for nothing, and are not kept: something could hide in them. */
  #hex(): Token {
    const from = this.at;
    const to = this.content.indexOf(greater, from) + 1;
    if (to === 0) throw unreadable(this.#place, "a string in its content does not end");
    if (to - from > limits.operandBytes) throw tooComplex("operandBytes", this.#place);
    this.at = to;
    for (let at = from + 1; at < to - 1; at++) {
      const byte = this.content[at] ?? 0;
      const isDigit = (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 70) || (byte >= 97 && byte <= 102);
      if (isDigit) continue;
      const digits = this.content.toString("latin1", from + 1, to - 1).replaceAll(/[^\dA-Fa-f]/g, "");
      return { type: "string", from, to, digits };
    }
    return { type: "string", from, to };
  }

  #name(): Token {
    const from = ++this.at;
    let isEscaped = false;
    for (let byte = this.content[this.at]; byte !== undefined; byte = this.content[this.at]) {
      const kind = classes[byte] ?? 0;
      if (kind === 1 || kind === 2) break;
      if (byte === hash) isEscaped = true;
      this.at++;
    }
    const name = this.content.toString("latin1", from, this.at);
    return { type: "name", name: isEscaped ? unescaped(name) : name };
  }

  #array(depth: number): Token {
    this.at++;
    const elements: Token[] = [];
    this.#checkDepth(depth);
    for (;;) {
      const token = this.next(depth + 1);
      if (token !== undefined) {
        elements.push(token);
        continue;
      }
      const byte = this.content[this.at];
      if (byte === undefined) throw unreadable(this.#place, "an array in its content does not end");
      this.at++;
      if (byte === closeBracket) return { type: "array", elements };
    }
  }

  #dictionary(depth: number): Token {
    this.at += 2;
    const entries = new Map<string, Token>();
    this.#checkDepth(depth);
    for (;;) {
      const token = this.next(depth + 1);
      if (token?.type === "name") {
        const value = this.next(depth + 1);
        if (value !== undefined) entries.set(token.name, value);
      } else if (token === undefined) {
        const byte = this.content[this.at];
        if (byte === undefined) throw unreadable(this.#place, "a dictionary in its content does not end");
        this.at++;
        if (byte !== greater) continue;
        if (this.content[this.at] === greater) this.at++;
        return { type: "dictionary", entries };
      }
    }
  }

  #checkDepth(depth: number): void {
    if (depth > limits.nesting) throw tooComplex("nesting", this.#place);
  }
}

function unescaped(name: string): string {
  return name.replaceAll(/#([\dA-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
}

/** As written where it follows the rules and is of usual length, else its beginning that does. */
function numberText(text: string): string {
  if (text.length <= longestNumber && simpleNumber.test(text)) return text;
  const [, signs = "", digits = ""] = /^([+-]*)(\d*\.?\d*)/.exec(text) ?? [];
  const shortened = digits.includes(".") ? digits.slice(0, Math.max(longestNumber, digits.indexOf("."))) : digits;
  const value = /\d/.test(shortened) ? shortened : "0";
  return `${signs.startsWith("-") ? "-" : ""}${value.length > 40 ? "0" : value}`;
}
