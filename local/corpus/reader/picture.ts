import { createCanvas } from "@napi-rs/canvas";
import { OPS } from "pdfjs-dist/legacy/build/pdf.mjs";
import { intersection, type Box } from "./matrix.ts";
import { fontsOf } from "./page.ts";
import { geometryOf, type PDFPageProxy } from "./pdf.ts";
import { Walk, type Fill, type OperatorList } from "./walk.ts";

/** A page as a picture: red, green, blue and opacity of each point, row by row. */
export interface Picture {
  width: number;
  height: number;
  pixels: Uint8ClampedArray;
  /** Points of the picture to a point of the page. */
  scale: number;
}

/** Which operators are painted; text never is. */
interface Painting {
  scale: number;
  /** Whether a filled path is left out. */
  isLeftOut?: (fill: Fill) => boolean;
}

/** A page without its text. */
export async function paint(page: PDFPageProxy, { scale, isLeftOut }: Painting): Promise<Picture> {
  const viewport = page.getViewport({ scale: scale / page.userUnit });
  const [width, height] = [Math.max(1, Math.ceil(viewport.width)), Math.max(1, Math.ceil(viewport.height))];
  const canvas = createCanvas(width, height);
  const walk = new Walk(geometryOf(page).toShown, { fontOf: fontsOf(page) });
  const operationsFilter = (index: number, list: OperatorList): boolean => {
    const operator = list.fnArray[index] ?? 0;
    if (operator === OPS.showText) return false;
    const fill = walk.step(operator, list.argsArray[index]);
    return !(fill && isLeftOut?.(fill));
  };
  // The library's types know the browser's canvas only.
  const target: unknown = { canvas, viewport, operationsFilter };
  await page.render(target as Parameters<PDFPageProxy["render"]>[0]).promise;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  return { width, height, pixels: data, scale };
}

/** Rows and columns of a part of a picture. */
export interface Area {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** The points of a picture that lie in a box as a whole, without its rim; undefined where there are none. */
export function areaIn({ width, height, scale }: Picture, box: Box, rim: number): Area | undefined {
  const shown = intersection(box, { left: 0, top: 0, right: width / scale, bottom: height / scale });
  const area = {
    left: Math.ceil((shown.left + rim) * scale),
    top: Math.ceil((shown.top + rim) * scale),
    right: Math.floor((shown.right - rim) * scale),
    bottom: Math.floor((shown.bottom - rim) * scale),
  };
  return area.left < area.right && area.top < area.bottom ? area : undefined;
}

/** The share of an area that has a colour, give or take. */
export function shareOf({ width, pixels }: Picture, area: Area, [red, green, blue]: readonly number[]): number {
  let alike = 0;
  for (let y = area.top; y < area.bottom; y++) {
    for (let x = area.left; x < area.right; x++) {
      const at = 4 * (y * width + x);
      const difference = Math.max(
        Math.abs((pixels[at] ?? 0) - (red ?? 0)),
        Math.abs((pixels[at + 1] ?? 0) - (green ?? 0)),
        Math.abs((pixels[at + 2] ?? 0) - (blue ?? 0)),
      );
      if (difference <= 16) alike++;
    }
  }
  return alike / ((area.right - area.left) * (area.bottom - area.top));
}

/**
 * Whether an area shows nothing but upright rectangles of one colour each, few of them: the paper, a background, a picture
 * whose points were taken out. What can be read or recognised changes more often from row to row or column to column.
 */
export function isBlank(picture: Picture, area: Area): boolean {
  return changes(picture, area, true) <= mostChanges && changes(picture, area, false) <= mostChanges;
}

const mostChanges = 4;
const tolerance = 24;

function changes({ width, pixels }: Picture, { left, top, right, bottom }: Area, byRow: boolean): number {
  const [from, to, start, end] = byRow ? [top, bottom, left, right] : [left, right, top, bottom];
  const at = (line: number, along: number) => 4 * (byRow ? line * width + along : along * width + line);
  let [reference, count] = [from, 0];
  for (let line = from + 1; line < to; line++) {
    for (let along = start; along < end; along++) {
      const [one, other] = [at(reference, along), at(line, along)];
      const isSame = [0, 1, 2].every(
        (channel) => Math.abs((pixels[one + channel] ?? 0) - (pixels[other + channel] ?? 0)) <= tolerance,
      );
      if (isSame) continue;
      count++;
      reference = line;
      break;
    }
  }
  return count;
}
