/** The characters of a page under redactions, and outside of them. */
import { grown, intersection, touches } from "../pdf/geometry.ts";
import type { Box } from "../pdf/geometry.ts";
import type { Character, PageContent } from "../pdf/reader.ts";
import { isUnder } from "./hidden-text.ts";

/** How many places under the boxes still have text that is none that redactions print. */
export function placesWithText(
  after: PageContent,
  before: PageContent,
  boxes: readonly Box[],
  overlayTexts: readonly string[],
): number {
  const overlays = overlayTexts.map((text) => text.replaceAll(/\s/g, "")).filter((text) => text !== "");
  const isOld = standsIn(before.characters.filter((character) => isUnder(character, boxes)));
  return linesUnder(after.characters, boxes).filter(
    (line) => !isOverlay(line, overlays, isOld) && !areMingledOverlays(line, overlays, isOld),
  ).length;
}

/** The readable characters under the boxes, as lines: neighbours in the order of the text. */
function linesUnder(characters: readonly Character[], boxes: readonly Box[]): Character[][] {
  const lines: Character[][] = [[]];
  for (const character of characters) {
    if (isUnder(character, boxes)) lines.at(-1)?.push(character);
    else if (character.box === undefined && /[\r\n]/.test(character.text)) lines.push([]);
  }
  return lines.filter((line) => line.length > 0);
}

type IsOld = (character: Character) => boolean;

/**
 * Whether a line is of what redactions print in place of what they hide, cut at either end. A font may say that hidden
 * text reads like it: not all of it stands where it stood before.
 */
function isOverlay(line: readonly Character[], overlays: readonly string[], isOld: IsOld): boolean {
  const text = textOf(line).replaceAll(/\s/g, "");
  const reads = overlays.some((printed) => printed.repeat(Math.ceil(text.length / printed.length) + 1).includes(text));
  return reads && !line.every(isOld);
}

/** Whether a line is what several redactions print over each other, which is read mingled. */
function areMingledOverlays(line: readonly Character[], overlays: readonly string[], isOld: IsOld): boolean {
  const printed = overlays.join("");
  return overlays.length > 1 && line.every((one) => printed.includes(one.text) && !isOld(one));
}

/** By less than this a glyph moves when a file is written anew. In points. */
const sameWithin = 1;

/** Whether the same character stands at the same place in a page. */
function standsIn(characters: readonly Character[]): IsOld {
  const byText = Map.groupBy(characters, ({ text }) => text);
  return ({ text, box }) => box !== undefined && (byText.get(text) ?? []).some((other) => isSameBox(box, other.box));
}

function isSameBox(one: Box, other: Box | undefined): boolean {
  if (other === undefined) return false;
  const edges = (of: Box) => [of.left, of.top, of.right, of.bottom];
  const others = edges(other);
  return edges(one).every((edge, index) => Math.abs(edge - (others[index] ?? Infinity)) < sameWithin);
}

/** Characters outside of the boxes that are gone, and such that are new. */
export interface TextDifference {
  lost: Character[];
  added: Character[];
}

/**
 * Compares the characters outside of some boxes as a set, for the order in which a page's text is read depends on what
 * stands between. A glyph that stays in its place and is only read differently is neither lost nor new: a font must not
 * say that a glyph stands for what a redaction hides.
 */
export function textDifference(before: PageContent, after: PageContent, boxes: readonly Box[]): TextDifference {
  if (boxes.length === 0 && before.text === after.text) return { lost: [], added: [] };
  const outside = ({ characters }: PageContent) =>
    characters.filter(({ text, box }) => box && isReadable(text) && !boxes.some((one) => isAffected(box, one)));
  const left = Map.groupBy(outside(after), ({ text }) => text);
  const lost = outside(before).filter(({ text }) => left.get(text)?.pop() === undefined);
  const added = [...left.values()].flat();
  // A text that a file gives in place of its glyphs is read where all of them stand together.
  const isReadThere = (one: Character, other: Character) =>
    one.box !== undefined && other.box !== undefined && isWithin(other.box, one.box);
  return {
    lost: lost.filter((one) => !added.some((other) => isReadThere(one, other))),
    added: added.filter(
      (one) =>
        !lost.some((other) => isReadThere(other, one)) &&
        !before.characters.some(({ box }) => isSameBox(box ?? notThere, one.box)),
    ),
  };
}

function isWithin(inner: Box, outer: Box): boolean {
  const { left, top, right, bottom } = grown(outer, sameWithin);
  return inner.left >= left && inner.right <= right && inner.top >= top && inner.bottom <= bottom;
}

/** Whether a character stands in one of the boxes of characters. */
export function haveAny(characters: readonly Character[], boxes: readonly Box[]): boolean {
  return boxes.some((box) => characters.some((character) => isSameBox(box, character.box)));
}

const notThere: Box = { left: Infinity, top: Infinity, right: Infinity, bottom: Infinity };

/** No space, control character, half of a pair, or character that every font may use in its own way. */
function isReadable(text: string): boolean {
  return /[^\s\p{C}\ufffd]/u.test(text);
}

/** Whether a glyph may have gone with a box: the engine removes it when a part of it is covered. */
function isAffected(box: Box, redacted: Box): boolean {
  return intersection(box, redacted) !== undefined || touches(box, redacted);
}

/** The boxes of glyphs that may have gone with a redaction. */
export function affectedGlyphs({ characters }: PageContent, boxes: readonly Box[]): Box[] {
  return characters.flatMap(({ box }) => (box && boxes.some((one) => isAffected(box, one)) ? [box] : []));
}

export function textOf(characters: readonly Character[]): string {
  return characters.map(({ text }) => text).join("");
}
