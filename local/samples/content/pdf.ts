import { readFileSync } from "node:fs";
import fontkit from "@pdf-lib/fontkit";
import { PDFDocument, StandardFonts } from "pdf-lib";

const fontBytes = readFileSync(
  new URL(import.meta.resolve("@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf")),
);
/** Parsed once for all PDFs: parsing takes longer than all the rest. */
let parsedFont: ReturnType<typeof fontkit.create> | undefined;

const a4: [number, number] = [595, 842];
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
}

/** A PDF with real, extractable text; equal bytes for equal content. */
export async function makePdf(content: PdfContent): Promise<Buffer> {
  const pdf = await PDFDocument.create({ updateMetadata: false });
  pdf.setTitle(content.title);
  pdf.setAuthor(content.author);
  pdf.setCreationDate(content.created);
  pdf.setModificationDate(content.created);
  pdf.registerFontkit({ create: () => (parsedFont ??= fontkit.create(fontBytes)) });
  const font = content.unicode
    ? await pdf.embedFont(fontBytes, { subset: true })
    : await pdf.embedFont(StandardFonts.Helvetica);
  for (const [index, text] of content.pages.entries()) {
    const page = pdf.addPage(a4);
    page.drawText(`Page ${index + 1} of ${content.pages.length}`, { font, size: 9, x: margin, y: 24 });
    page.drawText(wrap(text), { font, size: fontSize, lineHeight: fontSize * 1.4, x: margin, y: a4[1] - margin });
  }
  return Buffer.from(await pdf.save());
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
