/** Reading of PDF objects as pdf-lib holds them: references followed, streams decoded, nothing guessed. */
import {
  PDFArray,
  PDFBool,
  PDFDict,
  PDFHexString,
  PDFName,
  PDFNull,
  PDFNumber,
  PDFRawStream,
  PDFRef,
  PDFStream,
  PDFString,
} from "@cantoo/pdf-lib";
import type { PDFContext, PDFObject } from "@cantoo/pdf-lib";
import { Budget, Place, tooComplex, unreadable } from "./faults.ts";
import { FilterFault, inflate, isDecodable, StreamTooLarge, undo, unpredict } from "./filters.ts";
import type { Predictor, Step } from "./filters.ts";

const interned = new Map<string, PDFName>();

/** A name of the grammar; they are few, and making one is slow. */
export function key(name: string): PDFName {
  let known = interned.get(name);
  if (known === undefined) interned.set(name, (known = PDFName.of(name)));
  return known;
}

/** The name without its slash, escapes undone. */
export function textOfName(name: PDFName): string {
  const encoded = name.asString();
  return encoded.includes("#") ? name.decodeText() : encoded.slice(1);
}

export type Dictionary = PDFDict | PDFRawStream;

/** A stream without its outer filters; `filter` is that of an image, which stays. */
export interface Decoded {
  bytes: Buffer;
  filter: string | undefined;
  /** The parameters of what stays: of the image's filter, or the predictor that was asked to be left. */
  parms: PDFDict | undefined;
  predictor: Predictor | undefined;
  /** The same bytes as zlib packed them, where the stream is nothing else. */
  packed: Uint8Array | undefined;
}

/** The objects of one file. */
export class Reading {
  readonly context: PDFContext;
  readonly budget: Budget;

  constructor(context: PDFContext, budget: Budget) {
    this.context = context;
    this.budget = budget;
  }

  /** What a reference leads to, through further ones; null is nothing. */
  resolve(value: PDFObject | undefined): PDFObject | undefined {
    let current = value;
    for (let steps = 0; current instanceof PDFRef; steps++) {
      if (steps > 10) return undefined;
      current = this.context.lookup(current);
    }
    return current === PDFNull ? undefined : current;
  }

  get(from: Dictionary, name: string): PDFObject | undefined {
    return this.resolve(this.raw(from, name));
  }

  /** The value itself, a reference where it is one. */
  raw(from: Dictionary, name: string): PDFObject | undefined {
    return dictionaryOf(from).get(key(name));
  }

  dictionary(from: Dictionary, name: string): PDFDict | undefined {
    const value = this.get(from, name);
    return value instanceof PDFDict ? value : undefined;
  }

  number(from: Dictionary, name: string): number | undefined {
    const value = this.get(from, name);
    return value instanceof PDFNumber ? value.asNumber() : undefined;
  }

  name(from: Dictionary, name: string): string | undefined {
    const value = this.get(from, name);
    return value instanceof PDFName ? textOfName(value) : undefined;
  }

  text(from: Dictionary, name: string): string | undefined {
    return textOf(this.get(from, name));
  }

  boolean(from: Dictionary, name: string): boolean | undefined {
    const value = this.get(from, name);
    return value instanceof PDFBool ? value.asBoolean() : undefined;
  }

  /** The elements of an array, references followed. */
  list(value: PDFObject | undefined): (PDFObject | undefined)[] | undefined {
    const array = this.resolve(value);
    if (!(array instanceof PDFArray)) return undefined;
    return Array.from({ length: array.size() }, (_, index) => this.resolve(array.get(index)));
  }

  numbers(value: PDFObject | undefined): number[] | undefined {
    const elements = this.list(value);
    if (!elements?.every((element) => element instanceof PDFNumber)) return undefined;
    return elements.map((element) => element.asNumber());
  }

  /** All bytes of a stream that is no image. @throws PermanentError PDF_UNREADABLE_PART, PDF_TOO_COMPLEX */
  decode(stream: PDFRawStream, place: Place): Buffer {
    const { bytes, filter } = this.unpack(stream, place);
    if (filter !== undefined) throw unreadable(place.at("Filter"), "it is packed as an image");
    return bytes;
  }

  /** @throws PermanentError PDF_UNREADABLE_PART, PDF_TOO_COMPLEX */
  unpack(stream: PDFRawStream, place: Place, leavePredictor = false): Decoded {
    return this.unpackBytes(stream.contents, this.filters(stream.dict, place), place, leavePredictor);
  }

