import { constants, inflateSync } from "node:zlib";

/** A stream without its filters; `undefined` where one of them cannot be taken off. */
export function decoded(bytes: Buffer, dictionary: string): Buffer | undefined {
  let content: Buffer | undefined = bytes;
  const parameters = dictionary.replaceAll(/#([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  for (const name of filtersOf(parameters)) {
    const filter = filters[name];
    // Pictures: their bytes are searched as they are.
    if (!filter) return pictures.has(name) ? content : undefined;
    content = content && filter(content);
    if (content && (name === "FlateDecode" || name === "LZWDecode" || name === "Fl"))
      content = predicted(content, parameters);
  }
  return content;
}

const pictures = new Set(["DCTDecode", "DCT", "JPXDecode", "CCITTFaxDecode", "CCF", "JBIG2Decode"]);

function filtersOf(dictionary: string): string[] {
  const list = /\/Filter\s*(\[[^\]]*\]|\/[^\s/<>[\]()]+)/.exec(dictionary)?.[1] ?? "";
  return [...list.matchAll(/\/([^\s/<>[\]()]+)/g)].flatMap(([, name]) => name ?? []);
}

const filters: Readonly<Record<string, (bytes: Buffer) => Buffer | undefined>> = {
  FlateDecode: inflated,
  Fl: inflated,
  LZWDecode: unpackedLzw,
  ASCIIHexDecode: (bytes) =>
    Buffer.from(
      bytes
        .toString("latin1")
        .replace(/>[^]*$/, "")
        .replace(/[^0-9a-f]/gi, ""),
      "hex",
    ),
  ASCII85Decode: fromAscii85,
  RunLengthDecode: unpackedRuns,
};

/** What there is of it, where the end is missing or a checksum does not hold. */
function inflated(bytes: Buffer): Buffer | undefined {
  const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 256 * 1024 ** 2 };
  try {
    return inflateSync(bytes, options);
  } catch {
    return undefined;
  }
}

function fromAscii85(bytes: Buffer): Buffer {
  const text = bytes
    .toString("latin1")
    .replace(/~>[^]*$/, "")
    .replace(/\s/g, "")
    .replaceAll("z", "!!!!!");
  const content: number[] = [];
  for (let at = 0; at < text.length; at += 5) {
    const group = text.slice(at, at + 5);
    const value = Array.from(group.padEnd(5, "u")).reduce((sum, one) => sum * 85 + one.charCodeAt(0) - 33, 0);
    for (let byte = 0; byte < group.length - 1; byte++) content.push(Math.floor(value / 256 ** (3 - byte)) & 255);
  }
  return Buffer.from(content);
}

function unpackedRuns(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at++] ?? 128;
    if (length === 128) break;
    if (length < 128) parts.push(bytes.subarray(at, (at += length + 1)));
    else parts.push(Buffer.alloc(257 - length, bytes[at++]));
  }
  return Buffer.concat(parts);
}

function unpackedLzw(bytes: Buffer): Buffer {
  const [clear, end] = [256, 257];
  let table: Buffer[] = [];
  let [width, bits, held] = [9, 0, 0];
  let last: Buffer | undefined;
  const parts: Buffer[] = [];
  const reset = () => {
    table = Array.from({ length: 258 }, (_, index) => Buffer.from([index & 255]));
    [width, last] = [9, undefined];
  };
  reset();
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffffff;
    bits += 8;
    if (bits < width) continue;
    bits -= width;
    const entry = (held >> bits) & ((1 << width) - 1);
    if (entry === end) break;
    if (entry === clear) {
      reset();
      continue;
    }
    const found: Buffer | undefined = table[entry] ?? (last && Buffer.concat([last, last.subarray(0, 1)]));
    if (!found) break;
    parts.push(found);
    if (last) table.push(Buffer.concat([last, found.subarray(0, 1)]));
    last = found;
    width = table.length >= 2047 ? 12 : table.length >= 1023 ? 11 : table.length >= 511 ? 10 : 9;
  }
  return Buffer.concat(parts);
}

/** Rows without the predictors of PNG. */
function predicted(bytes: Buffer, dictionary: string): Buffer {
  const number = (key: string, otherwise: number) =>
    Number(new RegExp(`/${key}\\s+(\\d+)`).exec(/\/DecodeParms[^]*/.exec(dictionary)?.[0] ?? "")?.[1] ?? otherwise);
  if (number("Predictor", 1) < 10) return bytes;
  const pixel = Math.max(1, Math.ceil((number("Colors", 1) * number("BitsPerComponent", 8)) / 8));
  const row = Math.ceil((number("Colors", 1) * number("BitsPerComponent", 8) * number("Columns", 1)) / 8);
  const rows = Math.ceil(bytes.length / (row + 1));
  const plain = Buffer.alloc(rows * row);
  for (let line = 0; line < rows; line++) {
    const kind = bytes[line * (row + 1)] ?? 0;
    for (let x = 0; x < row; x++) {
      const [left, up, corner] = [
        x >= pixel ? (plain[line * row + x - pixel] ?? 0) : 0,
        line > 0 ? (plain[(line - 1) * row + x] ?? 0) : 0,
        x >= pixel && line > 0 ? (plain[(line - 1) * row + x - pixel] ?? 0) : 0,
      ];
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][kind] ?? 0;
      plain[line * row + x] = (bytes[line * (row + 1) + 1 + x] ?? 0) + guess;
    }
  }
  return plain;
}

function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}
