import { PermanentError } from "../../../contracts/errors.ts";
import { transformOf } from "./geometry.ts";
import type { Box, Transform } from "./geometry.ts";
import { heapOf, perCharacter, withDocument, withMemory, withPage } from "./pdfium.ts";
import type { Pdfium } from "./pdfium.ts";

/** A character that the page shows or hides, with the box of its glyph; generated ones stand for gaps and line ends. */
export interface Character {
  text: string;
  box: Box | undefined;
}

/** The kinds of annotations in a file, by PDFium's numbers; those that an exchange carries are note, free text, highlight, stamp, redaction. */
const kinds: Readonly<Record<number, LiveAnnotation["kind"]>> = {
  ...{ 1: "carried", 3: "carried", 9: "carried", 13: "carried", 28: "carried" },
  ...{ 2: "link", 16: "popup", 20: "widget" },
};

/** An annotation in the file itself. */
export interface LiveAnnotation {
  kind: "carried" | "link" | "widget" | "popup" | "other";
  box: Box;
}

export interface PageContent {
  /** All characters one after the other. */
  readonly text: string;
  readonly characters: readonly Character[];
  readonly annotations: readonly LiveAnnotation[];
}

/** The pages of a PDF. @throws PermanentError PDF_EMPTY, PDF_PROTECTED, PDF_DAMAGED */
export function readPdf(pdfium: Pdfium, bytes: Uint8Array): readonly PageContent[] {
  return withDocument(pdfium, bytes, (document, count) =>
    Array.from({ length: count }, (_, index) => withPage(pdfium, document, index, (page) => readPage(pdfium, page))),
  );
}

/** The annotations in the file of a page that is open. */
export function readAnnotations(
  pdfium: Pdfium,
  page: number,
  shown = shownTransform(pdfium, page),
): readonly LiveAnnotation[] {
  return Array.from({ length: pdfium.FPDFPage_GetAnnotCount(page) }, (_, index) =>
    readAnnotation(pdfium, page, index, shown),
  );
}

/** Everything that can be read of a page that is open. */
export function readPage(pdfium: Pdfium, page: number): PageContent {
  const shown = shownTransform(pdfium, page);
  const annotations = readAnnotations(pdfium, page, shown);
  const text = pdfium.FPDFText_LoadPage(page);
  if (text === 0) throw new PermanentError("PDF_DAMAGED", "the text of a page cannot be read");
  try {
    return new LazyPage(readCharacters(pdfium, text), shown, annotations);
  } finally {
    pdfium.FPDFText_ClosePage(text);
  }
}

/**
 * The characters of a page as PDFium gives them; `boxes` holds left, right, bottom and top of each, in the page's own
 * coordinates, with the precision that PDFium has.
 */
interface RawText {
  codes: Uint32Array;
  isGenerated: Uint8Array;
  boxes: Float32Array;
}

function readCharacters(pdfium: Pdfium, text: number): RawText {
  const { FPDFText_GetUnicode, FPDFText_IsGenerated, FPDFText_GetCharBox, FPDFText_GetLooseCharBox } =
    perCharacter(pdfium);
  const count = pdfium.FPDFText_CountChars(text);
  const codes = new Uint32Array(count);
  const isGenerated = new Uint8Array(count);
  const boxBytes = 4 * Float64Array.BYTES_PER_ELEMENT;
  return withMemory(pdfium, (count + 1) * boxBytes, (address) => {
    for (let index = 0; index < count; index++) {
      const code = FPDFText_GetUnicode(text, index);
      codes[index] = code > 0 && code <= 0x10ffff ? code : 0xfffd;
      isGenerated[index] = FPDFText_IsGenerated(text, index);
      const at = address + index * boxBytes;
      FPDFText_GetCharBox(text, index, at, at + 8, at + 16, at + 24);
    }
    const boxes = new Float32Array(new Float64Array(heapOf(pdfium).buffer, address, 4 * count));
    for (let index = 0; index < count; index++) {
      const [left = 0, right = 0, bottom = 0, top = 0] = boxes.subarray(4 * index, 4 * index + 4);
      if (isGenerated[index] === 1 || (right - left > thinnest && top - bottom > thinnest)) continue;
      // Of a font that is not embedded PDFium knows no outlines: what a line reserves for the glyph is the next best.
      if (FPDFText_GetLooseCharBox(text, index, address) === 0) continue;
      const loose = new Float32Array(heapOf(pdfium).buffer, address, 4);
      const [looseLeft = 0, looseTop = 0, looseRight = 0, looseBottom = 0] = loose;
      boxes.set([looseLeft, looseRight, looseBottom, looseTop], 4 * index);
    }
    return { codes, isGenerated, boxes };
  });
}

