import { foldedPieces, kindAt, unitKinds } from "./folding.ts";

/** How a term stands in a text; the values are bits, so that they can be combined. */
export const matches = {
  /** From the beginning of a word to the end of one, with any separators between its parts. */
  wholeWords: 1,
  /** Within one word. */
  withinWord: 2,
  /** Beginning or ending within a word, with separators inside. */
  acrossWords: 4,
  /** Anywhere: terms of scripts without spaces, and long ones of which only the beginning is kept. */
  anywhere: 8,
} as const;

/** A folded text without separators, and how it has to stand in a text to be found there. */
export interface Term {
  readonly text: string;
  readonly modes: number;
  /** Several words, of which each may be short. */
  readonly isPhrase: boolean;
}

/** No term is longer. */
export const longestTerm = 64;
/** Shorter terms match across a letter beside a digit, and over separators, only where nothing else can be meant. */
const [shortTerm, separableTerm] = [4, 6];

/** Where words begin and end: within a word, between a letter and a digit, within a number, between words. */
const boundary = { none: 0, soft: 1, number: 2, hard: 3 } as const;
type Boundary = (typeof boundary)[keyof typeof boundary];

/** Characters that join the digits of one number or date. */
const joiners = new Set(Array.from(".,/:'’-–", (character) => character.charCodeAt(0)));
const whitespace = /\s/;

/** @returns whether to stop */
type OnMatch = (index: number, how: number) => boolean;

/** Looks for many terms at once, in time linear in the text (Aho and Corasick, 1975). */
export class TermMatcher {
  readonly terms: readonly Term[];
  readonly #symbols = new Uint32Array(0x10000);
  #symbolCount = 1;
  readonly #next = new Map<number, number>();
  /** By state: the state of its longest proper suffix, the term that ends here, and the next shorter state with a term. */
  readonly #fallback = [0];
  readonly #ending = [-1];
  readonly #shorter = [0];

  constructor(terms: readonly Term[]) {
    this.terms = terms;
    for (const { text } of terms) {
      for (let at = 0; at < text.length; at++) this.#symbols[text.charCodeAt(at)] ||= this.#symbolCount++;
    }
    const children: number[][] = [[]];
    for (const [index, { text }] of terms.entries()) {
      let state = 0;
      for (let at = 0; at < text.length; at++) {
        const key = this.#key(state, this.#symbols[text.charCodeAt(at)] ?? 0);
        let target = this.#next.get(key);
        if (target === undefined) {
          target = this.#ending.push(-1) - 1;
          this.#next.set(key, target);
          children[state]?.push(key, target);
          children.push([]);
        }
        state = target;
      }
      this.#ending[state] = index;
    }
    this.#link(children);
  }

  #link(children: readonly number[][]): void {
    const queue = [0];
    for (let head = 0; head < queue.length; head++) {
      const state = queue[head] ?? 0;
      const edges = children[state] ?? [];
      for (let at = 0; at < edges.length; at += 2) {
        const [key = 0, target = 0] = edges.slice(at, at + 2);
        const suffix = state === 0 ? 0 : this.#step(this.#fallback[state] ?? 0, key % this.#symbolCount);
        this.#fallback[target] = suffix;
        this.#shorter[target] = (this.#ending[suffix] ?? -1) >= 0 ? suffix : (this.#shorter[suffix] ?? 0);
        queue.push(target);
      }
    }
  }

  #key(state: number, symbol: number): number {
    return state * this.#symbolCount + symbol;
  }

  #step(from: number, symbol: number): number {
    for (let state = from; ; state = this.#fallback[state] ?? 0) {
      const target = this.#next.get(this.#key(state, symbol));
      if (target !== undefined) return target;
      if (state === 0) return 0;
    }
  }

  /** Calls `onMatch` for each term in a text and each way in which it stands there, until it returns true. */
  scan(text: string, onMatch: OnMatch): boolean {
    if (this.terms.length === 0) return false;
    const window = new Window();
    let [state, pending] = [0, 0];
    for (const piece of foldedPieces(text)) {
      for (let at = 0; at < piece.length; at++) {
        const kind = kindAt(piece, at);
        const unit = piece.charCodeAt(at);
        if (kind === unitKinds.separator) {
          window.separate(unit);
          continue;
        }
        const border = window.borderTo(kind);
        if (pending !== 0 && this.#report(pending, window, border, onMatch)) return true;
        const symbol = this.#symbols[unit] ?? 0;
        if (symbol === 0) {
          window.skip(kind);
          [state, pending] = [0, 0];
          continue;
        }
        window.add(kind, border);
        state = this.#step(state, symbol);
        pending = (this.#ending[state] ?? -1) >= 0 ? state : (this.#shorter[state] ?? 0);
      }
    }
    return pending !== 0 && this.#report(pending, window, boundary.hard, onMatch);
  }

  #report(state: number, window: Window, end: Boundary, onMatch: OnMatch): boolean {
    for (let at = state; at !== 0; at = this.#shorter[at] ?? 0) {
      const index = this.#ending[at] ?? -1;
      const term = this.terms[index];
      const how = term && howItStands(term, window, end);
      if (how && onMatch(index, how)) return true;
    }
    return false;
  }
}

