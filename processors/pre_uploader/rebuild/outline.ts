/** Bookmarks and page labels, put back from the source where they do not quote. */
import { PDFDict, PDFHexString, PDFNumber } from "@cantoo/pdf-lib";
import type { PDFContext, PDFObject, PDFRef } from "@cantoo/pdf-lib";
import type { Copier } from "./copier.ts";
import { setTarget } from "./destinations.ts";
import type { Destinations } from "./destinations.ts";
import { limits, Place, tooComplex } from "./faults.ts";
import { treeEntries } from "./pages.ts";
import { key } from "./reading.ts";
import type { Reading } from "./reading.ts";

interface Bookmark {
  title: string;
  source: PDFDict;
  isOpen: boolean;
  children: Bookmark[];
}

interface OutlineJob {
  reading: Reading;
  catalog: PDFDict;
  target: PDFContext;
  destinations: Destinations;
  isQuoting: (text: string) => boolean;
}

/** The outline of the new document; what quotes is left out, and what is below it moves up. */
export function copyOutline(job: OutlineJob): { outlines: PDFRef | undefined; removed: number } {
  const { reading, catalog, target, isQuoting } = job;
  const root = reading.dictionary(catalog, "Outlines");
  const visited = new Set<PDFObject>();
  let removed = 0;
  const read = (first: PDFObject | undefined, depth: number): Bookmark[] => {
    if (depth > limits.nesting) throw tooComplex("nesting", new Place("bookmarks"));
    const bookmarks: Bookmark[] = [];
    let source = reading.resolve(first);
    while (source instanceof PDFDict && !visited.has(source)) {
      visited.add(source);
      reading.budget.spend("objects", 1, new Place("bookmarks"));
      const title = reading.text(source, "Title") ?? "";
      const children = read(reading.raw(source, "First"), depth + 1);
      if (isQuoting(title)) {
        removed++;
        bookmarks.push(...children);
      } else bookmarks.push({ title, source, isOpen: (reading.number(source, "Count") ?? 0) > 0, children });
      source = reading.get(source, "Next");
    }
    return bookmarks;
  };
  const bookmarks = root ? read(reading.raw(root, "First"), 0) : [];
  if (bookmarks.length === 0) return { outlines: undefined, removed };
  const outlines = target.nextRef();
  const dict = target.obj({ Type: "Outlines" });
  write(job, bookmarks, outlines, dict);
  dict.set(key("Count"), PDFNumber.of(countShown(bookmarks)));
  target.assign(outlines, dict);
  return { outlines, removed };
}

function countShown(bookmarks: readonly Bookmark[]): number {
  return bookmarks.reduce((sum, { isOpen, children }) => sum + 1 + (isOpen ? countShown(children) : 0), 0);
}

function write(job: OutlineJob, bookmarks: readonly Bookmark[], parent: PDFRef, into: PDFDict): void {
  const { target, destinations } = job;
  const references = bookmarks.map(() => target.nextRef());
  const link = (dict: PDFDict, name: string, reference: PDFRef | undefined) => {
    if (reference) dict.set(key(name), reference);
  };
  link(into, "First", references[0]);
  link(into, "Last", references.at(-1));
  for (const [index, { title, source, isOpen, children }] of bookmarks.entries()) {
    const dict = target.obj({ Title: PDFHexString.fromText(title), Parent: parent });
    link(dict, "Prev", references[index - 1]);
    link(dict, "Next", references[index + 1]);
    setTarget(dict, destinations.target(source));
    const reference = references[index] ?? parent;
    if (children.length > 0) {
      write(job, children, reference, dict);
      const count = countShown(children);
      dict.set(key("Count"), PDFNumber.of(isOpen ? count : -count));
    }
    target.assign(reference, dict);
  }
}

/** The labels of the pages, in one list. @param copier copies from the source */
export function copyPageLabels(copier: Copier, catalog: PDFDict, pages: number): PDFDict | undefined {
  const { reading, target } = copier;
  const labels = treeEntries(reading, reading.raw(catalog, "PageLabels"), "Nums").flatMap(([first, raw]) => {
    const number = first instanceof PDFNumber ? first.asNumber() : -1;
    const label = Number.isInteger(number) && number >= 0 && number < pages ? copyLabel(copier, raw) : undefined;
    return label ? [[number, label] as const] : [];
  });
  if (labels.length === 0) return undefined;
  const sorted = [...new Map(labels)].sort(([one], [other]) => one - other);
  return target.obj({ Nums: target.obj(sorted.flat()) });
}

function copyLabel(copier: Copier, raw: PDFObject): PDFDict | undefined {
  const source = copier.reading.resolve(raw);
  if (!(source instanceof PDFDict)) return undefined;
  const into = copier.target.obj({});
  copier.copyKeys("pageLabel", source, into, new Place("page label"));
  return into;
}
