/** Random documents with random annotations, and how they are drawn. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fontkit from "@cantoo/fontkit";
import fc from "fast-check";
import { PDFDocument, PDFName, PDFNumber, PDFOperator, StandardFonts, degrees, rgb } from "@cantoo/pdf-lib";
import type { PDFFont, PDFPage, PDFRef } from "@cantoo/pdf-lib";
import { make } from "./engine_bench.ts";

export type Rect = [number, number, number, number];

/** A page as it is made: words on a grid, each unlike any other, turned, cropped and scaled, and pictures, drawings and fields. */
export interface ScenePage {
  rotation: 0 | 90 | 180 | 270;
  crop: { left: number; bottom: number; width: number; height: number };
  userUnit: 1 | 2;
  /** Points that the word of each cell is moved by. */
  offsets: number[];
  /** Where a picture lies, and whether in a stream of its own. */
  picture: "none" | "object" | "inline";
  hasDrawing: boolean;
  hasField: boolean;
  /** Whether it shows the stream that all such pages of the document share. */
  isSharing: boolean;
}

/** Parts of the shown page, so that the same mark fits every geometry; some lie partly off it. */
export interface Mark {
  page: number;
  exhibit: number;
  kind: "redaction" | "highlight" | "note" | "bates" | "confidentiality" | "sticker";
  at: { x: number; y: number; width: number; height: number };
}

export interface Scene {
  /** Whether the words are drawn with a font that is in the file, of which every library knows the same outlines. */
  isFontEmbedded: boolean;
  pages: ScenePage[];
  marks: Mark[];
}

/** A word, where it stands on the page as it is shown. */
export interface SceneWord {
  word: string;
  pageIndex: number;
  box: Rect;
  /** The value of a form field, which goes as a whole with a redaction that touches it. */
  isField: boolean;
}

const [columns, rows, size] = [3, 6, 10];
const mediaBox = { width: 420, height: 300 };
export const imageId = "b".repeat(64);

const page: fc.Arbitrary<ScenePage> = fc.record({
  rotation: fc.constantFrom(0, 90, 180, 270),
  crop: fc.record({
    left: fc.integer({ min: 0, max: 40 }),
    bottom: fc.integer({ min: 0, max: 40 }),
    width: fc.integer({ min: 300, max: 380 }),
    height: fc.integer({ min: 200, max: 260 }),
  }),
  userUnit: fc.constantFrom(1, 1, 1, 2),
  offsets: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: columns * rows, maxLength: columns * rows }),
  picture: fc.constantFrom("none", "none", "object", "inline"),
  hasDrawing: fc.boolean(),
  hasField: fc.boolean(),
  isSharing: fc.boolean(),
});
const part = fc.double({ min: -0.1, max: 0.95, noNaN: true });
const mark = (pages: number): fc.Arbitrary<Mark> =>
  fc.record({
    page: fc.nat({ max: pages - 1 }),
    exhibit: fc.nat({ max: 1 }),
    kind: fc.constantFrom("redaction", "redaction", "highlight", "note", "bates", "confidentiality", "sticker"),
    at: fc.record({
      x: part,
      y: part,
      width: fc.double({ min: 0.01, max: 0.5, noNaN: true }),
      height: fc.double({ min: 0.01, max: 0.3, noNaN: true }),
    }),
  });

export const scene: fc.Arbitrary<Scene> = fc.array(page, { minLength: 1, maxLength: 3 }).chain((pages) =>
  fc.record({
    isFontEmbedded: fc.boolean(),
    pages: fc.constant(pages),
    marks: fc.array(mark(pages.length), { minLength: 1, maxLength: 15 }),
  }),
);

/** Draws the pages; says of each word that a page shows where it stands. */
export async function drawScene({ pages, isFontEmbedded }: Scene): Promise<{ pdf: Uint8Array; words: SceneWord[] }> {
  const pdf = await PDFDocument.create({ updateMetadata: false });
  const font = await pdf.embedFont(StandardFonts.Helvetica);
  const wordFont = isFontEmbedded ? await embeddedFont(pdf) : font;
  const words: SceneWord[] = [];
  const shared = sharedStream(pdf);
  for (const [pageIndex, shape] of pages.entries()) {
    const drawn = pdf.addPage([mediaBox.width, mediaBox.height]);
    const { left, bottom, width, height } = shape.crop;
    drawn.setCropBox(left, bottom, width, height);
    drawn.setRotation(degrees(shape.rotation));
    if (shape.userUnit !== 1) drawn.node.set(PDFName.of("UserUnit"), PDFNumber.of(shape.userUnit));
    if (shape.picture !== "none") drawPicture(pdf, drawn, shape.picture);
    if (shape.hasDrawing) drawLines(drawn);
    const put = (word: string, x: number, y: number) => {
      drawn.drawText(word, { x, y, size, font: wordFont });
      addShown(words, shape, { word, pageIndex, isField: false }, textBox(wordFont, word, x, y));
    };
    for (const [cell, offset] of shape.offsets.entries()) {
      const [column, row] = [cell % columns, Math.floor(cell / columns)];
      // No two have five letters in common: a part of one that a redaction hides stands in no other, cropped away or not.
      const letter = String.fromCharCode("a".charCodeAt(0) + cell);
      put(`${letter}${letter}q${pageIndex}zx`, 15 + column * 130 + offset, 24 + row * 45 + offset);
    }
    if (shape.hasField) {
      const word = `fld${pageIndex}zx`;
      const field = pdf.getForm().createTextField(`f${pageIndex}`);
      field.setText(word);
      field.addToPage(drawn, { x: 200, y: 45, width: 90, height: 16, font, borderWidth: 0 });
      addShown(words, shape, { word, pageIndex, isField: true }, [199, 44, 291, 62]);
    }
    if (shape.isSharing) {
      drawn.node.normalize();
      drawn.node.setFontDictionary(PDFName.of("FS"), font.ref);
      drawn.node.addContentStream(shared());
      addShown(words, shape, { word: "sharedzx", pageIndex, isField: false }, textBox(font, "sharedzx", 60, 130));
    }
  }
  return { pdf: await pdf.save(), words };
}

