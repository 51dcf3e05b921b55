import { deflateSync } from "node:zlib";
import type { Matrix, PDFDocument, PDFObject, Point, Rect } from "mupdf";
import { areaOf, boundsOf, outlineWithout } from "./cut.ts";
import { inverted, transformed } from "./matrix.ts";
import { entry, numbersOf } from "../objects.ts";

/** The pixels of an image as they are in its stream: rows of samples, each row a whole number of bytes. */
interface Samples {
  width: number;
  height: number;
  bitsPerPixel: number;
  bytes: Uint8Array;
  /** What a wiped bit becomes: a stencil then paints nothing. */
  wiped: 0 | 1;
}

/**
 * Wipes the pixels that boxes cover, in the image itself and in its masks.
 * @param ctm from the unit square of the image to the page
 * @returns whether a box covers any
 */
export function wipeImage(pdf: PDFDocument, image: PDFObject, ctm: Matrix, boxes: readonly Rect[]): boolean {
  const back = inverted(ctm);
  const corners: Point[] = [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1],
  ];
  const shown = corners.map((corner) => transformed(corner, ctm));
  const covering = boxes.filter((box) => areaOf(shown) - leftOf(shown, box) > 1e-9);
  if (!back || !covering.length) return false;
  const areas = covering.map((box) => quad(box).map((point) => transformed(point, back)));
  for (const part of [image, image.get("SMask"), image.get("Mask")]) {
    if (part.isStream()) wipeStream(pdf, part, areas);
  }
  return true;
}

function leftOf(outline: readonly Point[], box: Rect): number {
  return outlineWithout(outline, [box]).reduce((sum, piece) => sum + areaOf(piece), 0);
}

function quad([left, top, right, bottom]: Rect): Point[] {
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ];
}

/** @param areas in the unit square of the image, whose row 0 is at the top, where y is 1 */
function wipeStream(pdf: PDFDocument, stream: PDFObject, areas: readonly Point[][]): void {
  const samples = samplesOf(stream) ?? decodedSamples(pdf, stream);
  for (const area of areas) wipe(samples, area);
  // The library would make fax images of bits.
  stream.writeRawStream(deflateSync(samples.bytes));
  stream.put("Filter", pdf.newName("FlateDecode"));
  stream.delete("DecodeParms");
}

function samplesOf(stream: PDFObject): Samples | undefined {
  const components = componentsOf(stream);
  if (components === undefined || filtersOf(stream).includes("JPXDecode")) return undefined;
  const [width, height] = [numberOf(stream, "Width", "W"), numberOf(stream, "Height", "H")];
  const bits = isMask(stream) ? 1 : numberOf(stream, "BitsPerComponent", "BPC") || 8;
  const bitsPerPixel = components * bits;
  const stride = Math.ceil((width * bitsPerPixel) / 8);
  const bytes = new Uint8Array(stride * height);
  try {
    const buffer = stream.readStream();
    bytes.set(buffer.asUint8Array().subarray(0, bytes.length));
    buffer.destroy();
  } catch {
    return undefined;
  }
  const isInverted = numbersOf(stream, "Decode")[0] === 1;
  return { width, height, bitsPerPixel, bytes, wiped: isMask(stream) && !isInverted ? 1 : 0 };
}

/** A picture whose samples only the library can read becomes one of plain gray or colour. */
function decodedSamples(pdf: PDFDocument, stream: PDFObject): Samples {
  const image = pdf.loadImage(stream);
  const pixmap = image.toPixmap();
  const [width, height] = [pixmap.getWidth(), pixmap.getHeight()];
  const [all, alpha] = [pixmap.getNumberOfComponents(), pixmap.getAlpha()];
  const components = Math.max(1, all - alpha);
  const [pixels, stride] = [pixmap.getPixels(), pixmap.getStride()];
  const bytes = new Uint8Array(width * height * components);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let part = 0; part < components; part++) {
        bytes[(row * width + column) * components + part] = pixels[row * stride + column * all + part] ?? 0;
      }
    }
  }
  const space = { 1: "DeviceGray", 3: "DeviceRGB", 4: "DeviceCMYK" }[components] ?? "DeviceGray";
  stream.put("ColorSpace", pdf.newName(space));
  stream.put("BitsPerComponent", 8);
  stream.put("Width", width);
  stream.put("Height", height);
  for (const key of ["Decode", "SMaskInData", "ImageMask"]) stream.delete(key);
  pixmap.destroy();
  image.destroy();
  return { width, height, bitsPerPixel: components * 8, bytes, wiped: 0 };
}

