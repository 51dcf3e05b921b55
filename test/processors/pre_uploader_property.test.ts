import { expect } from "chai";
import fc from "fast-check";
import { degrees, PDFDocument, StandardFonts } from "@cantoo/pdf-lib";
import { getDocument, VerbosityLevel } from "pdfjs-dist/legacy/build/pdf.mjs";
import { makePng } from "../../local/samples/content/natives.ts";
import { brand } from "../../processors/pre_uploader/brand.ts";
import { sortAnnotations } from "../../processors/pre_uploader/sort.ts";
import { allBranded } from "./annotation_bench.ts";
import { make, openEngine, pdfWork } from "./engine_bench.ts";
import type { EngineBench } from "./engine_bench.ts";

/** A page as it is made: words on a grid, each unlike any other, turned and cropped. */
interface Page {
  rotation: 0 | 90 | 180 | 270;
  crop: { left: number; bottom: number; width: number; height: number };
  /** Points that the word of each cell is moved by. */
  offsets: number[];
}
/** Parts of the shown page, so that the same mark fits every geometry. */
interface Mark {
  page: number;
  kind: "redaction" | "highlight" | "note" | "bates" | "confidentiality" | "sticker";
  at: { x: number; y: number; width: number; height: number };
}
type Rect = [number, number, number, number];

const [columns, rows, size] = [4, 9, 10];
const mediaBox = { width: 420, height: 300 };
const imageId = "b".repeat(64);

const page: fc.Arbitrary<Page> = fc.record({
  rotation: fc.constantFrom(0, 90, 180, 270),
  crop: fc.record({
    left: fc.integer({ min: 0, max: 40 }),
    bottom: fc.integer({ min: 0, max: 40 }),
    width: fc.integer({ min: 300, max: 380 }),
    height: fc.integer({ min: 200, max: 260 }),
  }),
  offsets: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: columns * rows, maxLength: columns * rows }),
});
const part = fc.double({ min: 0, max: 0.85, noNaN: true });
const mark = (pages: number): fc.Arbitrary<Mark> =>
  fc.record({
    page: fc.nat({ max: pages - 1 }),
    kind: fc.constantFrom("redaction", "redaction", "highlight", "note", "bates", "confidentiality", "sticker"),
    at: fc.record({
      x: part,
      y: part,
      width: fc.double({ min: 0.02, max: 0.5, noNaN: true }),
      height: fc.double({ min: 0.02, max: 0.3, noNaN: true }),
    }),
  });
const scene = fc
  .array(page, { minLength: 1, maxLength: 3 })
  .chain((pages) =>
    fc.record({ pages: fc.constant(pages), marks: fc.array(mark(pages.length), { minLength: 1, maxLength: 25 }) }),
  );

const wordAt = (pageIndex: number, cell: number) => `w${pageIndex}q${cell}zx`;

describe("making annotations part of pages, on random documents", () => {
  let bench: EngineBench;
  before(async () => {
    bench = await openEngine();
  });
  after(() => bench.stop());

  it("leaves nothing under a redaction, and everything that none touches, as another library reads it", async function () {
    this.timeout(120_000);
    const deps = { engine: bench.engine, pdf: await pdfWork() };
    await fc.assert(
      fc.asyncProperty(scene, async ({ pages, marks }) => {
        // Prepare
        const { pdf, words } = await draw(pages);
        const records = marks.map((one, index) => recordOf(one, index, shownSize(pages[one.page]!)));
        const { branded } = sortAnnotations(records, allBranded);
        const redactions = records.filter(({ id }) => id.startsWith("redaction"));

        // Act
        const produced = await brand(deps, pdf, [
          {
            engineDocumentId: "document_1_b_2_3",
            branded,
            attachments: new Map([[imageId, { content: makePng(4, 4, [1, 2, 3]), contentType: "image/png" }]]),
          },
        ]);

        // Assess
        const text = await readIndependently(produced.pdf);
        for (const { word, pageIndex, box } of words) {
          const rects = redactions
            .filter(({ content }) => content["pageIndex"] === pageIndex)
            .map(({ content }) => content["bbox"] as Rect);
          if (rects.some((rect) => covers(rect, box))) expect(text, `under a redaction: ${word}`).not.to.include(word);
          if (!rects.some((rect) => isNear(rect, box))) expect(text, `in the open: ${word}`).to.include(word);
        }
      }),
      { numRuns: 30 },
    );
  });
});

/** Draws the pages; says of each word that the crop shows where it stands on the page as it is shown. */
async function draw(pages: readonly Page[]) {
  const pdf = await PDFDocument.create();
  const font = await pdf.embedFont(StandardFonts.Helvetica);
  const words: { word: string; pageIndex: number; box: Rect }[] = [];
  for (const [pageIndex, shape] of pages.entries()) {
    const drawn = pdf.addPage([mediaBox.width, mediaBox.height]);
    const { left, bottom, width, height } = shape.crop;
    drawn.setCropBox(left, bottom, width, height);
    drawn.setRotation(degrees(shape.rotation));
    for (const [cell, offset] of shape.offsets.entries()) {
      const word = wordAt(pageIndex, cell);
      const x = 15 + (cell % columns) * 100 + offset;
      const y = 20 + Math.floor(cell / columns) * 30 + offset;
      drawn.drawText(word, { x, y, size, font });
      const [right, top] = [x + font.widthOfTextAtSize(word, size), y + size * 0.75];
      if (x < left || y - 3 < bottom || right > left + width || top > bottom + height) continue;
      words.push({ word, pageIndex, box: shown(shape, x, y - size * 0.22, right, top) });
    }
  }
  return { pdf: await pdf.save(), words };
}

/** A box of the page's own coordinates on the page as it is shown, by the definition of crop and rotation. */
function shown({ crop, rotation }: Page, x0: number, y0: number, x1: number, y1: number): Rect {
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

function shownSize({ crop, rotation }: Page): { width: number; height: number } {
  return rotation % 180 === 0 ? crop : { width: crop.height, height: crop.width };
}

function recordOf(
  { page: pageIndex, kind, at }: Mark,
  index: number,
  { width, height }: { width: number; height: number },
) {
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
      return make.bates(id, pageIndex, [box[0], box[1], 120, 14], `ABC-${index}`);
    case "confidentiality":
      return make.confidentiality(id, pageIndex, [box[0], box[1], 120, 14], "Attorneys only");
    case "sticker":
      return make.sticker(id, pageIndex, box, imageId, "image/png");
  }
}

function covers([left, top, width, height]: Rect, [l, t, w, h]: Rect): boolean {
  return l >= left && t >= top && l + w <= left + width && t + h <= top + height;
}

/** Whether two boxes come within a few points of each other: glyphs are not exactly where their boxes are. */
function isNear([left, top, width, height]: Rect, [l, t, w, h]: Rect): boolean {
  const gap = 4;
  return l < left + width + gap && left < l + w + gap && t < top + height + gap && top < t + h + gap;
}

async function readIndependently(pdf: Uint8Array): Promise<string> {
  const loading = getDocument({ data: pdf.slice(), verbosity: VerbosityLevel.ERRORS, useSystemFonts: false });
  const document = await loading.promise;
  const texts: string[] = [];
  for (let number = 1; number <= document.numPages; number++) {
    const { items } = await (await document.getPage(number)).getTextContent();
    texts.push(items.map((item) => ("str" in item ? item.str : "")).join(""));
  }
  await loading.destroy();
  return texts.join("\n");
}
