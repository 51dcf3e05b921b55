import { deflateSync } from "node:zlib";
import { PDFArray, PDFDict, PDFName, PDFRawStream, PDFRef } from "@cantoo/pdf-lib";
import type { PDFContext, PDFObject } from "@cantoo/pdf-lib";
import { PermanentError } from "../../../contracts/errors.ts";
import { decodedContent } from "../content/decode.ts";
import { tooComplex } from "../content/tokenizer.ts";
import { release } from "../pdf/memory.ts";
import { withDocument } from "../pdf/pdfium.ts";
import type { Pdfium } from "../pdf/pdfium.ts";
import { assertSameLook, assertSameShape, parsed, saved, shapeOf, written } from "./document.ts";
import { dropUnreachable, reach, resolved, rootsOf } from "./graph.ts";
import { contentStream, withoutInlineImages } from "./inline_images.ts";
import type { Replaced } from "./inline_images.ts";
import { Ownership } from "./ownership.ts";

/** Budget of decoded content of the pages with redactions. */
const mostContentBytes = 256 * 1024 ** 2;

/** Budget of levels between the root of the page tree and a page. */
const deepestPageTree = 256;

/**
 * The same file, in which the given pages share no content stream, form or picture with anything else, and have no inline
 * images: Document Engine edits streams in place, for every page that has them, and leaves inline images as they are.
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
  const budget = { bytes: mostContentBytes };
  const comparable: number[] = [];
  for (const [index, page] of pages) {
    const drawings = ownership.separate(page);
    if (replaceInlineImages(page, drawings, budget)) comparable.push(index);
  }
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
function replaceInlineImages(page: PDFDict, drawings: readonly PDFRawStream[], budget: { bytes: number }): boolean {
  const { context } = page;
  const resources = ownResources(page);
  const found: Replaced[] = [];
  const content = contentOf(page, budget);
  const replaced = content && withoutInlineImages(content, resources);
  if (replaced) {
    page.set(PDFName.Contents, context.register(contentStream(context, replaced.content)));
    found.push(replaced);
  }
  for (const drawing of drawings) {
    const subtype = drawing.dict.lookup(PDFName.of("Subtype"));
    if (subtype === PDFName.of("Image")) continue;
    const own = drawing.dict.lookup(PDFName.Resources);
    const drawn = decodedWithin(drawing, budget);
    const changed = drawn && withoutInlineImages(drawn, own instanceof PDFDict ? own : resources);
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

/** What a page's content streams hold one after the other; undefined when one of them cannot be read. */
function contentOf(page: PDFDict, budget: { bytes: number }): Uint8Array | undefined {
  const contents = page.lookup(PDFName.Contents);
  const streams = contents instanceof PDFArray ? contents.asArray().map((_, at) => contents.lookup(at)) : [contents];
  const pieces: Uint8Array[] = [];
  for (const stream of streams) {
    if (!(stream instanceof PDFRawStream)) continue;
    const piece = decodedWithin(stream, budget);
    if (!piece) return undefined;
    pieces.push(piece, Buffer.from("\n"));
  }
  return Buffer.concat(pieces);
}

function decodedWithin(stream: PDFRawStream, budget: { bytes: number }): Uint8Array | undefined {
  try {
    const content = decodedContent(stream, budget.bytes);
    budget.bytes -= content?.length ?? 0;
    return content;
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw tooComplex(`${mostContentBytes / 1024 ** 2} MiB of content on pages with redactions`);
  }
}
