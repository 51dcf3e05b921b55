import type { PDFObject } from "mupdf";

/** Bytes of the contents to be replaced. */
export interface Edit {
  start: number;
  end: number;
  replacement: string;
}

interface Part {
  stream: PDFObject;
  start: number;
  bytes: Uint8Array;
}

/** The streams that hold the contents of a page or a form, read as one, and changed in place. */
export class ContentStreams {
  readonly #parts: Part[] = [];
  readonly bytes: Uint8Array;

  constructor(contents: PDFObject) {
    const streams = contents.isArray()
      ? Array.from({ length: contents.length }, (_, at) => contents.get(at))
      : [contents];
    let start = 0;
    for (const stream of streams.filter((item) => item.isStream())) {
      const bytes = bytesOf(stream);
      this.#parts.push({ stream, start, bytes });
      // Words do not run from one stream into the next.
      start += bytes.length + 1;
    }
    this.bytes = Buffer.concat(this.#parts.flatMap(({ bytes }) => [bytes, Buffer.from("\n")]));
  }

  /** @param given without overlap */
  apply(given: readonly Edit[]): void {
    if (!given.length) return;
    const edits = given.toSorted((one, other) => one.start - other.start);
    const written = new Set<number>();
    for (const { stream, start, bytes } of this.#parts) {
      const end = start + bytes.length;
      const own = edits.filter((edit) => edit.start <= end && edit.end > start);
      // A stream that stands twice in the list of a page is changed once.
      if (!own.length || written.has(stream.asIndirect())) continue;
      written.add(stream.asIndirect());
      const pieces: Uint8Array[] = [];
      let at = start;
      for (const edit of own) {
        if (edit.start >= start && edit.start < at) continue;
        if (edit.start > at) pieces.push(this.bytes.subarray(at, edit.start));
        if (edit.start >= start) pieces.push(Buffer.from(edit.replacement, "latin1"));
        at = Math.max(at, edit.end);
      }
      if (at < end) pieces.push(this.bytes.subarray(at, end));
      stream.writeStream(Buffer.concat(pieces));
    }
  }
}

function bytesOf(stream: PDFObject): Uint8Array {
  try {
    const buffer = stream.readStream();
    const bytes = Uint8Array.from(buffer.asUint8Array());
    buffer.destroy();
    return bytes;
  } catch {
    return new Uint8Array();
  }
}
