/** JPEG 2000 (ISO 15444-1, annexes A and I): the boxes and segments that make the picture; comments, XML and UUIDs go. */
import { withoutTexts } from "./color.ts";
import { FilterFault } from "./filters.ts";

const topBoxes = new Set(["jP  ", "ftyp", "jp2h", "jp2c"]);
const headerBoxes = new Set(["ihdr", "bpcc", "colr", "pclr", "cmap", "cdef"]);
const codestreamStart = 0xff4fff51;

/** @throws FilterFault, RangeError where it is cut short */
export function withoutComments(image: Buffer): Buffer {
  if (image.length < 12) throw new FilterFault("it is no JPEG 2000 image");
  if (image.readUInt32BE(0) === codestreamStart) return codestream(image);
  return Buffer.concat(
    boxesIn(image).flatMap(({ type, content }) => {
      if (!topBoxes.has(type)) return [];
      if (type === "jp2h") return [box(type, Buffer.concat(boxesIn(content).flatMap(headerBox)))];
      return [box(type, type === "jp2c" ? codestream(content) : content)];
    }),
  );
}

interface Box {
  type: string;
  content: Buffer;
}

function boxesIn(bytes: Buffer): Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    let length = bytes.readUInt32BE(at);
    const type = bytes.toString("latin1", at + 4, at + 8);
    let header = 8;
    if (length === 1) {
      length = Number(bytes.readBigUInt64BE(at + 8));
      header = 16;
    }
    const end = length === 0 ? bytes.length : Math.min(at + length, bytes.length);
    if (end < at + header) throw new FilterFault("a box of its JPEG 2000 image has no length");
    boxes.push({ type, content: bytes.subarray(at + header, end) });
    at = end;
  }
  return boxes;
}

function box(type: string, content: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(content.length + 8, 0);
  header.write(type, 4, "latin1");
  return Buffer.concat([header, content]);
}

const profileMethod = 2;

function headerBox({ type, content }: Box): Buffer[] {
  if (!headerBoxes.has(type)) return [];
  if (type !== "colr" || content[0] !== profileMethod) return [box(type, content)];
  const profile = withoutTexts(content.subarray(3));
  return profile ? [box(type, Buffer.concat([content.subarray(0, 3), profile]))] : [];
}

const [comment, tileLengths, tilePart, data, end] = [0xff64, 0xff55, 0xff90, 0xff93, 0xffd9];
const tilePartHeader = 12;

function codestream(bytes: Buffer): Buffer {
  const parts: Buffer[] = [bytes.subarray(0, 2)];
  let at = copySegments(bytes, 2, bytes.length, parts, tilePart);
  while (at + tilePartHeader <= bytes.length && bytes.readUInt16BE(at) === tilePart) {
    const length = bytes.readUInt32BE(at + 6);
    const last = bytes.lastIndexOf(Buffer.from([0xff, 0xd9]));
    const stop = length === 0 ? (last > at ? last : bytes.length) : Math.min(at + length, bytes.length);
    const header = Buffer.from(bytes.subarray(at, at + tilePartHeader));
    const segments: Buffer[] = [];
    const dataAt = copySegments(bytes, at + tilePartHeader, stop, segments, data);
    const content = Buffer.concat([...segments, bytes.subarray(dataAt, stop)]);
    header.writeUInt32BE(content.length + tilePartHeader, 6);
    parts.push(header, content);
    at = stop;
  }
  const marker = Buffer.alloc(2);
  marker.writeUInt16BE(end, 0);
  return Buffer.concat([...parts, marker]);
}

/** Copies segments up to a marker, without comments and without lengths that would no longer be right. */
function copySegments(bytes: Buffer, from: number, stop: number, into: Buffer[], until: number): number {
  let at = from;
  while (at + 2 <= stop) {
    const marker = bytes.readUInt16BE(at);
    if (marker === until) return at;
    if (marker < 0xff30) throw new FilterFault("a segment of its JPEG 2000 image has no marker");
    const next = at + 2 + bytes.readUInt16BE(at + 2);
    if (next > stop || next < at + 4) throw new FilterFault("a segment of its JPEG 2000 image is cut short");
    if (marker !== comment && marker !== tileLengths) into.push(bytes.subarray(at, next));
    at = next;
  }
  throw new FilterFault("its JPEG 2000 image has no picture");
}