/** A glyph box of less than this, in points, is none: the thinnest strokes are wider. */
const thinnest = 0.1;

/** Makes objects of characters only on pages where somebody looks at them one by one: most pages are only searched. */
class LazyPage implements PageContent {
  readonly annotations: readonly LiveAnnotation[];
  readonly #raw: RawText;
  readonly #shown: Transform;
  #text: string | undefined;
  #characters: Character[] | undefined;

  constructor(raw: RawText, shown: Transform, annotations: readonly LiveAnnotation[]) {
    this.annotations = annotations;
    this.#raw = raw;
    this.#shown = shown;
  }

  get text(): string {
    return (this.#text ??= textOf(this.#raw.codes));
  }

  get characters(): readonly Character[] {
    const { codes, isGenerated, boxes } = this.#raw;
    return (this.#characters ??= Array.from(codes, (code, index) => {
      const text = String.fromCodePoint(code);
      if (isGenerated[index] === 1) return { text, box: undefined };
      const [left = 0, right = 0, bottom = 0, top = 0] = boxes.subarray(4 * index, 4 * index + 4);
      return { text, box: this.#shown.apply(left, bottom, right, top) };
    }));
  }
}

/** In a loop: several times faster than by an array of characters. */
function textOf(codes: Uint32Array): string {
  let text = "";
  for (const code of codes) text += String.fromCodePoint(code);
  return text;
}

type Four = [number, number, number, number];

function readAnnotation(pdfium: Pdfium, page: number, index: number, shown: Transform): LiveAnnotation {
  const annotation = pdfium.FPDFPage_GetAnnot(page, index);
  try {
    const kind = kinds[pdfium.FPDFAnnot_GetSubtype(annotation)] ?? "other";
    return withMemory(pdfium, 4 * Float32Array.BYTES_PER_ELEMENT, (address) => {
      pdfium.FPDFAnnot_GetRect(annotation, address);
      const [left, top, right, bottom] = [0, 4, 8, 12].map((offset) => readFloat(pdfium, address + offset)) as Four;
      return { kind, box: shown.apply(left, bottom, right, top) };
    });
  } finally {
    pdfium.FPDFPage_CloseAnnot(annotation);
  }
}

/** PDFium gives device pixels, whole numbers: so many to a point that rounding does not matter. */
const pixelsPerPoint = 100;

/** The map from the coordinates of a page that is open to the page as it is shown. */
export function shownTransform(pdfium: Pdfium, page: number): Transform {
  const width = pdfium.FPDF_GetPageWidthF(page) * pixelsPerPoint;
  const height = pdfium.FPDF_GetPageHeightF(page) * pixelsPerPoint;
  const point = (x: number, y: number) =>
    withMemory(pdfium, 8, (address) => {
      pdfium.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, address, address + 4);
      const [left, top] = [readInteger(pdfium, address), readInteger(pdfium, address + 4)];
      return { x: left / pixelsPerPoint, y: top / pixelsPerPoint };
    });
  return transformOf(point(0, 0), point(1000, 0), point(0, 1000));
}

function readFloat(pdfium: Pdfium, address: number): number {
  return viewOf(pdfium).getFloat32(address, true);
}
function readInteger(pdfium: Pdfium, address: number): number {
  return viewOf(pdfium).getInt32(address, true);
}

function viewOf(pdfium: Pdfium): DataView {
  return new DataView(heapOf(pdfium).buffer);
}
