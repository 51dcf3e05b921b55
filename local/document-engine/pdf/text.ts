import type { PDFDocument } from "mupdf";
import { boxOfQuad, hull, rounded, type Box } from "./geometry.ts";

/** A line of text with its box in points from the top left corner of the page. */
export interface TextLine {
  contents: string;
  left: number;
  top: number;
  width: number;
  height: number;
}

interface Char {
  char: string;
  box: Box;
}

/** The lines of a page in reading order; none where there is no text. */
export function textLines(pdf: PDFDocument, pageIndex: number): TextLine[] {
  return charLines(pdf, pageIndex).flatMap((line) => {
    const contents = line.map(({ char }) => char).join("");
    if (!contents.trim()) return [];
    const [left, top, width, height] = hull(line.map(({ box }) => box));
    return [{ contents, left, top, width: rounded(width), height: rounded(height) }];
  });
}

/** The boxes of everything on a page that a pattern finds; one box a line that a hit runs over. */
export function findText(pdf: PDFDocument, pageIndex: number, pattern: RegExp): Box[][] {
  const lines = charLines(pdf, pageIndex);
  const chars = lines.flatMap((line, index) => [
    ...line.map(({ char, box }) => ({ char, box, line: index })),
    { char: "\n", box: undefined, line: index },
  ]);
  // A character may be more than one unit of a string, and hits are counted in units.
  const owners = chars.flatMap((item) => Array.from({ length: item.char.length }, () => item));
  const text = chars.map(({ char }) => char).join("");
  const hits = text.matchAll(new RegExp(pattern, withFlag(pattern.flags, "g")));
  return [...hits].flatMap((hit) => {
    const touched = new Set(owners.slice(hit.index, hit.index + hit[0].length));
    const byLine = Map.groupBy(
      [...touched].filter(({ box }) => box),
      ({ line }) => line,
    );
    const boxes = [...byLine.values()].map((items) => hull(items.flatMap(({ box }) => (box ? [box] : []))));
    return boxes.length ? [boxes] : [];
  });
}

function withFlag(flags: string, flag: string): string {
  return flags.includes(flag) ? flags : flags + flag;
}

function charLines(pdf: PDFDocument, pageIndex: number): Char[][] {
  const page = pdf.loadPage(pageIndex);
  const text = page.toStructuredText("preserve-whitespace");
  const lines: Char[][] = [];
  text.walk({
    beginLine: () => lines.push([]),
    onChar: (char, _origin, _font, _size, quad) => lines.at(-1)?.push({ char, box: boxOfQuad(quad) }),
  });
  text.destroy();
  page.destroy();
  return lines.filter((line) => line.length);
}
