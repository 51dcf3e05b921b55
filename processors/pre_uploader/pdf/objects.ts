import { heapOf, withMemory } from "./pdfium.ts";
import type { Pdfium } from "./pdfium.ts";
import type { Box, Transform } from "./geometry.ts";

/** By PDFium's numbers. */
const objectKinds = { 1: "text", 2: "path", 3: "image", 4: "shading", 5: "form" } as const;

/** Something that a page draws by itself: no form, but what is in it. */
export interface PageObject {
  handle: number;
  kind: "text" | "path" | "image" | "shading" | "unknown";
  /** The map from its own coordinates to those of the page. */
  matrix: Matrix;
}

export type Matrix = readonly [number, number, number, number, number, number];
const identity: Matrix = [1, 0, 0, 1, 0, 0];

/** All objects of a page that is open, those in forms too, in the order in which they are drawn. */
export function readObjects(pdfium: Pdfium, page: number): PageObject[] {
  const objects: PageObject[] = [];
  const add = (handle: number, matrix: Matrix): void => {
    const kind = objectKinds[pdfium.FPDFPageObj_GetType(handle) as keyof typeof objectKinds] as
      (typeof objectKinds)[keyof typeof objectKinds] | undefined;
    if (kind !== "form") {
      objects.push({ handle, kind: kind ?? "unknown", matrix });
      return;
    }
    const inner = multiplied(matrixOf(pdfium, handle), matrix);
    const count = pdfium.FPDFFormObj_CountObjects(handle);
    for (let index = 0; index < count; index++) add(pdfium.FPDFFormObj_GetObject(handle, index), inner);
  };
  const count = pdfium.FPDFPage_CountObjects(page);
  for (let index = 0; index < count; index++) add(pdfium.FPDFPage_GetObject(page, index), identity);
  return objects;
}

export function matrixOf(pdfium: Pdfium, handle: number): Matrix {
  return withMemory(pdfium, 24, (address) => {
    if (!pdfium.FPDFPageObj_GetMatrix(handle, address)) return identity;
    return Array.from(new Float32Array(heapOf(pdfium).buffer, address, 6)) as unknown as Matrix;
  });
}

/** First the one, then the other. */
export function multiplied(one: Matrix, other: Matrix): Matrix {
  const [a, b, c, d, e, f] = one;
  const [A, B, C, D, E, F] = other;
  return [a * A + b * C, a * B + b * D, c * A + d * C, c * B + d * D, e * A + f * C + E, e * B + f * D + F];
}

export function applied([a, b, c, d, e, f]: Matrix, x: number, y: number): [x: number, y: number] {
  return [a * x + c * y + e, b * x + d * y + f];
}

/** The map back; undefined where there is none. */
export function inverted([a, b, c, d, e, f]: Matrix): Matrix | undefined {
  const determinant = a * d - b * c;
  if (Math.abs(determinant) < 1e-12) return undefined;
  const [A, B, C, D] = [d / determinant, -b / determinant, -c / determinant, a / determinant];
  return [A, B, C, D, -(e * A + f * C), -(e * B + f * D)];
}

/** Where a point of an object is on the page as it is shown. */
function shownPoint(shown: Transform, matrix: Matrix, x: number, y: number): { x: number; y: number } {
  const [left, bottom] = applied(matrix, x, y);
  const box: Box = shown.apply(left, bottom, left, bottom);
  return { x: box.left, y: box.top };
}

/** The map from a page to the page as it is shown, as a matrix. */
export function shownMatrix(shown: Transform): Matrix {
  const far = 1000;
  const [origin, x, y] = [
    shownPoint(shown, identity, 0, 0),
    shownPoint(shown, identity, far, 0),
    shownPoint(shown, identity, 0, far),
  ];
  return [
    (x.x - origin.x) / far,
    (x.y - origin.y) / far,
    (y.x - origin.x) / far,
    (y.y - origin.y) / far,
    origin.x,
    origin.y,
  ];
}

export type Segment = readonly [from: readonly [x: number, y: number], to: readonly [x: number, y: number]];

const moveTo = 2;

/** The lines of a path, and for its curves those between the points that bend them, on the page as it is shown. */
export function pathSegments(pdfium: Pdfium, { handle, matrix }: PageObject, shown: Transform): Segment[] {
  const toShown = multiplied(multiplied(matrixOf(pdfium, handle), matrix), shownMatrix(shown));
  const count = pdfium.FPDFPath_CountSegments(handle);
  const segments: Segment[] = [];
  return withMemory(pdfium, 8, (address) => {
    let [start, last]: Segment = [
      [0, 0],
      [0, 0],
    ];
    for (let index = 0; index < count; index++) {
      const segment = pdfium.FPDFPath_GetPathSegment(handle, index);
      pdfium.FPDFPathSegment_GetPoint(segment, address, address + 4);
      const [x = 0, y = 0] = new Float32Array(heapOf(pdfium).buffer, address, 2);
      const point = applied(toShown, x, y);
      if (pdfium.FPDFPathSegment_GetType(segment) === moveTo) start = point;
      else segments.push([last, point]);
      if (pdfium.FPDFPathSegment_GetClose(segment)) segments.push([point, start]);
      last = point;
    }
    return segments;
  });
}

/** The bounds of an object on the page as it is shown; undefined where PDFium does not know them. */
export function boundsOf(pdfium: Pdfium, { handle, matrix }: PageObject, shown: Transform): Box | undefined {
  return withMemory(pdfium, 16, (address) => {
    if (!pdfium.FPDFPageObj_GetBounds(handle, address, address + 4, address + 8, address + 12)) return undefined;
    const [left = 0, bottom = 0, right = 0, top = 0] = new Float32Array(heapOf(pdfium).buffer, address, 4);
    const corners = [
      [left, bottom],
      [right, bottom],
      [left, top],
      [right, top],
    ] as const;
    const points = corners.map(([x, y]) => shownPoint(shown, matrix, x, y));
    const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
    return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
  });
}
