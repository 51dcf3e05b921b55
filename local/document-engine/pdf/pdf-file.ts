import { PDFDocument, type Matrix } from "mupdf";
import type { AnnotationContent, CommentContent } from "../content.ts";
import { badRequest, Refusal } from "../refusal.ts";
import { dropCatalogKeys } from "./catalog.ts";
import { drawAnnotation, drawReply, type Attachment } from "./draw.ts";
import { extractAnnotations, type Extracted } from "./extract.ts";
import { installFallbackFonts } from "./fallback-fonts.ts";
import { flatten } from "./flatten.ts";
import type { Box } from "./geometry.ts";
import {
  annotationObjects,
  eachPage,
  numbersIn,
  onPage,
  reverseAnnotations,
  setAnnotations,
  withDependents,
} from "./objects.ts";
import { pagesOf, parse, restore, straighten, type Irregular } from "./input.ts";
import { applyRedactions, outlineEmpty, type EmptyRedactions } from "./redact.ts";
import { findText, textLines, type TextLine } from "./text.ts";

export type { Attachment } from "./draw.ts";
export type { Extracted } from "./extract.ts";
export type { TextLine } from "./text.ts";
export { damaged, isOfLibrary } from "./input.ts";

installFallbackFonts();

interface PageInfo {
  width: number;
  height: number;
  rotation: number;
  matrix: Matrix;
  boxes: { mediaBox: number[]; cropBox: number[] };
}

/** What the stand-in asks of a PDF library. This file and its folder are the only ones that know which one it is. */
export class PdfFile {
  readonly #pdf: PDFDocument;
  #irregular: readonly Irregular[] = [];
  #emptyRedactions: readonly EmptyRedactions[] = [];

  private constructor(pdf: PDFDocument) {
    this.#pdf = pdf;
  }

  /** @throws Refusal when the bytes are no PDF, or the password is missing or wrong */
  static open(bytes: Uint8Array, password?: string): PdfFile {
    const pdf = parse(bytes);
    if (pdf.needsPassword() && !(password !== undefined && pdf.authenticatePassword(password))) {
      pdf.destroy();
      const reason = password === undefined ? "is protected: send its password" : "does not open with this password";
      throw new Refusal(403, "INVALID_PASSWORD", `INVALID_PASSWORD: the PDF ${reason}`);
    }
    const file = new PdfFile(pdf);
    if (pagesOf(pdf) === 0) {
      file.close();
      throw badRequest("INVALID_PDF", "Document contains no pages.");
    }
    file.#irregular = straighten(pdf);
    return file;
  }

  /** Whether bytes are a PDF that wants a password before it shows anything. */
  static isProtected(bytes: Uint8Array): boolean {
    const pdf = parse(bytes);
    const answer = pdf.needsPassword();
    pdf.destroy();
    return answer;
  }

