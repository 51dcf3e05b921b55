import { Buffer } from "node:buffer";

/** Bytes at the end of a file in which readers look for the place of the cross-reference table. */
const tailBytes = 1024;

/** Whether a file begins and ends as it should, and its end points to a cross-reference table or stream. */
export function isIntact(bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (file.toString("latin1", 0, 5) !== "%PDF-") return false;
  const tail = file.toString("latin1", Math.max(0, file.length - tailBytes));
  const [, place] = [...tail.matchAll(/startxref\s+(\d+)\s+%%EOF/g)].at(-1) ?? [];
  if (place === undefined) return false;
  const from = Number(place);
  return /^\s*(?:xref\b|\d+\s+\d+\s+obj\b)/.test(file.toString("latin1", from, from + 64));
}
