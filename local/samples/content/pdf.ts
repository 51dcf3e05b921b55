import { readFileSync } from "node:fs";
import fontkit from "@cantoo/fontkit";
import type { Font } from "@cantoo/fontkit";
import { degrees, PDFDocument, StandardFonts } from "@cantoo/pdf-lib";

const fontBytes = readFileSync(
  new URL(import.meta.resolve("@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf")),
);
/** Parsed once for all PDFs: parsing takes longer than all the rest. */
let parsedFont: Font | undefined;

function parseFont(): Font {
  const parsed = fontkit.create(fontBytes);
  if ("fonts" in parsed) throw new TypeError("the font of the samples is a collection: choose one of its fonts");
  return parsed;
}

const margin = 56;
const fontSize = 11;
const charactersPerLine = 80;

export interface PdfContent {
  title: string;
  author: string;
  /** The text of each page. */
  pages: readonly string[];
  created: Date;
  /** Embeds a font that has Greek and Cyrillic as well. */
  unicode: boolean;
  /** A last page with single words at known places. */
  sheet?: Sheet;
}

/** Where each word begins: points from the top left of the page before it is turned. */
export interface Sheet {
  words: readonly { text: string; x: number; y: number }[];
  /** Shown turned by a quarter. */
  turned: boolean;
}

/** The size of every page, before one is turned. */
export const pageSize = { width: 595, height: 842 };
const sheetFontSize = 12;

/** A PDF with real, extractable text; equal bytes for equal content. */
export async function makePdf(content: PdfContent): Promise<Buffer> {
  const pdf = await PDFDocument.create({ updateMetadata: false });
  pdf.setTitle(content.title);
  pdf.setAuthor(content.author);
  pdf.setCreationDate(content.created);
  pdf.setModificationDate(content.created);
  pdf.registerFontkit({ create: () => (parsedFont ??= parseFont()) });
  const font = content.unicode
    ? await pdf.embedFont(fontBytes, { subset: true })
    : await pdf.embedFont(StandardFonts.Helvetica);
  for (const [index, text] of content.pages.entries()) {
    const page = pdf.addPage([pageSize.width, pageSize.height]);
    page.drawText(`Page ${index + 1} of ${content.pages.length}`, { font, size: 9, x: margin, y: 24 });
    page.drawText(wrap(text), {
      font,
      size: fontSize,
      lineHeight: fontSize * 1.4,
      x: margin,
      y: pageSize.height - margin,
    });
  }
  if (content.sheet) await addSheet(pdf, content.sheet);
  return Buffer.from(await pdf.save());
}

async function addSheet(pdf: PDFDocument, { words, turned }: Sheet): Promise<void> {
  const font = await pdf.embedFont(StandardFonts.Helvetica);
  const page = pdf.addPage([pageSize.width, pageSize.height]);
  if (turned) page.setRotation(degrees(90));
  for (const { text, x, y } of words) {
    page.drawText(text, { font, size: sheetFontSize, x, y: pageSize.height - y - sheetFontSize });
  }
}

/** Breaks a text between words, so that no line is longer than a page is wide. */
export function wrap(text: string, width = charactersPerLine): string {
  let line = "";
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    if (line && line.length + word.length + 1 > width) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line].join("\n");
}
