/** The pages of a file, with what they inherit, and how they are shown. */
import { PDFArray, PDFDict, PDFName, PDFRef } from "@cantoo/pdf-lib";
import type { PDFObject } from "@cantoo/pdf-lib";
import { PermanentError } from "../../../contracts/errors.ts";
import type { Box } from "../pdf/geometry.ts";
import { limits, Place, tooComplex } from "./faults.ts";
import { isDictionary } from "./reading.ts";
import type { Reading } from "./reading.ts";

export interface SourcePage {
  /** Undefined where the page is no object of its own. */
  reference: PDFRef | undefined;
  dict: PDFDict;
  /** The attributes of the page and of the nodes above it. */
  get: (name: string) => PDFObject | undefined;
}

const inheritable = new Set(["Resources", "MediaBox", "CropBox", "Rotate"]);

/** @throws PermanentError PDF_DAMAGED where there is none, PDF_TOO_COMPLEX */
export function pagesOf(reading: Reading, catalog: PDFDict): SourcePage[] {
  const pages: SourcePage[] = [];
  const visited = new Set<PDFObject>();
  const visit = (raw: PDFObject | undefined, above: readonly PDFDict[]): void => {
    const node = reading.resolve(raw);
    if (!(node instanceof PDFDict) || visited.has(node)) return;
    if (above.length > limits.nesting) throw tooComplex("nesting", new Place("page tree"));
    visited.add(node);
    const kids = reading.get(node, "Kids");
    if (kids instanceof PDFArray && reading.name(node, "Type") !== "Page") {
      for (const kid of kids.asArray()) visit(kid, [node, ...above]);
      return;
    }
    const get = (name: string) => {
      for (const dict of inheritable.has(name) ? [node, ...above] : [node]) {
        const value = reading.raw(dict, name);
        if (value !== undefined && reading.resolve(value) !== undefined) return value;
      }
      return undefined;
    };
    pages.push({ reference: raw instanceof PDFRef ? raw : undefined, dict: node, get });
  };
  visit(reading.raw(catalog, "Pages"), []);
  if (pages.length === 0) throw new PermanentError("PDF_DAMAGED", "the PDF has no page that can be read");
  return pages;
}

type Rectangle = [left: number, bottom: number, right: number, top: number];

export const letterPage: Rectangle = [0, 0, 612, 792];

export function rectangleOf(reading: Reading, raw: PDFObject | undefined): Rectangle | undefined {
  const numbers = reading.numbers(raw);
  if (numbers?.length !== 4) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = numbers;
  return [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)];
}

export function rotationOf(reading: Reading, { get }: SourcePage): number {
  const number = Number(String(reading.resolve(get("Rotate")) ?? 0));
  const quarters = Number.isFinite(number) ? Math.trunc(number / 90) : 0;
  return (((quarters % 4) + 4) % 4) * 90;
}

/** Maps a rectangle of a page's own coordinates to those of the page as it is shown: origin at the top left. */
export function shownOn(reading: Reading, page: SourcePage): (rectangle: Rectangle) => Box {
  const media = rectangleOf(reading, page.get("MediaBox")) ?? letterPage;
  const crop = rectangleOf(reading, page.get("CropBox"));
  const shown = crop ? overlap(media, crop) : media;
  const rotation = rotationOf(reading, page);
  const [width, height] = [shown[2] - shown[0], shown[3] - shown[1]];
  return ([left, bottom, right, top]) => {
    const [x1, x2] = [left - shown[0], right - shown[0]];
    const [y1, y2] = [bottom - shown[1], top - shown[1]];
    switch (rotation) {
      case 90:
        return { left: y1, top: x1, right: y2, bottom: x2 };
      case 180:
        return { left: width - x2, top: y1, right: width - x1, bottom: y2 };
      case 270:
        return { left: height - y2, top: width - x2, right: height - y1, bottom: width - x1 };
      default:
        return { left: x1, top: height - y2, right: x2, bottom: height - y1 };
    }
  };
}

/** A crop box outside of the page counts as none. */
function overlap(media: Rectangle, crop: Rectangle): Rectangle {
  const common: Rectangle = [
    Math.max(media[0], crop[0]),
    Math.max(media[1], crop[1]),
    Math.min(media[2], crop[2]),
    Math.min(media[3], crop[3]),
  ];
  return common[0] < common[2] && common[1] < common[3] ? common : media;
}

/** All values of a name tree or a number tree with their keys, in order. */
export function treeEntries(
  reading: Reading,
  root: PDFObject | undefined,
  list: "Names" | "Nums",
): [key: PDFObject, value: PDFObject][] {
  const entries: [PDFObject, PDFObject][] = [];
  const visited = new Set<PDFObject>();
  const visit = (raw: PDFObject | undefined, depth: number): void => {
    const node = reading.resolve(raw);
    if (!isDictionary(node) || visited.has(node)) return;
    if (depth > limits.nesting) throw tooComplex("nesting", new Place("name tree"));
    visited.add(node);
    const pairs = reading.get(node, list);
    if (pairs instanceof PDFArray) {
      for (let at = 0; at + 1 < pairs.size(); at += 2) {
        const name = reading.resolve(pairs.get(at));
        if (name !== undefined) entries.push([name, pairs.get(at + 1)]);
      }
    }
    const kids = reading.get(node, "Kids");
    if (kids instanceof PDFArray) for (const kid of kids.asArray()) visit(kid, depth + 1);
  };
  visit(root, 0);
  return entries;
}

/** A name as a key of a dictionary of destinations. */
export function nameOrText(reading: Reading, raw: PDFObject | undefined): string | undefined {
  const value = reading.resolve(raw);
  if (value instanceof PDFName) return value.decodeText();
  return value !== undefined && "asBytes" in value && typeof value.asBytes === "function"
    ? Buffer.from((value as { asBytes: () => Uint8Array }).asBytes()).toString("latin1")
    : undefined;
}
