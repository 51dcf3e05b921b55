import { readGlyphs, type PageGlyphs } from "./reader/page.ts";
import { withPdf } from "./reader/pdf.ts";
import { pickEvenly, placesOf, spacedText, wordsOf, type Place } from "./reader/words.ts";
import { fold } from "./judge/fold.ts";
import type { JudgedRedaction } from "./judge/redaction.ts";
import { isHidden } from "./judge/under-boxes.ts";
import type { Wanted } from "./words-file.ts";

/** A PDF before it is sent through, as the independent reader sees it. */
export interface Original {
  pages: PageGlyphs[];
}

/** @throws whatever pdf.js throws for a file that it cannot open */
export function readOriginal(bytes: Uint8Array): Promise<Original> {
  return withPdf(bytes, async (pdf) => {
    const content = await pdf.getOptionalContentConfig();
    const pages: PageGlyphs[] = [];
    for (let number = 1; number <= pdf.numPages; number++) {
      const page = await pdf.getPage(number);
      pages.push(await readGlyphs(page, (properties) => content.isVisible(properties as never)));
      page.cleanup();
    }
    return { pages };
  });
}

/** What is redacted in a document, and what nobody may read of it afterwards. */
export interface Plan {
  places: Place[];
  /** Texts that stand nowhere else. */
  texts: string[];
}

const mostWords = 6;

/** Up to six words at even distances. */
export function planEvenly({ pages }: Original): Plan {
  const words = pages.flatMap((page, pageIndex) => wordsOf(page, pageIndex));
  const places = pickEvenly(words, mostWords);
  return { places, texts: places.map(({ text }) => text) };
}

/** Wherever the texts of a line are drawn, and its boxes. */
export function planWanted({ pages }: Original, { texts, boxes }: Wanted): Plan {
  const drawn = texts.flatMap((text) => pages.flatMap((page, pageIndex) => placesOf(page, pageIndex, text)));
  const given = boxes
    .filter(({ pageIndex }) => pageIndex < pages.length)
    .map(({ pageIndex, box }) => ({ pageIndex, text: "", boxes: [box] }));
  const places = [...drawn, ...given];
  // A text that is drawn nowhere, with no box over anything, is not redacted: nobody can say that it has to go.
  return { places, texts: places.length > 0 ? texts : [] };
}

/** Those of the texts that cannot be read on any page beside the boxes. */
export function unreadable(
  { pages }: Original,
  texts: readonly string[],
  redactions: readonly JudgedRedaction[],
): string[] {
  const kept = pages.map(({ glyphs, width, height }, pageIndex) => {
    const boxes = redactions.filter((one) => one.pageIndex === pageIndex).flatMap((one) => one.boxes);
    const seen = glyphs.filter((glyph) => {
      const { ink } = glyph;
      const isOnPage = ink.right > 0 && ink.bottom > 0 && ink.left < width && ink.top < height;
      return isOnPage && !glyph.isInvisible && !boxes.some((box) => isHidden(glyph, box));
    });
    return fold(spacedText(seen));
  });
  return texts.filter((text) => !kept.some((page) => page.includes(fold(text))));
}
