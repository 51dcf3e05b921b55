/** The characters of a page under redactions, and outside of them. */
import { intersection, touches } from "../pdf/geometry.ts";
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

/** Whether the same character stands at the same place in a page; found by the cells of a grid, for pages may have many. */
function standsIn(characters: readonly Character[]): IsOld {
  const cell = (text: string, x: number, y: number) => `${text} ${x} ${y}`;
  const placeOf = ({ left, top }: Box) => [Math.floor(left / sameWithin), Math.floor(top / sameWithin)] as const;
  const byCell = Map.groupBy(characters, ({ text, box }) => (box ? cell(text, ...placeOf(box)) : ""));
  const neighbours = [-1, 0, 1].flatMap((x) => [-1, 0, 1].map((y) => [x, y] as const));
  return ({ text, box }) => {
    if (box === undefined) return false;
    const [column, row] = placeOf(box);
    const nearby = neighbours.flatMap(([x, y]) => byCell.get(cell(text, column + x, row + y)) ?? []);
    return nearby.some((other) => isSameBox(box, other.box));
  };
}

function isSameBox(one: Box, other: Box | undefined): boolean {
  if (other === undefined) return false;
  const edges = (of: Box) => [of.left, of.top, of.right, of.bottom];
  const others = edges(other);
  return edges(one).every((edge, index) => Math.abs(edge - (others[index] ?? Infinity)) < sameWithin);
}

/** Characters outside of the boxes that are gone, and such that are new. */
interface TextDifference {
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
  const [left, isThere] = [outside(after), standsIn(outside(after))];
  const moved = outside(before).filter((character) => !isThere(character));
  const wasThere = standsIn(outside(before));
  const unmatched = Map.groupBy(
    left.filter((character) => !wasThere(character)),
    ({ text }) => text,
  );
  const lost = moved.filter(({ text }) => unmatched.get(text)?.pop() === undefined);
  const added = [...unmatched.values()].flat();
  // A text that a file gives in place of its glyphs is read where these stand, shared out evenly.
  const areReadThere = (one: Character, others: readonly Character[]) =>
    others.some(({ box }) => one.box !== undefined && box !== undefined && intersection(one.box, box) !== undefined);
  return {
    lost: lost.filter((one) => !areReadThere(one, added)),
    added: added.filter(
      (one) => !areReadThere(one, lost) && !before.characters.some(({ box }) => isSameBox(box ?? notThere, one.box)),
    ),
  };
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
