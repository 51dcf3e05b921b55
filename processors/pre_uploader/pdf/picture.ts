import { PermanentError } from "../../../contracts/errors.ts";
import type { Box } from "./geometry.ts";
import { heapOf, withMemory } from "./pdfium.ts";
import type { Pdfium } from "./pdfium.ts";

/** A part of a page as it is shown, drawn. */
export interface Picture {
  area: Box;
  /** Pixels of a point. */
  scale: number;
  width: number;
  height: number;
  /** Blue, green, red, alpha of each pixel, row by row. */
  pixels: Uint8Array;
}

interface PictureOptions {
  area: Box;
  scale: number;
  /** Annotations and form fields too. */
  withAnnotations?: boolean;
  /** White is the paper; without it pixels that nothing draws on have no alpha. */
  isOnPaper?: boolean;
}

const [blueGreenRedAlpha, bytesPerPixel, annotations] = [4, 4, 1];
/** What one picture may take; a page has to be drawn at a lower resolution, or it is none that a person looks at. */
const mostPixels = 16_000_000;

/** Draws a part of a page that is open. @throws PermanentError PDF_TOO_COMPLEX */
export function drawPicture(pdfium: Pdfium, page: number, options: PictureOptions): Picture {
  const { area, scale, withAnnotations = false, isOnPaper = true } = options;
  const width = Math.max(1, Math.ceil((area.right - area.left) * scale));
  const height = Math.max(1, Math.ceil((area.bottom - area.top) * scale));
  if (!(width * height <= mostPixels)) {
    throw new PermanentError("PDF_TOO_COMPLEX", "a page is too large for the budget of 16 million pixels");
  }
  const bitmap = pdfium.FPDFBitmap_CreateEx(width, height, blueGreenRedAlpha, 0, 0);
  if (bitmap === 0)
    throw new PermanentError("PDF_TOO_COMPLEX", "a picture of a page does not fit into PDFium's memory");
  try {
    pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, isOnPaper ? 0xffffffff : 0);
    withMemory(pdfium, 40, (address) => {
      const matrix = [scale, 0, 0, scale, -area.left * scale, -area.top * scale];
      new Float32Array(heapOf(pdfium).buffer, address, 10).set([...matrix, 0, 0, width, height]);
      const flags = withAnnotations ? annotations : 0;
      pdfium.FPDF_RenderPageBitmapWithMatrix(bitmap, page, address, address + 24, flags);
    });
    return { area, scale, width, height, pixels: pixelsOf(pdfium, bitmap, width, height) };
  } finally {
    pdfium.FPDFBitmap_Destroy(bitmap);
  }
}

function pixelsOf(pdfium: Pdfium, bitmap: number, width: number, height: number): Uint8Array {
  const start = pdfium.FPDFBitmap_GetBuffer(bitmap);
  const [stride, row] = [pdfium.FPDFBitmap_GetStride(bitmap), width * bytesPerPixel];
  if (stride === row) return heapOf(pdfium).slice(start, start + row * height);
  const pixels = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) {
    pixels.set(heapOf(pdfium).subarray(start + y * stride, start + y * stride + row), y * row);
  }
  return pixels;
}

/** The pixels of a picture as one number each, to compare them at once. */
export function wordsOf({ pixels }: Picture): Uint32Array {
  const isAligned = pixels.byteOffset % Uint32Array.BYTES_PER_ELEMENT === 0;
  const { buffer, byteOffset, length } = isAligned ? pixels : pixels.slice();
  return new Uint32Array(buffer, byteOffset, length / bytesPerPixel);
}

/** The size of a page that is open, as it is shown. */
export function pageArea(pdfium: Pdfium, page: number): Box {
  return { left: 0, top: 0, right: pdfium.FPDF_GetPageWidthF(page), bottom: pdfium.FPDF_GetPageHeightF(page) };
}

/** Marks the pixels of a picture that lie in one of the boxes. */
export function maskOf({ area, scale, width, height }: Picture, boxes: readonly Box[], margin = 0): Uint8Array {
  const mask = new Uint8Array(width * height);
  for (const box of boxes) {
    const left = Math.max(0, Math.floor((box.left - margin - area.left) * scale));
    const right = Math.min(width, Math.ceil((box.right + margin - area.left) * scale));
    const top = Math.max(0, Math.floor((box.top - margin - area.top) * scale));
    const bottom = Math.min(height, Math.ceil((box.bottom + margin - area.top) * scale));
    if (right <= left) continue;
    for (let y = top; y < bottom; y++) mask.fill(1, y * width + left, y * width + right);
  }
  return mask;
}
