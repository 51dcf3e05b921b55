import { grown, intersection } from "../pdf/geometry.ts";
import type { Box, Transform } from "../pdf/geometry.ts";
import { applied, inverted, matrixOf, multiplied, readObjects, shownMatrix } from "../pdf/objects.ts";
import type { Matrix } from "../pdf/objects.ts";
import { heapOf, withMemory } from "../pdf/pdfium.ts";
import type { Pdfium } from "../pdf/pdfium.ts";
import { shownTransform } from "../pdf/reader.ts";

/** Channels of a wiped part differ by less: repacked images are not exact. */
const sameColour = 32;
/** So many pixels of an image are looked at under one box; of more, every second, third … */
const mostSamples = 40_000;

interface ImageBitmap {
  handle: number;
  width: number;
  height: number;
  bytesPerPixel: number;
}

/** By PDFium's numbers: grey, BGR, BGRx, BGRA and BGRA premultiplied. */
const bytesByFormat: Readonly<Record<number, number>> = { 1: 1, 2: 3, 3: 4, 4: 4, 5: 4 };

/**
 * Whether the pixels that an image has under a box are more than one colour, masks and clips of the image left aside: they could
 * be taken out of the file.
 *
 * @param matrix the map from the form that holds the image to the page
 */
export function hasPixelsUnder(pdfium: Pdfium, image: number, matrix: Matrix, shown: Transform, box: Box): boolean {
  const toShown = multiplied(multiplied(matrixOf(pdfium, image), matrix), shownMatrix(shown));
  const fromShown = inverted(toShown);
  if (!fromShown || !meets(toShown, box)) return false;
  const handle = pdfium.FPDFImageObj_GetBitmap(image);
  // Nobody can say what is in it.
  if (handle === 0) return true;
  try {
    const [width, height] = [pdfium.FPDFBitmap_GetWidth(handle), pdfium.FPDFBitmap_GetHeight(handle)];
    const bytesPerPixel = bytesByFormat[pdfium.FPDFBitmap_GetFormat(handle)] ?? 4;
    return !isUniformIn(pdfium, { handle, width, height, bytesPerPixel }, toShown, fromShown, box);
  } finally {
    pdfium.FPDFBitmap_Destroy(handle);
  }
}

/** Whether the unit square, in which images stand, comes to lie on a box. */
function meets(toShown: Matrix, box: Box): boolean {
  const corners = [applied(toShown, 0, 0), applied(toShown, 1, 0), applied(toShown, 0, 1), applied(toShown, 1, 1)];
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  return (
    Math.min(...xs) < box.right &&
    Math.max(...xs) > box.left &&
    Math.min(...ys) < box.bottom &&
    Math.max(...ys) > box.top
  );
}

function isUniformIn(pdfium: Pdfium, bitmap: ImageBitmap, toShown: Matrix, fromShown: Matrix, box: Box): boolean {
  const { width, height } = bitmap;
  const [a, b, c, d] = toShown;
  // Small pixels at the edge of the box show what is beside it; of large ones each that reaches into it is looked at.
  const [x, y] = [Math.abs(a) / width + Math.abs(c) / height, Math.abs(b) / width + Math.abs(d) / height];
  const [wider, higher] = [Math.max(0, x / 2 - 1), Math.max(0, y / 2 - 1)];
  const inner = {
    ...{ left: box.left - wider, right: box.right + wider },
    ...{ top: box.top - higher, bottom: box.bottom + higher },
  };
  const corners = [
    applied(fromShown, inner.left, inner.top),
    applied(fromShown, inner.right, inner.top),
    applied(fromShown, inner.left, inner.bottom),
    applied(fromShown, inner.right, inner.bottom),
  ];
  const columns = rangeOf(
    corners.map(([x]) => x * width),
    width,
  );
  const rows = rangeOf(
    corners.map(([, y]) => (1 - y) * height),
    height,
  );
  const step = Math.max(1, Math.ceil(Math.sqrt((columns.length * rows.length) / mostSamples)));
  const extremes = new Extremes(pdfium, bitmap);
  for (let row = rows.first; row <= rows.last; row += step) {
    for (let column = columns.first; column <= columns.last; column += step) {
      const [centreX, centreY] = applied(toShown, (column + 0.5) / width, 1 - (row + 0.5) / height);
      if (isInside(centreX, centreY, inner)) extremes.add(column, row);
    }
  }
  return extremes.spread <= sameColour;
}