function isMask(stream: PDFObject): boolean {
  const mask = stream.get("ImageMask");
  return mask.isBoolean() && mask.asBoolean();
}

function numberOf(stream: PDFObject, ...keys: string[]): number {
  return (
    keys
      .map((key) => entry(stream, key))
      .find((value) => value.isNumber())
      ?.asNumber() ?? 0
  );
}

function filtersOf(stream: PDFObject): string[] {
  const filter = stream.get("Filter");
  if (filter.isName()) return [filter.asName()];
  return Array.from({ length: filter.isArray() ? filter.length : 0 }, (_, at) => filter.get(at)).flatMap((name) =>
    name.isName() ? [name.asName()] : [],
  );
}

const deviceComponents: Record<string, number> = {
  DeviceGray: 1,
  CalGray: 1,
  G: 1,
  DeviceRGB: 3,
  CalRGB: 3,
  RGB: 3,
  Lab: 3,
  DeviceCMYK: 4,
  CMYK: 4,
  Indexed: 1,
  I: 1,
  Separation: 1,
};

/** How many samples a pixel has; undefined where the colour space does not say. */
function componentsOf(stream: PDFObject): number | undefined {
  if (isMask(stream)) return 1;
  const space = stream.get("ColorSpace");
  const family = space.isArray() ? space.get(0) : space;
  if (!family.isName()) return undefined;
  const name = family.asName();
  if (name === "ICCBased") return numberOf(space.get(1), "N") || undefined;
  if (name === "DeviceN") return space.get(1).length;
  return deviceComponents[name];
}

/** Clears the pixels that an area touches. */
function wipe({ width, height, bitsPerPixel, bytes, wiped }: Samples, area: readonly Point[]): void {
  const pixels = area.map(([x, y]): Point => [x * width, (1 - y) * height]);
  const stride = Math.ceil((width * bitsPerPixel) / 8);
  const [, top, , bottom] = boundsOf(pixels);
  const slack = 1e-6;
  for (let row = Math.max(0, Math.floor(top + slack)); row < Math.min(height, Math.ceil(bottom - slack)); row++) {
    const span = spanOf(pixels, row);
    if (!span) continue;
    const from = Math.max(0, Math.floor(span[0] + slack)) * bitsPerPixel;
    const to = Math.min(width, Math.ceil(span[1] - slack)) * bitsPerPixel;
    setBits(bytes, row * stride * 8 + from, row * stride * 8 + to, wiped);
  }
}

/** From where to where a convex area lies in a row of pixels. */
function spanOf(area: readonly Point[], row: number): [number, number] | undefined {
  const far = 1e9;
  const strip = outlineWithout(area, [
    [-far, -far, far, row],
    [-far, row + 1, far, far],
  ]).flat();
  if (!strip.length) return undefined;
  const [left, , right] = boundsOf(strip);
  return left < right ? [left, right] : undefined;
}

function setBits(bytes: Uint8Array, from: number, to: number, value: 0 | 1): void {
  if (to <= from) return;
  const [first, last] = [Math.ceil(from / 8), Math.floor(to / 8)];
  const set = (bit: number) => {
    const mask = 0x80 >> (bit & 7);
    const old = bytes[bit >> 3] ?? 0;
    bytes[bit >> 3] = value ? old | mask : old & ~mask;
  };
  if (first >= last) {
    for (let bit = from; bit < to; bit++) set(bit);
    return;
  }
  for (let bit = from; bit < first * 8; bit++) set(bit);
  bytes.fill(value ? 0xff : 0, first, last);
  for (let bit = last * 8; bit < to; bit++) set(bit);
}
