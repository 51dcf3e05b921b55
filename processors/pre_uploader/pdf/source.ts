import { withDocument, withPage } from "./pdfium.ts";
import type { Pdfium } from "./pdfium.ts";
import { readAnnotations, readPage } from "./reader.ts";
import type { Character, LiveAnnotation, PageContent } from "./reader.ts";

/** A PDF of the source case. Its pages are read when somebody asks for them: most have no redaction, and nobody does. */
export class SourcePdf {
  readonly bytes: Uint8Array;
  readonly pages: readonly PageContent[];
  readonly #pdfium: Pdfium;
  readonly #read = new Map<number, PageContent>();

  /**
   * @param wanted pages that are read at once, while the file is open: opening it may take longer than reading a page
   * @throws PermanentError PDF_EMPTY, PDF_PROTECTED, PDF_DAMAGED
   */
  constructor(pdfium: Pdfium, bytes: Uint8Array, wanted: Iterable<number> = []) {
    this.bytes = bytes;
    this.#pdfium = pdfium;
    const atOnce = new Set(wanted);
    this.pages = withDocument(pdfium, bytes, (document, count) =>
      Array.from({ length: count }, (_, index) => {
        const isRead = atOnce.has(index);
        if (!isRead && pdfium.EPDFPage_GetAnnotCountRaw(document, index) === 0) return this.#unread(index, []);
        return withPage(pdfium, document, index, (page) => {
          if (!isRead) return this.#unread(index, readAnnotations(pdfium, page));
          const content = readPage(pdfium, page);
          this.#read.set(index, content);
          return content;
        });
      }),
    );
  }

  #unread(index: number, annotations: readonly LiveAnnotation[]): PageContent {
    return new UnreadPage(annotations, () => this.#page(index));
  }

  /** Reads these pages while the file is open once. @throws PermanentError PDF_DAMAGED */
  read(indices: Iterable<number>): void {
    const wanted = [...new Set(indices)].filter((index) => index < this.pages.length && !this.#read.has(index));
    if (wanted.length === 0) return;
    withDocument(this.#pdfium, this.bytes, (document) => {
      for (const index of wanted) {
        this.#read.set(
          index,
          withPage(this.#pdfium, document, index, (page) => readPage(this.#pdfium, page)),
        );
      }
    });
  }

  /** Whoever asks for one that was not read asks for all of them. */
  #page(index: number): PageContent | undefined {
    if (!this.#read.has(index)) this.read(this.pages.keys());
    return this.#read.get(index);
  }
}

class UnreadPage implements PageContent {
  readonly annotations: readonly LiveAnnotation[];
  readonly #read: () => PageContent | undefined;

  constructor(annotations: readonly LiveAnnotation[], read: () => PageContent | undefined) {
    this.annotations = annotations;
    this.#read = read;
  }

  get text(): string {
    return this.#read()?.text ?? "";
  }

  get characters(): readonly Character[] {
    return this.#read()?.characters ?? [];
  }
}
