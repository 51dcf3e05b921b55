import { deflateSync } from "node:zlib";
import { PDFDict, PDFName, PDFRawStream } from "@cantoo/pdf-lib";
import type { PDFContext, PDFObject } from "@cantoo/pdf-lib";
import { PermanentError } from "../../../contracts/errors.ts";
import type { Place } from "../rebuild/faults.ts";
import { inlineImage } from "../rebuild/inline-image.ts";
import type { Reading } from "../rebuild/reading.ts";
import { Tokens } from "../rebuild/tokens.ts";

/** A content that draws objects in place of its inline images. */
export interface Replaced {
  content: Uint8Array;
  /** Whether one is a JPEG: PDFium overwrites the last two bytes of such a content, and does not draw all of it. */
  hasJpeg: boolean;
}

/** Bytes of a content that is read even without inline images: Document Engine shall not be kept busy by its operands. */
const worthReading = 1024 ** 2;

/**
 * A content in which every inline image is drawn as an XObject of `resources`.
 *
 * @returns undefined when it has none, or is no content that can be read
 * @throws PermanentError PDF_TOO_COMPLEX
 */
export function withoutInlineImages(
  content: Buffer,
  resources: PDFDict,
  reading: Reading,
  place: Place,
): Replaced | undefined {
  if (!content.includes("BI") && content.length < worthReading) return undefined;
  const nameAt = freeNames(resources);
  const found = imagesOf(content, resources, reading, place);
  if (!found || found.length === 0) return undefined;
  const known = resources.lookup(PDFName.XObject);
  const drawings = known instanceof PDFDict ? known : resources.context.obj({});
  if (drawings !== known) resources.set(PDFName.XObject, drawings);
  const pieces: Buffer[] = [];
  let copiedTo = 0;
  for (const [index, { start, end, image }] of found.entries()) {
    drawings.set(PDFName.of(nameAt(index)), resources.context.register(image));
    pieces.push(content.subarray(copiedTo, start), Buffer.from(` /${nameAt(index)} Do `, "latin1"));
    copiedTo = end;
  }
  return {
    content: Buffer.concat([...pieces, content.subarray(copiedTo)]),
    hasJpeg: found.some(({ image }) => image.dict.toString().includes("/DCTDecode")),
  };
}

/** An inline image, from its `BI` to behind its `EI`. */
interface Found {
  start: number;
  end: number;
  image: PDFRawStream;
}

/** The inline images of a content; undefined when it is none that can be read. */
function imagesOf(content: Buffer, resources: PDFDict, reading: Reading, place: Place): Found[] | undefined {
  const tokens = new Tokens(content, place);
  const found: Found[] = [];
  try {
    for (let token = tokens.next(); token !== undefined; token = tokens.next()) {
      if (token.type !== "word" || token.word !== "BI") continue;
      const start = tokens.at - token.word.length;
      const image = inlineImage(tokens, place, reading, (name) => spaceIn(resources, name));
      found.push({ start, end: tokens.at, image });
    }
  } catch (cause) {
    if (cause instanceof PermanentError && cause.code === "PDF_UNREADABLE_PART") return undefined;
    throw cause;
  }
  return found;
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

function spaceIn(resources: PDFDict, name: string): PDFObject | undefined {
  const spaces = resources.lookup(PDFName.of("ColorSpace"));
  return spaces instanceof PDFDict ? spaces.get(nameOf(name)) : undefined;
}

/** A name whose characters stand for themselves. */
function nameOf(value: string): PDFName {
  return PDFName.of(value.replaceAll("#", "#23"));
}
