import { constants, inflateSync } from "node:zlib";
import { isRegular, isWhitespace, hexDigit } from "./characters.ts";
import { knownOperators } from "./operators.ts";
import type { Operand } from "./operation.ts";

/** How many components a colour space of the resources has, by its name. */
export type ComponentsOf = (colorSpace: string) => number | undefined;

type Entries = ReadonlyMap<string, Operand>;

/** The filters by their short names. */
const shortFilters: Readonly<Record<string, string>> = {
  ...{ ASCIIHexDecode: "AHx", ASCII85Decode: "A85", LZWDecode: "LZW", FlateDecode: "Fl" },
  ...{ RunLengthDecode: "RL", CCITTFaxDecode: "CCF", DCTDecode: "DCT" },
};

const deviceComponents: Readonly<Record<string, number>> = {
  ...{ G: 1, DeviceGray: 1, CalGray: 1, I: 1, Indexed: 1 },
  ...{ RGB: 3, DeviceRGB: 3, CMYK: 4, DeviceCMYK: 4 },
};

/** Decoded bytes of one inline image beyond which its end is looked for by its operator. */
const mostDecoded = 128 * 1024 ** 2;

/**
 * Where the data of an inline image and its operator `EI` end: by length for data without filter, by decoding for
 * filtered data, and by what follows for filters that do not mark their end.
 *
 * @returns undefined when there is no end
 */
export function endOfImageData(
  content: Uint8Array,
  start: number,
  entries: Entries,
  componentsOf: ComponentsOf,
): { data: number; operator: number } | undefined {
  const filter = filterOf(entries);
  const least =
    filter === undefined ? start + lengthOf(entries, componentsOf) : decodedEnd(content, start, filter, entries);
  return least === undefined ? findByWhatFollows(content, start) : findOperator(content, least);
}

function valueOf(entries: Entries, short: string, long: string): Operand | undefined {
  return entries.get(short) ?? entries.get(long);
}

function numberOf(operand: Operand | undefined): number {
  return operand?.type === "number" ? operand.value : 0;
}

/** The filter that was applied last, by its short name. */
function filterOf(entries: Entries): string | undefined {
  const filter = valueOf(entries, "F", "Filter");
  const last = filter?.type === "array" ? filter.items[0] : filter;
  return last?.type === "name" ? (shortFilters[last.value] ?? last.value) : undefined;
}

function lengthOf(entries: Entries, componentsOf: ComponentsOf): number {
  const [width, height] = [numberOf(valueOf(entries, "W", "Width")), numberOf(valueOf(entries, "H", "Height"))];
  const space = valueOf(entries, "CS", "ColorSpace");
  const bits = space === undefined ? 1 : numberOf(valueOf(entries, "BPC", "BitsPerComponent"));
  return Math.ceil((width * bits * componentsIn(space, componentsOf)) / 8) * height;
}

function componentsIn(space: Operand | undefined, componentsOf: ComponentsOf): number {
  if (space === undefined) return 1;
  const family = space.type === "array" ? space.items[0] : space;
  if (family?.type !== "name") return 3;
  return deviceComponents[family.value] ?? componentsOf(family.value) ?? 3;
}

function decodedEnd(content: Uint8Array, start: number, filter: string, entries: Entries): number | undefined {
  switch (filter) {
    case "AHx":
      return after(content, start, 0x3e, (byte) => hexDigit(byte) !== undefined || isWhitespace(byte));
    case "A85":
      return after(content, start, 0x3e, () => true);
    case "Fl":
      return inflatedEnd(content, start);
    case "RL":
      return runLengthEnd(content, start);
    case "LZW":
      return lzwEnd(content, start, earlyChangeOf(entries));
    case "DCT":
      return jpegEnd(content, start);
    default:
      return undefined;
  }
}

/** Behind the mark at the end of data made of text. */
function after(
  content: Uint8Array,
  start: number,
  mark: number,
  isData: (byte: number) => boolean,
): number | undefined {
  for (let at = start; at < content.length; at++) {
    const byte = content[at] ?? -1;
    if (byte === mark) return at + 1;
    if (!isData(byte)) return undefined;
  }
  return undefined;
}

function inflatedEnd(content: Uint8Array, start: number): number | undefined {
  try {
    const options = { info: true, maxOutputLength: mostDecoded, finishFlush: constants.Z_SYNC_FLUSH };
    // The types do not know what `info` makes of the answer.
    const { engine } = inflateSync(content.subarray(start), options) as unknown as { engine: { bytesWritten: number } };
    return start + engine.bytesWritten;
  } catch {
    return undefined;
  }
}

function runLengthEnd(content: Uint8Array, start: number): number | undefined {
  for (let at = start; at < content.length;) {
    const length = content[at] ?? 128;
    if (length === 128) return at + 1;
    at += length < 128 ? length + 2 : 2;
  }
  return undefined;
}

function earlyChangeOf(entries: Entries): number {
  const given = valueOf(entries, "DP", "DecodeParms");
  const first = given?.type === "array" ? given.items[0] : given;
  const early = first?.type === "dictionary" ? first.entries.get("EarlyChange") : undefined;
  return early?.type === "number" ? early.value : 1;
}

/** Behind the code 257; codes grow from 9 to 12 bits with the table, which 256 empties. */
function lzwEnd(content: Uint8Array, start: number, earlyChange: number): number | undefined {
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
function jpegEnd(content: Uint8Array, start: number): number | undefined {
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

function isOperatorAt(content: Uint8Array, at: number): boolean {
  return content[at] === 0x45 && content[at + 1] === 0x49 && !isRegular(content[at + 2] ?? -1);
}

/** `EI` at or behind the least end; what stands between, apart from white space, is taken for data. */
function findOperator(content: Uint8Array, least: number): { data: number; operator: number } | undefined {
  let isOnlySpace = true;
  for (let at = least; at + 1 < content.length; at++) {
    const isApart = at === least || !isRegular(content[at - 1] ?? -1);
    if (isApart && isOperatorAt(content, at)) return { data: isOnlySpace ? least : at - 1, operator: at + 2 };
    isOnlySpace &&= isWhitespace(content[at] ?? -1);
  }
  return undefined;
}

/** Bytes behind an `EI` that have to look like content. */
const following = 64;

/** The first `EI` between white space behind which content goes on. */
function findByWhatFollows(content: Uint8Array, start: number): { data: number; operator: number } | undefined {
  for (let at = start + 1; at + 1 < content.length; at++) {
    if (!isWhitespace(content[at - 1] ?? -1) || !isOperatorAt(content, at)) continue;
    if (looksLikeContent(content.subarray(at + 2, at + 2 + following))) return { data: at - 1, operator: at + 2 };
  }
  return undefined;
}

function looksLikeContent(bytes: Uint8Array): boolean {
  if (!bytes.every((byte) => isWhitespace(byte) || (byte > 0x20 && byte < 0x7f))) return false;
  const words = Buffer.from(bytes)
    .toString("latin1")
    .split(/[\0\s]+/)
    .filter((word) => word !== "");
  const operator = words
    .slice(0, bytes.length < following ? undefined : -1)
    .find((word) => /^[A-Za-z'"*\d]+$/.test(word) && !/^\d/.test(word));
  return operator === undefined || knownOperators.has(operator);
}
