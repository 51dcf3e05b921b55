import type { Box } from "../pdf/geometry.ts";
import { withDocument, withPage } from "../pdf/pdfium.ts";
import type { Pdfium } from "../pdf/pdfium.ts";
import { drawPicture, pageArea } from "../pdf/picture.ts";
import type { Picture } from "../pdf/picture.ts";

/** Channels of an even ground differ by less. */
const even = 24;
/** Pixels around a box that are looked at too, where a glyph may fill its own. */
const around = 1;

/** Whether a picture shows anything within a box: a glyph that is hidden or white on white shows nothing. */
export function isVisible({ area, scale, width, height, pixels }: Picture, box: Box, margin = 0): boolean {
  const left = Math.max(0, Math.floor((box.left - area.left) * scale) - margin);
  const right = Math.min(width, Math.ceil((box.right - area.left) * scale) + margin);
  const top = Math.max(0, Math.floor((box.top - area.top) * scale) - margin);
  const bottom = Math.min(height, Math.ceil((box.bottom - area.top) * scale) + margin);
  let [low, high] = [255, 0];
  for (let y = top; y < bottom; y++) {
    for (let at = 4 * (y * width + left); at < 4 * (y * width + right); at++) {
      if (at % 4 === 3) continue;
      const value = pixels[at] ?? 0;
      if (value < low) low = value;
      if (value > high) high = value;
      if (high - low > even) return true;
    }
  }
  return false;
}

/** Pixels of a point, and of the longer side of a page at most. */
const [resolution, longestSide] = [1.5, 1800];

/** What a file shows of its pages, one drawn at a time and only when somebody asks. */
export function visibilityOf(pdfium: Pdfium, bytes: Uint8Array): (pageIndex: number) => (box: Box) => boolean {
  return (pageIndex) => {
    const picture = withDocument(pdfium, bytes, (document) =>
      withPage(pdfium, document, pageIndex, (page) => {
        const area = pageArea(pdfium, page);
        const scale = Math.min(resolution, longestSide / Math.max(area.right, area.bottom));
        return drawPicture(pdfium, page, { area, scale });
      }),
    );
    return (box) => isVisible(picture, box, around);
  };
}