  unpackBytes(
    content: Uint8Array,
    filters: readonly { name: string; parms: PDFDict | undefined }[],
    place: Place,
    leavePredictor: boolean,
  ): Decoded {
    let bytes: Buffer = Buffer.from(content.buffer, content.byteOffset, content.length);
    let packed: Uint8Array | undefined;
    for (const [index, { name, parms }] of filters.entries()) {
      const isLast = index === filters.length - 1;
      if (!isDecodable(name)) {
        if (name === "Crypt") continue;
        if (!isLast) throw unreadable(place.at("Filter"), "a filter is unknown or stands in the wrong place");
        this.budget.spend("decodedBytes", bytes.length, place);
        return { bytes, filter: name, parms, predictor: undefined, packed: undefined };
      }
      const predictor = parms && this.#predictorOf(parms);
      if (name === "FlateDecode" && filters.length === 1) {
        const { bytes: inflated, consumed } = guarded(() => inflate(content), place);
        this.budget.spend("decodedBytes", inflated.length, place);
        bytes = inflated;
        if (consumed === content.length) packed = content;
      } else bytes = this.#undo(bytes, { filter: name, ...this.#earlyChange(parms) }, place);
      if (predictor === undefined) continue;
      if (isLast && leavePredictor && predictor.predictor >= 10) {
        return { bytes, filter: undefined, parms, predictor, packed };
      }
      packed = undefined;
      bytes = guarded(() => unpredict(bytes, predictor), place);
    }
    return { bytes, filter: undefined, parms: undefined, predictor: undefined, packed };
  }

  #undo(bytes: Buffer, step: Step, place: Place): Buffer {
    const result = guarded(() => undo(bytes, step), place);
    this.budget.spend("decodedBytes", result.length, place);
    return result;
  }

  #earlyChange(parms: PDFDict | undefined): { earlyChange?: number } {
    const early = parms && this.number(parms, "EarlyChange");
    return early === undefined ? {} : { earlyChange: early === 0 ? 0 : 1 };
  }

  #predictorOf(parms: PDFDict): Predictor | undefined {
    const predictor = this.number(parms, "Predictor") ?? 1;
    if (predictor === 1) return undefined;
    return {
      predictor,
      colors: this.number(parms, "Colors") ?? 1,
      bits: this.number(parms, "BitsPerComponent") ?? 8,
      columns: this.number(parms, "Columns") ?? 1,
    };
  }

  filters(dict: PDFDict, place: Place): { name: string; parms: PDFDict | undefined }[] {
    const filter = this.get(dict, "Filter");
    const parms = this.get(dict, "DecodeParms");
    if (filter === undefined) return [];
    if (filter instanceof PDFName) {
      const first = parms instanceof PDFArray ? this.resolve(parms.get(0)) : parms;
      return [{ name: textOfName(filter), parms: first instanceof PDFDict ? first : undefined }];
    }
    const [names, all] = [this.list(filter), this.list(parms)];
    if (!names?.every((name) => name instanceof PDFName) || names.length > 10) {
      throw unreadable(place.at("Filter"), "its filters are no names");
    }
    return names.map((name, index) => {
      const own = all ? all[index] : names.length === 1 ? parms : undefined;
      return { name: textOfName(name), parms: own instanceof PDFDict ? own : undefined };
    });
  }
}

export function dictionaryOf(from: Dictionary): PDFDict {
  return from instanceof PDFStream ? from.dict : from;
}

export function isDictionary(value: PDFObject | undefined): value is Dictionary {
  return value instanceof PDFDict || value instanceof PDFRawStream;
}

/** A string as text; undefined where it is none. */
export function textOf(value: PDFObject | undefined): string | undefined {
  return value instanceof PDFString || value instanceof PDFHexString ? decodeText(value.asBytes()) : undefined;
}

/** UTF-16 of either order and UTF-8 by their marks, else PDFDocEncoding, whose upper half is that of Latin-1 but for a few. */
function decodeText(bytes: Uint8Array): string {
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return new TextDecoder().decode(bytes);
  return Array.from(bytes, (byte) => documentEncoding[byte] ?? String.fromCharCode(byte)).join("");
}

/** Where PDFDocEncoding differs from Latin-1. */
const documentEncoding: Readonly<Record<number, string>> = Object.fromEntries([
  ...Array.from("˘ˇˆ˙˝˛˚˜", (character, index) => [0x18 + index, character] as const),
  ...Array.from("•†‡…—–ƒ⁄‹›−‰„“”‘’‚™ﬁﬂŁŒŠŸŽıłœšž", (character, index) => [0x80 + index, character] as const),
  [0xa0, "€"] as const,
]);

function guarded<Result>(decode: () => Result, place: Place): Result {
  try {
    return decode();
  } catch (cause) {
    if (cause instanceof StreamTooLarge) throw tooComplex("streamBytes", place);
    if (cause instanceof FilterFault) throw unreadable(place, cause.message, cause);
    throw cause;
  }
}
