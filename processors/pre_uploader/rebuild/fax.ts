/** CCITT Group 4 images (ITU-T T.6): what stands behind their end is no part of the picture. */

/** Twice the end of a line, which no code of a picture contains. */
const endOfBlock = 0x001001;

/** @param k the parameter K of the filter: below zero for Group 4, the only kind whose end is unmistakable */
export function withoutTrailer(image: Buffer, k: number): Buffer {
  if (k >= 0) return image;
  let bits = 0xffffff;
  for (let at = 0; at < image.length; at++) {
    for (let bit = 7; bit >= 0; bit--) {
      bits = ((bits << 1) | (((image[at] ?? 0) >> bit) & 1)) & 0xffffff;
      if (bits !== endOfBlock) continue;
      const whole = Buffer.from(image.subarray(0, at + 1));
      whole[at] = ((whole[at] ?? 0) >> bit) << bit;
      return whole;
    }
  }
  return image;
}

const shortestText = 4;

/** What may be read as text in bytes of any kind. */
export function textsIn(bytes: Buffer): string[] {
  return bytes.toString("latin1").match(new RegExp(`[ -~\\xa0-\\xff]{${shortestText},}`, "g")) ?? [];
}
