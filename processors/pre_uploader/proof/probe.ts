/**
 * Text that no reader of page text meets: in patterns, soft masks, glyphs and appearances of annotations. Each of these
 * streams becomes the page of a file that is read and thrown away.
 */
import { withDocument, withPage } from "../pdf/pdfium.ts";
import type { Pdfium } from "../pdf/pdfium.ts";
import { readPage } from "../pdf/reader.ts";
import type { Place } from "./place.ts";
import { Name, Reference } from "./syntax.ts";
import type { Value } from "./syntax.ts";
import type { RedactedTerms } from "./terms.ts";

/** A stream of operators that draws outside of the content of pages. */
export interface Aside {
  /** The number of its object. */
  stream: number;
  resources: Value;
  place: Place;
  /** Whether glyphs without Unicode are a fault. Form fields have them as check marks. */
  mustBeReadable: boolean;
}

/** More than any document has; one with more was made to fill memories. */
const mostAsides = 5000;

interface AsideFindings {
  faults: string[];
  /** Pages with text in a pattern or a mask, which Document Engine does not cut. */
  pagesWithText: ReadonlySet<number>;
}

export function readAsides(
  pdfium: Pdfium,
  file: Uint8Array,
  asides: readonly Aside[],
  terms: RedactedTerms,
): AsideFindings {
  const pagesWithText = new Set<number>();
  if (asides.length === 0) return { faults: [], pagesWithText };
  if (asides.length > mostAsides) {
    return { faults: [`the file has more than ${mostAsides} patterns, masks and appearances`], pagesWithText };
  }
  const faults = withDocument(pdfium, probeOf(file, asides), (document) =>
    asides.flatMap(({ place, mustBeReadable }, index) =>
      withPage(pdfium, document, index, (page) => {
        const { text } = readPage(pdfium, page);
        if (mustBeReadable && place.page !== undefined && text.trim() !== "") pagesWithText.add(place.page);
        if (terms.areIn(text)) return [`redacted words stand in ${place.toString()}`];
        return mustBeReadable && hasUnreadableGlyphs(pdfium, page)
          ? [`glyphs that nobody can read stand in ${place.toString()}`]
          : [];
      }),
    ),
  );
  return { faults, pagesWithText };
}

function hasUnreadableGlyphs(pdfium: Pdfium, page: number): boolean {
  const text = pdfium.FPDFText_LoadPage(page);
  if (text === 0) return true;
  try {
    const count = pdfium.FPDFText_CountChars(text);
    return Array.from({ length: count }, (_, index) => index).some(
      (index) => pdfium.FPDFText_HasUnicodeMapError(text, index) === 1,
    );
  } finally {
    pdfium.FPDFText_ClosePage(text);
  }
}

/** The file with a catalog and pages of its own behind its end. */
function probeOf(file: Uint8Array, asides: readonly Aside[]): Uint8Array {
  const end = Buffer.from(file.buffer, file.byteOffset, file.length).toString("latin1", file.length - 64);
  const previous = /startxref\s+(\d+)/.exec(end)?.[1] ?? "0";
  const first = 1 + Math.max(...asides.map(({ stream }) => stream), sizeOf(file));
  const pages = first + asides.length;
  const objects = [
    ...asides.map(
      ({ stream, resources }) =>
        `<< /Type /Page /Parent ${pages} 0 R /MediaBox [0 0 1000 1000] /Contents ${stream} 0 R /Resources ${written(resources)} >>`,
    ),
    `<< /Type /Pages /Count ${asides.length} /Kids [${asides.map((_, index) => `${first + index} 0 R`).join(" ")}] >>`,
    `<< /Type /Catalog /Pages ${pages} 0 R >>`,
  ];
  let added = "\n";
  const offsets = objects.map((object, index) => {
    const offset = file.length + added.length;
    added += `${first + index} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, "0")} 00000 n \n`;
  });
  const table = file.length + added.length;
  added += `xref\n${first} ${objects.length}\n${offsets.join("")}`;
  added += `trailer\n<< /Size ${first + objects.length} /Root ${pages + 1} 0 R /Prev ${previous} >>\n`;
  return Buffer.concat([file, Buffer.from(`${added}startxref\n${table}\n%%EOF\n`, "latin1")]);
}

/** The numbers of objects are less than this. */
function sizeOf(file: Uint8Array): number {
  const tail = Buffer.from(file.buffer, file.byteOffset, file.length).toString(
    "latin1",
    Math.max(0, file.length - 400),
  );
  return Number(/\/Size (\d+)/.exec(tail)?.[1] ?? 1_000_000);
}

function written(value: Value): string {
  if (value instanceof Reference) return `${value.number} 0 R`;
  if (value instanceof Name) return `/${value.value.replaceAll(/[^\w.+-]/g, escaped)}`;
  if (value instanceof Uint8Array) return `<${Buffer.from(value).toString("hex")}>`;
  if (Array.isArray(value)) return `[${value.map(written).join(" ")}]`;
  if (value instanceof Map) {
    return `<< ${[...value].map(([key, item]) => `${written(new Name(key))} ${written(item)}`).join(" ")} >>`;
  }
  return String(value);
}

function escaped(character: string): string {
  return `#${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
