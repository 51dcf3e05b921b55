import { PermanentError } from "../../../contracts/errors.ts";
import type { Box } from "../pdf/geometry.ts";
import type { PageContent } from "../pdf/reader.ts";
import type { Redaction } from "../redaction.ts";
import { bareOf } from "./folding.ts";
import { boxesOn, glyphsOf, hiddenRunsOf, hiddenWordsOf, openTextOf, shownTextOf } from "./hidden-text.ts";
import type { Glyph, HiddenWord } from "./hidden-text.ts";
import { rawTextsOf, readingsOf } from "./readings.ts";
import { stopWords } from "./stop-words.ts";
import { longestTerm, matches, TermMatcher } from "./term-matcher.ts";
import type { Term } from "./term-matcher.ts";

export { textsOf } from "./readings.ts";

/** The terms of a document as plain JSON, which travels between threads. It holds what redactions hide: never log it. */
export interface TermsData {
  readonly terms: readonly Term[];
}

/** Says of a page whether it shows anything in a box. */
type VisibilityOf = (pageIndex: number) => (box: Box) => boolean;

/** More than anybody redacts; a document with more was made to fill memories. */
const mostTerms = 500_000;

/**
 * The terms that a document would lose to its redactions: words that stand under one with most of their letters, parts
 * of longer words, and phrases. A term that also can be read on a page outside of any redaction gives nothing away; a
 * phrase may, although each of its words does not.
 *
 * @param allowedTexts texts that may be printed even where they quote: overlays and stamps
 * @param visibilityOf without it all text of a page counts as shown
 * @throws PermanentError PDF_TOO_COMPLEX
 */
export function redactedTerms(
  pages: readonly PageContent[],
  redactions: readonly Redaction[],
  allowedTexts: readonly string[],
  visibilityOf?: VisibilityOf,
): TermsData {
  const found = new Terms();
  const redacted = new Set(redactions.map(({ pageIndex }) => pageIndex));
  const redactedPages = new Map<number, Glyph[]>();
  for (const index of redacted) {
    const page = pages[index];
    if (page === undefined) continue;
    const glyphs = glyphsOf(page, boxesOn(index, redactions));
    const { words, parts } = hiddenWordsOf(glyphs);
    for (const sequence of sequencesOf(words)) found.addSequence(sequence);
    for (const part of parts) found.addPart(part);
    for (const run of hiddenRunsOf(glyphs)) found.addRun(run);
    redactedPages.set(index, glyphs);
  }
  const terms = found.all();
  if (terms.length > mostTerms) {
    const message = `the redactions hide more than ${mostTerms} different words: redact whole pages by taking them out`;
    throw new PermanentError("PDF_TOO_COMPLEX", message);
  }
  if (terms.length === 0) return { terms: [] };
  const readable = new ReadableTerms(terms);
  for (const text of allowedTexts) readable.add(text);
  for (const [index, page] of pages.entries()) {
    const glyphs = redactedPages.get(index);
    const shownText = () => shownTextOf(glyphs ?? glyphsOf(page, []), visibilityOf?.(index) ?? (() => true));
    readable.add(glyphs ? openTextOf(glyphs) : page.text, visibilityOf && shownText);
  }
  return { terms: readable.others() };
}

/** The terms of a document that a text must not hold. */
export class RedactedTerms {
  readonly #matcher: TermMatcher;

  constructor({ terms }: TermsData) {
    this.#matcher = new TermMatcher(terms);
  }

  get count(): number {
    return this.#matcher.terms.length;
  }

  /** Whether a text, or what it says in an encoding, holds one of them. */
  areIn(text: string): boolean {
    return this.count > 0 && readingsOf(text).some((reading) => this.#isHeldBy(reading));
  }

  /** Whether any text of a JSON value holds one of them, or several texts do together. */
  areInValue(value: unknown): boolean {
    if (this.count === 0) return false;
    const texts = rawTextsOf(value);
    return texts.some((text) => this.areIn(text)) || this.#isHeldBy(texts.join("\n"));
  }

  #isHeldBy(text: string): boolean {
    const { terms } = this.#matcher;
    return this.#matcher.scan(text, (index, how) => ((terms[index]?.modes ?? 0) & how) !== 0);
  }
}

