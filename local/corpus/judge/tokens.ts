/** A piece of a PDF that can hold text. */
export interface Piece {
  kind: "string" | "name" | "comment" | "stream";
  bytes: Buffer;
  /** Of a stream: its dictionary as it is written. */
  dictionary: string;
}

const white = new Set([0, 9, 10, 12, 13, 32]);
const code = (character: string) => character.charCodeAt(0);
const delimiters = new Set(Array.from("()<>[]{}/%", code));
const [open, close, slash, percent, less, more, backslash] = Array.from("()/%<>\\", code) as [
  ...[number, number, number, number, number, number, number],
];

/**
 * Every string, name, comment and stream of a file, in the order of its bytes: no cross-reference table is believed, so that
 * what no object refers to is found as well.
 */
export function* piecesOf(bytes: Buffer): Generator<Piece> {
  const opened: number[] = [];
  let dictionary = { from: 0, to: 0 };
  let at = 0;
  const piece = (kind: Piece["kind"], content: Buffer, about = ""): Piece => ({
    kind,
    bytes: content,
    dictionary: about,
  });
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0;
    if (white.has(byte)) at++;
    else if (byte === percent) {
      const end = endOfLine(bytes, at);
      yield piece("comment", bytes.subarray(at + 1, end));
      at = end;
    } else if (byte === open) {
      const [content, end] = literal(bytes, at);
      yield piece("string", content);
      at = end;
    } else if (byte === slash) {
      const end = endOfWord(bytes, at + 1);
      yield piece("name", named(bytes.subarray(at + 1, end)));
      at = end;
    } else if (byte === less && bytes[at + 1] === less) {
      opened.push(at);
      at += 2;
    } else if (byte === more && bytes[at + 1] === more) {
      dictionary = { from: opened.pop() ?? at, to: at + 2 };
      at += 2;
    } else if (byte === less) {
      const end = bytes.indexOf(more, at);
      const to = end < 0 ? bytes.length : end;
      yield piece("string", Buffer.from(hexDigits(bytes.subarray(at + 1, to)), "hex"));
      at = to + 1;
    } else if (delimiters.has(byte)) at++;
    else {
      const end = Math.max(endOfWord(bytes, at), at + 1);
      const word = end - at === 6 ? bytes.toString("latin1", at, end) : "";
      at = end;
      if (word !== "stream" || !isBlank(bytes, dictionary.to, end - 6)) continue;
      const [from, to] = streamAt(bytes, end, bytes.toString("latin1", dictionary.from, dictionary.to));
      yield piece("stream", bytes.subarray(from, to), bytes.toString("latin1", dictionary.from, dictionary.to));
      at = to;
    }
  }
}

function isBlank(bytes: Buffer, from: number, to: number): boolean {
  return from > 0 && bytes.subarray(from, to).every((byte) => white.has(byte));
}

function endOfLine(bytes: Buffer, at: number): number {
  while (at < bytes.length && bytes[at] !== 10 && bytes[at] !== 13) at++;
  return at;
}

function endOfWord(bytes: Buffer, at: number): number {
  while (at < bytes.length && !white.has(bytes[at] ?? 0) && !delimiters.has(bytes[at] ?? 0)) at++;
  return at;
}

const escapes: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, f: 12 };

/** The bytes of a string in parentheses, and where it ends. */
function literal(bytes: Buffer, start: number): [Buffer, number] {
  const content: number[] = [];
  let depth = 1;
  let at = start + 1;
  for (; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === backslash) {
      const octal = /^[0-7]{1,3}/.exec(bytes.toString("latin1", at + 1, at + 4))?.[0];
      const next = String.fromCharCode(bytes[at + 1] ?? 0);
      if (octal !== undefined) content.push(parseInt(octal, 8) & 255);
      else if (next !== "\n" && next !== "\r") content.push(escapes[next] ?? next.charCodeAt(0));
      at += octal?.length ?? (bytes[at + 1] === 13 && bytes[at + 2] === 10 ? 2 : 1);
      continue;
    }
    if (byte === open) depth++;
    if (byte === close && --depth === 0) break;
    content.push(byte);
  }
  return [Buffer.from(content), at + 1];
}

function named(bytes: Buffer): Buffer {
  const text = bytes.toString("latin1");
  return Buffer.from(
    text.replace(/#([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    "latin1",
  );
}

function hexDigits(bytes: Buffer): string {
  const digits = bytes.toString("latin1").replace(/[^0-9a-f]/gi, "");
  return digits.length % 2 === 0 ? digits : `${digits}0`;
}

/** From where to where a stream goes whose keyword ends at a place: by its length where that holds, else up to `endstream`. */
function streamAt(bytes: Buffer, keywordEnd: number, dictionary: string): [number, number] {
  const from = keywordEnd + (bytes[keywordEnd] === 13 && bytes[keywordEnd + 1] === 10 ? 2 : 1);
  const length = /\/Length\s+(\d+)(?!\s+\d+\s+R)/.exec(dictionary)?.[1];
  const to = from + Number(length ?? NaN);
  if (/^\s*endstream/.test(bytes.toString("latin1", to, to + 14))) return [from, to];
  const found = bytes.indexOf("endstream", from, "latin1");
  return [from, found < 0 ? bytes.length : found];
}
