/** Type 1 programs (Adobe Type 1 Font Format): the readable part without texts, the encrypted part as it is. */
import { FilterFault } from "./filters.ts";

export interface Program {
  bytes: Buffer;
  /** Of the parts of the program, for the keys that say them; none for compact fonts. */
  lengths: number[];
}

const [segmentMark, asciiSegment, binarySegment] = [0x80, 1, 2];
const [eexecKey, factor, addend, randomBytes] = [55665, 52845, 22719, 4];

/** @throws FilterFault where the encrypted part has texts that quote */
export function withoutFontInfo(program: Buffer, isQuoting: (text: string) => boolean): Program {
  const bytes = program[0] === segmentMark ? unsegmented(program) : program;
  const mark = bytes.indexOf("eexec", 0, "latin1");
  if (mark < 0) throw new FilterFault("its font program has no encrypted part");
  const clear = Buffer.from(clearText(bytes.toString("latin1", 0, mark)), "latin1");
  let from = mark + "eexec".length;
  while (from < bytes.length && (bytes[from] === 32 || bytes[from] === 9)) from++;
  if (bytes[from] === 13) from++;
  if (bytes[from] === 10) from++;
  const packed = binary(bytes.subarray(from));
  const end = encryptedEnd(packed, isQuoting);
  const encrypted = packed.subarray(0, end);
  const trailer = Buffer.from(`\n${`${"0".repeat(64)}\n`.repeat(8)}cleartomark\n`, "latin1");
  return {
    bytes: Buffer.concat([clear, encrypted, trailer]),
    lengths: [clear.length, encrypted.length, trailer.length],
  };
}

/** The content of the segments of a file for Windows. */
function unsegmented(program: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + 6 <= program.length && program[at] === segmentMark;) {
    const kind = program[at + 1];
    if (kind !== asciiSegment && kind !== binarySegment) break;
    const length = program.readUInt32LE(at + 2);
    parts.push(program.subarray(at + 6, at + 6 + length));
    at += 6 + length;
  }
  return Buffer.concat(parts);
}

/** Without comments and strings; names of the font become one of ours. */
function clearText(text: string): string {
  const out: string[] = [];
  for (let at = 0; at < text.length;) {
    const character = text.charAt(at);
    if (character === "%") {
      const end = text.slice(at).search(/[\r\n]/);
      at = end < 0 ? text.length : at + end;
    } else if (character === "(") {
      at = stringEnd(text, at);
      out.push("()");
    } else {
      out.push(character);
      at++;
    }
  }
  const body = out.join("").replace(/\/FontName\s*\/[^\s/[\]{}()<>%]+/, "/FontName /Font1");
  return `%!PS-AdobeFont-1.0: Font1\n${body.trimStart()}eexec\n`;
}

function stringEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === "\\") at++;
    else if (character === "(") depth++;
    else if (character === ")" && --depth === 0) return at + 1;
  }
  return text.length;
}

/** The encrypted part may be written in hexadecimal digits. */
function binary(encrypted: Buffer): Buffer {
  const start = encrypted.toString("latin1", 0, 4);
  if (!/^[\dA-Fa-f]{4}$/.test(start)) return encrypted;
  return Buffer.from(encrypted.toString("latin1").replaceAll(/[^\dA-Fa-f]/g, ""), "hex");
}

/** Where the encrypted part ends: behind its `closefile`. What follows are zeros, or should be. */
function encryptedEnd(packed: Buffer, isQuoting: (text: string) => boolean): number {
  const plain = Buffer.alloc(packed.length);
  let key = eexecKey;
  for (let at = 0; at < packed.length; at++) {
    const byte = packed[at] ?? 0;
    plain[at] = byte ^ (key >> 8);
    key = ((byte + key) * factor + addend) & 0xffff;
  }
  const close = plain.indexOf("closefile", randomBytes, "latin1");
  const end = close < 0 ? packed.length : close + "closefile".length + 1;
  for (const [text] of plain.toString("latin1", randomBytes, end).matchAll(/\((?:[^()\\]|\\.)*\)|%[ -~]*|\/[!-~]+/g)) {
    if (isQuoting(text.slice(1).replace(/\)$/, ""))) throw new FilterFault("a text in its font program quotes");
  }
  return Math.min(end, packed.length);
}