/** Finds out which terms can be read although redactions hide them elsewhere. */
class ReadableTerms {
  readonly #matcher: TermMatcher;
  /** The ways in which each can be read. */
  readonly #modes: Uint8Array;

  constructor(terms: readonly Term[]) {
    this.#matcher = new TermMatcher(terms);
    this.#modes = new Uint8Array(terms.length);
  }

  /**
   * @param text what everybody may read
   * @param shownText the part of it that is shown, which takes longer to find out
   */
  add(text: string, shownText?: () => string): void {
    const found = this.#modesIn(text);
    const isNew = found.some(([index, how]) => ((this.#modes[index] ?? 0) & how) !== how);
    if (!isNew) return;
    for (const [index, how] of shownText ? this.#modesIn(shownText()) : found) {
      this.#modes[index] = (this.#modes[index] ?? 0) | how;
    }
  }

  #modesIn(text: string): [number, number][] {
    const found = new Map<number, number>();
    for (const reading of readingsOf(text)) {
      this.#matcher.scan(reading, (index, how) => {
        found.set(index, (found.get(index) ?? 0) | how);
        return false;
      });
    }
    return [...found];
  }

  /** The terms that cannot be read, with the ways in which they must not stand. */
  others(): Term[] {
    return this.#matcher.terms.flatMap((term, index) => {
      const how = this.#modes[index] ?? 0;
      if ((how & (matches.wholeWords | matches.anywhere)) !== 0) return [];
      return [{ ...term, modes: term.modes & ~how }];
    });
  }
}

/** Words that follow each other, letter-spaced ones put together. */
function sequencesOf(words: readonly HiddenWord[]): HiddenWord[][] {
  const sequences: HiddenWord[][] = [];
  for (const word of words) {
    if (word.isContinued) sequences.at(-1)?.push(word);
    else sequences.push([word]);
  }
  return sequences.map(joinLetters);
}

const isLetter = ({ bare }: HiddenWord) => lengthOf(bare) === 1;

function joinLetters(words: readonly HiddenWord[]): HiddenWord[] {
  const joined: HiddenWord[] = [];
  for (let start = 0; start < words.length;) {
    let end = start;
    // A wider gap than the first one is a space between words.
    const gap = words[start + 1]?.gap ?? 0;
    const isNext = (word: HiddenWord | undefined) =>
      word !== undefined && isLetter(word) && (end === start || word.gap <= gap);
    while (isNext(words[end])) end++;
    const letters = words.slice(start, end);
    const first = words[start];
    if (first === undefined) break;
    if (letters.length < 3) {
      joined.push(first);
      start++;
      continue;
    }
    const text = letters.map((letter) => letter.text).join("");
    joined.push({ ...first, text, bare: bareOf(text) });
    start = end;
  }
  return joined;
}

/** By so many letters or digits a term has to be long. */
const least = { word: 3, number: 3, runOfWord: 3, numberInWord: 4, part: 5, withinWord: 5, acrossWords: 8, phrase: 6 };
/** Hangul syllables say more than letters do, and take endings. */
const leastHangul = 3;
const mostWordsOfPhrase = 3;

const rightToLeft = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/** Collects terms; each once. */
class Terms {
  readonly #terms = new Map<string, Term>();

  all(): Term[] {
    return [...this.#terms.values()];
  }

  /** Words that follow each other: each by itself, and the phrases that they make. */
  addSequence(words: readonly HiddenWord[]): void {
    for (const [index, word] of words.entries()) {
      this.#addWord(word.text);
      for (let count = 2; count <= mostWordsOfPhrase; count++)
        this.#addPhrase(words.slice(index, index + count), count);
    }
    if (words.length > mostWordsOfPhrase) this.#addPhrase(words, words.length);
  }

  /** A part of a word whose rest stays. */
  addPart(text: string): void {
    if (lengthOf(bareOf(text)) >= least.part) this.#addText(text, false);
  }

  /** Characters of scripts without spaces: every few that stand together. */
  addRun(characters: readonly string[]): void {
    const windows = characters.map((_, start) => windowAt(characters, start));
    for (const text of windows) if (text !== undefined) this.#add(text, matches.anywhere, false);
  }

  #addWord(text: string): void {
    const bare = bareOf(text);
    const runs = text.split(/[^\p{L}\p{N}\p{M}\p{Cf}\u00a8\u00b4\u00b8]+/u).filter((run) => run !== "");
    if (isTerm(bare, text)) this.#addText(text, false);
    if (runs.length < 2) return;
    for (const run of runs) {
      const inner = bareOf(run);
      const length = isNumber(inner) ? least.numberInWord : least.runOfWord;
      if (lengthOf(inner) >= length && !stopWords.has(inner)) this.#addText(run, false);
    }
  }

