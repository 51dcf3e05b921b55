/** JPEG (ITU-T T.81, annex B): the segments that make the picture; comments, EXIF, XMP and thumbnails go. */
import { FilterFault } from "./filters.ts";

const [startOfImage, endOfImage, startOfScan, jfif, adobe, comment] = [0xd8, 0xd9, 0xda, 0xe0, 0xee, 0xfe];
const [noThumbnail, adobeBytes] = [14, 12];

/** @throws FilterFault where it has no picture */
export function withoutApplicationData(image: Buffer): Buffer {
  const start = image.indexOf(Buffer.from([0xff, startOfImage]));
  if (start < 0) throw new FilterFault("it is no JPEG image");
  const parts: Buffer[] = [Buffer.from([0xff, startOfImage])];
  let hasScan = false;
  let at = start + 2;
  while (at < image.length) {
    if (image[at] !== 0xff) {
      at++;
      continue;
    }
    const marker = image[at + 1] ?? endOfImage;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === endOfImage) break;
    if (isAlone(marker)) {
      at += 2;
      continue;
    }
    if (at + 4 > image.length) break;
    const end = at + 2 + image.readUInt16BE(at + 2);
    if (end < at + 4) throw new FilterFault("a segment of its JPEG image has no length");
    if (end > image.length) break;
    parts.push(...kept(marker, image.subarray(at, end)));
    at = end;
    if (marker !== startOfScan) continue;
    hasScan = true;
    const scanEnd = endOfScan(image, at);
    parts.push(image.subarray(at, scanEnd));
    at = scanEnd;
  }
  if (!hasScan) throw new FilterFault("its JPEG image has no picture");
  return Buffer.concat([...parts, Buffer.from([0xff, endOfImage])]);
}

/** Markers without a length: restarts, start of image, temporary use. */
function isAlone(marker: number): boolean {
  return marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= startOfImage);
}

function kept(marker: number, segment: Buffer): Buffer[] {
  if (marker === jfif) {
    const isJfif = segment.toString("latin1", 4, 9) === "JFIF\0" && segment.length >= 4 + noThumbnail;
    if (!isJfif) return [];
    const short = Buffer.from(segment.subarray(0, 4 + noThumbnail));
    short.writeUInt16BE(2 + noThumbnail, 2);
    short.fill(0, 2 + noThumbnail);
    return [short];
  }
  if (marker === adobe) {
    if (segment.toString("latin1", 4, 9) !== "Adobe" || segment.length < 4 + adobeBytes) return [];
    const short = Buffer.from(segment.subarray(0, 4 + adobeBytes));
    short.writeUInt16BE(2 + adobeBytes, 2);
    return [short];
  }
  const isPicture = (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8) || (marker >= 0xda && marker <= 0xdf);
  return isPicture && marker !== comment ? [segment] : [];
}

/** Where the packed pixels of a scan end: at the next marker that is no restart. */
function endOfScan(image: Buffer, from: number): number {
  for (let at = image.indexOf(0xff, from); at >= 0; at = image.indexOf(0xff, at + 1)) {
    const next = image[at + 1];
    if (next === undefined) return at;
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at;
  }
  return image.length;
}
