import { withPdf } from "../reader/pdf.ts";
import type { Glyph } from "../reader/walk.ts";
import { shapesOf, spacedText } from "../reader/words.ts";
import { RedactedTexts } from "./fold.ts";
import { documentTexts, pageTexts, type HiddenText } from "./hidden-text.ts";
import { judgeObjects } from "./objects.ts";
import { scanBytes, type Thoroughness } from "./raw-scan.ts";
import type { Finding, JudgedRedaction } from "./redaction.ts";
import { judgePage } from "./under-boxes.ts";

/** What a produced document must not show. */
export interface Charge {
  redactions: readonly JudgedRedaction[];
  /** Texts that nobody may read any more, anywhere. */
  texts: readonly string[];
  /** The same as the outlines of their glyphs one after the other, for those that have no text. */
  shapes: readonly (readonly string[])[];
  thoroughness: Thoroughness;
  /** Pages of the original. */
  pages: number;
}

/** Judges what is sent on of a document, by another library than those that made, wrote and proved it. */
export async function judge(
  pdf: Uint8Array,
  layers: readonly { name: string; content: string }[],
  charge: Charge,
): Promise<Finding[]> {
  const texts = new RedactedTexts(charge.texts);
  const findings = await judgePdf(pdf, texts, charge).catch((error: unknown): Finding[] => [
    { where: "file", what: `cannot be read: ${error instanceof Error ? error.message : String(error)}` },
  ]);
  if (charge.redactions.length > 0) findings.push(...judgeObjects(pdf, charge.pages));
  if (texts.count > 0) {
    const inBytes = scanBytes(pdf, texts, charge.thoroughness);
    findings.push(...inBytes.map((what) => ({ where: "bytes", what: `a redacted text in ${what}` })));
    for (const { name, content } of layers) {
      if (texts.in(content).length > 0) findings.push({ where: name, what: "has a redacted text" });
    }
  }
  return findings;
}

async function judgePdf(bytes: Uint8Array, texts: RedactedTexts, charge: Charge): Promise<Finding[]> {
  return withPdf(bytes, async (pdf) => {
    const findings: Finding[] = [];
    if (pdf.numPages !== charge.pages) {
      findings.push({ where: "file", what: `has ${pdf.numPages} pages, the original ${charge.pages}` });
    }
    if (texts.count > 0) findings.push(...readable(await documentTexts(pdf), texts));
    for (let pageIndex = 0; pageIndex < pdf.numPages; pageIndex++) {
      const redactions = charge.redactions.filter((redaction) => redaction.pageIndex === pageIndex);
      if (redactions.length === 0 && texts.count === 0) continue;
      const page = await pdf.getPage(pageIndex + 1);
      const where = `page ${pageIndex + 1}`;
      const judged = await judgePage(page, redactions);
      findings.push(...judged.findings.map((what) => ({ where, what })));
      if (showsOneOf(judged.glyphs.glyphs, charge.shapes)) findings.push({ where, what: "draws redacted glyphs" });
      if (texts.count > 0) {
        const drawn = { where: "drawing", text: spacedText(judged.glyphs.glyphs) };
        const found = readable([drawn, ...(await pageTexts(page))], texts);
        findings.push(...found.map(({ where: place, what }) => ({ where: `${where}, ${place}`, what })));
      }
      page.cleanup();
    }
    return findings;
  });
}

function showsOneOf(glyphs: readonly Glyph[], shapes: Charge["shapes"]): boolean {
  if (shapes.length === 0) return false;
  const drawn = shapesOf(glyphs).join(" ");
  return shapes.some((sequence) => drawn.includes(sequence.join(" ")));
}

function readable(hidden: readonly HiddenText[], texts: RedactedTexts): Finding[] {
  const places = new Set(hidden.filter(({ text }) => texts.in(text).length > 0).map(({ where }) => where));
  return [...places].map((where) => ({ where, what: "has a redacted text" }));
}
