/** Where the data of an image within a content stream end (ISO 32000-1, 8.9.7): nothing but the data themselves say it. */
import { constants, inflateSync } from "node:zlib";
import { isWhiteSpace } from "./filters.ts";
import { operators } from "./operators.ts";

/** What an inline image says of its data. */
interface InlineData {
  /** The filter that was applied last, by its full name. */
  filter: string | undefined;
  /** Bytes without a filter. */
  length: number;
  /** Of LZW. */
  earlyChange: number;
}

/** Decoded bytes of one inline image beyond which its end is looked for by its operator. */
const mostDecoded = 128 * 1024 ** 2;

/**
 * Where the data of an inline image and its operator `EI` end: by length for data without filter, by decoding for
 * filtered data, and by what follows for filters that do not mark their end.
 *
 * @returns undefined when there is no end
 */
export function endOfImageData(
  content: Buffer,
  start: number,
  { filter, length, earlyChange }: InlineData,
): { data: number; operator: number } | undefined {
  if (filter === undefined) return findOperator(content, start + length);
  const least = decodedEnd(content, start, filter, earlyChange);
  return (least === undefined ? undefined : findOperator(content, least)) ?? findByWhatFollows(content, start);
}

function decodedEnd(content: Buffer, start: number, filter: string, earlyChange: number): number | undefined {
  switch (filter) {
    case "ASCIIHexDecode":
      return after(content, start, 0x3e, (byte) => isHexDigit(byte) || isWhiteSpace(byte));
    case "ASCII85Decode":
      return after(content, start, 0x3e, () => true);
    case "FlateDecode":
      return inflatedEnd(content, start);
    case "RunLengthDecode":
      return runLengthEnd(content, start);
    case "LZWDecode":
      return lzwEnd(content, start, earlyChange);
    case "DCTDecode":
      return jpegEnd(content, start);
    default:
      return undefined;
  }
}

/** Behind the mark at the end of data made of text. */
function after(content: Buffer, start: number, mark: number, isData: (byte: number) => boolean): number | undefined {
  for (let at = start; at < content.length; at++) {
    const byte = content[at] ?? -1;
    if (byte === mark) return at + 1;
    if (!isData(byte)) return undefined;
  }
  return undefined;
}

function inflatedEnd(content: Buffer, start: number): number | undefined {
  try {
    const options = { info: true, maxOutputLength: mostDecoded, finishFlush: constants.Z_SYNC_FLUSH };
    // The types do not know what `info` makes of the answer.
    const { engine } = inflateSync(content.subarray(start), options) as unknown as { engine: { bytesWritten: number } };
    return start + engine.bytesWritten;
  } catch {
    return undefined;
  }
}

function runLengthEnd(content: Buffer, start: number): number | undefined {
  for (let at = start; at < content.length;) {
    const length = content[at] ?? 128;
    if (length === 128) return at + 1;
    at += length < 128 ? length + 2 : 2;
  }
  return undefined;
}

/** Behind the code 257; codes grow from 9 to 12 bits with the table, which 256 empties. */
function lzwEnd(content: Buffer, start: number, earlyChange: number): number | undefined {
  let [bit, entries] = [start * 8, 258];
  let isFirst = true;
  for (;;) {
    const width =
      entries + earlyChange >= 2048 ? 12 : entries + earlyChange >= 1024 ? 11 : entries + earlyChange >= 512 ? 10 : 9;
    if (bit + width > content.length * 8) return undefined;
    let code = 0;
    for (const last = bit + width; bit < last; bit++)
      code = code * 2 + (((content[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1);
    if (code === 257) return Math.ceil(bit / 8);
    if (code === 256) [entries, isFirst] = [258, true];
    else if (isFirst) isFirst = false;
    else if (entries < 4096) entries++;
  }
}

/** Behind the marker EOI, segment by segment. */
function jpegEnd(content: Buffer, start: number): number | undefined {
  let at = start;
  if (content[at] !== 0xff || content[at + 1] !== 0xd8) return undefined;
  at += 2;
  while (at + 1 < content.length) {
    const marker = content[at + 1] ?? 0;
    if (content[at] !== 0xff) at++;
    else if (marker === 0xd9) return at + 2;
    else if (marker === 0xff) at++;
    else if (marker === 0x00 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) at += 2;
    else at += 2 + (((content[at + 2] ?? 0) << 8) | (content[at + 3] ?? 0));
  }
  return undefined;
}

function isOperatorAt(content: Buffer, at: number): boolean {
  return content[at] === 0x45 && content[at + 1] === 0x49 && !isRegular(content[at + 2]);
}

/** `EI` at or behind the least end; what stands between, apart from white space, is taken for data. */
function findOperator(content: Buffer, least: number): { data: number; operator: number } | undefined {
  let isOnlySpace = true;
  for (let at = least; at + 1 < content.length; at++) {
    const isApart = at === least || !isRegular(content[at - 1]);
    if (isApart && isOperatorAt(content, at)) return { data: isOnlySpace ? least : at - 1, operator: at + 2 };
    isOnlySpace &&= isWhiteSpace(content[at] ?? -1);
  }
  return undefined;
}

/** Bytes behind an `EI` that have to look like content. */
const following = 64;

/** The first `EI` between white space behind which content goes on. */
function findByWhatFollows(content: Buffer, start: number): { data: number; operator: number } | undefined {
  for (let at = start + 1; at + 1 < content.length; at++) {
    if (!isWhiteSpace(content[at - 1] ?? -1) || !isOperatorAt(content, at)) continue;
    if (looksLikeContent(content.subarray(at + 2, at + 2 + following))) return { data: at - 1, operator: at + 2 };
  }
  return undefined;
}

function looksLikeContent(bytes: Buffer): boolean {
  if (!bytes.every((byte) => isWhiteSpace(byte) || (byte > 0x20 && byte < 0x7f))) return false;
  const words = bytes
    .toString("latin1")
    .split(/[\0\s]+/)
    .filter((word) => word !== "");
  const operator = words
    .slice(0, bytes.length < following ? undefined : -1)
    .find((word) => /^[A-Za-z'"*\d]+$/.test(word) && !/^\d/.test(word));
  return operator === undefined || isOperator(operator);
}

/** Operators that a rewritten content does not have, and that a content may have behind an image. */
const others: ReadonlySet<string> = new Set(["BDC", "BMC", "EMC", "MP", "DP", "BI", "BX", "EX"]);

function isOperator(word: string): boolean {
  return operators.has(word) || others.has(word);
}

/** Whether a byte goes on with a word; there is none behind the last. */
function isRegular(byte: number | undefined): boolean {
  return byte !== undefined && !isWhiteSpace(byte) && !delimiters.has(byte);
}

const delimiters: ReadonlySet<number> = new Set(Buffer.from("()<>[]{}/%"));

function isHexDigit(byte: number): boolean {
  return /[\dA-Fa-f]/.test(String.fromCharCode(byte));
}
