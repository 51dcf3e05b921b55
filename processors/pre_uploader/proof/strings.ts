import { decoded } from "./filters.ts";

/**
 * Every text that a PDF file holds, wherever it stands: metadata, bookmarks, form values, hidden layers, and what earlier
 * revisions left behind and nothing refers to any more. Read from the bytes themselves, because a library shows only
 * what the newest revision refers to. Text that a font encodes by glyph numbers cannot be read in this way; of what is
 * on a page, that is the reader's part.
 */
export function stringsIn(bytes: Uint8Array): string[] {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: string[] = [];
  let plain = "";
  let from = 0;
  for (;;) {
    const begin = file.indexOf("stream", from, "latin1");
    if (begin < 0) break;
    const end = file.indexOf("endstream", begin + 6, "latin1");
    if (end < 0) break;
    const header = file.toString("latin1", from, begin);
    plain += `${header}\n`;
    found.push(
      streamText(header.slice(header.lastIndexOf(" obj") + 1), file.subarray(afterLineEnd(file, begin + 6), end)),
    );
    from = end + 9;
  }
  plain += file.toString("latin1", from);
  found.push(literalsOf(plain));
  return found;
}

/** How many times the file was ended: more than once where it was saved on top of an earlier revision. */
export function revisionsOf(bytes: Uint8Array): number {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [count, from] = [0, 0];
  for (;;) {
    const at = file.indexOf("startxref", from, "latin1");
    if (at < 0) return count;
    // A linearized file has a first section that ends with zero.
    if (!/^startxref\s+0\s/.test(file.toString("latin1", at, at + 16))) count += 1;
    from = at + 9;
  }
}

function afterLineEnd(file: Buffer, at: number): number {
  if (file[at] === 0x0d && file[at + 1] === 0x0a) return at + 2;
  return file[at] === 0x0a || file[at] === 0x0d ? at + 1 : at;
}

/** Content that is no text: pictures, fonts, and the table of the file's own objects. */
const notText = /\/Subtype\s*\/Image|\/Length1|\/Subtype\s*\/(Type1C|CIDFontType0C|OpenType)|\/Type\s*\/XRef/;

function streamText(dictionary: string, content: Buffer): string {
  if (notText.test(dictionary)) return "";
  const text = decoded(dictionary, content)?.toString("latin1") ?? "";
  return /\/Type\s*\/(Metadata|EmbeddedFile)/.test(dictionary) ? markupText(text) : literalsOf(text);
}

function markupText(text: string): string {
  return Buffer.from(text, "latin1")
    .toString("utf8")
    .replaceAll(/<[^>]*>/g, " ");
}

const literals = /\(((?:\\[\s\S]|[^\\()])*)\)|<([0-9A-Fa-f\s]{4,})>/g;

/** The strings of PDF syntax; those that only a distance parts are pieces of one word. */
function literalsOf(text: string): string {
  const parts: string[] = [];
  let before = 0;
  for (const match of text.matchAll(literals)) {
    parts.push(/^[\s\d.+-]*$/.test(text.slice(before, match.index)) ? "" : " ");
    parts.push(
      match[1] === undefined ? stringOf(Buffer.from(compact(match[2] ?? ""), "hex")) : stringOf(unescaped(match[1])),
    );
    before = match.index + match[0].length;
  }
  return parts.join("");
}

function compact(hex: string): string {
  const digits = hex.replaceAll(/\s/g, "");
  return digits.length % 2 === 0 ? digits : `${digits}0`;
}

function unescaped(literal: string): Buffer {
  const plain = literal.replaceAll(/\\([0-7]{1,3}|\r\n|[\s\S])/g, (_, escape: string) => {
    if (/^[0-7]/.test(escape)) return String.fromCharCode(Number.parseInt(escape, 8) & 0xff);
    if (/^[\r\n]/.test(escape)) return "";
    return { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" }[escape] ?? escape;
  });
  return Buffer.from(plain, "latin1");
}

function stringOf(bytes: Buffer): string {
  if (bytes[0] === 0xfe && bytes[1] === 0xff)
    return bytes
      .subarray(2, bytes.length - (bytes.length % 2))
      .swap16()
      .toString("utf16le");
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return bytes.toString("utf8", 3);
  return bytes.toString("latin1");
}
