/** What stands under the redactions of a page, and what stays readable. */
import { isCentredIn } from "../pdf/geometry.ts";
import type { Box } from "../pdf/geometry.ts";
import type { Character, PageContent } from "../pdf/reader.ts";
import type { Redaction } from "../redaction.ts";
import { bareOf, fold, kindAt, unitKinds } from "./folding.ts";

/** A character of a page with what it says, folded. */
export interface Glyph {
  text: string;
  box: Box | undefined;
  /** Folded, without separators; empty for spaces and punctuation. */
  bare: string;
  isSpace: boolean;
  isCovered: boolean;
  /** Of a script without spaces between words. */
  isUnspaced: boolean;
}

/** The boxes of all redactions of a page. */
export function boxesOn(pageIndex: number, redactions: readonly Redaction[]): Box[] {
  return redactions.filter((redaction) => redaction.pageIndex === pageIndex).flatMap(({ boxes }) => boxes);
}

/** Whether a character is one that could be read and stands under one of the boxes. */
export function isUnder({ text, box }: Character, boxes: readonly Box[]): boolean {
  return box !== undefined && text.trim() !== "" && boxes.some((outer) => isCentredIn(box, outer));
}

/** Document Engine removes a glyph as soon as about so much of its ink box is covered. */
const coveredShare = 0.25;

function isCoveredBy(boxes: readonly Box[]): (character: Character) => boolean {
  return (character) => {
    const { box } = character;
    return (
      box !== undefined && boxes.some((outer) => isCentredIn(box, outer) || shareUnder(box, outer) >= coveredShare)
    );
  };
}

function shareUnder(inner: Box, outer: Box): number {
  const width = Math.min(inner.right, outer.right) - Math.max(inner.left, outer.left);
  const height = Math.min(inner.bottom, outer.bottom) - Math.max(inner.top, outer.top);
  const area = (inner.right - inner.left) * (inner.bottom - inner.top);
  return width <= 0 || height <= 0 || area <= 0 ? 0 : (width * height) / area;
}

/** The characters of a page, accents that stand beside their letter taken out with the gap that they make. */
export function glyphsOf({ characters }: PageContent, boxes: readonly Box[]): Glyph[] {
  const isCovered = isCoveredBy(boxes);
  const glyphs: Glyph[] = [];
  for (const character of characters) {
    const { text } = character;
    const isSpace = /^[\s\p{Cc}]*$/u.test(text);
    const last = glyphs.at(-1);
    if (isSpacingAccent(text)) {
      if (last?.isSpace === true) glyphs.pop();
      continue;
    }
    const bare = isSpace ? "" : bareOf(text);
    const isUnspaced = bare !== "" && kindAt(bare, 0) === unitKinds.unspaced;
    glyphs.push({ text, box: character.box, bare, isSpace, isCovered: isCovered(character), isUnspaced });
  }
  return glyphs;
}

function isSpacingAccent(text: string): boolean {
  return text.trim() !== "" && fold(text) === "" && text !== "\u00ad" && /^\p{Sk}$/u.test(text);
}

/** The text of a page that stays; what is hidden separates as a space does. */
export function openTextOf(glyphs: readonly Glyph[]): string {
  let text = "";
  for (const glyph of glyphs) text += glyph.isCovered ? separator : glyph.text;
  return text;
}

const separator = "\u0001";
const latin = /[\p{Script=Latin}\p{N}\p{P}\p{S}]/u;

/**
 * The text of a page that stays and that the page shows. Of scripts of which the page shows no character at all PDFium
 * has no font: their text counts as shown.
 */
export function shownTextOf(glyphs: readonly Glyph[], isVisible: (box: Box) => boolean): string {
  const shown = new Set(glyphs.filter(({ box, isSpace }) => box !== undefined && !isSpace && isVisible(box)));
  const hasOtherFont = [...shown].some(({ text }) => !latin.test(text));
  let text = "";
  for (const glyph of glyphs) {
    const isShown = glyph.isSpace || shown.has(glyph) || (!hasOtherFont && !latin.test(glyph.text));
    text += !glyph.isCovered && isShown ? glyph.text : separator;
  }
  return text;
}

/** A word between spaces that is hidden, for the most part if not as a whole. */
export interface HiddenWord {
  /** As it is written, with its punctuation. */
  text: string;
  bare: string;
  /** The spaces before it. */
  gap: number;
  /** Whether the word before it in the text is hidden too. */
  isContinued: boolean;
}

/** The hidden words of a page in the order of its text, and covered parts of others. */
export function hiddenWordsOf(glyphs: readonly Glyph[]): { words: HiddenWord[]; parts: string[] } {
  const words: HiddenWord[] = [];
  const parts: string[] = [];
  let [gap, isContinued] = [0, false];
  for (let start = 0; start < glyphs.length;) {
    const first = glyphs[start];
    if (first === undefined || first.isSpace || first.isUnspaced) {
      gap++;
      start++;
      // A readable character of a script without spaces is a word that is not hidden.
      if (first?.isUnspaced === true) isContinued = first.isCovered && isContinued;
      continue;
    }
    let end = start;
    while (end < glyphs.length && glyphs[end]?.isSpace === false && glyphs[end]?.isUnspaced === false) end++;
    const word = glyphs.slice(start, end);
    start = end;
    const letters = word.filter(({ bare }) => bare !== "");
    if (letters.length === 0) {
      gap = 0;
      continue;
    }
    const covered = letters.filter(({ isCovered }) => isCovered).length;
    const text = word.map((glyph) => glyph.text).join("");
    const isHidden = 2 * covered > letters.length;
    if (isHidden) words.push({ text, bare: bareOf(text), gap, isContinued });
    if (covered > 0 && covered < letters.length) parts.push(...coveredParts(word));
    [gap, isContinued] = [0, isHidden];
  }
  return { words, parts };
}

function coveredParts(word: readonly Glyph[]): string[] {
  return word
    .map(({ isCovered, text }) => (isCovered ? text : "\0"))
    .join("")
    .split("\0")
    .filter((part) => part !== "");
}

/** Runs of hidden characters of scripts without spaces; white space and line ends within one do not count. */
export function hiddenRunsOf(glyphs: readonly Glyph[]): string[][] {
  const runs: string[][] = [[]];
  for (const { isUnspaced, isCovered, bare, isSpace } of glyphs) {
    if (isUnspaced && isCovered) runs.at(-1)?.push(...Array.from(bare));
    else if (!isSpace && runs.at(-1)?.length !== 0) runs.push([]);
  }
  return runs.filter(({ length }) => length > 0);
}