function howItStands({ text, modes, isPhrase }: Term, window: Window, end: Boundary): number {
  if ((modes & matches.anywhere) !== 0) return matches.anywhere;
  const { length } = text;
  const { start, borders, gaps } = window.last(length);
  const isNumber = /^\p{N}+$/u.test(text);
  const isBorder = (of: Boundary) =>
    of === boundary.hard || (of === boundary.soft && length >= shortTerm) || (of === boundary.number && !isNumber);
  if (isBorder(start) && isBorder(end)) {
    const isWhole = borders === 0 || isPhrase || length >= separableTerm || gaps === 0 || borders === length - 1;
    return isWhole ? matches.wholeWords : 0;
  }
  // A number within a longer one is another number.
  const isCut = (of: Boundary, edge: string) => of === boundary.none && /\p{N}/u.test(edge);
  if (isNumber || isCut(start, text.charAt(0)) || isCut(end, text.charAt(length - 1))) return 0;
  return borders === 0 ? matches.withinWord : matches.acrossWords;
}

/** The last units of a text: where words begin among them, and what separates them. */
class Window {
  #count = 0;
  #kind: number = unitKinds.separator;
  #separators = 0;
  #isWide = false;
  #isJoiner = false;
  readonly #starts = new Uint8Array(2 * longestTerm);
  /** How many words began up to each unit, and how many of them after white space or several characters. */
  readonly #borders = new Float64Array(2 * longestTerm);
  readonly #gaps = new Float64Array(2 * longestTerm);

  separate(unit: number): void {
    this.#separators++;
    this.#isJoiner = this.#separators === 1 && joiners.has(unit);
    this.#isWide = this.#separators > 1 || unit === 0x20 || (unit !== 0 && whitespace.test(String.fromCharCode(unit)));
  }

  /** What lies between the last unit and the next one. */
  borderTo(kind: number): Boundary {
    if (this.#count === 0) return boundary.hard;
    const isDigits = kind === unitKinds.digit && this.#kind === unitKinds.digit;
    if (this.#separators > 0) return isDigits && this.#isJoiner ? boundary.number : boundary.hard;
    if (kind === unitKinds.continuation || kind === this.#kind) return boundary.none;
    return kind === unitKinds.unspaced || this.#kind === unitKinds.unspaced ? boundary.hard : boundary.soft;
  }

  /** A unit of no term: no match has it within. */
  skip(kind: number): void {
    this.#count++;
    if (kind !== unitKinds.continuation) this.#kind = kind;
    this.#separators = 0;
    this.#isWide = false;
  }

  add(kind: number, start: Boundary): void {
    const slot = this.#count % this.#starts.length;
    const before = (this.#count + this.#starts.length - 1) % this.#starts.length;
    const isBorder = start >= boundary.number;
    this.#starts[slot] = start;
    this.#borders[slot] = (this.#borders[before] ?? 0) + (isBorder ? 1 : 0);
    this.#gaps[slot] = (this.#gaps[before] ?? 0) + (isBorder && this.#isWide ? 1 : 0);
    this.skip(kind);
  }

  /** Where the last `length` units begin, and what separates them. */
  last(length: number): { start: Boundary; borders: number; gaps: number } {
    const [first, last] = [this.#count - length, this.#count - 1].map((at) => at % this.#starts.length) as [
      number,
      number,
    ];
    return {
      start: (this.#starts[first] ?? 0) as Boundary,
      borders: (this.#borders[last] ?? 0) - (this.#borders[first] ?? 0),
      gaps: (this.#gaps[last] ?? 0) - (this.#gaps[first] ?? 0),
    };
  }
}