const bytesOfFont = readFileSync(
  fileURLToPath(new URL("standard_fonts/LiberationSans-Regular.ttf", import.meta.resolve("pdfjs-dist/package.json"))),
);
const parsedFont = fontkit.create(bytesOfFont);

/** The glyphs of a font that the words need. */
function embeddedFont(pdf: PDFDocument): Promise<PDFFont> {
  // Once for all documents.
  pdf.registerFontkit({ create: () => parsedFont });
  return pdf.embedFont(bytesOfFont, { subset: true, customName: "ABCDEF+Scene" });
}

/** A content stream that several pages show. */
function sharedStream(pdf: PDFDocument): () => PDFRef {
  let ref: PDFRef | undefined;
  return () => (ref ??= pdf.context.register(pdf.context.stream("q BT /FS 10 Tf 60 130 Td (sharedzx) Tj ET Q")));
}

/** Left, bottom, right and top in the page's own coordinates. */
function textBox(font: PDFFont, word: string, x: number, y: number): Rect {
  return [x, y - size * 0.22, x + font.widthOfTextAtSize(word, size), y + size * 0.75];
}

/** Only what the crop shows as a whole. */
function addShown(words: SceneWord[], shape: ScenePage, word: Omit<SceneWord, "box">, [l, b, r, t]: Rect): void {
  const { left, bottom, width, height } = shape.crop;
  if (l < left || b < bottom || r > left + width || t > bottom + height) return;
  words.push({ ...word, box: shown(shape, l, b, r, t) });
}

const pixels = Uint8Array.from({ length: 12 * 12 }, (_, index) => (index * 53) % 256);

function drawPicture(pdf: PDFDocument, drawn: PDFPage, kind: "object" | "inline"): void {
  const place = ["110", "0", "0", "70", "130", "60"];
  if (kind === "object") {
    const image = pdf.context.flateStream(pixels, {
      ...{ Type: "XObject", Subtype: "Image", Width: 12, Height: 12, BitsPerComponent: 8, ColorSpace: "DeviceGray" },
    });
    drawn.node.setXObject(PDFName.of("Picture"), pdf.context.register(image));
    drawn.pushOperators(operator("q"), operator("cm", ...place), operator("Do", "/Picture"), operator("Q"));
    return;
  }
  const inline = `BI /W 12 /H 12 /BPC 8 /CS /G /F /AHx ID ${Buffer.from(pixels).toString("hex")}> EI`;
  drawn.pushOperators(operator("q"), operator("cm", ...place), operator(inline), operator("Q"));
}

function operator(name: string, ...args: string[]): PDFOperator {
  return PDFOperator.of(name as never, args);
}

function drawLines(drawn: PDFPage): void {
  drawn.drawSvgPath("M 0 0 L 60 40 L 120 0 L 180 40 L 240 0", {
    ...{ x: 60, y: 220, borderColor: rgb(0.8, 0, 0), borderWidth: 2 },
  });
  drawn.drawRectangle({ x: 250, y: 90, width: 90, height: 60, color: rgb(0.7, 0.9, 0.7) });
}

/** A box of the page's own coordinates on the page as it is shown, by the definition of crop and rotation. */
function shown({ crop, rotation }: ScenePage, x0: number, y0: number, x1: number, y1: number): Rect {
  const [l, r] = [x0 - crop.left, x1 - crop.left];
  const [b, t] = [y0 - crop.bottom, y1 - crop.bottom];
  const { width: w, height: h } = crop;
  switch (rotation) {
    case 0:
      return [l, h - t, r - l, t - b];
    case 90:
      return [b, l, t - b, r - l];
    case 180:
      return [w - r, b, r - l, t - b];
    case 270:
      return [h - t, w - r, t - b, r - l];
  }
}

/** A mark as an annotation of Document Engine. */
export function recordOf({ page: pageIndex, kind, at }: Mark, index: number, shape: ScenePage) {
  const { crop, rotation } = shape;
  const [width, height] = rotation % 180 === 0 ? [crop.width, crop.height] : [crop.height, crop.width];
  const box: Rect = [at.x * width, at.y * height, at.width * width, at.height * height];
  const id = `${kind}${index}`;
  switch (kind) {
    case "redaction":
      return make.redaction(id, pageIndex, box, index % 3 === 0 ? { overlayText: "REDACTED" } : {});
    case "highlight":
      return make.highlight(id, pageIndex, box);
    case "note":
      return make.note(id, pageIndex, box, "mind this");
    case "bates":
      return make.bates(id, pageIndex, inside(box, width, height), `ABC-${index}`);
    case "confidentiality":
      return make.confidentiality(id, pageIndex, inside(box, width, height), "Attorneys only");
    case "sticker":
      return make.sticker(id, pageIndex, box, imageId, "image/png");
  }
}

/** A stamp that can be read lies on its page as a whole. */
function inside([left, top]: Rect, width: number, height: number): Rect {
  return [Math.max(0, Math.min(left, width - 120)), Math.max(0, Math.min(top, height - 14)), 120, 14];
}
