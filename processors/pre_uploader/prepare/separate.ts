import { deflateSync } from "node:zlib";
import { PDFArray, PDFDict, PDFName, PDFRawStream, PDFRef } from "@cantoo/pdf-lib";
import type { PDFContext, PDFObject } from "@cantoo/pdf-lib";
import { PermanentError } from "../../../contracts/errors.ts";
import { release } from "../pdf/memory.ts";
import { withDocument } from "../pdf/pdfium.ts";
import type { Pdfium } from "../pdf/pdfium.ts";
import { Budget, Place } from "../rebuild/faults.ts";
import { Reading } from "../rebuild/reading.ts";
import { assertSameLook, assertSameShape, parsed, saved, shapeOf, written } from "./document.ts";
import { tooComplex } from "./faults.ts";
import { dropUnreachable, reach, resolved, rootsOf } from "./graph.ts";
import { contentStream, withoutInlineImages } from "./inline-images.ts";
import type { Replaced } from "./inline-images.ts";
import { Ownership } from "./ownership.ts";
import { addToUnicode } from "./unicode.ts";

/** Budget of decoded content of the pages with redactions. */
const mostContentBytes = 256 * 1024 ** 2;

/** Budget of levels between the root of the page tree and a page. */
const deepestPageTree = 256;

/**
 * The same file, in which the given pages share no content stream, form or picture with anything else, and have no inline
 * images: Document Engine edits streams in place, for every page that has them, and leaves inline images as they are. Fonts
 * say which characters they draw, as far as that can be known.
 *
 * @param pageIndexes the pages with redactions, from 0
 * @throws PermanentError PDF_DAMAGED, PDF_TOO_COMPLEX, PDF_NOT_KEPT
 */
export async function separate(
  pdfium: Pdfium,
  bytes: Uint8Array,
  pageIndexes: ReadonlySet<number>,
): Promise<Uint8Array> {
  const source = withDocument(pdfium, bytes, (document, pages) => ({
    shape: shapeOf(pdfium, document, pages),
    rewritten: saved(pdfium, document, bytes.length),
  }));
  const numbers = pageNumbers(pdfium, source.rewritten);
  const context = parsed(source.rewritten);
  const pages = pagesOf(context, numbers, pageIndexes);
  const ownership = new Ownership(context);
  const contents = new Contents(context);
  const comparable: number[] = [];
  for (const [index, page] of pages) {
    const drawings = ownership.separate(page);
    if (replaceInlineImages(page, drawings, contents, new Place("content", index))) comparable.push(index);
  }
  addToUnicode(context);
  dropUnreachable(context, reach(context, rootsOf(context)));
  const result = await written(context);
  assertSameShape(pdfium, result, source.shape);
  assertSameLook(pdfium, source.rewritten, result, comparable);
  release(source.rewritten);
  return result;
}

/** The object number of each page, as PDFium counts them. */
function pageNumbers(pdfium: Pdfium, bytes: Uint8Array): number[] {
  return withDocument(pdfium, bytes, (document, pages) =>
    Array.from({ length: pages }, (_, index) => pdfium.EPDFDoc_GetPageObjectNumberByIndex(document, index)),
  );
}

/** The dictionaries of the pages, each its own: one that the page tree lists several times is copied. */
function pagesOf(context: PDFContext, numbers: readonly number[], wanted: ReadonlySet<number>): Map<number, PDFDict> {
  const found = new Map<number, PDFDict>();
  let leaves: Leaf[] | undefined;
  for (const index of [...wanted].filter((one) => one < numbers.length)) {
    const number = numbers[index] ?? 0;
    const page = context.lookup(PDFRef.of(number));
    if (!(page instanceof PDFDict))
      throw new PermanentError("PDF_DAMAGED", `page ${index + 1} of the PDF is no object`);
    const isRepeated = numbers.indexOf(number) !== numbers.lastIndexOf(number);
    found.set(index, isRepeated ? copyOfLeaf(context, (leaves ??= leavesOf(context)), numbers, index) : page);
  }
  return found;
}

interface Leaf {
  kids: PDFArray;
  place: number;
  number: number;
}

