import { inflateSync } from "node:zlib";
import { Fault } from "./syntax.ts";

/** What a file may unpack to; more was made to fill memories. */
const mostBytes = 1024 ** 3;
const mostOfOne = 512 * 1024 ** 2;

/** Unpacks streams and counts what that makes. */
export class Unpacker {
  #left = mostBytes;

  /** All of a deflated stream: its checksum holds, and nothing stands behind it. @throws Fault */
  inflate(raw: Uint8Array): Buffer {
    const unpacked = inflateWhole(raw, Math.min(mostOfOne, this.#left));
    this.count(unpacked.length);
    return unpacked;
  }

  /** @throws Fault */
  count(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new Fault("the file unpacks to more than 1 GiB");
  }
}

function inflateWhole(raw: Uint8Array, most: number): Buffer {
  // Most streams are small: buffers of the usual size for each of them would keep the garbage collector busy.
  const chunkSize = Math.min(Math.max(4 * raw.length, 1024), 64 * 1024);
  let result: { buffer: Buffer; engine: { bytesWritten: number } };
  try {
    // The types do not know what `info` makes of the answer.
    const options = { maxOutputLength: Math.max(most, 1), chunkSize, info: true };
    result = inflateSync(raw, options) as unknown as typeof result;
  } catch (cause) {
    const isLarge = cause instanceof RangeError;
    throw new Fault(isLarge ? "a stream is too large" : "its compressed data or their checksum do not hold", { cause });
  }
  if (result.engine.bytesWritten !== raw.length) throw new Fault("something stands behind its compressed data");
  return result.buffer;
}

export interface Predictor {
  predictor: number;
  colors: number;
  bits: number;
  columns: number;
}

/** The bytes without predictor, as long as they are whole rows. @throws Fault */
export function checkPredictor(content: Uint8Array, { predictor, colors, bits, columns }: Predictor): void {
  if (predictor === 1) return;
  const width = Math.ceil((colors * bits * columns) / 8);
  if (!(width > 0)) throw new Fault("its predictor does not fit");
  if (predictor === 2) {
    if (content.length % width !== 0) throw new Fault("its last row is cut short");
    return;
  }
  if (!(predictor >= 10 && predictor <= 15)) throw new Fault("its predictor is unknown");
  if (content.length % (width + 1) !== 0) throw new Fault("its last row is cut short");
  for (let at = 0; at < content.length; at += width + 1) {
    if ((content[at] ?? 0) > 4) throw new Fault("a row has an unknown predictor");
  }
}
