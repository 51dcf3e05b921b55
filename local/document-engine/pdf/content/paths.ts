import type { Matrix, Point, Rect } from "mupdf";
import { areaOf, boundsOf, lineWithout, outlineWithout, overlap, type Polyline } from "./cut.ts";
import { inverted, scaleOf, transformed } from "./matrix.ts";
import { decimal } from "./tokens.ts";

type Segment = { kind: "line"; to: Point } | { kind: "curve"; by: [Point, Point]; to: Point };
interface Subpath {
  start: Point;
  segments: Segment[];
  isClosed: boolean;
}

/** What the graphics state says about a line. */
export interface Stroke {
  width: number;
  dash: readonly number[];
  phase: number;
}

const painting: Record<string, { fill?: "f" | "f*"; stroke?: true; close?: true }> = {
  f: { fill: "f" },
  F: { fill: "f" },
  "f*": { fill: "f*" },
  S: { stroke: true },
  s: { stroke: true, close: true },
  B: { fill: "f", stroke: true },
  "B*": { fill: "f*", stroke: true },
  b: { fill: "f", stroke: true, close: true },
  "b*": { fill: "f*", stroke: true, close: true },
};
const curveSteps = 24;

/** The path under construction, in the space of the page as it is shown. */
export class PathUnderWay {
  #subpaths: Subpath[] = [];
  /** Where its operations are in the stream; others may stand between them. */
  readonly ranges: { start: number; end: number }[] = [];
  #isInterrupted = true;
  isClip = false;

  /** Notes where an operation of the path is. */
  covers(start: number, end: number): void {
    const last = this.ranges.at(-1);
    if (last && !this.#isInterrupted) last.end = end;
    else this.ranges.push({ start, end });
    this.#isInterrupted = false;
  }

  /** Notes that an operation of another kind stands in between. */
  interrupt(): void {
    this.#isInterrupted = true;
  }

  /** Takes an operation that constructs. Returns whether it was one. */
  construct(name: string, numbers: readonly number[], ctm: Matrix): boolean {
    const point = (at: number) => transformed([numbers[at] ?? 0, numbers[at + 1] ?? 0], ctm);
    const current = this.#subpaths.at(-1);
    switch (name) {
      case "m":
        this.#begin(point(0));
        return true;
      case "l":
        if (current) this.#open(current).segments.push({ kind: "line", to: point(0) });
        else this.#begin(point(0));
        return true;
      case "c":
        this.#curve([point(0), point(2)], point(4));
        return true;
      case "v":
        this.#curve([current ? lastOf(current) : point(0), point(0)], point(2));
        return true;
      case "y":
        this.#curve([point(0), point(2)], point(2));
        return true;
      case "h":
        if (current) current.isClosed = true;
        return true;
      case "re": {
        const [x = 0, y = 0, width = 0, height = 0] = numbers;
        this.#begin(transformed([x, y], ctm));
        const corners: Point[] = [
          [x + width, y],
          [x + width, y + height],
          [x, y + height],
        ];
        const segments = corners.map((corner): Segment => ({ kind: "line", to: transformed(corner, ctm) }));
        const rectangle = this.#subpaths.at(-1);
        if (rectangle) Object.assign(rectangle, { segments, isClosed: true });
        return true;
      }
      default:
        return false;
    }
  }

  #begin(start: Point): void {
    this.#subpaths.push({ start, segments: [], isClosed: false });
  }

