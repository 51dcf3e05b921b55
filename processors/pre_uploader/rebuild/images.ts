/** Images: exactly as many bytes as their size asks for, and of image formats only the parts that make the picture. */
import { PDFDict, PDFName } from "@cantoo/pdf-lib";
import type { PDFRawStream } from "@cantoo/pdf-lib";
import { componentsOf } from "./color.ts";
import type { StreamJob } from "./copier.ts";
import { unreadable } from "./faults.ts";
import type { Place } from "./faults.ts";
import { textsIn, withoutTrailer } from "./fax.ts";
import { FilterFault, rowBytes, unpredict } from "./filters.ts";
import { withoutExtensions } from "./jbig2.ts";
import { withoutComments } from "./jpeg2000.ts";
import { withoutApplicationData } from "./jpeg.ts";
import { key } from "./reading.ts";
import type { Decoded, Reading } from "./reading.ts";

export function pixelContent(job: StreamJob): Uint8Array {
  const { copier, source, into, place } = job;
  const decoded = copier.reading.unpack(source, place, true);
  if (decoded.filter === undefined) return rawPixels(job, decoded);
  const content = formatted(decoded, place, copier.reading.number(decoded.parms ?? source.dict, "K") ?? 0);
  // Where such an image ends, only its picture says: what follows it could be read.
  if (decoded.filter === "CCITTFaxDecode" && textsIn(content).some(copier.isQuoting)) {
    throw unreadable(place, "it has bytes that read as a text which a redaction hides");
  }
  into.set(key("Filter"), PDFName.of(decoded.filter));
  if (decoded.parms) {
    const parms = copier.object("decodeParms", decoded.parms, place.at("DecodeParms"));
    if (parms instanceof PDFDict && parms.entries().length > 0) into.set(key("DecodeParms"), parms);
  }
  return content;
}

function formatted({ bytes, filter }: Decoded, place: Place, k: number): Buffer {
  try {
    switch (filter ?? "") {
      case "DCTDecode":
        return withoutApplicationData(bytes);
      case "JPXDecode":
        return withoutComments(bytes);
      case "JBIG2Decode":
        return withoutExtensions(bytes);
      case "CCITTFaxDecode":
        return withoutTrailer(bytes, k);
      default:
        throw new FilterFault("its filter is unknown");
    }
  } catch (cause) {
    if (cause instanceof FilterFault || cause instanceof RangeError) {
      throw unreadable(place, cause instanceof FilterFault ? cause.message : "its image data are cut short", cause);
    }
    throw cause;
  }
}

/** Of the globals of JBIG2 images. */
export function segmentContent({ copier, source, into, place }: StreamJob): Uint8Array {
  try {
    return copier.pack(withoutExtensions(copier.reading.decode(source, place)), into);
  } catch (cause) {
    if (cause instanceof FilterFault || cause instanceof RangeError) {
      throw unreadable(place, "its segments do not hold", cause);
    }
    throw cause;
  }
}

function rawPixels({ copier, source, into, place }: StreamJob, decoded: Decoded): Uint8Array {
  const { width, height, bits, components } = sizeOf(copier.reading, source);
  if (components === undefined) throw unreadable(place.at("ColorSpace"), "its colour space is missing or unknown");
  const row = Math.ceil((width * bits * components) / 8);
  let { bytes, predictor, packed } = decoded;
  if (predictor !== undefined && rowBytes(predictor) !== row) {
    [bytes, predictor, packed] = [unpredict(bytes, predictor), undefined, undefined];
  }
  if (predictor !== undefined && decoded.parms) {
    const parms = copier.object("decodeParms", decoded.parms, place.at("DecodeParms"));
    if (parms) into.set(key("DecodeParms"), parms);
  }
  const needed = height * (predictor === undefined ? row : row + 1);
  const pixels = bytes.subarray(0, needed);
  if (predictor !== undefined) checkRows(pixels, row + 1, place);
  if (packed !== undefined && pixels.length === bytes.length) {
    into.set(key("Filter"), key("FlateDecode"));
    return packed;
  }
  return copier.pack(pixels, into);
}

const lastPredictor = 4;

/** Each row names how it is predicted. */
function checkRows(pixels: Buffer, step: number, place: Place): void {
  for (let at = 0; at < pixels.length; at += step) {
    if ((pixels[at] ?? 0) > lastPredictor) throw unreadable(place, "a row has an unknown predictor");
  }
}

interface ImageSize {
  width: number;
  height: number;
  bits: number;
  components: number | undefined;
}

export function sizeOf(reading: Reading, { dict }: PDFRawStream): ImageSize {
  const isMask = reading.boolean(dict, "ImageMask") === true;
  return {
    width: Math.max(0, Math.trunc(reading.number(dict, "Width") ?? 0)),
    height: Math.max(0, Math.trunc(reading.number(dict, "Height") ?? 0)),
    bits: isMask ? 1 : (reading.number(dict, "BitsPerComponent") ?? 8),
    components: isMask ? 1 : componentsOf(reading, reading.raw(dict, "ColorSpace")),
  };
}
