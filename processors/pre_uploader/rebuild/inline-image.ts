/** Images within a content stream (ISO 32000-1, 8.9.7): read as if they were objects, which they become. */
import { PDFHexString, PDFName, PDFRawStream, PDFString } from "@cantoo/pdf-lib";
import type { PDFObject } from "@cantoo/pdf-lib";
import { Place, unreadable } from "./faults.ts";
import { isWhiteSpace } from "./filters.ts";
import { sizeOf } from "./images.ts";
import { endOfImageData } from "./inline-image-end.ts";
import type { Reading } from "./reading.ts";
import type { Token, Tokens } from "./tokens.ts";

const keys: Readonly<Record<string, string>> = {
  ...{ BPC: "BitsPerComponent", CS: "ColorSpace", D: "Decode", DP: "DecodeParms", F: "Filter", H: "Height" },
  ...{ IM: "ImageMask", I: "Interpolate", W: "Width", L: "Length" },
};
const spaces: Readonly<Record<string, string>> = {
  G: "DeviceGray",
  RGB: "DeviceRGB",
  CMYK: "DeviceCMYK",
  I: "Indexed",
};
const filters: Readonly<Record<string, string>> = {
  ...{ AHx: "ASCIIHexDecode", A85: "ASCII85Decode", LZW: "LZWDecode", Fl: "FlateDecode", RL: "RunLengthDecode" },
  ...{ CCF: "CCITTFaxDecode", DCT: "DCTDecode" },
};

/** Reads on after `BI` to behind `EI`. @throws PermanentError PDF_UNREADABLE_PART */
export function inlineImage(
  tokens: Tokens,
  place: Place,
  reading: Reading,
  findSpace: (name: string) => PDFObject | undefined,
): PDFRawStream {
  const there = new Place("inline image", place.page);
  const entries: Record<string, PDFObject> = {};
  const abbreviated = new Set<string>();
  for (;;) {
    const name = tokens.next();
    if (name === undefined) throw unreadable(there, "it does not begin");
    if (name.type === "word" && name.word === "ID") break;
    if (name.type !== "name") continue;
    const value = tokens.next();
    if (value === undefined || (value.type === "word" && value.word === "ID")) break;
    const full = keys[name.name] ?? name.name;
    // The length of an object is that of its data.
    if (full === "Length") continue;
    // Where both names stand, the short one counts.
    if (full === name.name && abbreviated.has(full)) continue;
    if (full !== name.name) abbreviated.add(full);
    const converted = objectOf(reading, tokens, value, full, full === "ColorSpace" ? findSpace : undefined);
    if (converted !== undefined) entries[full] = converted;
  }
  const isSeparated = isWhiteSpace(tokens.content[tokens.at] ?? 0);
  if (isSeparated) tokens.at++;
  const dict = reading.context.obj({ Type: "XObject", Subtype: "Image", ...entries });
  return PDFRawStream.of(dict, dataOf(tokens, PDFRawStream.of(dict, new Uint8Array()), there, reading));
}

function objectOf(
  reading: Reading,
  tokens: Tokens,
  token: Token,
  of: string,
  findSpace: ((name: string) => PDFObject | undefined) | undefined,
): PDFObject | undefined {
  const { context } = reading;
  switch (token.type) {
    case "number":
      return context.obj(Number(token.text));
    case "name": {
      const full = of === "ColorSpace" ? spaces[token.name] : of === "Filter" ? filters[token.name] : undefined;
      if (full !== undefined) return PDFName.of(full);
      return findSpace?.(token.name) ?? PDFName.of(token.name);
    }
    case "array":
      return context.obj(token.elements.map((element) => objectOf(reading, tokens, element, of, findSpace) ?? null));
    case "dictionary":
      return context.obj(
        Object.fromEntries(
          Array.from(token.entries, ([name, value]) => [
            name,
            objectOf(reading, tokens, value, name, undefined) ?? null,
          ]),
        ),
      );
    case "string":
      return stringOf(tokens.content.toString("latin1", token.from, token.to));
    case "word":
      return token.word === "true" || token.word === "false" ? context.obj(token.word === "true") : undefined;
  }
}

function stringOf(written: string): PDFObject {
  return written.startsWith("<")
    ? PDFHexString.of(written.slice(1, -1).replaceAll(/\s/g, ""))
    : PDFString.of(written.slice(1, -1));
}

/** The bytes of the picture, and the tokens set behind its `EI`. */
function dataOf(tokens: Tokens, image: PDFRawStream, place: Place, reading: Reading): Buffer {
  const { content, at: from } = tokens;
  const [first] = reading.filters(image.dict, place);
  const { width, height, bits, components } = sizeOf(reading, image);
  const length = Math.ceil((width * bits * (components ?? 1)) / 8) * height;
  const earlyChange = (first?.parms && reading.number(first.parms, "EarlyChange")) ?? 1;
  const end = endOfImageData(content, from, { filter: first?.name, length, earlyChange });
  if (end === undefined) throw unreadable(place, "its end cannot be found");
  tokens.at = end.operator;
  return content.subarray(from, first === undefined ? from + length : end.data);
}
