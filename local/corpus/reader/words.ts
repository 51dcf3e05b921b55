import { fold, reversed } from "../judge/fold.ts";
import { overlaps, union, type Box } from "./matrix.ts";
import type { PageGlyphs } from "./page.ts";
import type { Glyph } from "./walk.ts";

/** A text at a place of a page: a box for each line or piece of a line. */
export interface Place {
  pageIndex: number;
  text: string;
  boxes: Box[];
}

/** Ems between two glyphs that belong to one word. */
const widestGap = { along: 0.25, across: 0.4 };

/** The words of a page that is shown, in the order of drawing. */
export function wordsOf(page: PageGlyphs, pageIndex: number): Place[] {
  const words: Glyph[][] = [];
  let word: Glyph[] = [];
  const end = () => {
    if (word.length > 0) words.push(word);
    word = [];
  };
  for (const glyph of page.glyphs) {
    const last = word.at(-1);
    if (glyph.isSpace || glyph.isInPattern || (last && !isNext(last, glyph))) end();
    if (!glyph.isSpace && !glyph.isInPattern) word.push(glyph);
  }
  end();
  return words
    .map((glyphs) => placeOf(glyphs, pageIndex))
    .filter(({ text, boxes }) => /[\p{L}\p{N}]/u.test(text) && boxes.every((box) => isShown(box, page)));
}

/** The outlines of glyphs one after the other, spaces left out. */
export function shapesOf(glyphs: readonly Glyph[]): string[] {
  return glyphs.flatMap(({ shape }) => (shape === "" ? [] : [shape]));
}

/** The texts of glyphs, with a space wherever there is a gap. */
export function spacedText(glyphs: readonly Glyph[]): string {
  let text = "";
  let last: Glyph | undefined;
  for (const glyph of glyphs) {
    text += glyph.isSpace || (last && !isNext(last, glyph)) ? ` ${glyph.isSpace ? "" : glyph.text}` : glyph.text;
    last = glyph;
  }
  return text;
}

function isNext(last: Glyph, next: Glyph): boolean {
  const [x, y] = [next.from.x - last.to.x, next.from.y - last.to.y];
  const length = Math.hypot(last.to.x - last.from.x, last.to.y - last.from.y);
  const [ux, uy] = length > 0 ? [(last.to.x - last.from.x) / length, (last.to.y - last.from.y) / length] : [1, 0];
  const size = Math.max(last.size, 0.01);
  const [along, across] = [(x * ux + y * uy) / size, (y * ux - x * uy) / size];
  return Math.abs(along) <= widestGap.along && Math.abs(across) <= widestGap.across;
}

function placeOf(glyphs: readonly Glyph[], pageIndex: number): Place {
  return { pageIndex, text: glyphs.map(({ text }) => text).join(""), boxes: boxesOf(glyphs) };
}

/** One box for each run of glyphs that follow each other. */
function boxesOf(glyphs: readonly Glyph[]): Box[] {
  const runs: Glyph[][] = [];
  for (const glyph of glyphs) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run && last && isNext(last, glyph)) run.push(glyph);
    else runs.push([glyph]);
  }
  return runs.map((run) => union(run.flatMap(({ line, ink }) => [line, ink])));
}

function isShown(box: Box, { width, height }: PageGlyphs): boolean {
  return overlaps(box, { left: 0, top: 0, right: width, bottom: height });
}

/** Every place of a page where a text is drawn, in the order of drawing or in that of reading, forwards or backwards. */
export function placesOf(page: PageGlyphs, pageIndex: number, text: string): Place[] {
  const wanted = fold(text);
  if (wanted === "") return [];
  const drawn = page.glyphs.filter(({ isInPattern }) => !isInPattern);
  const found = new Map<string, Place>();
  for (const glyphs of [drawn, inReadingOrder(drawn)]) {
    for (const needle of new Set([wanted, reversed(wanted)])) {
      for (const run of runsOf(glyphs, needle)) {
        const place = { ...placeOf(run, pageIndex), text };
        if (place.boxes.some((box) => isShown(box, page))) found.set(JSON.stringify(place.boxes), place);
      }
    }
  }
  return [...found.values()];
}

/** Line by line from the top, each from the left. */
function inReadingOrder(glyphs: readonly Glyph[]): Glyph[] {
  const lines: { y: number; size: number; glyphs: Glyph[] }[] = [];
  for (const glyph of glyphs.toSorted((one, other) => one.from.y - other.from.y)) {
    const line = lines.at(-1);
    if (line && glyph.from.y - line.y <= widestGap.across * Math.max(glyph.size, line.size)) line.glyphs.push(glyph);
    else lines.push({ y: glyph.from.y, size: glyph.size, glyphs: [glyph] });
  }
  return lines.flatMap((line) => line.glyphs.sort((one, other) => one.from.x - other.from.x));
}

/** The glyphs whose folded texts make up the needle, wherever it begins and ends within them. */
function runsOf(glyphs: readonly Glyph[], needle: string): Glyph[][] {
  let text = "";
  const owners: number[] = [];
  for (const [index, glyph] of glyphs.entries()) {
    const folded = fold(glyph.text);
    text += folded;
    for (let unit = 0; unit < folded.length; unit++) owners.push(index);
  }
  const runs: Glyph[][] = [];
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) {
    const [first = 0, last = 0] = [owners[at], owners[at + needle.length - 1]];
    runs.push(glyphs.slice(first, last + 1).filter(({ isSpace }) => !isSpace));
  }
  return runs;
}

/** So many of the words, at even distances. */
export function pickEvenly<Word>(words: readonly Word[], most: number): Word[] {
  const count = Math.min(most, words.length);
  return Array.from({ length: count }, (_, index) => words[Math.floor(((index + 0.5) * words.length) / count)]).flatMap(
    (word) => word ?? [],
  );
}
