/** The structure of image files within a PDF: only what makes pixels, no comments, no metadata. */
import { Fault } from "./syntax.ts";

/** Segments of a JPEG that make pixels; APP0 (JFIF), APP2 (ICC) and APP14 (Adobe) are looked at. */
const app = { jfif: 0xe0, profile: 0xe2, adobe: 0xee } as const;
const [startOfImage, endOfImage, startOfScan] = [0xd8, 0xd9, 0xda];

function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8;
}
/** Tables of quantization and coding, restart interval, number of lines. */
const tables = new Set([0xdb, 0xdd, 0xdc, 0xcc, 0xc4]);

/** Reads a JPEG segment by segment. @throws Fault */
export function readJpeg(bytes: Uint8Array): void {
  if (bytes[0] !== 0xff || bytes[1] !== startOfImage) throw new Fault("a JPEG does not begin as one");
  let at = 2;
  for (;;) {
    if (bytes[at] !== 0xff) throw new Fault("a JPEG has bytes between its segments");
    const marker = bytes[at + 1];
    if (marker === undefined) throw new Fault("a JPEG has no end");
    at += 2;
    if (marker === endOfImage) break;
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    if (length < 2 || at + length > bytes.length) throw new Fault("a segment of a JPEG is cut short");
    checkSegment(marker, bytes.subarray(at + 2, at + length));
    at += length;
    if (marker === startOfScan) at = afterScan(bytes, at);
  }
  if (at !== bytes.length) throw new Fault("something stands behind the end of a JPEG");
}

function checkSegment(marker: number, content: Uint8Array): void {
  if (isFrame(marker) || tables.has(marker) || marker === startOfScan) return;
  const name = Buffer.from(content.subarray(0, 12)).toString("latin1");
  const isKnown =
    // Without a thumbnail.
    (marker === app.jfif && name.startsWith("JFIF\0") && content.length === 14) ||
    (marker === app.profile && name.startsWith("ICC_PROFILE\0")) ||
    (marker === app.adobe && name.startsWith("Adobe") && content.length === 12);
  if (!isKnown) throw new Fault("a JPEG has a segment that makes no pixels");
}

/** Where the next segment begins: coded data have no other markers than restarts. */
function afterScan(bytes: Uint8Array, start: number): number {
  for (let at = start; at + 1 < bytes.length; at++) {
    if (bytes[at] !== 0xff) continue;
    const next = bytes[at + 1] ?? 0;
    if (next !== 0 && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  throw new Fault("a JPEG has no end");
}

const jpxBoxes = new Set(["jP  ", "ftyp", "jp2h", "jp2c"]);
const jpxHeaderBoxes = new Set(["ihdr", "bpcc", "colr", "pclr", "cmap", "cdef", "res "]);

/** Reads a JPEG 2000 file box by box, or a bare codestream. @throws Fault */
export function readJpx(bytes: Uint8Array): void {
  if (bytes[0] === 0xff && bytes[1] === 0x4f) {
    readCodestream(bytes);
    return;
  }
  readBoxes(bytes, jpxBoxes, (type, content) => {
    if (type === "jp2h") readBoxes(content, jpxHeaderBoxes, () => undefined);
    if (type === "jp2c") readCodestream(content);
  });
}

function readBoxes(
  bytes: Uint8Array,
  known: ReadonlySet<string>,
  read: (type: string, content: Uint8Array) => void,
): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < buffer.length;) {
    if (at + 8 > buffer.length) throw new Fault("a box of a JPEG 2000 is cut short");
    const type = buffer.toString("latin1", at + 4, at + 8);
    let [length, header] = [buffer.readUInt32BE(at), 8];
    if (length === 1 && at + 16 <= buffer.length) [length, header] = [Number(buffer.readBigUInt64BE(at + 8)), 16];
    if (length === 0) length = buffer.length - at;
    if (length < header || at + length > buffer.length) throw new Fault("a box of a JPEG 2000 is cut short");
    if (!known.has(type)) throw new Fault("a JPEG 2000 has a box that makes no pixels");
    read(type, buffer.subarray(at + header, at + length));
    at += length;
  }
}

const [startOfTile, endOfCodestream, comment] = [0x90, 0xd9, 0x64];

/** The main header up to the first tile has no comment; the tiles are coded data. */
function readCodestream(bytes: Uint8Array): void {
  if (bytes[0] !== 0xff || bytes[1] !== 0x4f) throw new Fault("a codestream does not begin as one");
  for (let at = 2; ;) {
    const marker = bytes[at + 1];
    if (bytes[at] !== 0xff || marker === undefined) throw new Fault("a codestream is broken");
    if (marker === startOfTile || marker === endOfCodestream) return;
    if (marker === comment) throw new Fault("a codestream has a comment");
    at += 2 + (((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0));
  }
}

/** A segment of text, or one that only a person reads. */
const extension = 62;

/** Reads the segments of JBIG2 data. @throws Fault */
export function readJbig2(bytes: Uint8Array): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < buffer.length;) {
    const header = jbig2Header(buffer, at);
    if ((header.type & 0x3f) === extension) throw new Fault("JBIG2 data have a comment");
    // A region whose length is not known beforehand ends with the data.
    if (header.length === 0xffffffff) return;
    at = header.end + header.length;
    if (at > buffer.length) throw new Fault("a segment of JBIG2 data is cut short");
  }
}

function jbig2Header(buffer: Buffer, at: number): { type: number; length: number; end: number } {
  try {
    const number = buffer.readUInt32BE(at);
    const flags = buffer.readUInt8(at + 4);
    let position = at + 5;
    let count = buffer.readUInt8(position) >> 5;
    if (count === 7) {
      count = buffer.readUInt32BE(position) & 0x1fffffff;
      position += 4 + Math.ceil((count + 1) / 8);
    } else position += 1;
    position += count * (number <= 256 ? 1 : number <= 65_536 ? 2 : 4) + (flags & 0x40 ? 4 : 1);
    return { type: flags & 0x3f, length: buffer.readUInt32BE(position), end: position + 4 };
  } catch (cause) {
    throw new Fault("a segment of JBIG2 data is cut short", { cause });
  }
}
