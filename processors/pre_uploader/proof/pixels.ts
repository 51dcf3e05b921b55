/** Pages as they are drawn, before and after. */
import { grown, intersection } from "../pdf/geometry.ts";
import type { Box } from "../pdf/geometry.ts";
import { maskOf, wordsOf } from "../pdf/picture.ts";
import type { Picture } from "../pdf/picture.ts";
import type { Redaction } from "../redaction.ts";

/**
 * Pixels of a point at which pages are compared: 72 dpi shows every glyph and line; pages without any change that was
 * asked for are compared at half of it, which shows every image and word.
 */
export const resolutions = { changedPage: 1, otherPage: 0.5 } as const;
/** Pixels of a point at which the inside of a redaction is drawn. */
export const boxResolution = 2;

/** Repacked images and rounded colours change a channel by less. */
const sameColour = 40;
/** Fewer changed pixels than this are no glyph. */
const fewestPixels = 8;
/** A share of all pixels, for pages full of smoothed images. */
const mostShare = 0.0002;

/**
 * Whether a page shows something else outside of the areas in which something was to change. A pixel is what it was if
 * its colour lies between those of its neighbours on the other picture: edges may fall a part of a pixel aside.
 */
export function isChangedOutside(before: Picture, after: Picture, changed: readonly Box[]): boolean {
  if (before.width !== after.width || before.height !== after.height) return true;
  if (Buffer.compare(before.pixels, after.pixels) === 0) return false;
  const mask = maskOf(before, changed, 2);
  const [wordsBefore, wordsAfter] = [wordsOf(before), wordsOf(after)];
  let different = 0;
  for (let at = 0; at < mask.length; at++) {
    // Most pixels are the same, and need no look at their channels.
    if (wordsBefore[at] === wordsAfter[at] || mask[at] === 1 || !differs(before.pixels, after.pixels, 4 * at)) continue;
    if (!isBetweenNeighbours(before, after, at) || !isBetweenNeighbours(after, before, at)) different++;
  }
  return different > Math.max(fewestPixels, mostShare * mask.length);
}

function differs(one: Uint8Array, other: Uint8Array, at: number): boolean {
  for (let channel = at; channel < at + 3; channel++) {
    if (Math.abs((one[channel] ?? 0) - (other[channel] ?? 0)) > sameColour) return true;
  }
  return false;
}

function isBetweenNeighbours(one: Picture, { pixels, width, height }: Picture, at: number): boolean {
  const [x, y] = [at % width, Math.floor(at / width)];
  for (let channel = 0; channel < 3; channel++) {
    let [low, high] = [255, 0];
    for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
      for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
        const value = pixels[4 * (row * width + column) + channel] ?? 0;
        [low, high] = [Math.min(low, value), Math.max(high, value)];
      }
    }
    const value = one.pixels[4 * at + channel] ?? 0;
    if (value < low - sameColour || value > high + sameColour) return false;
  }
  return true;
}

export type Colour = readonly [blue: number, green: number, red: number];

/** A fill is drawn as it is said but for rounding. */
export const sameFill = 10;
/** How far into a box smoothing of its edges may reach, in points. */
export const edge = 1;

/**
 * Whether a box shows nothing but the fill of the redactions that lie there, and what they print on it, which may have
 * one colour of its own.
 */
export function showsOnlyFill(picture: Picture, box: Box, redactions: readonly Redaction[]): boolean {
  const fills = redactions.map(({ fillColor }) => colourOf(fillColor ?? "#000000"));
  const hasOverlay = redactions.some(({ overlayText }) => (overlayText ?? "") !== "");
  const inside = maskOf(picture, [grown(box, -edge)]);
  // The edges of other boxes within this one are smoothed.
  const edges = redactions.flatMap(({ boxes }) => boxes.flatMap((other) => (other === box ? [] : edgesOf(other, box))));
  const excused = maskOf(picture, edges);
  const words = wordsOf(picture);
  let filled: number | undefined;
  const others: Colour[] = [];
  for (let at = 0; at < inside.length; at++) {
    if (words[at] === filled || inside[at] === 0 || excused[at] === 1) continue;
    const colour = colourAt(picture.pixels, 4 * at);
    if (fills.some((fill) => distance(fill, colour) <= sameFill)) filled = words[at];
    else others.push(colour);
  }
  return others.length === 0 || (hasOverlay && areOverlay(others, fills));
}

/** Where a box ends within another one. */
function edgesOf({ left, top, right, bottom }: Box, within: Box): Box[] {
  const lines = [
    { left, top, right: left, bottom },
    { left: right, top, right, bottom },
    { left, top, right, bottom: top },
    { left, top: bottom, right, bottom },
  ];
  return lines.flatMap((line) => intersection(grown(line, edge), within) ?? []);
}

/** Whether colours lie between a fill and the one that is farthest from all fills. */
function areOverlay(colours: readonly Colour[], fills: readonly Colour[]): boolean {
  const farFrom = (colour: Colour) => Math.min(...fills.map((fill) => distance(fill, colour)));
  let ink = colours[0];
  for (const colour of colours) if (ink === undefined || farFrom(colour) > farFrom(ink)) ink = colour;
  const print = ink;
  return (
    print !== undefined && colours.every((colour) => fills.some((fill) => isBetween(colour, fill, print, 2 * sameFill)))
  );
}

function isBetween(colour: Colour, from: Colour, to: Colour, tolerance: number): boolean {
  const along = to.map((channel, index) => channel - (from[index] ?? 0));
  const square = along.reduce((sum, channel) => sum + channel ** 2, 0);
  const share = along.reduce((sum, channel, index) => sum + channel * ((colour[index] ?? 0) - (from[index] ?? 0)), 0);
  const at = square === 0 ? 0 : Math.min(1, Math.max(0, share / square));
  return along.every(
    (channel, index) => Math.abs((from[index] ?? 0) + at * channel - (colour[index] ?? 0)) <= tolerance,
  );
}

export function distance(one: Colour, other: Colour): number {
  return Math.max(...one.map((channel, index) => Math.abs(channel - (other[index] ?? 0))));
}

export function colourAt(pixels: Uint8Array, at: number): Colour {
  return [pixels[at] ?? 0, pixels[at + 1] ?? 0, pixels[at + 2] ?? 0];
}

export function colourOf(hex: string): Colour {
  const [red = 0, green = 0, blue = 0] = Array.from(hex.matchAll(/[\da-f]{2}/gi), ([digits]) => parseInt(digits, 16));
  return [blue, green, red];
}
