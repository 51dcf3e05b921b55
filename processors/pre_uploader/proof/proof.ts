import { isUtf8 } from "node:buffer";
import { PermanentError } from "../../../contracts/errors.ts";
import { touches } from "../pdf/geometry.ts";
import type { Box } from "../pdf/geometry.ts";
import type { Pdfium } from "../pdf/pdfium.ts";
import { readPdf } from "../pdf/reader.ts";
import type { Character, PageContent, PdfContent } from "../pdf/reader.ts";
import { boxesOn, isUnder } from "./secrets.ts";
import type { Redaction } from "../redaction.ts";
import type { Secrets } from "./secrets.ts";
import { revisionsOf, stringsIn } from "./strings.ts";
import { tokenValues } from "./tokens.ts";

/** A text that was printed on a page. */
interface Drawn {
  pageIndex: number;
  text: string;
  box: Box;
}

/** What was to happen to a PDF. */
export interface Claim {
  source: Pick<PdfContent, "pages">;
  redactions: readonly Redaction[];
  /** Words that must not be found anywhere any more. */
  secrets: Secrets;
  /** Texts that must be readable on their pages. */
  drawn: readonly Drawn[];
}

/**
 * Proves that a produced PDF is what was claimed: nothing under a redaction is left, in none of the places where a PDF
 * keeps text; what was made part of the pages is live no more; links and form fields stayed; stamps can be read.
 *
 * @throws PermanentError PROOF_FAILED that names page and place, and never quotes what was to be hidden
 */
export function prove(pdfium: Pdfium, produced: Uint8Array, claim: Claim): void {
  const content = readPdf(pdfium, produced);
  const faults = [
    ...pageFaults(content, claim),
    ...wordFaults(pdfium, produced, content, claim),
    ...stampFaults(content, claim),
    ...(revisionsOf(produced) > 1 ? ["the file keeps an earlier revision of itself"] : []),
  ];
  if (faults.length === 0) return;
  const told = faults.slice(0, 10).join("; ");
  throw new PermanentError("PROOF_FAILED", `the produced PDF is not sent on, for ${faults.length} reasons: ${told}`);
}

function pageFaults({ pages }: PdfContent, { source, redactions }: Claim): string[] {
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

function wordFaults(
  pdfium: Pdfium,
  produced: Uint8Array,
  content: PdfContent,
  { redactions, secrets }: Claim,
): string[] {
  if (redactions.length === 0) return [];
  const own = new Set(content.producers.flatMap((text) => [...tokenValues(text)]));
  const found = (text: string) => secrets.standIn(text, own);
  const told = content.pages.flatMap(({ text }, index) =>
    found(text) ? [`redacted words stand on page ${index + 1} outside of the redactions`] : [],
  );
  if (stringsIn(produced).some(found)) told.push("redacted words stand in the file's metadata or other parts");
  if (content.isEncrypted) told.push("the file is encrypted, so that its parts cannot be searched for redacted words");
  for (const [index, { content: attached }] of content.attachments.entries()) {
    const texts = attachedTexts(pdfium, attached);
    if (texts === undefined) told.push(`attached file ${index + 1} cannot be searched for redacted words`);
    else if (texts.some(found)) told.push(`redacted words stand in attached file ${index + 1}`);
  }
  return told;
}

/** The texts of an attached file; undefined where it is of a kind that we cannot read. */
function attachedTexts(pdfium: Pdfium, bytes: Uint8Array): string[] | undefined {
  if (Buffer.from(bytes.subarray(0, 5)).toString("latin1") === "%PDF-") {
    const { pages, attachments, isEncrypted } = readPdf(pdfium, bytes);
    if (isEncrypted) return undefined;
    const within = attachments.map(({ content }) => attachedTexts(pdfium, content));
    const known = within.filter((texts) => texts !== undefined);
    if (known.length < within.length) return undefined;
    return [...pages.map(({ text }) => text), ...stringsIn(bytes), ...known.flat()];
  }
  return isUtf8(bytes) && !bytes.includes(0) ? [Buffer.from(bytes).toString("utf8")] : undefined;
}

function stampFaults({ pages }: PdfContent, { drawn }: Claim): string[] {
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
