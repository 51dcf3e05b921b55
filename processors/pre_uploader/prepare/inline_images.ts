import { deflateSync } from "node:zlib";
import {
  PDFArray,
  PDFBool,
  PDFDict,
  PDFHexString,
  PDFName,
  PDFNull,
  PDFNumber,
  PDFRawStream,
  PDFStream,
} from "@cantoo/pdf-lib";
import type { PDFContext, PDFObject } from "@cantoo/pdf-lib";
import { ContentError, tokenize } from "../content/tokenizer.ts";
import type { InlineImage, Operand } from "../content/tokenizer.ts";
import { resolved } from "./graph.ts";

/** The short names of entries of inline images (ISO 32000-2, table 91), which go before the full ones. */
const shortKeys: Readonly<Record<string, string>> = {
  ...{ BitsPerComponent: "BPC", ColorSpace: "CS", Decode: "D", DecodeParms: "DP", Filter: "F" },
  ...{ Height: "H", ImageMask: "IM", Interpolate: "I", Width: "W" },
};

/** Entries that an inline image may have; others, such as its length, are left behind. */
const keptKeys: ReadonlySet<string> = new Set([...Object.keys(shortKeys), "Intent"]);

const fullFilters: Readonly<Record<string, string>> = {
  ...{ AHx: "ASCIIHexDecode", A85: "ASCII85Decode", LZW: "LZWDecode", Fl: "FlateDecode" },
  ...{ RL: "RunLengthDecode", CCF: "CCITTFaxDecode", DCT: "DCTDecode" },
};

const fullSpaces: Readonly<Record<string, string>> = {
  ...{ G: "DeviceGray", RGB: "DeviceRGB", CMYK: "DeviceCMYK", I: "Indexed" },
};

const deviceSpaces: ReadonlySet<string> = new Set([...Object.values(fullSpaces), "Pattern"]);

/** Bytes of a content that is read even without inline images: Document Engine shall not be kept busy by its operands. */
const worthReading = 1024 ** 2;

/** A content that draws objects in place of its inline images. */
export interface Replaced {
  content: Uint8Array;
  /** Whether one is a JPEG: PDFium overwrites the last two bytes of such a content, and does not draw all of it. */
  hasJpeg: boolean;
}

/**
 * A content in which every inline image is drawn as an XObject of `resources`.
 *
 * @returns undefined when it has none, or is no content that can be read
 * @throws PermanentError PDF_TOO_COMPLEX
 */
export function withoutInlineImages(content: Uint8Array, resources: PDFDict): Replaced | undefined {
  const hasImages = Buffer.from(content.buffer, content.byteOffset, content.length).includes("BI");
  if (!hasImages && content.length < worthReading) return undefined;
  const pieces: Uint8Array[] = [];
  const images: InlineImage[] = [];
  const nameAt = freeNames(resources);
  let copiedTo = 0;
  try {
    for (const { start, end, image } of tokenize(content, (name) => componentsOf(resources, name))) {
      if (!image) continue;
      images.push(image);
      pieces.push(content.subarray(copiedTo, start), Buffer.from(` /${nameAt(images.length - 1)} Do `, "latin1"));
      copiedTo = end;
    }
  } catch (cause) {
    if (cause instanceof ContentError) return undefined;
    throw cause;
  }
  if (images.length === 0) return undefined;
  const known = resources.lookup(PDFName.XObject);
  const drawings = known instanceof PDFDict ? known : resources.context.obj({});
  if (drawings !== known) resources.set(PDFName.XObject, drawings);
  const objects = images.map((image) => imageOf(image, resources));
  objects.forEach((object, index) => {
    drawings.set(PDFName.of(nameAt(index)), resources.context.register(object));
  });
  return {
    content: Buffer.concat([...pieces, content.subarray(copiedTo)]),
    hasJpeg: objects.some(({ dict }) => dict.toString().includes("/DCTDecode")),
  };
}

/** Names that no drawing of the resources has. */
function freeNames(resources: PDFDict): (index: number) => string {
  const known = resources.lookup(PDFName.XObject);
  const keys = known instanceof PDFDict ? known.keys() : [];
  const numbers = keys.map((key) => Number(/^Inline(\d{1,9})$/.exec(key.decodeText())?.[1] ?? 0));
  const first = numbers.reduce((most, number) => Math.max(most, number), 0) + 1;
  return (index) => `Inline${first + index}`;
}

