import { readGlyphs, type PageGlyphs } from "./reader/page.ts";
import { withPdf } from "./reader/pdf.ts";
import type { Glyph } from "./reader/walk.ts";
import type { Box } from "./reader/matrix.ts";
import { pickEvenly, placesOf, shapesOf, spacedText, wordsOf, type Place } from "./reader/words.ts";
import { fold } from "./judge/fold.ts";
import type { JudgedRedaction } from "./judge/redaction.ts";
import { isHidden } from "./judge/under-boxes.ts";
import type { Wanted } from "./words-file.ts";

/** A PDF before it is sent through, as the independent reader sees it. */
export interface Original {
  pages: PageGlyphs[];
}

/** @throws what pdf.js throws for a file that it cannot open */
export function readOriginal(bytes: Uint8Array): Promise<Original> {
  return withPdf(bytes, async (pdf) => {
    const content = await pdf.getOptionalContentConfig();
    const pages: PageGlyphs[] = [];
    for (let number = 1; number <= pdf.numPages; number++) {
      const page = await pdf.getPage(number);
      pages.push(await readGlyphs(page, (properties) => Boolean(content.isVisible(properties))));
      page.cleanup();
    }
    return { pages };
  });
}

/** What is redacted in a document, and what nobody may read of it afterwards. */
export interface Plan {
  places: Place[];
  texts: string[];
  /** Whether the texts are redacted everywhere, so that nobody may read them anywhere; else only in these places. */
  isEverywhere: boolean;
}

const mostWords = 6;

/** Up to six words at even distances. */
export function planEvenly({ pages }: Original): Plan {
  const words = pages.flatMap((page, pageIndex) => wordsOf(page, pageIndex));
  const places = pickEvenly(words, mostWords);
  return { places, texts: places.map(({ text }) => text), isEverywhere: false };
}

/** Wherever the texts of a line are drawn, and its boxes. */
export function planWanted({ pages }: Original, { texts, boxes }: Wanted): Plan {
  const drawn = texts.flatMap((text) => pages.flatMap((page, pageIndex) => placesOf(page, pageIndex, text)));
  const given = boxes
    .filter(({ pageIndex }) => pageIndex < pages.length)
    .map(({ pageIndex, box }) => ({ pageIndex, text: "", boxes: [box] }));
  const places = [...drawn, ...given];
  // A text that is drawn nowhere, with no box over anything, is not redacted: nobody can say that it has to go.
  return { places, texts: places.length > 0 ? texts : [], isEverywhere: true };
}

/** The glyphs of each page that a person can see beside the boxes. */
function seenBeside({ pages }: Original, redactions: readonly JudgedRedaction[]): Glyph[][] {
  return pages.map(({ glyphs, width, height }, pageIndex) => {
    const boxes = boxesOn(pageIndex, redactions);
    return glyphs.filter((glyph) => {
      const { ink } = glyph;
      const isOnPage = ink.right > 0 && ink.bottom > 0 && ink.left < width && ink.top < height;
      return isOnPage && !glyph.isInvisible && !boxes.some((box) => isHidden(glyph, box));
    });
  });
}

function boxesOn(pageIndex: number, redactions: readonly JudgedRedaction[]): Box[] {
  return redactions.filter((one) => one.pageIndex === pageIndex).flatMap(({ boxes }) => boxes);
}

/** Fewer glyphs, or fewer kinds of them, stand elsewhere by chance. */
const fewestShapes = { glyphs: 5, kinds: 4 };

/** What nobody may read of a document: texts, and the outlines under each box. */
export function hiddenBy(
  original: Original,
  { texts, isEverywhere }: Plan,
  redactions: readonly JudgedRedaction[],
): { texts: string[]; shapes: string[][] } {
  const seen = isEverywhere ? [] : seenBeside(original, redactions);
  const [seenTexts, seenShapes] = [
    seen.map((one) => fold(spacedText(one))),
    seen.map((one) => shapesOf(one).join(" ")),
  ];
  const shapes = original.pages.flatMap(({ glyphs }, pageIndex) =>
    boxesOn(pageIndex, redactions).map((box) => shapesOf(glyphs.filter((glyph) => isHidden(glyph, box)))),
  );
  return {
    texts: texts.filter((text) => !seenTexts.some((page) => page.includes(fold(text)))),
    shapes: shapes.filter(
      (sequence) =>
        sequence.length >= fewestShapes.glyphs &&
        new Set(sequence).size >= fewestShapes.kinds &&
        !seenShapes.some((page) => page.includes(sequence.join(" "))),
    ),
  };
}