  /** Not by how often its words are said, but by what they say together: it begins and ends with words that matter. */
  #addPhrase(words: readonly HiddenWord[], count: number): void {
    const [first, last] = [words[0], words.at(-1)];
    if (words.length < count || first === undefined || last === undefined) return;
    const isWhole = count > mostWordsOfPhrase;
    if (!isWhole && (stopWords.has(first.bare) || stopWords.has(last.bare))) return;
    if (words.reduce((sum, { bare }) => sum + lengthOf(bare), 0) < least.phrase) return;
    this.#addText(words.map(({ text }) => text).join(" "), true);
  }

  #addText(text: string, isPhrase: boolean): void {
    const bare = bareOf(text);
    this.#add(bare, modesOf(bare), isPhrase);
    if (!rightToLeft.test(text)) return;
    // As it is read and as it is drawn; ligatures are taken apart before or after they are turned.
    const words = text.split(" ");
    const turned = [
      reversed(bare),
      bareOf(reversed(text)),
      ...[words.map((word) => reversed(word)).join(" ")].map(bareOf),
    ];
    for (const one of turned) this.#add(one, modesOf(one), isPhrase);
  }

  #add(text: string, modes: number, isPhrase: boolean): void {
    const isCut = text.length > longestTerm;
    const kept = isCut ? text.slice(0, longestTerm) : text;
    const known = this.#terms.get(kept);
    const isBoth = known !== undefined && (known.isPhrase || isPhrase);
    this.#terms.set(kept, {
      text: kept,
      modes: (known?.modes ?? 0) | (isCut ? matches.anywhere : modes),
      isPhrase: known === undefined ? isPhrase : isBoth,
    });
  }
}

function reversed(text: string): string {
  return Array.from(text).reverse().join("");
}

function lengthOf(bare: string): number {
  return Array.from(bare).length;
}

function isNumber(bare: string): boolean {
  return /^\p{N}+$/u.test(bare);
}

/** Whether a word as a whole is a term. */
function isTerm(bare: string, text: string): boolean {
  if (stopWords.has(bare)) return false;
  const length = lengthOf(bare);
  if (length >= least.word) return true;
  if (length < 2) return false;
  // Two characters are a name or an amount where they are written like one.
  return isNumber(bare) ? /[\p{Sc}%]/u.test(text) : /\p{Lu}|[^\p{Script=Latin}\p{P}\p{S}\p{N}]/u.test(text);
}

function modesOf(bare: string): number {
  const length = lengthOf(bare);
  const isLong = length >= least.withinWord || (length >= leastHangul && /^\p{Script=Hangul}+$/u.test(bare));
  return (
    matches.wholeWords |
    (isLong && !isNumber(bare) ? matches.withinWord : 0) |
    (length >= least.acrossWords && !isNumber(bare) ? matches.acrossWords : 0)
  );
}

/** The shortest text from a character on that means something in a script without spaces. */
function windowAt(characters: readonly string[], start: number): string | undefined {
  const ideographs = /^[\p{Script=Han}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Yi}ー]$/u;
  const syllables = /^\p{Script=Hiragana}$/u;
  const pair = characters.slice(start, start + 2);
  const isEast = (one: string) => ideographs.test(one) || syllables.test(one);
  if (pair.length === 2 && pair.every(isEast) && pair.some((one) => ideographs.test(one))) return pair.join("");
  const length = pair.every((one) => syllables.test(one)) ? 3 : 4;
  const isShortRun = start === 0 && characters.length === 3;
  const window = characters.slice(start, start + (isShortRun ? 3 : length));
  return window.length >= (isShortRun ? 3 : length) ? window.join("") : undefined;
}
