/** The filters of PDF streams that are no image formats (ISO 32000-1, 7.4), strictly: what does not hold is an error. */
import { constants, inflateRawSync, inflateSync } from "node:zlib";
import { limits } from "./faults.ts";

/** A stream that breaks the rules of its filter. */
export class FilterFault extends Error {}

/** A stream that decodes to more than {@link limits} allow. */
export class StreamTooLarge extends Error {}

export interface Step {
  filter: string;
  earlyChange?: number;
}

type Decode = (content: Uint8Array, step: Step) => Buffer;

/** By both their names: the short one is for images in a page's content, and readers take it everywhere. */
const decoders: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ...["FlateDecode", "Fl"].map((name) => [name, unflate] as const),
  ...["LZWDecode", "LZW"].map((name) => [name, unLzw] as const),
  ...["RunLengthDecode", "RL"].map((name) => [name, unRun] as const),
  ...["ASCII85Decode", "A85"].map((name) => [name, unAscii85] as const),
  ...["ASCIIHexDecode", "AHx"].map((name) => [name, unHex] as const),
]);

export function isDecodable(filter: string): boolean {
  return decoders.has(filter);
}

/** @throws FilterFault, StreamTooLarge */
export function undo(content: Uint8Array, step: Step): Buffer {
  const decode = decoders.get(step.filter);
  if (decode === undefined) throw new FilterFault("its filter is unknown");
  return decode(content, step);
}

function unflate(content: Uint8Array): Buffer {
  return inflate(content).bytes;
}

/** @returns also how many bytes of the content were read: what follows them is no part of the stream */
export function inflate(content: Uint8Array): { bytes: Buffer; consumed: number } {
  if (content.length === 0) return { bytes: Buffer.alloc(0), consumed: 0 };
  try {
    // Most streams are small: buffers of the usual size for each of them would keep the garbage collector busy.
    const chunkSize = Math.min(Math.max(4 * content.length, 1024), 64 * 1024);
    const options = { maxOutputLength: limits.streamBytes, chunkSize, info: true };
    const { buffer, engine } = inflateSync(content, options) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    return { bytes: buffer, consumed: engine.bytesWritten };
  } catch (cause) {
    if (cause instanceof RangeError) throw new StreamTooLarge("a stream is too large", { cause });
    return { bytes: inflateDamaged(content), consumed: -1 };
  }
}

const zlibHeader = 2;

/** What comes before the damage: readers show that, and nothing else of the stream is kept. */
function inflateDamaged(content: Uint8Array): Buffer {
  let [good, bad] = [0, content.length + 1];
  let bytes = Buffer.alloc(0);
  while (bad - good > 1) {
    const length = (good + bad) >> 1;
    try {
      const options = { maxOutputLength: limits.streamBytes, finishFlush: constants.Z_SYNC_FLUSH };
      bytes = inflateRawSync(content.subarray(zlibHeader, length), options);
      good = length;
    } catch (cause) {
      if (cause instanceof RangeError) throw new StreamTooLarge("a stream is too large", { cause });
      bad = length;
    }
  }
  if (bytes.length === 0) throw new FilterFault("its compressed data do not hold");
  return bytes;
}

const [clear, end, firstFree, mostCodes] = [256, 257, 258, 4096];

/** A code stands for what the code before wrote and one byte more: all of that lies in the output already. */
function unLzw(content: Uint8Array, { earlyChange = 1 }: Step): Buffer {
  const out = new Output();
  const [starts, lengths] = [new Float64Array(mostCodes), new Float64Array(mostCodes)];
  let [held, bits, next] = [0, 0, firstFree];
  let last: number | undefined;
  for (const byte of content) {
    held = (held << 8) | byte;
    bits += 8;
    const width = Math.min(12, 32 - Math.clz32(next + earlyChange));
    if (bits < width) continue;
    bits -= width;
    const code = held >> bits;
    held &= (1 << bits) - 1;
    if (code === end) return out.bytes();
    if (code === clear) {
      [next, last] = [firstFree, undefined];
      continue;
    }
    const begin = out.length;
    if (last !== undefined && next < mostCodes) {
      [starts[next], lengths[next]] = [last, begin - last + 1];
      next += 1;
    }
    if (code >= next) throw new FilterFault("it has a code that stands for nothing");
    if (code < clear) out.add(code);
    else out.addAgain(starts[code] ?? 0, lengths[code] ?? 0);
    last = begin;
  }
  return out.bytes();
}

function unRun(content: Uint8Array): Buffer {
  const out = new Output();
  let at = 0;
  for (;;) {
    const length = content[at++];
    if (length === undefined || length === 128) return out.bytes();
    if (length < 128) {
      if (at + length >= content.length) throw new FilterFault("its last run is cut short");
      for (const byte of content.subarray(at, at + length + 1)) out.add(byte);
      at += length + 1;
    } else {
      const byte = content[at++];
      if (byte === undefined) throw new FilterFault("its last run is cut short");
      for (let times = 257 - length; times > 0; times--) out.add(byte);
    }
  }
}

