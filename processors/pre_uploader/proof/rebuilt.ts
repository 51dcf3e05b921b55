/** The proof of a PDF that was rebuilt because redactions became part of its pages. */
import type { Box } from "../pdf/geometry.ts";
import { withDocument, withPage } from "../pdf/pdfium.ts";
import type { Pdfium } from "../pdf/pdfium.ts";
import { drawPicture, pageArea } from "../pdf/picture.ts";
import type { Picture } from "../pdf/picture.ts";
import { readPage } from "../pdf/reader.ts";
import type { Character, PageContent } from "../pdf/reader.ts";
import type { Redaction } from "../redaction.ts";
import { affectedGlyphs, haveAny, placesWithText, textDifference } from "./glyphs.ts";
import { wipedBeyond } from "./image-pixels.ts";
import { objectsUnder } from "./objects.ts";
import { boxResolution, isChangedOutside, resolutions, showsOnlyFill } from "./pixels.ts";
import type { Claim } from "./claim.ts";
import { checkStructure, StructureFault } from "./structure.ts";
import type { Structure } from "./structure.ts";
import type { FoundText } from "./place.ts";
import { readAsides } from "./probe.ts";
import { RedactedTerms } from "./terms.ts";
import { isVisible } from "./visibility.ts";
import { searchableBoxes } from "./searchable.ts";
import { wordFaults } from "./words.ts";

export function rebuiltFaults(pdfium: Pdfium, produced: Uint8Array, claim: Claim): string[] {
  let structure: Structure;
  try {
    structure = checkStructure(produced);
  } catch (fault) {
    // What cannot be read by the strict reader is not looked at by a lenient one.
    if (fault instanceof StructureFault) return [fault.message];
    throw fault;
  }
  const asides = readAsides(pdfium, produced, structure.asides, new RedactedTerms(claim.terms));
  return [...shownFaults(pdfium, produced, claim, structure.texts, asides.pagesWithText), ...asides.faults];
}

/** What the pages show, before and after, and what can be read. */
export function shownFaults(
  pdfium: Pdfium,
  produced: Uint8Array,
  claim: Claim,
  texts: readonly FoundText[],
  pagesWithUncutText: ReadonlySet<number> = new Set(),
): string[] {
  return withDocument(pdfium, claim.source, (before, count) =>
    withDocument(pdfium, produced, (after, pages) => {
      if (pages !== count) return [];
      const read: PageContent[] = [];
      const faults = Array.from({ length: count }, (_, index) =>
        withPage(pdfium, before, index, (pageBefore) =>
          withPage(pdfium, after, index, (pageAfter) => {
            const content = readPage(pdfium, pageAfter);
            read.push(content);
            return [
              ...pageFaults(new PagePair(pdfium, pageBefore, pageAfter, content), index, claim),
              ...(pagesWithUncutText.has(index) ? uncutFaults(index, claim) : []),
            ];
          }),
        ),
      ).flat();
      return [...faults, ...wordFaults(read, texts, new RedactedTerms(claim.terms))];
    }),
  );
}

/** Document Engine does not cut text out of patterns and masks: beside a redaction nobody can say what it repeats. */
function uncutFaults(index: number, { redactions }: Claim): string[] {
  const isRedacted = redactions.some(({ pageIndex }) => pageIndex === index);
  return isRedacted ? [`page ${index + 1} has redactions, and a pattern or a mask with text`] : [];
}

function glyphBoxes({ characters }: PageContent): Box[] {
  return characters.flatMap(({ text, box }) => (box && text.trim() !== "" ? [box] : []));
}

/** A page before and after, both open. */
class PagePair {
  readonly pdfium: Pdfium;
  readonly pageBefore: number;
  readonly pageAfter: number;
  readonly before: PageContent;
  readonly after: PageContent;
  readonly area: Box;

  constructor(pdfium: Pdfium, pageBefore: number, pageAfter: number, after: PageContent) {
    this.pdfium = pdfium;
    this.pageBefore = pageBefore;
    this.pageAfter = pageAfter;
    this.before = readPage(pdfium, pageBefore);
    this.after = after;
    this.area = pageArea(pdfium, pageBefore);
  }

  searchable(): Box[] {
    return searchableBoxes(this.pdfium, this.pageBefore);
  }

  pictures(scale: number): { before: Picture; after: Picture } {
    const { pdfium, area } = this;
    // A page of a plan is compared as if it were one of A3.
    const fitting = Math.min(scale, (1200 * scale) / Math.max(area.right, area.bottom));
    return {
      before: drawPicture(pdfium, this.pageBefore, { area, scale: fitting }),
      after: drawPicture(pdfium, this.pageAfter, { area: pageArea(pdfium, this.pageAfter), scale: fitting }),
    };
  }
}

function pageFaults(pair: PagePair, index: number, { redactions, drawn }: Claim): string[] {
  const number = index + 1;
  const own = redactions.filter(({ pageIndex }) => pageIndex === index);
  const boxes = own.flatMap((redaction) => redaction.boxes);
  const drawings = drawn.filter(({ pageIndex }) => pageIndex === index).map(({ box }) => box);
  const changed = [...boxes, ...drawings];

  const scale = changed.length === 0 ? resolutions.otherPage : resolutions.changedPage;
  const pictures = pair.pictures(scale);
  const affected = [...affectedGlyphs(pair.before, boxes), ...wipedBeyond(pair.pdfium, pair.pageBefore, boxes)];
  const { lost, added } = textDifference(pair.before, pair.after, changed);
  const isMissing = ({ box }: Character) => box !== undefined && isVisible(pictures.before, box);
  const isLost = lost.some(isMissing) || (lost.length > 0 && haveAny(lost, pair.searchable()));
  return [
    ...(isChangedOutside(pictures.before, pictures.after, [...changed, ...affected])
      ? [`page ${number} looks different outside of what became part of it`]
      : []),
    ...(isLost ? [`text of page ${number} outside of the redactions is lost`] : []),
    ...(added.length > 0 ? [`page ${number} has text that it did not have`] : []),
    ...(boxes.length === 0 ? [] : underFaults(pair, number, own, boxes)),
  ];
}

function underFaults(
  pair: PagePair,
  number: number,
  redactions: readonly Redaction[],
  boxes: readonly Box[],
): string[] {
  const { pdfium, pageAfter, before, after, area } = pair;
  const overlays = redactions.flatMap(({ overlayText }) => overlayText ?? []);
  const places = placesWithText(after, before, boxes, overlays);
  const unlike = boxes.filter((box) => {
    const part = { ...box, left: Math.max(box.left, area.left), top: Math.max(box.top, area.top) };
    const [right, bottom] = [Math.min(box.right, area.right), Math.min(box.bottom, area.bottom)];
    if (right <= part.left || bottom <= part.top) return false;
    const inside = { ...part, right, bottom };
    const picture = drawPicture(pdfium, pageAfter, { area: inside, scale: boxResolution, withAnnotations: true });
    return !showsOnlyFill(picture, box, redactions);
  });
  const left = objectsUnder(pdfium, pageAfter, redactions, glyphBoxes(after));
  return [
    ...(places > 0 ? [`text is left under redactions on page ${number}, in ${places} places`] : []),
    ...(unlike.length > 0
      ? [`${unlike.length} redactions on page ${number} show something else than their fill and their text`]
      : []),
    ...[...left].map(([kind, count]) => `${count} ${kind} are left under redactions on page ${number}`),
  ];
}
