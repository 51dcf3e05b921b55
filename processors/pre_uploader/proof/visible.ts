import type { Box } from "../pdf/geometry.ts";
import { maskOf } from "../pdf/picture.ts";
import type { Picture } from "../pdf/picture.ts";

/** Channels of an even ground differ by less. */
const even = 24;

/** Whether a picture shows anything within a box: a glyph that is hidden or white on white shows nothing. */
export function isVisible(picture: Picture, box: Box): boolean {
  const mask = maskOf(picture, [box]);
  let [low, high] = [255, 0];
  for (let at = 0; at < mask.length; at++) {
    if (mask[at] === 0) continue;
    for (let channel = 4 * at; channel < 4 * at + 3; channel++) {
      const value = picture.pixels[channel] ?? 0;
      [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
  }
  return high - low > even;
}
