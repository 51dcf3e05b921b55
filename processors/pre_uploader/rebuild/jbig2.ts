/** JBIG2 (ITU-T T.88, 7.2) as PDF embeds it: the segments that make the picture; extensions, which hold comments, go. */
import { FilterFault } from "./filters.ts";

const [extension, endOfFile, profiles, genericRegion] = [62, 51, 52, 38];
const dropped = new Set([extension, endOfFile, profiles]);
const known = new Set([0, 4, 6, 7, 16, 20, 22, 23, 36, 38, 39, 40, 42, 43, 48, 49, 50, 53]);
const unknownLength = 0xffffffff;

/** @throws FilterFault, RangeError where it is cut short */
export function withoutExtensions(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const { type, header, length } = segmentAt(bytes, at);
    const end = at + header + length;
    if (end > bytes.length) throw new FilterFault("a segment of its JBIG2 image is cut short");
    if (known.has(type)) parts.push(bytes.subarray(at, end));
    else if (!dropped.has(type)) throw new FilterFault("a segment of its JBIG2 image is of an unknown kind");
    at = end;
  }
  return Buffer.concat(parts);
}

function segmentAt(bytes: Buffer, start: number): { type: number; header: number; length: number } {
  const number = bytes.readUInt32BE(start);
  const flags = bytes.readUInt8(start + 4);
  let at = start + 5;
  let references = bytes.readUInt8(at) >> 5;
  if (references === 7) {
    references = bytes.readUInt32BE(at) & 0x1fffffff;
    at += 4 + Math.ceil((references + 1) / 8);
  } else at++;
  at += references * (number <= 256 ? 1 : number <= 65536 ? 2 : 4);
  at += flags & 64 ? 4 : 1;
  const type = flags & 63;
  const length = bytes.readUInt32BE(at);
  const header = at + 4 - start;
  return { type, header, length: length === unknownLength ? openLength(bytes, at + 4, type) : length };
}

/** Where a region does not say its length, a mark ends it, and the number of its rows follows. */
function openLength(bytes: Buffer, from: number, type: number): number {
  if (type !== genericRegion) throw new FilterFault("a segment of its JBIG2 image has no length");
  const isFax = (bytes.readUInt8(from + 17) & 1) === 1;
  const mark = bytes.indexOf(Buffer.from(isFax ? [0, 0] : [0xff, 0xac]), from + 18);
  if (mark < 0) throw new FilterFault("a segment of its JBIG2 image does not end");
  return mark + 6 - from;
}