  /** What follows a closed subpath begins a new one where that began. */
  #open(current: Subpath): Subpath {
    if (!current.isClosed) return current;
    this.#begin(current.start);
    return this.#subpaths.at(-1) ?? current;
  }

  #curve(by: [Point, Point], to: Point): void {
    const current = this.#subpaths.at(-1);
    if (current) this.#open(current).segments.push({ kind: "curve", by, to });
    else this.#begin(to);
  }

  /** The operations that paint the path without what is under the boxes; undefined where nothing of it is. */
  paintedWithout(operator: string, ctm: Matrix, stroke: Stroke, boxes: readonly Rect[]): string | undefined {
    const paint = painting[operator];
    const back = inverted(ctm);
    if (!paint || !back) return undefined;
    const last = this.#subpaths.at(-1);
    if (paint.close && last) last.isClosed = true;
    const writer = new PathWriter(back);
    const filled = paint.fill ? this.#fillWithout(boxes, writer, paint.fill) : undefined;
    const stroked = paint.stroke ? this.#strokeWithout(boxes, writer, stroke, scaleOf(ctm)) : undefined;
    if (filled === undefined && stroked === undefined) return undefined;
    const whole = writer.subpaths(this.#subpaths);
    return [paint.fill ? (filled ?? `${whole}${paint.fill}`) : "", paint.stroke ? (stroked ?? `${whole}S`) : ""].join(
      "\n",
    );
  }

  #fillWithout(boxes: readonly Rect[], writer: PathWriter, rule: string): string | undefined {
    const written = this.#subpaths.map((subpath) => {
      const { points } = flattened({ ...subpath, isClosed: true });
      const near = boxes.filter((box) => overlap(boundsOf(points), box));
      const pieces = near.length ? outlineWithout(points, near) : [];
      if (!near.length || !isSmaller(pieces, points)) return { isCut: false, path: writer.subpaths([subpath]) };
      const outlines = pieces.map((piece) => writer.outline(piece));
      // Viewers align a rectangle with the screen only where it is a path of its own.
      const between = this.#subpaths.length === 1 && isUpright(points) ? `${rule}\n` : "";
      return { isCut: true, path: outlines.join(between) };
    });
    if (!written.some(({ isCut }) => isCut)) return undefined;
    const whole = written.map(({ path }) => path).join("");
    return whole ? `${whole}${rule}` : "";
  }

  #strokeWithout(boxes: readonly Rect[], writer: PathWriter, stroke: Stroke, scale: number): string | undefined {
    // A hairline is as wide as a point of the screen.
    const half = Math.max(stroke.width * scale, 0.5) / 2;
    const lines = this.#subpaths.map((subpath) => ({ subpath, line: flattened(subpath) }));
    const isNear = ({ points }: Polyline, box: Rect) => overlap(boundsOf(points), box, half);
    const near = boxes.filter((box) => lines.some(({ line }) => isNear(line, box) && meets(line, box, half)));
    if (!near.length) return undefined;
    const pieces = lines.map(({ subpath, line }) => {
      if (!near.some((box) => isNear(line, box))) return `${writer.subpaths([subpath])}S\n`;
      return lineWithout(line, near)
        .map((piece) => {
          // Viewers draw a straight line sharper where it is a path of its own.
          if (!stroke.dash.length || scale === 0) return `${writer.polyline(piece)}S\n`;
          const dash = stroke.dash.map((length) => decimal(length)).join(" ");
          return `[${dash}] ${decimal(stroke.phase + piece.from / scale)} d\n${writer.polyline(piece)}S\n`;
        })
        .join("");
    });
    const area = grown(boundsOf(lines.flatMap(({ line }) => line.points)), half * 12 + 1);
    // The ends and joins of the pieces are as wide as the line.
    const clips = near.map((box) => `${writer.rectangle(area)}${writer.rectangle(box)}W* n\n`).join("");
    const path = pieces.join("");
    return path ? `q\n${clips}${path}Q` : "";
  }
}

/** Whether points are the corners of a rectangle whose sides are those of the page. */
function isUpright(points: readonly Point[]): boolean {
  const sides = points.map(([x, y], at) => {
    const [nextX, nextY] = points[(at + 1) % points.length] ?? [x, y];
    return Math.abs(nextX - x) < 1e-4 ? "vertical" : Math.abs(nextY - y) < 1e-4 ? "horizontal" : "slanted";
  });
  return points.length === 4 && sides[0] !== sides[1] && sides[0] === sides[2] && sides[1] === sides[3];
}

function lastOf({ start, segments }: Subpath): Point {
  return segments.at(-1)?.to ?? start;
}

function grown([left, top, right, bottom]: Rect, by: number): Rect {
  return [left - by, top - by, right + by, bottom + by];
}