/** A compressed stream of content. */
export function contentStream(context: PDFContext, content: Uint8Array): PDFRawStream {
  return PDFRawStream.of(context.obj({ Filter: "FlateDecode" }), deflateSync(content));
}

function imageOf({ entries, data }: InlineImage, resources: PDFDict): PDFRawStream {
  const { context } = resources;
  const dictionary = context.obj({ Type: "XObject", Subtype: "Image" });
  for (const key of keptKeys) {
    const operand = entries.get(shortKeys[key] ?? key) ?? entries.get(key);
    if (operand) dictionary.set(PDFName.of(key), valueOf(key, operand, resources));
  }
  return PDFRawStream.of(dictionary, data.slice());
}

function valueOf(key: string, operand: Operand, resources: PDFDict): PDFObject {
  const value = objectOf(resources.context, operand);
  if (key === "Filter") return renamed(value, fullFilters);
  return key === "ColorSpace" ? resolvedSpace(value, resources) : value;
}

function renamed(value: PDFObject, fullNames: Readonly<Record<string, string>>): PDFObject {
  if (value instanceof PDFArray) {
    value.asArray().forEach((item, index) => {
      value.set(index, renamed(item, fullNames));
    });
  }
  const full = value instanceof PDFName ? fullNames[value.decodeText()] : undefined;
  return full === undefined ? value : PDFName.of(full);
}

/** A colour space by its full names; one of the resources as it is there. */
function resolvedSpace(value: PDFObject, resources: PDFDict): PDFObject {
  if (value instanceof PDFName) {
    const name = fullSpaces[value.decodeText()] ?? value.decodeText();
    return deviceSpaces.has(name) ? PDFName.of(name) : (spaceIn(resources, name) ?? value);
  }
  if (!(value instanceof PDFArray) || value.size() === 0) return value;
  const family = renamed(value.get(0), fullSpaces);
  value.set(0, family);
  if (family === PDFName.of("Indexed") && value.size() > 1) value.set(1, resolvedSpace(value.get(1), resources));
  return value;
}

function spaceIn(resources: PDFDict, name: string): PDFObject | undefined {
  const spaces = resources.lookup(PDFName.of("ColorSpace"));
  return spaces instanceof PDFDict ? spaces.get(nameOf(name)) : undefined;
}

const familyComponents: Readonly<Record<string, number>> = {
  ...{ DeviceGray: 1, CalGray: 1, Indexed: 1, I: 1, G: 1, Separation: 1 },
  ...{ DeviceRGB: 3, RGB: 3, CalRGB: 3, Lab: 3, DeviceCMYK: 4, CMYK: 4 },
};

function componentsOf(resources: PDFDict, name: string): number | undefined {
  const space = resolved(resources.context, spaceIn(resources, name));
  if (space instanceof PDFName) return familyComponents[space.decodeText()];
  if (!(space instanceof PDFArray)) return undefined;
  const [family, details] = [space.lookup(0), space.lookup(1)];
  if (!(family instanceof PDFName)) return undefined;
  if (details instanceof PDFStream) {
    const components = details.dict.lookup(PDFName.of("N"));
    return components instanceof PDFNumber ? components.asNumber() : undefined;
  }
  return details instanceof PDFArray && family.decodeText() === "DeviceN"
    ? details.size()
    : familyComponents[family.decodeText()];
}

/** A name whose characters stand for themselves. */
function nameOf(value: string): PDFName {
  return PDFName.of(value.replaceAll("#", "#23"));
}

function objectOf(context: PDFContext, operand: Operand): PDFObject {
  switch (operand.type) {
    case "number":
      return PDFNumber.of(operand.value);
    case "boolean":
      return operand.value ? PDFBool.True : PDFBool.False;
    case "null":
      return PDFNull;
    case "name":
      return nameOf(operand.value);
    case "string":
      return PDFHexString.of(Buffer.from(operand.bytes).toString("hex"));
    case "array": {
      const array = PDFArray.withContext(context);
      for (const item of operand.items) array.push(objectOf(context, item));
      return array;
    }
    case "dictionary": {
      const dictionary = PDFDict.withContext(context);
      for (const [key, value] of operand.entries) dictionary.set(nameOf(key), objectOf(context, value));
      return dictionary;
    }
  }
}
