/** TrueType and OpenType programs (ISO 14496-22): the tables that draw glyphs, nothing else. */
import { withoutNames } from "./cff.ts";
import { FilterFault } from "./filters.ts";

const keptTables = new Set([
  ...["cmap", "glyf", "loca", "head", "hhea", "hmtx", "maxp", "cvt ", "fpgm", "prep", "OS/2", "post", "vhea", "vmtx"],
  ...["VORG", "CFF ", "GSUB"],
]);
const [headerBytes, entryBytes, mostTables] = [12, 16, 200];
/** Of `post`, without the names of glyphs that may follow. */
const [postHeader, postWithNames, postWithoutNames] = [32, 0x00020000, 0x00030000];

interface Table {
  tag: string;
  content: Buffer;
}

/** @throws FilterFault, RangeError where it is cut short */
export function withoutNameTables(program: Buffer, isQuoting: (text: string) => boolean): Buffer {
  const count = program.readUInt16BE(4);
  if (count > mostTables || count === 0) throw new FilterFault("its font program does not hold");
  const tables: Table[] = [];
  for (let index = 0; index < count; index++) {
    const entry = headerBytes + index * entryBytes;
    if (entry + entryBytes > program.length) break;
    const tag = program.toString("latin1", entry, entry + 4);
    if (!keptTables.has(tag) || tables.some((table) => table.tag === tag)) continue;
    const from = program.readUInt32BE(entry + 8);
    const length = Math.min(program.readUInt32BE(entry + 12), program.length - from);
    if (length <= 0) continue;
    tables.push({ tag, content: mended(tag, program.subarray(from, from + length), isQuoting) });
  }
  if (tables.length === 0) throw new FilterFault("its font program has no glyphs");
  return written(program.subarray(0, 4), tables);
}

function mended(tag: string, content: Buffer, isQuoting: (text: string) => boolean): Buffer {
  if (tag === "CFF ") return withoutNames(content, isQuoting);
  if (tag === "OS/2" && content.length >= 62) {
    const copy = Buffer.from(content);
    // The vendor.
    copy.fill(" ", 58, 62, "latin1");
    return copy;
  }
  if (tag !== "post" || content.length < postHeader) return content;
  if (content.readUInt32BE(0) === postWithNames && !hasQuotingNames(content, isQuoting)) return content;
  const short = Buffer.from(content.subarray(0, postHeader));
  if (short.readUInt32BE(0) === postWithNames) short.writeUInt32BE(postWithoutNames, 0);
  return short;
}

function hasQuotingNames(post: Buffer, isQuoting: (text: string) => boolean): boolean {
  if (post.length < postHeader + 2) return false;
  const names: string[] = [];
  for (let at = postHeader + 2 + 2 * post.readUInt16BE(postHeader); at < post.length;) {
    const length = post.readUInt8(at);
    names.push(post.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  return names.some(isQuoting);
}

function written(version: Buffer, tables: readonly Table[]): Buffer {
  const power = Math.floor(Math.log2(tables.length));
  const header = Buffer.alloc(headerBytes + tables.length * entryBytes);
  version.copy(header, 0);
  header.writeUInt16BE(tables.length, 4);
  header.writeUInt16BE(2 ** power * 16, 6);
  header.writeUInt16BE(power, 8);
  header.writeUInt16BE((tables.length - 2 ** power) * 16, 10);
  const parts: Buffer[] = [header];
  let at = header.length;
  const sorted = tables.toSorted((one, other) => (one.tag < other.tag ? -1 : 1));
  for (const [index, { tag, content }] of sorted.entries()) {
    const padded = Buffer.alloc(Math.ceil(content.length / 4) * 4);
    content.copy(padded);
    const entry = headerBytes + index * entryBytes;
    header.write(tag, entry, "latin1");
    header.writeUInt32BE(checksum(padded), entry + 4);
    header.writeUInt32BE(at, entry + 8);
    header.writeUInt32BE(content.length, entry + 12);
    parts.push(padded);
    at += padded.length;
  }
  return Buffer.concat(parts);
}

function checksum(padded: Buffer): number {
  let sum = 0;
  for (let at = 0; at < padded.length; at += 4) sum = (sum + padded.readUInt32BE(at)) >>> 0;
  return sum;
}