function isSmaller(pieces: readonly Point[][], whole: readonly Point[]): boolean {
  const area = areaOf(whole);
  const left = pieces.reduce((sum, piece) => sum + areaOf(piece), 0);
  // What has no area may still be drawn as a thin line.
  return area < 1e-6 || left < area - 1e-6 * Math.max(1, area);
}

function meets(line: Polyline, box: Rect, half: number): boolean {
  const pieces = lineWithout(line, [grown(box, half)]);
  const [only] = pieces;
  if (pieces.length !== 1 || only?.points.length !== line.points.length) return true;
  // A line that lost an end has as many points as before.
  if (!only.points.every((point, at) => isAlike(point, line.points[at] ?? [NaN, NaN]))) return true;
  return !only.isClosed && line.points.length > 2 && line.isClosed;
}

function isAlike([x, y]: Point, [otherX, otherY]: Point): boolean {
  return Math.abs(x - otherX) < 1e-6 && Math.abs(y - otherY) < 1e-6;
}

/** A subpath as points; a curve as enough of them. */
function flattened({ start, segments, isClosed }: Subpath): Polyline {
  const points: Point[] = [start];
  let from = start;
  for (const segment of segments) {
    if (segment.kind === "curve") {
      for (let step = 1; step < curveSteps; step++)
        points.push(onCurve(from, segment.by, segment.to, step / curveSteps));
    }
    points.push(segment.to);
    from = segment.to;
  }
  // What returns to its beginning by itself has one corner less.
  const returns = points.length > 3 && Math.hypot(from[0] - start[0], from[1] - start[1]) < 1e-6;
  return isClosed && returns ? { points: points.slice(0, -1), isClosed } : { points, isClosed };
}

function onCurve(from: Point, [one, two]: [Point, Point], to: Point, at: number): Point {
  const left = 1 - at;
  const mixed = (axis: 0 | 1) =>
    left ** 3 * from[axis] + 3 * left * left * at * one[axis] + 3 * left * at * at * two[axis] + at ** 3 * to[axis];
  return [mixed(0), mixed(1)];
}

/** Writes points of the page in the space of the operations that draw them. */
class PathWriter {
  readonly #back: Matrix;
  readonly #digits: number;

  constructor(back: Matrix) {
    this.#back = back;
    this.#digits = Math.min(8, Math.max(3, Math.ceil(4 - Math.log10(scaleOf(back)))));
  }

  #point(point: Point): string {
    return transformed(point, this.#back)
      .map((value) => decimal(value, this.#digits))
      .join(" ");
  }

  subpaths(subpaths: readonly Subpath[]): string {
    return subpaths
      .map(({ start, segments, isClosed }) => {
        const written = segments.map((segment) =>
          segment.kind === "line"
            ? `${this.#point(segment.to)} l\n`
            : `${[...segment.by, segment.to].map((point) => this.#point(point)).join(" ")} c\n`,
        );
        return `${this.#point(start)} m\n${written.join("")}${isClosed ? "h\n" : ""}`;
      })
      .join("");
  }

  /** A rectangle as one operation, where it is one in the space of the operations. */
  outline(points: readonly Point[]): string {
    const corners = points.map((point) => transformed(point, this.#back));
    const [first, , third] = corners;
    if (!first || !third || !isUpright(corners)) return this.polyline({ points: [...points], isClosed: true });
    const sizes = [first[0], first[1], third[0] - first[0], third[1] - first[1]];
    return `${sizes.map((value) => decimal(value, this.#digits)).join(" ")} re\n`;
  }

  polyline({ points, isClosed }: Polyline): string {
    const written = points.map((point, at) => `${this.#point(point)} ${at === 0 ? "m" : "l"}\n`);
    return `${written.join("")}${isClosed ? "h\n" : ""}`;
  }

  rectangle([left, top, right, bottom]: Rect): string {
    const points: Point[] = [
      [left, top],
      [right, top],
      [right, bottom],
      [left, bottom],
    ];
    return this.polyline({ points, isClosed: true });
  }
}