export function isWhiteSpace(byte: number): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9 || byte === 12 || byte === 0;
}

const [firstDigit, lastDigit, zeros, tilde] = [0x21, 0x75, 0x7a, 0x7e];

function unAscii85(content: Uint8Array): Buffer {
  const out = new Output();
  let group: number[] = [];
  for (const byte of content) {
    if (byte === tilde) break;
    if (isWhiteSpace(byte)) continue;
    if (byte === zeros && group.length === 0) {
      for (let count = 0; count < 4; count++) out.add(0);
      continue;
    }
    if (byte < firstDigit || byte > lastDigit) throw new FilterFault("it has a byte that is no digit");
    group.push(byte - firstDigit);
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

function unHex(content: Uint8Array): Buffer {
  const [before = ""] = Buffer.from(content).toString("latin1").split(">");
  const digits = before.replaceAll(/[\s\0]/g, "");
  if (/[^\dA-Fa-f]/.test(digits)) throw new FilterFault("it has a byte that is no digit");
  return Buffer.from(digits.length % 2 === 0 ? digits : `${digits}0`, "hex");
}

export interface Predictor {
  predictor: number;
  colors: number;
  bits: number;
  columns: number;
}

/** Bytes of a row without the byte that names its predictor. */
export function rowBytes({ colors, bits, columns }: Predictor): number {
  return Math.ceil((colors * bits * columns) / 8);
}

/** @throws FilterFault */
export function unpredict(content: Buffer, how: Predictor): Buffer {
  if (how.predictor === 1) return content;
  const width = rowBytes(how);
  if (width === 0 || width > limits.streamBytes) throw new FilterFault("its predictor does not fit");
  const pixelBytes = Math.max(1, (how.colors * how.bits) >> 3);
  if (how.predictor === 2) return unTiff(content, how, width);
  if (how.predictor < 10 || how.predictor > 15) throw new FilterFault("its predictor is unknown");
  return unPng(content, width, pixelBytes);
}

function unPng(content: Buffer, width: number, pixelBytes: number): Buffer {
  const rows = Math.ceil(content.length / (width + 1));
  const out = Buffer.alloc(Math.max(0, content.length - rows));
  for (let row = 0; row < rows; row++) {
    const kind = content[row * (width + 1)] ?? 0;
    if (kind > 4) throw new FilterFault("a row has an unknown predictor");
    const from = row * (width + 1) + 1;
    const to = row * width;
    const length = Math.min(width, content.length - from);
    for (let at = 0; at < length; at++) {
      const left = at >= pixelBytes ? (out[to + at - pixelBytes] ?? 0) : 0;
      const up = row > 0 ? (out[to + at - width] ?? 0) : 0;
      const corner = row > 0 && at >= pixelBytes ? (out[to + at - width - pixelBytes] ?? 0) : 0;
      out[to + at] = ((content[from + at] ?? 0) + predicted(kind, left, up, corner)) & 0xff;
    }
  }
  return out;
}

function predicted(kind: number, left: number, up: number, corner: number): number {
  if (kind === 0) return 0;
  if (kind === 1) return left;
  if (kind === 2) return up;
  if (kind === 3) return (left + up) >> 1;
  const estimate = left + up - corner;
  const [toLeft, toUp, toCorner] = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - corner)];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

function unTiff(content: Buffer, { colors, bits }: Predictor, width: number): Buffer {
  const out = Buffer.from(content);
  if (bits !== 8 && bits !== 16) {
    if (bits === 1 && colors === 1) return unTiffBits(out, width);
    throw new FilterFault("its predictor does not fit its samples");
  }
  for (let start = 0; start < out.length; start += width) {
    const stop = Math.min(start + width, out.length);
    if (bits === 8) {
      for (let at = start + colors; at < stop; at++) out[at] = ((out[at] ?? 0) + (out[at - colors] ?? 0)) & 0xff;
    } else {
      for (let at = start + 2 * colors; at + 1 < stop; at += 2) {
        out.writeUInt16BE((out.readUInt16BE(at) + out.readUInt16BE(at - 2 * colors)) & 0xffff, at);
      }
    }
  }
  return out;
}

function unTiffBits(out: Buffer, width: number): Buffer {
  for (let start = 0; start < out.length; start += width) {
    let last = 0;
    for (let at = start; at < Math.min(start + width, out.length); at++) {
      let byte = 0;
      for (let bit = 7; bit >= 0; bit--) {
        last ^= ((out[at] ?? 0) >> bit) & 1;
        byte |= last << bit;
      }
      out[at] = byte;
    }
  }
  return out;
}

/** Bytes whose number is not known beforehand. @throws StreamTooLarge when they are too many */
class Output {
  #bytes = Buffer.alloc(4096);
  length = 0;

  add(byte: number): void {
    if (this.length === this.#bytes.length) {
      if (this.length >= limits.streamBytes) throw new StreamTooLarge("a stream is too large");
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
