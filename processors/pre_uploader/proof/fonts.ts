/** The texts that a font program holds: names of the font and of its glyphs. */
import { Fault } from "./syntax.ts";
import { utf16 } from "./content.ts";

/** Tables of a TrueType or OpenType font that readers need to draw it; others are no part of a font in a PDF. */
const tables = new Set([
  ...["head", "hhea", "hmtx", "maxp", "loca", "glyf", "cvt ", "fpgm", "prep", "cmap", "post", "name", "OS/2"],
  ...["CFF ", "vhea", "vmtx", "VORG", "gasp", "hdmx", "VDMX", "LTSH", "kern", "GDEF", "GPOS", "GSUB"],
]);

const mostTables = 64;

/**
 * @param program a font file of either kind
 * @returns texts within it @throws Fault
 */
export function textsOfFont(program: Uint8Array): string[] {
  const bytes = Buffer.from(program.buffer, program.byteOffset, program.length);
  try {
    const begin = bytes.length < 4 ? 0 : bytes.readUInt32BE(0);
    if (begin === 0x00010000 || begin === 0x74727565 || begin === 0x4f54544f) return textsOfSfnt(bytes);
    if (bytes[0] === 1 && (bytes[2] ?? 0) >= 4) return textsOfCff(bytes);
    if (bytes.toString("latin1", 0, 2) === "%!" || bytes[0] === 0x80) return textsOfType1(bytes);
  } catch (cause) {
    if (cause instanceof RangeError) throw new Fault("a font is cut short", { cause });
    throw cause;
  }
  throw new Fault("a font is of no known kind");
}

function textsOfSfnt(bytes: Buffer): string[] {
  const count = bytes.readUInt16BE(4);
  if (count > mostTables) throw new Fault("a font has too many tables");
  const texts: string[] = [];
  const parts: [start: number, end: number][] = [[0, 12 + 16 * count]];
  for (let index = 0; index < count; index++) {
    const entry = 12 + 16 * index;
    const tag = bytes.toString("latin1", entry, entry + 4);
    const [start, length] = [bytes.readUInt32BE(entry + 8), bytes.readUInt32BE(entry + 12)];
    if (!tables.has(tag)) throw new Fault("a font has a table that does not draw");
    if (start + length > bytes.length) throw new Fault("a table of a font is cut short");
    parts.push([start, start + length]);
    const table = bytes.subarray(start, start + length);
    if (tag === "name") texts.push(...textsOfNames(table));
    if (tag === "post") texts.push(...textsOfPost(table));
    if (tag === "CFF ") texts.push(...textsOfCff(table));
  }
  checkGaps(bytes, parts);
  return texts;
}

/** Between tables there is at most padding. */
function checkGaps(bytes: Buffer, parts: [start: number, end: number][]): void {
  let end = 0;
  for (const [from, to] of parts.toSorted(([one], [other]) => one - other)) {
    if (from > end && bytes.subarray(end, from).some((byte) => byte !== 0)) {
      throw new Fault("a font has bytes between its tables");
    }
    end = Math.max(end, to);
  }
  if (bytes.subarray(end).some((byte) => byte !== 0)) throw new Fault("something stands behind the tables of a font");
}

function textsOfNames(table: Buffer): string[] {
  if (table.length < 6) return [];
  const storage = table.readUInt16BE(4);
  return Array.from({ length: table.readUInt16BE(2) }, (_, index) => {
    const record = 6 + 12 * index;
    const start = storage + table.readUInt16BE(record + 10);
    const text = table.subarray(start, start + table.readUInt16BE(record + 8));
    return [utf16(text), text.toString("latin1")];
  }).flat();
}

/** Names of glyphs beyond those that every font has. */
function textsOfPost(table: Buffer): string[] {
  if (table.length < 34 || table.readUInt32BE(0) !== 0x00020000) return [];
  const texts: string[] = [];
  for (let at = 34 + 2 * table.readUInt16BE(32); at < table.length;) {
    const length = table[at] ?? 0;
    texts.push(table.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return texts;
}

/** The name and string indexes of a compact font. */
function textsOfCff(bytes: Buffer): string[] {
  const names = readIndex(bytes, bytes.readUInt8(2));
  const dictionaries = readIndex(bytes, names.end);
  const strings = readIndex(bytes, dictionaries.end);
  return [...names.items, ...strings.items].map((item) => item.toString("latin1"));
}

function readIndex(bytes: Buffer, at: number): { items: Buffer[]; end: number } {
  const count = bytes.readUInt16BE(at);
  if (count === 0) return { items: [], end: at + 2 };
  const width = bytes.readUInt8(at + 2);
  if (width < 1 || width > 4) throw new Fault("an index of a font is broken");
  const offset = (index: number) => bytes.readUIntBE(at + 3 + index * width, width);
  const data = at + 2 + (count + 1) * width;
  const items = Array.from({ length: count }, (_, index) =>
    bytes.subarray(data + offset(index), data + offset(index + 1)),
  );
  const end = data + offset(count);
  if (end > bytes.length) throw new Fault("an index of a font is cut short");
  return { items, end };
}

/** What a Type 1 font says in clear: names, notices, names of glyphs; its outlines are enciphered, glyph names among them. */
function textsOfType1(bytes: Buffer): string[] {
  const plain = bytes[0] === 0x80 ? withoutSegmentHeaders(bytes) : bytes;
  const marker = plain.indexOf("eexec", 0, "latin1");
  if (marker < 0) throw new Fault("a Type 1 font has no outlines");
  const clear = plain.toString("latin1", 0, marker);
  let start = marker + "eexec".length;
  while ([0x20, 0x09, 0x0d, 0x0a].includes(plain[start] ?? 0)) start++;
  const enciphered = plain.subarray(start);
  const isHexadecimal = /^[\dA-Fa-f\s]{8}/.test(enciphered.toString("latin1", 0, 8));
  const binary = isHexadecimal
    ? Buffer.from(enciphered.toString("latin1").replaceAll(/[^\dA-Fa-f]/g, ""), "hex")
    : enciphered;
  return [...wordsOf(clear), ...namesOf(deciphered(binary).toString("latin1"))];
}

function withoutSegmentHeaders(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; bytes[at] === 0x80 && (bytes[at + 1] === 1 || bytes[at + 1] === 2);) {
    const length = bytes.readUInt32LE(at + 2);
    parts.push(bytes.subarray(at + 6, at + 6 + length));
    at += 6 + length;
  }
  return Buffer.concat(parts);
}

/** The strings and names of PostScript. */
function wordsOf(text: string): string[] {
  return [
    ...namesOf(text),
    ...Array.from(text.matchAll(/\(([^)]*)\)|%([^\r\n]*)/g), ([, one, two]) => one ?? two ?? ""),
  ];
}

function namesOf(text: string): string[] {
  return Array.from(text.matchAll(/\/([^\s()<>[\]{}/%]+)/g), ([, name = ""]) => name);
}

/** The cipher of Type 1 fonts (Adobe Type 1 Font Format, 7.1). */
function deciphered(bytes: Buffer): Buffer {
  const out = Buffer.alloc(bytes.length);
  let key = 55665;
  for (const [index, byte] of bytes.entries()) {
    out[index] = byte ^ (key >> 8);
    key = ((byte + key) * 52845 + 22719) & 0xffff;
  }
  return out.subarray(4);
}
