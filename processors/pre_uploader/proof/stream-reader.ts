import type { StreamContent } from "../rebuild/grammar.ts";
import { readCalculator, readCMap, readContent, utf16 } from "./content.ts";
import { nameOf } from "./file.ts";
import { textsOfFont } from "./fonts.ts";
import { readJbig2, readJpeg, readJpx } from "./images.ts";
import { checkPredictor, Unpacker } from "./streams.ts";
import { Fault, Name, Stream } from "./syntax.ts";
import type { Dictionary, Value } from "./syntax.ts";

type Resolve = (value: Value | undefined) => Value | Stream | undefined;

/** Reads what streams hold. */
export class StreamReader {
  readonly #resolve: Resolve;
  readonly #unpacker = new Unpacker();

  constructor(resolve: Resolve) {
    this.#resolve = resolve;
  }

  /** @returns texts within it, other than those of page content @throws Fault */
  read(stream: Stream, content: StreamContent): Iterable<string> {
    if (content === "pixels") {
      this.#pixels(stream);
      return [];
    }
    const bytes = this.#unpacked(stream);
    switch (content) {
      case "operators":
        return readContent(bytes);
      case "calculator":
        readCalculator(bytes);
        return [];
      case "cmap":
        return readCMap(bytes);
      case "program":
        return textsOfFont(bytes);
      case "profile":
        return textsOfProfile(bytes);
      case "segments":
        readJbig2(bytes);
        return [];
      case "samples":
        return [];
    }
  }

  #unpacked({ dictionary, raw }: Stream): Uint8Array {
    const filter = dictionary.get("Filter");
    if (filter === undefined) {
      this.#unpacker.count(raw.length);
      return raw;
    }
    if (nameOf(filter) !== "FlateDecode") throw new Fault("it has a filter that is not allowed");
    return this.#unpacker.inflate(raw);
  }

  #pixels(stream: Stream): void {
    const { dictionary, raw } = stream;
    const filter = nameOf(dictionary.get("Filter")) ?? "none";
    switch (filter) {
      case "DCTDecode":
        readJpeg(raw);
        return;
      case "JPXDecode":
        readJpx(raw);
        return;
      case "JBIG2Decode":
        readJbig2(raw);
        return;
      case "CCITTFaxDecode":
        return;
      default:
        this.#samples(this.#unpacked(stream), dictionary);
    }
  }

  /** Nothing stands behind the samples of an image. */
  #samples(samples: Uint8Array, image: Dictionary): void {
    const given = this.#resolve(image.get("DecodeParms"));
    const parms: Dictionary = given instanceof Map ? given : new Map<string, Value>();
    const predictor = numberOf(parms.get("Predictor"), 1);
    const [colors, columns] = [numberOf(parms.get("Colors"), 1), numberOf(parms.get("Columns"), 1)];
    checkPredictor(samples, { predictor, colors, columns, bits: numberOf(parms.get("BitsPerComponent"), 8) });

    const [width, height] = [numberOf(image.get("Width"), 0), numberOf(image.get("Height"), 0)];
    const bits = image.get("ImageMask") === true ? 1 : numberOf(image.get("BitsPerComponent"), 8);
    const row = Math.ceil((width * bits * this.#components(image.get("ColorSpace"))) / 8);
    const most = height * (predictor >= 10 ? row + 1 : row) + mostPadding;
    if (samples.length > most) throw new Fault("an image has more than its pixels");
  }

  /** How many samples a pixel has in a colour space. */
  #components(given: Value | undefined): number {
    const space = this.#resolve(given);
    const family =
      (Array.isArray(space) ? this.#name(space[0]) : space instanceof Name ? space : undefined)?.value ?? "";
    if (!Array.isArray(space)) return { DeviceRGB: 3, DeviceCMYK: 4 }[family] ?? 1;
    const parameter = this.#resolve(space[1]);
    switch (family) {
      case "CalRGB":
      case "Lab":
        return 3;
      case "ICCBased":
        return parameter instanceof Stream ? numberOf(parameter.dictionary.get("N"), 4) : 1;
      case "DeviceN":
        return Array.isArray(parameter) ? parameter.length : 1;
      default:
        return 1;
    }
  }

  #name(given: Value | undefined): Name | undefined {
    const value = this.#resolve(given);
    return value instanceof Name ? value : undefined;
  }
}

/** Padding that real images have behind their pixels. */
const mostPadding = 8;

function numberOf(value: Value | undefined, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

/** Readable runs of an ICC profile: who made it, what it is for. */
function textsOfProfile(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length < 128 || buffer.readUInt32BE(0) !== buffer.length || buffer.toString("latin1", 36, 40) !== "acsp") {
    throw new Fault("a colour profile does not begin as one");
  }
  const texts: string[] = [];
  for (let index = 0; index < buffer.readUInt32BE(128) && index < 100; index++) {
    const entry = 132 + 12 * index;
    if (entry + 12 > buffer.length) throw new Fault("a colour profile is cut short");
    const start = buffer.readUInt32BE(entry + 4);
    const tag = buffer.subarray(start, start + buffer.readUInt32BE(entry + 8));
    if (["desc", "text", "mluc"].includes(tag.toString("latin1", 0, 4))) {
      texts.push(tag.toString("latin1", 8), utf16(tag.subarray(8)));
    }
  }
  return texts;
}
