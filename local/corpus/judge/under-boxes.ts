import { areaOf, intersection, overlaps, type Box } from "../reader/matrix.ts";
import { areaIn, isBlank, paint, shareOf } from "../reader/picture.ts";
import { readGlyphs, type PageGlyphs } from "../reader/page.ts";
import type { PDFPageProxy } from "../reader/pdf.ts";
import type { Glyph } from "../reader/walk.ts";
import { fold } from "./fold.ts";
import type { JudgedRedaction } from "./redaction.ts";

/** Points of a picture to a point of the page. */
const scale = 2;
/** Points along the edge of a box that are not looked at: drawing is exact to about half a point. */
const rim = 1;
/**
 * Document Engine takes a glyph away once a quarter of its ink is covered: outlines differ a little between libraries. A
 * font that is not in the file each library draws with outlines of another one, so half of a glyph has to be covered
 * before it is sure that it should be gone.
 */
const coveredInk = { embedded: 0.35, substitute: 0.5 } as const;

/** Whether a box hides a glyph: its middle, and enough of its ink. A glyph that paints nothing has nothing to hide. */
export function isHidden({ ink, isOfSubstitute }: Glyph, box: Box): boolean {
  const [x, y] = [(ink.left + ink.right) / 2, (ink.top + ink.bottom) / 2];
  if (x <= box.left || x >= box.right || y <= box.top || y >= box.bottom) return false;
  const area = areaOf(ink);
  return area > 0 && areaOf(intersection(ink, box)) / area >= coveredInk[isOfSubstitute ? "substitute" : "embedded"];
}

/** What is left under the boxes of a page. */
export async function judgePage(
  page: PDFPageProxy,
  redactions: readonly JudgedRedaction[],
): Promise<{ glyphs: PageGlyphs; findings: string[] }> {
  const glyphs = await readGlyphs(page);
  const boxes = redactions.flatMap((redaction) => redaction.boxes.map((box) => ({ redaction, box })));
  const findings: string[] = [];
  if (boxes.length === 0) return { glyphs, findings };
  for (const { box } of boxes) {
    const overlays = boxes
      .filter((other) => overlaps(other.box, box))
      .flatMap(({ redaction }) => fold(redaction.overlayText ?? ""))
      .filter((overlay) => overlay !== "");
    const left = runsUnder(glyphs.glyphs, box).filter((run) => !isOverlay(run, overlays));
    const count = left.reduce((sum, run) => sum + run.length, 0);
    if (count > 0) findings.push(`${count} glyphs under a box`);
  }
  findings.push(...(await judgePictures(page, boxes)));
  return { glyphs, findings };
}

/** The glyphs that a box hides, those that are drawn one after the other together. */
function runsUnder(glyphs: readonly Glyph[], box: Box): Glyph[][] {
  const runs: Glyph[][] = [];
  let last = -2;
  for (const [index, glyph] of glyphs.filter(({ isSpace }) => !isSpace).entries()) {
    if (!isHidden(glyph, box)) continue;
    if (index === last + 1) runs.at(-1)?.push(glyph);
    else runs.push([glyph]);
    last = index;
  }
  return runs;
}

/** The text of an overlay may be repeated or cut, and those of boxes that lie over each other follow each other. */
function isOverlay(run: readonly Glyph[], overlays: readonly string[]): boolean {
  if (overlays.length === 0) return false;
  const text = fold(run.map((glyph) => glyph.text).join(""));
  const repeated = overlays.map((overlay) => overlay.repeat(Math.ceil(text.length / overlay.length) + 1));
  for (let at = 0; at < text.length;) {
    const lengths = repeated.map((overlay) => lengthWithin(overlay, text.slice(at)));
    const longest = Math.max(...lengths);
    // All that is left of an overlay may be its last letter or its first.
    if (longest === 0) return false;
    at += longest;
  }
  return true;
}

function lengthWithin(overlay: string, text: string): number {
  let length = 0;
  while (length < text.length && overlay.includes(text.slice(0, length + 1))) length++;
  return length;
}

async function judgePictures(
  page: PDFPageProxy,
  boxes: readonly { redaction: JudgedRedaction; box: Box }[],
): Promise<string[]> {
  const painted = await paint(page, { scale });
  const uncovered = await paint(page, {
    scale,
    isLeftOut: ({ bounds, color }) =>
      boxes.some(({ box, redaction }) => isSameColor(color, redaction.fillColor) && isSameBox(bounds, box)),
  });
  const findings: string[] = [];
  for (const { box, redaction } of boxes) {
    const area = areaIn(painted, box, rim);
    if (!area) continue;
    // Where boxes lie over each other, the colour is that of one of them.
    const colors = boxes
      .filter((other) => areaOf(intersection(other.box, box)) > 0)
      .map((other) => other.redaction.fillColor);
    const share = [...new Set([redaction.fillColor, ...colors])].reduce(
      (sum, color) => sum + shareOf(painted, area, channels(color)),
      0,
    );
    if (share < 0.995) findings.push(`${Math.round(100 - 100 * share)} % of a box have another colour than it`);
    if (!isBlank(uncovered, area)) findings.push("something is drawn beneath a box");
  }
  return findings;
}

function isSameBox(one: Box, other: Box): boolean {
  const sides = ["left", "top", "right", "bottom"] as const;
  return sides.every((side) => Math.abs(one[side] - other[side]) <= rim);
}

function channels(color: string): number[] {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
}

function isSameColor(one: string | undefined, other: string): boolean {
  if (one === undefined) return false;
  const [first, second] = [channels(one), channels(other)];
  return first.every((value, index) => Math.abs(value - (second[index] ?? 0)) <= 4);
}
