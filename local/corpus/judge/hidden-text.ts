import type { PDFDocumentProxy, PDFPageProxy } from "../reader/pdf.ts";

/** A text that a reader of a PDF can get at beside its pages. */
export interface HiddenText {
  where: string;
  text: string;
}

/** Words of pdf.js, not of the file. */
const ownKeys = new Set([
  "subtype",
  "fieldType",
  "annotationType",
  "fontName",
  "loadedName",
  "id",
  "type",
  "style",
  "intent",
]);

/** Everything that pdf.js gives of a document beside the drawing of its pages. */
export async function documentTexts(pdf: PDFDocumentProxy): Promise<HiddenText[]> {
  const { info, metadata } = (await pdf.getMetadata()) as { info: object; metadata: { getRaw: () => unknown } | null };
  const parts: [string, unknown][] = [
    ["metadata", info],
    ["XMP", metadata?.getRaw()],
    ["bookmarks", await pdf.getOutline()],
    ["attachments", await pdf.getAttachments()],
    ["named destinations", await pdf.getDestinations()],
    ["page labels", await pdf.getPageLabels()],
    ["form fields", await pdf.getFieldObjects()],
    ["JavaScript", await pdf.getJSActions()],
    ["optional content", Array.from(await pdf.getOptionalContentConfig())],
  ];
  return parts.flatMap(([where, value]) => stringsOf(value).map((text) => ({ where, text })));
}

/** Annotations, structure and text of one page. */
export async function pageTexts(page: PDFPageProxy): Promise<HiddenText[]> {
  const { items } = await page.getTextContent({ includeMarkedContent: false });
  const structure: unknown = await page.getStructTree();
  const parts: [string, unknown][] = [
    ["page text", items.map((item) => ("str" in item ? `${item.str}${item.hasEOL ? "\n" : ""}` : "")).join("")],
    ["annotations", await page.getAnnotations()],
    ["structure", structure],
    ["JavaScript", await page.getJSActions()],
  ];
  return parts.flatMap(([where, value]) => {
    const strings = stringsOf(value);
    // Rich text comes in pieces.
    return [...strings, strings.join("")].map((text) => ({ where, text }));
  });
}

/** The strings within a value, keys of maps and percent-decoded links included. */
function stringsOf(value: unknown, depth = 0): string[] {
  if (depth > 30 || value === null || value === undefined) return [];
  if (typeof value === "string") return value.includes("%") ? [value, percentDecoded(value)] : [value];
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
    return [
      bytes.toString("latin1"),
      bytes.toString("utf8"),
      Buffer.from(bytes.subarray(0, bytes.length & ~1)).toString("utf16le"),
    ];
  }
  if (ArrayBuffer.isView(value) || typeof value !== "object") return [];
  if (value instanceof Map)
    return [...value].flatMap(([key, one]) => [...stringsOf(key), ...stringsOf(one, depth + 1)]);
  if (Array.isArray(value)) {
    const strings = value.filter((one) => typeof one === "string");
    return [...value.flatMap((one) => stringsOf(one, depth + 1)), ...(strings.length > 1 ? [strings.join("")] : [])];
  }
  return Object.entries(value).flatMap(([key, one]) => (ownKeys.has(key) ? [] : stringsOf(one, depth + 1)));
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
