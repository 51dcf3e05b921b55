import { PDFArray, PDFDict, PDFName, PDFRawStream, PDFRef } from "@cantoo/pdf-lib";
import type { PDFContext, PDFObject } from "@cantoo/pdf-lib";
import { tooComplex } from "./faults.ts";
import { isContainer, reach, resolved, rootsOf, valuesOf } from "./graph.ts";
import type { Container } from "./graph.ts";

/** The kinds of objects that make up what a page draws, and the keys by which they hold each other. */
type Kind = keyof typeof parts;

const parts = {
  page: { Resources: "resources", Contents: "contents" },
  contents: { "*": "content" },
  content: {},
  resources: { XObject: "drawings", Pattern: "drawings", ExtGState: "states" },
  drawings: { "*": "drawing" },
  drawing: { Resources: "resources", SMask: "drawing", Mask: "drawing" },
  states: { "*": "state" },
  state: { SMask: "softMask" },
  softMask: { G: "drawing" },
} as const satisfies Record<string, Record<string, string>>;

/** Budgets of what is copied for pages that share it. */
const deepestNesting = 64;
const mostCopiedBytes = 256 * 1024 ** 2;

/** Keys of the structure tree that point to streams of pages: they follow no page, and share nothing. */
const structureKeys: ReadonlySet<string> = new Set(["Obj", "Stm", "StmOwn"]);

/** Gives pages of a file content streams, forms and pictures of their own. Fonts stay shared. */
export class Ownership {
  readonly #context: PDFContext;
  readonly #holders: ReadonlyMap<Container, number>;
  #copiedBytes = 0;

  constructor(context: PDFContext) {
    this.#context = context;
    this.#holders = holdersIn(context);
  }

  /**
   * Copies what a page draws and anything else holds as well.
   *
   * @returns the streams of forms and patterns that the page has to itself now
   * @throws PermanentError PDF_TOO_COMPLEX
   */
  separate(page: PDFDict): PDFRawStream[] {
    const copies = new Map<Container, PDFObject>();
    const drawings: PDFRawStream[] = [];
    const inherited = inheritedResources(page);
    const isInherited = inherited !== undefined && !page.has(PDFName.Resources);
    if (isInherited) page.set(PDFName.Resources, inherited);

    const own = (value: PDFObject, kind: Kind, isShared: boolean, depth: number): PDFObject => {
      if (depth > deepestNesting) throw tooComplex(`${deepestNesting} levels of forms within forms`);
      const target = resolved(this.#context, value);
      if (!isContainer(target) || !isOfKind(target, kind)) return value;
      const known = copies.get(target);
      if (known) return known;
      const isCopied = isShared || (this.#holders.get(target) ?? 0) > 1;
      const mine = isCopied ? this.#copy(target) : target;
      const held = isCopied && value instanceof PDFRef ? this.#context.register(mine) : isCopied ? mine : value;
      copies.set(target, held);
      if (mine instanceof PDFRawStream && kind === "drawing") drawings.push(mine);
      const kinds: Readonly<Record<string, Kind>> = parts[kind];
      const deeper = kind === "drawing" ? depth + 1 : depth;
      if (mine instanceof PDFArray) {
        mine.asArray().forEach((item, index) => {
          mine.set(index, own(item, "content", isCopied, deeper));
        });
        return held;
      }
      const dictionary = mine instanceof PDFRawStream ? mine.dict : (mine as PDFDict);
      for (const [key, item] of dictionary.entries()) {
        const next = kinds["*"] ?? kinds[key.decodeText()];
        if (next) dictionary.set(key, own(item, next, isCopied, deeper));
      }
      return held;
    };

    for (const [key, kind] of Object.entries(parts.page)) {
      const value = page.get(PDFName.of(key));
      if (value) page.set(PDFName.of(key), own(value, kind, isInherited && key === "Resources", 0));
    }
    return drawings;
  }

  #copy(container: Container): Container {
    if (container instanceof PDFRawStream) {
      this.#copiedBytes += container.contents.length;
      if (this.#copiedBytes > mostCopiedBytes) {
        throw tooComplex(`${mostCopiedBytes / 1024 ** 2} MiB of content that pages with redactions share`);
      }
      return PDFRawStream.of(container.dict.clone(this.#context), container.contents);
    }
    return container.clone(this.#context);
  }
}

/** Contents may be one stream or an array of them. */
function isOfKind(target: Container, kind: Kind): boolean {
  if (kind === "content") return target instanceof PDFRawStream;
  if (kind === "contents") return target instanceof PDFRawStream || target instanceof PDFArray;
  if (kind === "drawing") return target instanceof PDFRawStream;
  return target instanceof PDFDict;
}

function inheritedResources(page: PDFDict): PDFObject | undefined {
  const seen = new Set<PDFDict>();
  for (let node: PDFObject | undefined = page; node instanceof PDFDict && !seen.has(node);) {
    seen.add(node);
    const own: PDFObject | undefined = node.get(PDFName.Resources);
    if (own) return own;
    node = node.lookup(PDFName.Parent);
  }
  return undefined;
}

/** How often each object is held. */
function holdersIn(context: PDFContext): Map<Container, number> {
  const holders = new Map<Container, number>();
  for (const container of reach(context, rootsOf(context)).containers) {
    for (const { key, value } of valuesOf(container)) {
      const target = resolved(context, value);
      if (!isContainer(target) || (key !== undefined && structureKeys.has(key))) continue;
      holders.set(target, (holders.get(target) ?? 0) + 1);
    }
  }
  return holders;
}
