import { constants, inflateSync } from "node:zlib";
import { decodePDFRawStream, PDFArray, PDFDict, PDFName, PDFNumber, PDFRawStream } from "@cantoo/pdf-lib";
import type { PDFObject } from "@cantoo/pdf-lib";

/** The filters of streams that hold syntax rather than a picture, by both their names. */
const fullNames: Readonly<Record<string, string>> = {
  ...{ Fl: "FlateDecode", LZW: "LZWDecode", RL: "RunLengthDecode", A85: "ASCII85Decode", AHx: "ASCIIHexDecode" },
};

/**
 * What a stream holds.
 *
 * @param most bytes
 * @returns undefined when it is damaged, or packed in a way that only pictures are
 * @throws RangeError when it holds more than `most`
 */
export function decodedContent(stream: PDFRawStream, most: number): Uint8Array | undefined {
  const filters = listOf(stream.dict, "Filter");
  const parameters = listOf(stream.dict, "DecodeParms");
  let bytes: Uint8Array | undefined = stream.contents;
  for (const [index, filter] of filters.entries()) {
    const given = parameters[index];
    const own = given instanceof PDFDict ? given : PDFDict.withContext(stream.dict.context);
    bytes = filter instanceof PDFName ? decodedBy(filter.decodeText(), own, bytes, most) : undefined;
    if (bytes === undefined) return undefined;
  }
  return bytes;
}

/** One value or an array of them, behind any references. */
function listOf(dictionary: PDFDict, key: string): (PDFObject | undefined)[] {
  const value = dictionary.lookup(PDFName.of(key));
  if (value instanceof PDFArray) return value.asArray().map((_, index) => value.lookup(index));
  return value === undefined ? [] : [value];
}

function decodedBy(filter: string, parameters: PDFDict, bytes: Uint8Array, most: number): Uint8Array | undefined {
  const name = fullNames[filter] ?? filter;
  const decoded = name === "FlateDecode" ? inflated(bytes, most) : decodedByLibrary(name, parameters, bytes, most);
  const predictor = numberIn(parameters, "Predictor", 1);
  if (decoded === undefined || predictor === 1 || !["FlateDecode", "LZWDecode"].includes(name)) return decoded;
  return predictor < 10 ? undefined : unpredicted(decoded, parameters);
}

function inflated(bytes: Uint8Array, most: number): Uint8Array | undefined {
  try {
    return inflateSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: most });
  } catch (cause) {
    if (cause instanceof RangeError) throw cause;
    return undefined;
  }
}

function decodedByLibrary(name: string, parameters: PDFDict, bytes: Uint8Array, most: number): Uint8Array | undefined {
  const { context } = parameters;
  const dictionary = context.obj({ Filter: name });
  if (parameters.has(PDFName.of("EarlyChange"))) dictionary.set(PDFName.of("DecodeParms"), parameters);
  let decoded: Uint8Array | Uint8ClampedArray;
  try {
    decoded = decodePDFRawStream(PDFRawStream.of(dictionary, bytes)).getBytes(most + 1);
  } catch {
    return undefined;
  }
  if (decoded.length > most) throw new RangeError(`a stream holds more than ${most} bytes`);
  return Uint8Array.from(decoded);
}

function numberIn(dictionary: PDFDict, key: string, otherwise: number): number {
  const value = dictionary.lookup(PDFName.of(key));
  return value instanceof PDFNumber ? value.asNumber() : otherwise;
}

/** Undoes the predictors of PNG: each row begins with the number of its own. */
function unpredicted(bytes: Uint8Array, parameters: PDFDict): Uint8Array | undefined {
  const bits = numberIn(parameters, "Colors", 1) * numberIn(parameters, "BitsPerComponent", 8);
  const width = Math.ceil((bits * numberIn(parameters, "Columns", 1)) / 8);
  const step = Math.max(1, Math.ceil(bits / 8));
  if (!(width > 0)) return undefined;
  const rows = Math.ceil(bytes.length / (width + 1));
  const out = new Uint8Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const [from, to] = [row * (width + 1) + 1, row * width];
    const kind = bytes[from - 1] ?? 0;
    if (kind > 4) return undefined;
    for (let at = 0; at < width; at++) {
      const left = at < step ? 0 : (out[to + at - step] ?? 0);
      const up = row === 0 ? 0 : (out[to + at - width] ?? 0);
      const corner = row === 0 || at < step ? 0 : (out[to + at - width - step] ?? 0);
      const guesses = [0, left, up, (left + up) >> 1, paeth(left, up, corner)];
      out[to + at] = (bytes[from + at] ?? 0) + (guesses[kind] ?? 0);
    }
  }
  return out;
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [toLeft, toUp, toCorner] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
