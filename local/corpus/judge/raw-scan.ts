import { constants, inflateRawSync } from "node:zlib";
import type { RedactedTexts } from "./fold.ts";
import { decoded } from "./filters.ts";
import { piecesOf, type Piece } from "./tokens.ts";

/** How much of the bytes is looked at: everything, or not what holds words of its own that nobody reads (fonts, names). */
export type Thoroughness = "everything" | "what people read";

/** Where redacted texts stand in the bytes of a file, referred to or not: a coarse check behind the precise ones. */
export function scanBytes(bytes: Uint8Array, texts: RedactedTexts, thoroughness: Thoroughness): string[] {
  return [...new Set(scan(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), texts, thoroughness, 0))];
}

const deepest = 3;

function scan(bytes: Buffer, texts: RedactedTexts, thoroughness: Thoroughness, depth: number): string[] {
  const found: string[] = [];
  let run = "";
  for (const piece of piecesOf(bytes)) {
    if (piece.kind === "stream") found.push(...scanStream(piece, texts, thoroughness, depth));
    else if (piece.kind !== "name" || thoroughness === "everything") {
      if (piece.kind === "string") run += piece.bytes.toString("latin1");
      if (!isDate(piece) && !isFontName(piece))
        found.push(...scanText(piece.bytes, texts).map(() => `a ${piece.kind}`));
    }
  }
  // Letter by letter, in a string each.
  if (!found.includes("a string") && texts.inBytes(run).length > 0) found.push("strings one after the other");
  return found;
}

function scanStream(
  { bytes, dictionary }: Piece,
  texts: RedactedTexts,
  thoroughness: Thoroughness,
  depth: number,
): string[] {
  const content = decoded(bytes, dictionary);
  if (!content) return thoroughness === "everything" ? ["a stream that cannot be decoded"] : [];
  if (thoroughness !== "everything" && isMachinery(dictionary, content)) return [];
  const kind = /\/Type\s*\/(\w+)/.exec(dictionary)?.[1] ?? /\/Subtype\s*\/(\w+)/.exec(dictionary)?.[1] ?? "";
  const found = scanText(content, texts).map(() => `a stream ${kind}`.trim());
  if (depth < deepest && !/\/Subtype\s*\/Image\b/.test(dictionary))
    found.push(...scan(content, texts, thoroughness, depth + 1));
  return found;
}

/** Fonts, colour profiles and maps of characters: their words are those of whoever made them. */
function isMachinery(dictionary: string, content: Buffer): boolean {
  return (
    /\/Length1\b|\/(Type1C|CIDFontType0C|OpenType)\b|\/N\s+[134]\b.*\/Alternate/s.test(dictionary) ||
    content.subarray(0, 400).includes("/CIDInit") ||
    content.subarray(36, 40).toString("latin1") === "acsp"
  );
}

function isDate({ bytes }: Piece): boolean {
  return /^D:\d{4,14}/.test(bytes.toString("latin1", 0, 10));
}

const standardFonts =
  /^(Courier|Helvetica|Times|Symbol|ZapfDingbats)(-(Roman|Bold|Oblique|Italic|BoldOblique|BoldItalic))?$/;

function isFontName({ kind, bytes }: Piece): boolean {
  return kind === "name" && standardFonts.test(bytes.toString("latin1"));
}

/** In each of the encodings that text comes in. */
function scanText(bytes: Buffer, texts: RedactedTexts): string[] {
  const latin = bytes.toString("latin1");
  const readings = [latin, bytes.toString("utf8"), ...[0, 1].flatMap((from) => utf16(bytes.subarray(from)))];
  for (const [run] of latin.matchAll(/(?:[0-9a-f]{2}[\s]?){6,}/gi))
    readings.push(Buffer.from(run.replace(/\s/g, ""), "hex").toString("utf8"));
  for (const [run] of latin.matchAll(/[A-Za-z0-9+/_-]{8,}={0,2}/g))
    readings.push(Buffer.from(run, "base64").toString("utf8"));
  for (const [, run = ""] of latin.matchAll(/((?:[ -~]|\r?\n)*%[0-9A-F]{2}(?:[ -~]|\r?\n)*)/gi))
    readings.push(percentDecoded(run));
  if (/&#?\w+;/.test(latin)) readings.push(entitiesDecoded(bytes.toString("utf8")));
  readings.push(...unpacked(bytes).map((file) => file.toString("utf8")));
  if (latin.startsWith("{\\rtf")) readings.push(rtfDecoded(latin));
  return [...new Set(readings.flatMap((reading) => texts.inBytes(reading)))];
}

/** Both orders of bytes. Node 24 corrupts its memory over an odd number of bytes at an odd address. */
function utf16(bytes: Buffer): string[] {
  const even = Buffer.from(bytes.subarray(0, bytes.length & ~1));
  const text = even.toString("utf16le");
  return even.length === 0 ? [] : [text, even.swap16().toString("utf16le")];
}

const entryOfZip = Buffer.from("PK\u0003\u0004", "latin1");

/** The files in an archive. */
function unpacked(bytes: Buffer): Buffer[] {
  const files: Buffer[] = [];
  for (let at = bytes.indexOf(entryOfZip); at >= 0 && at + 30 < bytes.length; at = bytes.indexOf(entryOfZip, at + 4)) {
    const content = bytes.subarray(at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28));
    try {
      files.push(inflateRawSync(content, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 64 * 1024 ** 2 }));
    } catch {
      // Stored without compression, and so found as it is, or no archive at all.
    }
  }
  return files;
}

function rtfDecoded(text: string): string {
  return text
    .replace(/\\'([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    .replace(/\\u(-?\d+) ?\??/g, (_, value: string) => String.fromCharCode(Number(value) & 0xffff))
    .replace(/\\[a-z]+-?\d* ?|[{}]/g, "");
}

function percentDecoded(text: string): string {
  const bytes = text.replace(/%([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}

function entitiesDecoded(text: string): string {
  return text.replace(/&#(x?)([0-9a-f]+);/gi, (_, hex: string, digits: string) => {
    const value = parseInt(digits, hex === "" ? 10 : 16);
    return value <= 0x10ffff ? String.fromCodePoint(value) : "";
  });
}
