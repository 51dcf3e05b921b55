import type { Matrix, Point, Quad, Rect } from "mupdf";

/** `[left, top, width, height]` in points from the top left corner of the page as it is shown. */
export type Box = [number, number, number, number];

export const rectOf = ([left, top, width, height]: Box): Rect => [left, top, left + width, top + height];
export const boxOf = ([x0, y0, x1, y1]: Rect): Box => [x0, y0, x1 - x0, y1 - y0].map(rounded) as Box;
export const quadOf = ([left, top, width, height]: Box): Quad => {
  const [right, bottom] = [left + width, top + height];
  return [left, top, right, top, left, bottom, right, bottom];
};
/** The corners of marked text, which runs along the longer side: its ends are drawn round, by its height. */
export const markedQuadOf = (box: Box): Quad => {
  const [left, top, width, height] = box;
  const [right, bottom] = [left + width, top + height];
  return height > width ? [right, top, right, bottom, left, top, left, bottom] : quadOf(box);
};

/** The smallest upright box round a quadrilateral. */
export function boxOfQuad(quad: Quad): Box {
  const xs = [quad[0], quad[2], quad[4], quad[6]];
  const ys = [quad[1], quad[3], quad[5], quad[7]];
  return boxOf([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]);
}

export function hull(boxes: readonly Box[]): Box {
  const rects = boxes.map(rectOf);
  const edge = (pick: (rect: Rect) => number, which: (...values: number[]) => number) => which(...rects.map(pick));
  return boxOf([
    edge((rect) => rect[0], Math.min),
    edge((rect) => rect[1], Math.min),
    edge((rect) => rect[2], Math.max),
    edge((rect) => rect[3], Math.max),
  ]);
}

/** Whether two boxes overlap or share an edge. */
export function touches(one: Box, other: Box): boolean {
  const [a, b] = [rectOf(one), rectOf(other)];
  return a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3];
}

/** A rectangle of the PDF's own space on the page as it is shown. */
export function boxOnPage(corners: readonly number[], matrix: Matrix): Box {
  const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = corners;
  const [ax, ay] = transformed([x0, y0], matrix);
  const [bx, by] = transformed([x1, y1], matrix);
  return boxOf([Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)]);
}

function transformed([x, y]: Point, [a, b, c, d, e, f]: Matrix): Point {
  return [a * x + c * y + e, b * x + d * y + f];
}

/** PDF numbers are kept in 32 bits: more digits would be noise. */
export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

export function rgb(hex: string): [number, number, number] {
  const part = (at: number) => parseInt(hex.slice(at, at + 2), 16) / 255;
  return [part(1), part(3), part(5)];
}

/** A colour of one, three or four components as `#RRGGBB`. */
export function hexOf(color: readonly number[]): string | undefined {
  const [a = 0, b = 0, c = 0, k = 0] = color;
  const mixed = { 1: [a, a, a], 3: [a, b, c], 4: [a, b, c].map((ink) => (1 - ink) * (1 - k)) }[color.length];
  if (!mixed) return undefined;
  const digits = mixed.map((part) =>
    Math.round(part * 255)
      .toString(16)
      .padStart(2, "0"),
  );
  return `#${digits.join("").toUpperCase()}`;
}
