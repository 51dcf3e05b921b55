/** Files as PDFium reads and writes them: piece by piece, because its own memory grows by every copy and never shrinks. */
import { heapOf, withMemory } from "./memory.ts";
import type { Pdfium } from "./memory.ts";

/** What is open at an address of PDFium's memory, where its functions find the structure that names our own functions. */
interface Files {
  read: Map<number, Uint8Array>;
  written: Map<number, GrowingFile>;
  /** Numbers of our functions in PDFium's table. */
  readBlock: number;
  writeBlock: number;
}

/** Takes functions of ours, each with the letters of its result and its parameters: `i` is a number. */
interface FunctionTable {
  addFunction: (called: (...numbers: number[]) => number, signature: string) => number;
}

const filesOfPdfium = new WeakMap<Pdfium, Files>();

function filesOf(pdfium: Pdfium): Files {
  const known = filesOfPdfium.get(pdfium);
  if (known) return known;
  // The types of the library leave out where this function comes from.
  const module = pdfium.pdfium as unknown as FunctionTable;
  const [read, written] = [new Map<number, Uint8Array>(), new Map<number, GrowingFile>()];
  const readBlock = module.addFunction((file = 0, position = 0, buffer = 0, size = 0) => {
    // The numbers are unsigned in PDFium.
    const [start, bytes] = [position >>> 0, read.get(file)];
    if (bytes === undefined || start + (size >>> 0) > bytes.length) return 0;
    heapOf(pdfium).set(bytes.subarray(start, start + (size >>> 0)), buffer >>> 0);
    return 1;
  }, "iiiii");
  const writeBlock = module.addFunction((file = 0, data = 0, size = 0) => {
    written.get(file)?.add(heapOf(pdfium).subarray(data >>> 0, (data >>> 0) + (size >>> 0)));
    return 1;
  }, "iiii");
  const files = { read, written, readBlock, writeBlock };
  filesOfPdfium.set(pdfium, files);
  return files;
}

/** Lends a structure from which PDFium reads a file, as long as `use` runs. */
export function withReadable<Result>(pdfium: Pdfium, bytes: Uint8Array, use: (address: number) => Result): Result {
  const { read, readBlock } = filesOf(pdfium);
  return withStructure(pdfium, 3, (address, words) => {
    words([bytes.length, readBlock, address]);
    read.set(address, bytes);
    try {
      return use(address);
    } finally {
      read.delete(address);
    }
  });
}

/** What PDFium writes into the structure that `write` is given. @param likely about how many bytes these are */
export function writtenBy(pdfium: Pdfium, likely: number, write: (address: number) => boolean): Uint8Array | undefined {
  const { written, writeBlock } = filesOf(pdfium);
  return withStructure(pdfium, 2, (address, words) => {
    const file = new GrowingFile(likely);
    words([1, writeBlock]);
    written.set(address, file);
    try {
      return write(address) ? file.content : undefined;
    } finally {
      written.delete(address);
    }
  });
}

function withStructure<Result>(
  pdfium: Pdfium,
  count: number,
  use: (address: number, words: (values: number[]) => void) => Result,
): Result {
  return withMemory(pdfium, count * Uint32Array.BYTES_PER_ELEMENT, (address) =>
    use(address, (values) => {
      new Uint32Array(heapOf(pdfium).buffer, address, count).set(values);
    }),
  );
}

/** A file that is written from its beginning. What is set aside and not written takes no memory. */
class GrowingFile {
  #bytes: Uint8Array;
  #length = 0;

  constructor(likely: number) {
    this.#bytes = new Uint8Array(likely);
  }

  add(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.ceil(1.5 * length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = length;
  }

  get content(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}
