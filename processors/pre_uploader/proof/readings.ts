/** The texts that a reader can get from a value or a text: also those that are written in an encoding. */
import { isUtf8 } from "node:buffer";
import { decode } from "html-entities";

/** So many encodings lie within each other at most. */
const deepest = 3;

/** Every text within a JSON value, in order: keys and numbers too, and what encoded texts say. */
export function textsOf(value: unknown): string[] {
  return rawTextsOf(value).flatMap((text) => readingsOf(text));
}

/** The texts of a JSON value as they are written. A loop, because a value may be nested deeper than the stack is. */
export function rawTextsOf(value: unknown): string[] {
  const texts: string[] = [];
  const rest = [value];
  while (rest.length > 0) {
    const next = rest.pop();
    if (typeof next === "string") texts.push(next);
    else if (typeof next === "number" || typeof next === "bigint") texts.push(String(next));
    else if (Array.isArray(next)) for (let at = next.length - 1; at >= 0; at--) rest.push(next[at]);
    else if (typeof next === "object" && next !== null) {
      for (const [key, member] of Object.entries(next).reverse()) rest.push(member, key);
    }
  }
  return texts;
}

/** A text and everything that it says in markup, in escapes, as percent-encoding or as base64. */
export function readingsOf(text: string): string[] {
  const readings = new Set([text]);
  let latest = [text];
  for (let depth = 0; depth < deepest && latest.length > 0; depth++) {
    const decoded = latest.flatMap((one) => [withoutMarkup(one), withoutEscapes(one), decodedRuns(one)]);
    latest = decoded.filter((one) => one !== "" && !readings.has(one));
    for (const one of latest) readings.add(one);
  }
  return [...readings];
}

/** A regular expression keeps track of every character of a run: of longer texts only so much is looked at in one go. */
const [windowLength, overlap] = [262_144, 8_192];

/** Decodes a text, a long one in windows that overlap. */
function inWindows(text: string, decodeOne: (text: string) => string): string {
  if (text.length <= windowLength) return decodeOne(text);
  const windows: string[] = [];
  let isDecoded = false;
  for (let start = 0; start < text.length; start += windowLength - overlap) {
    const window = text.slice(start, start + windowLength);
    const decoded = decodeOne(window);
    isDecoded ||= decoded !== window;
    windows.push(decoded);
  }
  return isDecoded ? windows.join("\n") : text;
}

const blocks = /<\/?(?:p|div|br|hr|li|ul|ol|td|th|tr|table|h[1-6]|body|html|blockquote)\b[^<>]*>/gi;

/** XHTML as the text that it shows. */
export function plainTextOf(xhtml: string): string {
  return inWindows(xhtml, (part) =>
    /[<&]/.test(part) ? decode(part.replaceAll(blocks, "\n").replaceAll(/<[^<>]*>/g, "")) : part,
  );
}

function withoutMarkup(text: string): string {
  return inWindows(plainTextOf(text), (part) =>
    part.includes("%") ? part.replaceAll(/(?:%[\da-f]{2})+/gi, (run) => bytesAsText(run.replaceAll("%", ""))) : part,
  );
}

/** Escapes of JSON, JavaScript, RTF, PDF and quoted-printable mail. */
function withoutEscapes(text: string): string {
  return inWindows(text, (part) => {
    if (!/[\\=]/.test(part)) return part;
    return part
      .replaceAll(/=\r?\n/g, "")
      .replaceAll(/(?:=[\dA-F]{2})+/g, (run) => bytesAsText(run.replaceAll("=", "")))
      .replaceAll(/\\u([\da-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
      .replaceAll(/(?:\\[x'][\da-f]{2})+/gi, (run) => bytesAsText(run.replaceAll(/\\[x']/gi, "")))
      .replaceAll(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  });
}

function bytesAsText(hex: string): string {
  const bytes = Buffer.from(hex, "hex");
  return bytes.toString(isUtf8(bytes) ? "utf8" : "latin1");
}

/** Runs of base64 or hexadecimal digits that decode to text, one a line. */
function decodedRuns(text: string): string {
  const found: string[] = [];
  for (const run of runsOf(joinedLines(text))) {
    // A path or an identifier may have such a run between its separators.
    const parts = /[+/_-]/.test(run) ? run.split(/[+/_-]/).filter(({ length }) => length >= shortestRun) : [];
    for (const part of [run, ...parts]) {
      const bytes = [Buffer.from(part, "base64"), ...(isHex(part) ? [Buffer.from(part, "hex")] : [])];
      found.push(...bytes.flatMap((one) => printable(one) ?? []));
    }
  }
  return found.join("\n");
}

const shortestRun = 8;
const digits = new Uint8Array(128);
for (const digit of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-") {
  digits[digit.charCodeAt(0)] = 1;
}

/** The runs of digits of base64, by a loop, because one may be as long as the text. */
function* runsOf(text: string): Generator<string> {
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    if (at < text.length && digits[text.charCodeAt(at)] === 1) continue;
    if (at - start >= shortestRun) yield text.slice(start, at);
    start = at + 1;
  }
}

function isHex(run: string): boolean {
  return !/[^\da-f]/i.test(run);
}

/** Lines that are as long as encoders make them continue in the next. */
function joinedLines(text: string): string {
  if (text.length < 60 || !text.includes("\n")) return text;
  return text
    .split(/\r?\n/)
    .map((line) => (line.length >= 60 && !line.includes(" ") ? line : `${line}\n`))
    .join("");
}

/** Bytes as the text that they are; undefined where they are none. */
function printable(bytes: Buffer): string | undefined {
  const [first, second] = bytes;
  const [isBig, isLittle] = [first === 0xfe && second === 0xff, first === 0xff && second === 0xfe];
  const isWide = isBig || isLittle || (bytes.length >= 6 && (first === 0) !== (second === 0));
  if (!isWide && !isUtf8(bytes)) return undefined;
  const even = bytes.subarray(0, bytes.length - (bytes.length % 2));
  const text = !isWide
    ? bytes.toString("utf8")
    : isBig || first === 0
      ? Buffer.from(even).swap16().toString("utf16le")
      : even.toString("utf16le");
  return /[^\P{C}\t\r\n\ufeff]/u.test(text) ? undefined : text;
}
