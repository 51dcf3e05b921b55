/** The filters of PDF streams that text may be packed with (ISO 32000-1, 7.4); pictures have others, and hold none. */
import { constants, inflateSync } from "node:zlib";
import { PermanentError } from "../../../contracts/errors.ts";

/** More than any text of a page; what is larger was made to fill memories. */
const largestStream = 512 * 1024 * 1024;

type Decode = (content: Buffer, dictionary: string) => Buffer;

/** By both their names: the short one is for pictures in a page's content, and readers take it everywhere. */
const filters: ReadonlyMap<string, Decode> = new Map([
  ...["FlateDecode", "Fl"].map((name) => [name, unflate] as const),
  ...["LZWDecode", "LZW"].map((name) => [name, unLzw] as const),
  ...["RunLengthDecode", "RL"].map((name) => [name, unRun] as const),
  ...["ASCII85Decode", "A85"].map((name) => [name, unAscii85] as const),
  ...["ASCIIHexDecode", "AHx"].map((name) => [name, unHex] as const),
]);

/**
 * What a stream holds; undefined where it is damaged or packed as a picture, which nobody is shown as text.
 * @throws PermanentError PDF_TOO_LARGE
 */
export function decoded(dictionary: string, content: Buffer): Buffer | undefined {
  try {
    return filtersOf(dictionary).reduce<Buffer | undefined>((packed, name) => {
      const decode = filters.get(name);
      return decode && packed && decode(packed, dictionary);
    }, content);
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new PermanentError("PDF_TOO_LARGE", "a stream of the PDF does not fit into memory", { cause });
    }
    return undefined;
  }
}

/** In the order in which they have to be undone. */
function filtersOf(dictionary: string): string[] {
  const [, several, one] = /\/Filter\s*(?:\[([^\]]*)\]|\/(\w+))/.exec(dictionary) ?? [];
  if (several !== undefined) return Array.from(several.matchAll(/\/(\w+)/g), ([, name = ""]) => name);
  if (one !== undefined) return [one];
  return /\/Filter\b/.test(dictionary) ? ["elsewhere"] : [];
}

function unflate(content: Buffer): Buffer {
  return inflateSync(content, {
    finishFlush: constants.Z_SYNC_FLUSH,
    maxOutputLength: largestStream,
    // Most streams are small: buffers of the usual size for each of them would keep the garbage collector busy.
    chunkSize: Math.min(Math.max(4 * content.length, constants.Z_MIN_CHUNK), constants.Z_DEFAULT_CHUNK),
  });
}

const [clear, end, firstFree, mostCodes] = [256, 257, 258, 4096];

/** A code stands for what the code before wrote and one byte more: all of that lies in the output already. */
function unLzw(content: Buffer, dictionary: string): Buffer {
  const early = /\/EarlyChange\s+0\b/.test(dictionary) ? 0 : 1;
  const out = new Output();
  const [starts, lengths] = [new Float64Array(mostCodes), new Float64Array(mostCodes)];
  let [held, bits, next] = [0, 0, firstFree];
  let last: number | undefined;
  for (const byte of content) {
    held = (held << 8) | byte;
    bits += 8;
    const width = Math.min(12, 32 - Math.clz32(next + early));
    if (bits < width) continue;
    bits -= width;
    const code = held >> bits;
    held &= (1 << bits) - 1;
    if (code === clear) {
      [next, last] = [firstFree, undefined];
      continue;
    }
    const begin = out.length;
    if (last !== undefined && next < mostCodes) {
      [starts[next], lengths[next]] = [last, begin - last + 1];
      next += 1;
    }
    // A code that was not given yet is damage, behind which nobody is shown anything.
    if (code === end || code >= next) break;
    if (code < clear) out.add(code);
    else out.addAgain(starts[code] ?? 0, lengths[code] ?? 0);
    last = begin;
  }
  return out.bytes();
}

function unRun(content: Buffer): Buffer {
  const out = new Output();
  let at = 0;
  for (;;) {
    const told = content[at++];
    if (told === undefined || told === 128) return out.bytes();
    if (told < 128) {
      for (const byte of content.subarray(at, at + told + 1)) out.add(byte);
      at += told + 1;
    } else {
      const byte = content[at++] ?? 0;
      for (let times = 257 - told; times > 0; times--) out.add(byte);
    }
  }
}

const base = "!".charCodeAt(0);

function unAscii85(content: Buffer): Buffer {
  const out = new Output();
  let group: number[] = [];
  for (const byte of content) {
    if (byte === 0x7e) break;
    if (byte === 0x7a && group.length === 0) for (let zeros = 0; zeros < 4; zeros++) out.add(0);
    if (byte < base || byte > base + 84) continue;
    group.push(byte - base);
    if (group.length < 5) continue;
    for (const one of bytesOf(group)) out.add(one);
    group = [];
  }
  // What ends early stands for one byte less than it has digits.
  const rest = group.length === 0 ? [] : bytesOf([...group, 84, 84, 84, 84].slice(0, 5)).slice(0, group.length - 1);
  for (const one of rest) out.add(one);
  return out.bytes();
}

function bytesOf(digits: readonly number[]): number[] {
  const number = digits.reduce((sum, digit) => sum * 85 + digit, 0);
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) & 0xff);
}

function unHex(content: Buffer): Buffer {
  const [digits = ""] = content.toString("latin1").replaceAll(/\s/g, "").split(">");
  return Buffer.from(digits.length % 2 === 0 ? digits : `${digits}0`, "hex");
}

/** Bytes whose number is not known beforehand. @throws RangeError when they are too many */
class Output {
  #bytes = Buffer.alloc(4096);
  length = 0;

  add(byte: number): void {
    if (this.length === this.#bytes.length) {
      if (this.length >= largestStream) throw new RangeError("a stream is too large");
      this.#bytes = Buffer.concat([this.#bytes], 2 * this.length);
    }
    this.#bytes[this.length++] = byte;
  }

  /** What was written at `start`; the first of it may be the last that it repeats. */
  addAgain(start: number, length: number): void {
    for (let at = start; at < start + length; at++) this.add(this.#bytes[at] ?? 0);
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }
}