function isInside(x: number, y: number, { left, top, right, bottom }: Box): boolean {
  return x > left && x < right && y > top && y < bottom;
}

function rangeOf(values: readonly number[], size: number): { first: number; last: number; length: number } {
  const first = Math.max(0, Math.floor(Math.min(...values)));
  const last = Math.min(size - 1, Math.ceil(Math.max(...values)));
  return { first, last, length: Math.max(0, last - first + 1) };
}

/** The lowest and highest value of each channel of the pixels that were added. */
class Extremes {
  readonly #low: number[];
  readonly #high: number[];
  readonly #heap: Uint8Array;
  readonly #start: number;
  readonly #stride: number;
  readonly #bytesPerPixel: number;

  constructor(pdfium: Pdfium, { handle, bytesPerPixel }: ImageBitmap) {
    this.#start = pdfium.FPDFBitmap_GetBuffer(handle);
    this.#stride = pdfium.FPDFBitmap_GetStride(handle);
    this.#heap = heapOf(pdfium);
    this.#bytesPerPixel = bytesPerPixel;
    this.#low = Array.from({ length: bytesPerPixel }, () => 255);
    this.#high = Array.from({ length: bytesPerPixel }, () => 0);
  }

  add(column: number, row: number): void {
    const at = this.#start + row * this.#stride + column * this.#bytesPerPixel;
    for (let channel = 0; channel < this.#bytesPerPixel; channel++) {
      const value = this.#heap[at + channel] ?? 0;
      this.#low[channel] = Math.min(this.#low[channel] ?? 0, value);
      this.#high[channel] = Math.max(this.#high[channel] ?? 0, value);
    }
  }

  get spread(): number {
    return Math.max(...this.#high.map((high, channel) => high - (this.#low[channel] ?? 0)));
  }
}

/** A page of one pixel is not to be wiped unseen. In points. */
const farthestWiped = 24;

/**
 * The parts of a page that change with the pixels of its images that lie partly under boxes: a pixel is wiped as a whole,
 * however far it reaches out of the box.
 */
export function wipedBeyond(pdfium: Pdfium, page: number, boxes: readonly Box[]): Box[] {
  if (boxes.length === 0) return [];
  const shown = shownTransform(pdfium, page);
  return readObjects(pdfium, page).flatMap(({ handle, kind, matrix }) => {
    if (kind !== "image") return [];
    const toShown = multiplied(multiplied(matrixOf(pdfium, handle), matrix), shownMatrix(shown));
    const fromShown = inverted(toShown);
    const size = pixelSizeOf(pdfium, handle);
    if (!fromShown || !size) return [];
    return boxes.flatMap((box) =>
      meets(toShown, box)
        ? (intersection(pixelsTouched(box, toShown, fromShown, size), grown(box, farthestWiped)) ?? [])
        : [],
    );
  });
}

/** The pixels of an image that a box touches, as a box on the page. */
function pixelsTouched(box: Box, toShown: Matrix, fromShown: Matrix, [width, height]: PixelSize): Box {
  const inImage = hullOf(box, fromShown);
  const inPixels = {
    left: Math.max(0, Math.floor(inImage.left * width)) / width,
    right: Math.min(width, Math.ceil(inImage.right * width)) / width,
    top: Math.max(0, Math.floor(inImage.top * height)) / height,
    bottom: Math.min(height, Math.ceil(inImage.bottom * height)) / height,
  };
  return hullOf(inPixels, toShown);
}

/** The upright box round what a map makes of a box. */
function hullOf({ left, top, right, bottom }: Box, map: Matrix): Box {
  const points = [
    applied(map, left, top),
    applied(map, right, top),
    applied(map, left, bottom),
    applied(map, right, bottom),
  ];
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

type PixelSize = readonly [width: number, height: number];

function pixelSizeOf(pdfium: Pdfium, image: number): PixelSize | undefined {
  return withMemory(pdfium, 8, (address) => {
    if (!pdfium.FPDFImageObj_GetImagePixelSize(image, address, address + 4)) return undefined;
    const [width = 0, height = 0] = new Uint32Array(heapOf(pdfium).buffer, address, 2);
    return width > 0 && height > 0 ? [width, height] : undefined;
  });
}
