import { Fault, isSpace, Lexer, Name, Stream } from "./syntax.ts";
import type { Dictionary, Value } from "./syntax.ts";

/** The objects of a file, by number. */
export interface PdfFile {
  objects: ReadonlyMap<number, Value | Stream>;
  trailer: Dictionary;
}

/** A file of more objects than this was made to fill memories. */
const mostObjects = 1_000_000;

/**
 * Reads a file that was written in one go: a header, objects, a table of them, a trailer. Every byte belongs to one of
 * these or is white space between them.
 *
 * @throws Fault
 */
export function readFile(bytes: Uint8Array): PdfFile {
  const lexer = new Lexer(bytes);
  readHeader(lexer);
  const { objects, offsets } = readObjects(lexer);
  const table = readTable(lexer, offsets);
  lexer.keyword("trailer");
  const trailer = lexer.value();
  if (!(trailer instanceof Map)) throw new Fault("the trailer is no dictionary");
  lexer.keyword("startxref");
  if (lexer.value() !== table) throw new Fault("the file does not say where its table of objects is");
  lexer.skipSpace();
  if (lexer.bytes.toString("latin1", lexer.position, lexer.position + 5) !== "%%EOF") {
    throw new Fault("the file has no end");
  }
  lexer.position += 5;
  if (!lexer.isAtEnd()) throw new Fault("something stands behind the end of the file");
  return { objects, trailer };
}

/** The version, and four bytes that say that the file is binary. */
function readHeader(lexer: Lexer): void {
  const header = /^%PDF-(?:1\.\d|2\.0)\r?\n%[\x80-\xff]{4}\r?\n/.exec(lexer.bytes.toString("latin1", 0, 20));
  if (!header) throw new Fault("the file has an unusual header");
  lexer.position = header[0].length;
}

function readObjects(lexer: Lexer): { objects: Map<number, Value | Stream>; offsets: Map<number, number> } {
  const objects = new Map<number, Value | Stream>();
  const offsets = new Map<number, number>();
  while (!lexer.isAtKeyword("xref")) {
    const start = lexer.position;
    const number = lexer.next();
    if (typeof number !== "number" || !Number.isInteger(number) || number <= 0)
      throw new Fault("an object has no number");
    if (lexer.next() !== 0) throw new Fault("an object has a generation");
    lexer.keyword("obj");
    if (objects.has(number)) throw new Fault("two objects have one number");
    objects.set(number, readObject(lexer));
    offsets.set(number, start);
    if (objects.size > mostObjects) throw new Fault(`the file has more than ${mostObjects} objects`);
  }
  return { objects, offsets };
}

function readObject(lexer: Lexer): Value | Stream {
  const value = lexer.value();
  if (!(value instanceof Map) || !lexer.isAtKeyword("stream")) {
    lexer.keyword("endobj");
    return value;
  }
  lexer.keyword("stream");
  if (lexer.bytes[lexer.position] === 0x0d) lexer.position++;
  if (lexer.bytes[lexer.position++] !== 0x0a) throw new Fault("a stream does not begin on a line of its own");
  const length = value.get("Length");
  if (typeof length !== "number" || !Number.isInteger(length) || length < 0) throw new Fault("a stream has no length");
  const raw = lexer.bytes.subarray(lexer.position, lexer.position + length);
  if (raw.length < length) throw new Fault("a stream is longer than the file");
  lexer.position += length;
  lexer.keyword("endstream");
  lexer.keyword("endobj");
  return new Stream(value, raw);
}

const entryBytes = 20;

/** @returns where the table begins */
function readTable(lexer: Lexer, offsets: ReadonlyMap<number, number>): number {
  lexer.skipSpace();
  const table = lexer.position;
  lexer.keyword("xref");
  let inUse = 0;
  do {
    const [first, count] = [lexer.next(), lexer.next()];
    if (typeof first !== "number" || typeof count !== "number") throw new Fault("the table of objects is broken");
    while (isSpace(lexer.bytes[lexer.position] ?? 0) && lexer.bytes[lexer.position] !== 0x0a) lexer.position++;
    lexer.position++;
    for (let number = first; number < first + count; number++) {
      const entry = lexer.bytes.toString("latin1", lexer.position, lexer.position + entryBytes);
      lexer.position += entryBytes;
      const [, offset = "", generation, kind] = /^(\d{10}) (\d{5}) ([nf])(?: \r| \n|\r\n)$/.exec(entry) ?? [];
      if (kind === undefined) throw new Fault("the table of objects is broken");
      if (kind === "f") continue;
      if (generation !== "00000" || offsets.get(number) !== Number(offset)) {
        throw new Fault("the table of objects does not say where an object is");
      }
      inUse++;
    }
  } while (!lexer.isAtKeyword("trailer"));
  if (inUse !== offsets.size) throw new Fault("the table of objects does not name all of them");
  return table;
}

export function nameOf(value: Value | undefined): string | undefined {
  return value instanceof Name ? value.value : undefined;
}
