import type { Point, Rect } from "mupdf";

/** A line through points; closed ones are the outline of an area. */
export interface Polyline {
  points: Point[];
  isClosed: boolean;
}

export function boundsOf(points: readonly Point[]): Rect {
  const bounds: Rect = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    bounds[0] = Math.min(bounds[0], x);
    bounds[1] = Math.min(bounds[1], y);
    bounds[2] = Math.max(bounds[2], x);
    bounds[3] = Math.max(bounds[3], y);
  }
  return bounds;
}

/** Whether two rectangles have an area in common; lines count as having one. */
export function overlap(one: Rect, other: Rect, margin = 0): boolean {
  return (
    one[0] < other[2] + margin && other[0] - margin < one[2] && one[1] < other[3] + margin && other[1] - margin < one[3]
  );
}

/** Less area than this is none. */
const flat = 1e-6;

type Inside = (point: Point) => number;

/** The part of an outline on the side of a line where `distance` is not negative, by Sutherland and Hodgman. */
function half(points: readonly Point[], distance: Inside): Point[] {
  return points.flatMap((point, index) => {
    const previous = points.at(index - 1) ?? point;
    const [before, now] = [distance(previous), distance(point)];
    const crossing = before * now < 0 ? [between(previous, point, before / (before - now))] : [];
    return now >= 0 ? [...crossing, point] : crossing;
  });
}

function between([ax, ay]: Point, [bx, by]: Point, share: number): Point {
  return [ax + (bx - ax) * share, ay + (by - ay) * share];
}

/** The four areas round a rectangle, each as the lines that bound it. */
function areasRound([left, top, right, bottom]: Rect): Inside[][] {
  return [
    [([x]) => left - x],
    [([x]) => x - right],
    [([x]) => x - left, ([x]) => right - x, ([, y]) => top - y],
    [([x]) => x - left, ([x]) => right - x, ([, y]) => y - bottom],
  ];
}

/**
 * An outline without what lies in the rectangles. The winding number of every point outside of them stays, so that the
 * pieces of several outlines fill what the outlines filled, by either rule.
 */
export function outlineWithout(outline: readonly Point[], rects: readonly Rect[]): Point[][] {
  let pieces = [[...outline]];
  const isFlat = areaOf(outline) < flat;
  for (const rect of rects) {
    pieces = pieces.flatMap((piece) => {
      if (!overlap(boundsOf(piece), rect)) return [piece];
      return areasRound(rect)
        .map((lines) => lines.reduce((points, line) => half(points, line), piece))
        .filter((points) => points.length > 2 && (isFlat || areaOf(points) >= flat));
    });
  }
  return pieces;
}

/** A line without what lies in the rectangles, as the pieces that are left, each with its distance from the beginning. */
export function lineWithout({ points, isClosed }: Polyline, rects: readonly Rect[]): (Polyline & { from: number })[] {
  const [first] = points;
  if (!first) return [];
  // A line that is closed would be drawn there and back.
  const whole = isClosed && points.length > 2 ? [...points, first] : points;
  const pieces: { points: Point[]; from: number }[] = [];
  let open: { points: Point[]; from: number } | undefined;
  let walked = 0;
  let isCut = false;
  for (let at = 1; at < whole.length; at++) {
    const [start = first, end = first] = [whole[at - 1], whole[at]];
    const length = Math.hypot(end[0] - start[0], end[1] - start[1]);
    const parts = partsOutside(start, end, rects);
    isCut ||= parts.length !== 1 || parts[0]?.[0] !== 0 || parts[0][1] !== 1;
    for (const [from, to] of parts) {
      if (!open || from > 0) {
        open = { points: [between(start, end, from)], from: walked + from * length };
        pieces.push(open);
      }
      open.points.push(between(start, end, to));
      if (to < 1) open = undefined;
    }
    if (partEndsEarly(start, end, rects)) open = undefined;
    walked += length;
  }
  // A line that lost both of its ends has as many points as before.
  const isWhole = isClosed && !isCut && whole.length > points.length;
  return pieces.map((piece) => ({
    ...piece,
    points: isWhole ? piece.points.slice(0, -1) : piece.points,
    isClosed: isWhole,
  }));
}

/** The shares of a segment that lie outside of all rectangles, in their order. */
function partsOutside(start: Point, end: Point, rects: readonly Rect[]): [number, number][] {
  let parts: [number, number][] = [[0, 1]];
  for (const rect of rects) {
    const inside = shareInside(start, end, rect);
    if (!inside) continue;
    parts = parts.flatMap(([from, to]) => {
      const left: [number, number][] = [
        [from, Math.min(to, inside[0])],
        [Math.max(from, inside[1]), to],
      ];
      return left.filter((part) => part[1] - part[0] > 1e-9);
    });
  }
  return parts;
}

function partEndsEarly(start: Point, end: Point, rects: readonly Rect[]): boolean {
  return rects.some((rect) => (shareInside(start, end, rect)?.[1] ?? 0) >= 1);
}

/** From where to where a segment lies in a rectangle, by Liang and Barsky. */
function shareInside(start: Point, end: Point, [left, top, right, bottom]: Rect): [number, number] | undefined {
  const [dx, dy] = [end[0] - start[0], end[1] - start[1]];
  let [from, to] = [0, 1];
  for (const [direction, room] of [
    [-dx, start[0] - left],
    [dx, right - start[0]],
    [-dy, start[1] - top],
    [dy, bottom - start[1]],
  ] as const) {
    if (direction === 0) {
      if (room <= 0) return undefined;
    } else if (direction < 0) from = Math.max(from, room / direction);
    else to = Math.min(to, room / direction);
  }
  return from < to ? [from, to] : undefined;
}

/** The area of an outline, whichever way round it goes. */
export function areaOf(points: readonly Point[]): number {
  const twice = points.reduce((sum, [x, y], index) => {
    const [nextX, nextY] = points[(index + 1) % points.length] ?? [x, y];
    return sum + x * nextY - nextX * y;
  }, 0);
  return Math.abs(twice) / 2;
}

/** The share of an outline's area that rectangles cover. */
export function coveredShare(outline: readonly Point[], rects: readonly Rect[]): number {
  const whole = areaOf(outline);
  if (whole <= 0) return 0;
  const left = outlineWithout(outline, rects).reduce((sum, piece) => sum + areaOf(piece), 0);
  return 1 - left / whole;
}
