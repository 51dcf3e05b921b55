import type { AnnotationContent } from "./content.ts";

/** The entities that XML knows without a document type; every other name ends the text. */
const named: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const lineEnd = /^<(?:br\b|\/(?:p|div|li|h\d)\b)/i;

/**
 * The text of an annotation as the engine core shows it. XHTML loses its tags, and all that follows a named entity that
 * XML does not know (`&uuml;`, `&nbsp;`); plain text is literal. Either ends at a NUL.
 */
export function plainText(text: AnnotationContent["text"]): string {
  const value = typeof text === "string" ? text : (text?.value ?? "");
  const isRich = typeof text === "object" && text?.format === "xhtml";
  const [shown = ""] = (isRich ? withoutTags(value) : value).split("\0", 1);
  return shown;
}

function withoutTags(xhtml: string): string {
  let text = "";
  for (const [token] of xhtml.matchAll(/<!--[\s\S]*?-->|<[^>]*>|&#?\w+;|[\s\S]/g)) {
    if (token.length > 1 && token.startsWith("<")) text += lineEnd.test(token) ? "\n" : "";
    else if (token.length > 1 && token.startsWith("&")) {
      const character = token.startsWith("&#") ? numbered(token.slice(2, -1)) : named[token.slice(1, -1)];
      if (character === undefined) break;
      text += character;
    } else text += token;
  }
  return text.replace(/\n+$/, "");
}

/** The character of a decimal or hexadecimal number; undefined where there is none. */
function numbered(digits: string): string | undefined {
  const number = /^x/i.test(digits) ? parseInt(digits.slice(1), 16) : Number(digits);
  return Number.isInteger(number) && number >= 0 && number <= 0x10ffff ? String.fromCodePoint(number) : undefined;
}