  /** One file of the pages of several, with what is alive on them. */
  static merge(files: readonly PdfFile[]): PdfFile {
    const merged = new PDFDocument();
    for (const file of files) restore(file.#irregular);
    for (const { pageCount, ...file } of files.map((file) => ({ pageCount: file.pageCount, pdf: file.#pdf }))) {
      const map = merged.newGraftMap();
      for (let index = 0; index < pageCount; index++) {
        map.graftPage(-1, file.pdf, index);
        onPage(file.pdf, index, (page) => {
          const objects = annotationObjects(file.pdf, page);
          // The way back to its page would bring the whole old file along.
          for (const object of objects) object.delete("P");
          onPage(merged, merged.countPages() - 1, (target) =>
            setAnnotations(
              merged,
              target,
              objects.map((object) => map.graftObject(object)),
            ),
          );
        });
      }
    }
    const whole = new PdfFile(merged);
    whole.#irregular = straighten(merged);
    return whole;
  }

  get pageCount(): number {
    return this.#pdf.countPages();
  }

  get title(): string | undefined {
    return this.metadata("Title");
  }

  metadata(key: "Title" | "Author" | "Subject" | "Keywords" | "Producer" | "Creator"): string | undefined {
    return this.#pdf.getMetaData(`info:${key}`) || undefined;
  }

  setMetadata(key: "Title" | "Author", value: string): void {
    this.#pdf.setMetaData(`info:${key}`, value);
  }

  pageInfo(index: number): PageInfo {
    return onPage(this.#pdf, index, (page) => {
      const [left, top, right, bottom] = page.getBounds();
      const object = page.getObject();
      const rotate = object.getInheritable("Rotate");
      const mediaBox = numbersIn(object.getInheritable("MediaBox"));
      const cropBox = numbersIn(object.getInheritable("CropBox"));
      return {
        width: right - left,
        height: bottom - top,
        rotation: rotate.isNumber() ? ((rotate.asNumber() % 360) + 360) % 360 : 0,
        matrix: page.getTransform(),
        boxes: { mediaBox, cropBox: cropBox.length ? cropBox : mediaBox },
      };
    });
  }

  /** @throws RangeError for a page that is not there */
  text(pageIndex: number): TextLine[] {
    return textLines(this.#pdf, pageIndex);
  }

  find(pageIndex: number, pattern: RegExp): Box[][] {
    return findText(this.#pdf, pageIndex, pattern);
  }

  annotations(): Extracted[] {
    return extractAnnotations(this.#pdf);
  }

  /** The numbers of all annotations that are alive in the file, also of those that Instant JSON does not know. */
  objectNumbers(): Set<number> {
    const numbers = new Set<number>();
    eachPage(this.#pdf, (page) => {
      for (const object of annotationObjects(this.#pdf, page)) numbers.add(object.asIndirect());
    });
    return numbers;
  }

  /** Takes annotations out, with the answers to them. */
  remove(numbers: ReadonlySet<number>): void {
    if (!numbers.size) return;
    eachPage(this.#pdf, (page) => {
      const objects = annotationObjects(this.#pdf, page);
      const gone = withDependents(objects, numbers);
      const left = objects.filter((object) => !gone.has(object.asIndirect()));
      if (left.length < objects.length) setAnnotations(this.#pdf, page, left);
    });
  }

  /** Puts live annotations on their pages. Returns their object numbers, in the order given. */
  add(annotations: readonly AnnotationContent[], attachment: (id: string) => Attachment | undefined): number[] {
    const numbers: number[] = new Array<number>(annotations.length).fill(0);
    const byPage = Map.groupBy(annotations.entries(), ([, { pageIndex }]) => pageIndex);
    for (const [pageIndex, entries] of byPage) {
      onPage(this.#pdf, pageIndex, (page) => {
        for (const [at, content] of entries) numbers[at] = drawAnnotation(this.#pdf, page, content, attachment);
      });
    }
    return numbers;
  }

  /** Hangs the comments of a thread on its root. */
  addComments(root: { number: number; content: AnnotationContent }, comments: readonly CommentContent[]): void {
    onPage(this.#pdf, root.content.pageIndex, (page) => {
      for (const comment of comments) {
        drawReply(page, root.number, root.content.bbox, comment);
      }
    });
  }

  applyRedactions(): void {
    this.#emptyRedactions = applyRedactions(this.#pdf);
  }

  flatten(which: ReadonlySet<number> | "all"): void {
    flatten(this.#pdf, which);
    if (which !== "all") return;
    outlineEmpty(this.#pdf, this.#emptyRedactions);
    this.#emptyRedactions = [];
  }

  /** Keeps the pages from `start` to `end`, both included; negative ones count from the last. */
  keepPages(start: number, end: number): void {
    const count = this.pageCount;
    const from = start < 0 ? count + start : start;
    const to = end < 0 ? count + end : end;
    if (from < 0 || to >= count || from > to) {
      throw badRequest("INVALID_PAGES", `pages ${start} to ${end} are not in a document of ${count} pages`);
    }
    this.#pdf.rearrangePages(Array.from({ length: to - from + 1 }, (_, index) => from + index));
  }

  /** Leaves out of the file what the engine core loses with every operation: see {@link dropCatalogKeys}. */
  loseCatalogKeys(): void {
    dropCatalogKeys(this.#pdf);
  }

  /**
   * The whole file anew: nothing of former revisions and nothing that no page needs is in it; an encrypted file stays so.
   * @param keepNumbers whether the objects keep their numbers and annotations their order, which a file that leaves the
   * engine does not
   */
  save({ keepNumbers = false } = {}): Uint8Array {
    if (!keepNumbers) {
      reverseAnnotations(this.#pdf);
      this.#pdf.setMetaData("info:Producer", "PSPDFKit");
    }
    restore(this.#irregular);
    const buffer = this.#pdf.saveToBuffer(keepNumbers ? "garbage=1,compress" : "garbage=2,compress");
    const bytes = Uint8Array.from(buffer.asUint8Array());
    buffer.destroy();
    return bytes;
  }

  close(): void {
    this.#pdf.destroy();
  }
}
