import { PermanentError } from "../../../contracts/errors.ts";
import { touches } from "../pdf/geometry.ts";
import type { Box } from "../pdf/geometry.ts";
import type { Pdfium } from "../pdf/pdfium.ts";
import type { Character, PageContent } from "../pdf/reader.ts";
import { SourcePdf } from "../pdf/source.ts";
import { boxesOn, isUnder } from "./hidden-text.ts";
import type { Redaction } from "../redaction.ts";
import type { TermsData } from "./terms.ts";

/** What became part of a page besides redactions. */
export interface Drawn {
  pageIndex: number;
  /** The text that must be readable there; empty where the drawing has none that must be. */
  text: string;
  box: Box;
}

/** What was to happen to a PDF. */
export interface Claim {
  /** The PDF that Document Engine was given. */
  source: Uint8Array;
  redactions: readonly Redaction[];
  terms: TermsData;
  /** All that became part of the pages: outside of it and of the redactions nothing may have changed. */
  drawn: readonly Drawn[];
  /** Whether the PDF was rebuilt from what is allowed, as one with redactions is. */
  isRebuilt: boolean;
}

/**
 * Proves that a produced PDF is what was claimed.
 *
 * @throws PermanentError PROOF_FAILED that names page and place, and never quotes what was to be hidden
 */
export function prove(pdfium: Pdfium, produced: Uint8Array, given: Claim): void {
  const source = new SourcePdf(pdfium, given.source);
  const content = new SourcePdf(pdfium, produced);
  source.read(given.redactions.map(({ pageIndex }) => pageIndex));
  content.read([...given.redactions, ...given.drawn].map(({ pageIndex }) => pageIndex));
  const claim = { ...given, source };
  const faults = [...pageFaults(content, claim), ...stampFaults(content, claim)];
  if (faults.length === 0) return;
  const told = faults.slice(0, 10).join("; ");
  throw new PermanentError("PROOF_FAILED", `the produced PDF is not sent on, for ${faults.length} reasons: ${told}`);
}

type Compared = Omit<Claim, "source"> & { source: SourcePdf };

function pageFaults({ pages }: SourcePdf, { source, redactions }: Compared): string[] {
  if (pages.length !== source.pages.length) return [`it has ${pages.length} pages, not ${source.pages.length}`];
  return pages.flatMap((page, index) => {
    const boxes = boxesOn(index, redactions);
    const overlays = redactions.flatMap(({ pageIndex, overlayText }) =>
      pageIndex === index && overlayText ? [overlayText.replaceAll(/\s/g, "")] : [],
    );
    const before = source.pages[index];
    const left =
      boxes.length === 0
        ? []
        : linesUnder(page.characters, boxes).filter(
            (line) => !isOverlay(line, overlays) && !areMingledOverlays(line, overlays, before?.characters ?? []),
          );
    const number = index + 1;
    return [
      ...(left.length > 0 ? [`text is left under redactions on page ${number}, in ${left.length} places`] : []),
      ...(page.annotations.some(({ kind }) => kind === "travelling")
        ? [`annotations of page ${number} are still live`]
        : []),
      ...(lostLinks(page, before, boxes) ? [`links or form fields of page ${number} are lost`] : []),
    ];
  });
}

/** The readable characters under the boxes, as lines: neighbours in the order of the text. */
function linesUnder(characters: readonly Character[], boxes: readonly Box[]): Character[][] {
  const lines: Character[][] = [[]];
  for (const character of characters) {
    if (isUnder(character, boxes)) lines.at(-1)?.push(character);
    else if (character.box === undefined && /[\r\n]/.test(character.text)) lines.push([]);
  }
  return lines.filter((line) => line.length > 0);
}

/** Whether a line is of what redactions print in place of what they hide, cut at either end. */
function isOverlay(line: readonly Character[], overlays: readonly string[]): boolean {
  const text = textOf(line);
  return overlays.some(
    (printed) => printed !== "" && printed.repeat(Math.ceil(text.length / printed.length) + 1).includes(text),
  );
}

/**
 * Whether a line is what several redactions print over each other, which is read mingled: characters of theirs, none of
 * which stands where the source has the same.
 */
function areMingledOverlays(
  line: readonly Character[],
  overlays: readonly string[],
  before: readonly Character[],
): boolean {
  const printed = overlays.join("");
  return overlays.length > 1 && line.every((one) => printed.includes(one.text) && !before.some(standsAt(one)));
}

/** By less than this a glyph is moved when a file is written anew. In points. */
const sameWithin = 1;

function standsAt({ text, box }: Character): (other: Character) => boolean {
  const edges = (of: Box) => [of.left, of.top, of.right, of.bottom];
  return (other) => {
    if (other.text !== text || box === undefined || other.box === undefined) return false;
    const theirs = edges(other.box);
    return edges(box).every((edge, index) => Math.abs(edge - (theirs[index] ?? Infinity)) < sameWithin);
  };
}

function lostLinks(page: PageContent, before: PageContent | undefined, boxes: readonly Box[]): boolean {
  const isKept = (kind: string) => kind === "link" || kind === "widget";
  const expected = before?.annotations.filter(
    ({ kind, box }) => isKept(kind) && !boxes.some((redacted) => touches(box, redacted)),
  );
  return page.annotations.filter(({ kind }) => isKept(kind)).length < (expected?.length ?? 0);
}

function stampFaults({ pages }: SourcePdf, { drawn }: Compared): string[] {
  const stamped = Map.groupBy(drawn, ({ pageIndex }) => pageIndex);
  return [...stamped].flatMap(([pageIndex, stamps]) => {
    const page = pages[pageIndex];
    const shown = bare(page?.text ?? "");
    const missing = stamps.filter(
      (stamp) => !shown.includes(bare(stamp.text)) && !isMingled(stamp, page?.characters ?? []),
    );
    return missing.length === 0 ? [] : [`${missing.length} stamps cannot be read on page ${pageIndex + 1}`];
  });
}

/** Whether all characters of a stamp stand in its place, though mingled with what else is printed there. */
function isMingled({ text, box }: Drawn, characters: readonly Character[]): boolean {
  const there = bare(textOf(characters.filter((character) => character.box && touches(character.box, box))));
  return Array.from(bare(text)).every((character) => there.includes(character));
}

function textOf(characters: readonly Character[]): string {
  return characters.map(({ text }) => text).join("");
}

function bare(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, "");
}