/** The pages of the page tree in their order. */
function leavesOf(context: PDFContext): Leaf[] {
  const leaves: Leaf[] = [];
  const seen = new Set<PDFObject>();
  const visit = (node: PDFObject | undefined, depth: number): void => {
    if (!(node instanceof PDFDict) || seen.has(node)) return;
    if (depth > deepestPageTree) throw tooComplex(`${deepestPageTree} levels of its page tree`);
    seen.add(node);
    const kids = node.lookup(PDFName.of("Kids"));
    if (!(kids instanceof PDFArray)) return;
    kids.asArray().forEach((kid, place) => {
      const target = resolved(context, kid);
      if (!(target instanceof PDFDict)) return;
      if (target.has(PDFName.of("Kids"))) visit(target, depth + 1);
      else leaves.push({ kids, place, number: kid instanceof PDFRef ? kid.objectNumber : 0 });
    });
  };
  const root = resolved(context, context.trailerInfo.Root);
  if (root instanceof PDFDict) visit(root.lookup(PDFName.of("Pages")), 0);
  return leaves;
}

function copyOfLeaf(context: PDFContext, leaves: readonly Leaf[], numbers: readonly number[], index: number): PDFDict {
  const leaf = leaves[index];
  const isSameOrder = leaves.length === numbers.length && leaves.every(({ number }, at) => number === numbers[at]);
  const page = leaf?.kids.lookup(leaf.place);
  if (!leaf || !isSameOrder || !(page instanceof PDFDict)) {
    const message = `page ${index + 1} of the PDF stands in its page tree several times: repair it in the source case`;
    throw new PermanentError("PDF_DAMAGED", message);
  }
  const copy = page.clone(context);
  leaf.kids.set(leaf.place, context.register(copy));
  return copy;
}

/** @returns whether the page can be compared with what it was: it had inline images, and PDFium draws all of it */
function replaceInlineImages(
  page: PDFDict,
  drawings: readonly PDFRawStream[],
  contents: Contents,
  place: Place,
): boolean {
  const { context } = page;
  const { reading } = contents;
  const resources = ownResources(page);
  const found: Replaced[] = [];
  const content = contents.ofPage(page, place);
  const replaced = content && withoutInlineImages(content, resources, reading, place);
  if (replaced) {
    page.set(PDFName.Contents, context.register(contentStream(context, replaced.content)));
    found.push(replaced);
  }
  for (const drawing of drawings) {
    const subtype = drawing.dict.lookup(PDFName.of("Subtype"));
    if (subtype === PDFName.of("Image")) continue;
    const own = drawing.dict.lookup(PDFName.Resources);
    const drawn = contents.of(drawing, place);
    const changed = drawn && withoutInlineImages(drawn, own instanceof PDFDict ? own : resources, reading, place);
    if (!changed) continue;
    drawing.dict.delete(PDFName.of("DecodeParms"));
    drawing.dict.set(PDFName.of("Filter"), PDFName.FlateDecode);
    drawing.updateContents(deflateSync(changed.content));
    found.push(changed);
  }
  return found.length > 0 && !found.some(({ hasJpeg }) => hasJpeg);
}

/** The resources of a page, as a dictionary of its own. */
function ownResources(page: PDFDict): PDFDict {
  const own = page.lookup(PDFName.Resources);
  if (own instanceof PDFDict) return own;
  const made = page.context.obj({});
  page.set(PDFName.Resources, made);
  return made;
}

/** What content streams hold, within a budget for all of them. */
class Contents {
  readonly reading: Reading;
  #bytes = 0;

  constructor(context: PDFContext) {
    this.reading = new Reading(context, new Budget());
  }

  /** Of a page, one stream after the other; undefined when one of them cannot be read. */
  ofPage(page: PDFDict, place: Place): Buffer | undefined {
    const contents = page.lookup(PDFName.Contents);
    const streams = contents instanceof PDFArray ? contents.asArray().map((_, at) => contents.lookup(at)) : [contents];
    const pieces: Buffer[] = [];
    for (const stream of streams) {
      if (!(stream instanceof PDFRawStream)) continue;
      const piece = this.of(stream, place);
      if (!piece) return undefined;
      pieces.push(piece, Buffer.from("\n"));
    }
    return Buffer.concat(pieces);
  }

  /** Undefined when the stream is damaged, or packed in a way that only pictures are. */
  of(stream: PDFRawStream, place: Place): Buffer | undefined {
    let content: Buffer;
    try {
      content = this.reading.decode(stream, place);
    } catch (cause) {
      if (cause instanceof PermanentError && cause.code === "PDF_UNREADABLE_PART") return undefined;
      throw cause;
    }
    this.#bytes += content.length;
    if (this.#bytes > mostContentBytes) {
      throw tooComplex(`${mostContentBytes / 1024 ** 2} MiB of content on pages with redactions`);
    }
    return content;
  }
}
