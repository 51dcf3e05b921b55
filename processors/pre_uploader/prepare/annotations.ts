import { PDFArray, PDFDict, PDFName, PDFNull } from "@cantoo/pdf-lib";
import type { PDFContext, PDFObject } from "@cantoo/pdf-lib";
import { PermanentError } from "../../../contracts/errors.ts";
import { dropUnreachable, isContainer, reach, resolved, rootsOf, valuesOf } from "./graph.ts";
import type { Container, IsIgnored } from "./graph.ts";

/** The kinds that Document Engine carries, and their popups. */
const kinds: ReadonlySet<string> = new Set(["Text", "FreeText", "Highlight", "Stamp", "Redact", "Popup"]);

/**
 * Takes the annotations of the kinds that Document Engine carries out of a file: themselves, what only they hold (appearance streams,
 * attached files, replies), the elements of the structure tree that stand for them, and every reference to any of it.
 * Of the file only what is still held is left.
 *
 * @throws PermanentError PDF_NOT_KEPT when one is still there
 */
export function removeAnnotations(context: PDFContext): void {
  const before = reach(context, rootsOf(context));
  const annotations = annotationsIn(context, before.containers);
  const removed = new Set<Container>([...annotations, ...ownedBy(context, annotations)]);
  removeEmptied(context, before.containers, removed);
  for (const container of before.containers) {
    if (!removed.has(container)) cutReferences(context, container, removed);
  }
  const after = reach(context, rootsOf(context));
  dropUnreachable(context, after);
  const left = [...after.containers].filter((container) => removed.has(container)).length;
  const found = annotationsIn(context, after.containers).size;
  if (left + found === 0) return;
  throw new PermanentError(
    "PDF_NOT_KEPT",
    `${left + found} parts of annotations cannot be taken out of the PDF: remove its annotations in the source case`,
  );
}

/** Dictionaries that are annotations by their own keys or by being listed as one. */
function annotationsIn(context: PDFContext, containers: Iterable<Container>): Set<Container> {
  const found = new Set<Container>();
  for (const container of containers) {
    if (!(container instanceof PDFDict)) continue;
    if (isAnnotation(container)) found.add(container);
    const listed = resolved(context, container.get(PDFName.of("Annots")));
    if (!(listed instanceof PDFArray)) continue;
    for (const item of listed.asArray()) {
      const one = resolved(context, item);
      if (one instanceof PDFDict && isOfKind(one)) found.add(one);
    }
  }
  return found;
}

function isAnnotation(dictionary: PDFDict): boolean {
  const type = nameIn(dictionary, "Type");
  return isOfKind(dictionary) && (type === "Annot" || (type === undefined && dictionary.has(PDFName.of("Rect"))));
}

function isOfKind(dictionary: PDFDict): boolean {
  return kinds.has(nameIn(dictionary, "Subtype") ?? "");
}

function nameIn(dictionary: PDFDict, key: string): string | undefined {
  const value = dictionary.lookup(PDFName.of(key));
  return value instanceof PDFName ? value.decodeText() : undefined;
}

/** What is held by these annotations and by nothing else that would make it a part of the document. */
function ownedBy(context: PDFContext, annotations: ReadonlySet<Container>): Container[] {
  const isIndex = indexesOf(context);
  const elsewhere = reach(context, rootsOf(context), annotations, isIndex).containers;
  const held = reach(context, annotations, new Set(), isIndex).containers;
  return [...held].filter((container) => !elsewhere.has(container));
}

/** Keys by which the structure tree points to annotations and to streams. */
const structureKeys: ReadonlySet<string> = new Set(["Obj", "Stm", "StmOwn"]);

/** The lists of a document that name what belongs to something else: to be listed does not make it a part by itself. */
function indexesOf(context: PDFContext): IsIgnored {
  const leaves = new Set<PDFObject>();
  const names = lookupDict(context, lookupDict(context, context.trailerInfo.Root)?.get(PDFName.of("Names")));
  const open = ["EmbeddedFiles", "AP"].map((key) => names?.get(PDFName.of(key)));
  const seen = new Set<PDFDict>();
  while (open.length > 0) {
    const node = lookupDict(context, open.pop());
    if (!node || seen.has(node)) continue;
    seen.add(node);
    const [leaf, kids] = [node.lookup(PDFName.of("Names")), node.lookup(PDFName.of("Kids"))];
    if (leaf instanceof PDFArray) leaves.add(leaf);
    if (kids instanceof PDFArray) open.push(...kids.asArray());
  }
  return (holder, key) => leaves.has(holder) || (key !== undefined && structureKeys.has(key));
}

function lookupDict(context: PDFContext, value: PDFObject | undefined): PDFDict | undefined {
  const target = resolved(context, value);
  return target instanceof PDFDict ? target : undefined;
}

/** Adds to `removed` the elements of the structure tree that stand for nothing but what is removed. */
function removeEmptied(context: PDFContext, containers: Iterable<Container>, removed: Set<Container>): void {
  const parents = new Map<Container, PDFDict[]>();
  const kidsLeft = new Map<PDFDict, Set<PDFObject>>();
  const open: Container[] = [...removed];
  for (const parent of containers) {
    if (!(parent instanceof PDFDict)) continue;
    const kids = kidsOf(context, parent);
    if (kids.length === 0) continue;
    kidsLeft.set(parent, new Set(kids));
    for (const kid of kids.filter(isContainer)) {
      const others = parents.get(kid);
      if (others) others.push(parent);
      else parents.set(kid, [parent]);
      if (!(kid instanceof PDFDict) || !pointsTo(context, kid, removed)) continue;
      removed.add(kid);
      open.push(kid);
    }
  }
  for (let gone = open.pop(); gone !== undefined; gone = open.pop()) {
    for (const parent of parents.get(gone) ?? []) {
      const left = kidsLeft.get(parent);
      left?.delete(gone);
      if (left?.size !== 0 || removed.has(parent) || nameIn(parent, "Type") === "StructTreeRoot") continue;
      removed.add(parent);
      open.push(parent);
    }
  }
}

function kidsOf(context: PDFContext, element: PDFDict): PDFObject[] {
  const kids = element.lookup(PDFName.of("K"));
  if (kids instanceof PDFArray) return kids.asArray().map((kid) => resolved(context, kid) ?? PDFNull);
  return kids === undefined ? [] : [kids];
}

function pointsTo(context: PDFContext, kid: PDFDict, removed: ReadonlySet<Container>): boolean {
  return [...structureKeys].some((key) => {
    const target = resolved(context, kid.get(PDFName.of(key)));
    return isContainer(target) && removed.has(target);
  });
}

/** Arrays whose items do not count by their place, by the keys that hold them. */
const lists: ReadonlySet<string> = new Set(["Annots", "K", "Kids", "Fields", "CO", "AF", "Ref"]);

/** Takes references to what is removed out of one container. */
function cutReferences(context: PDFContext, container: Container, removed: ReadonlySet<Container>): void {
  const isRemoved = (value: PDFObject) => {
    const target = resolved(context, value);
    return isContainer(target) && removed.has(target);
  };
  if (container instanceof PDFArray) {
    container.asArray().forEach((value, index) => {
      if (isRemoved(value)) container.set(index, PDFNull);
    });
    return;
  }
  for (const { holder, key = "", value } of valuesOf(container)) {
    const dictionary = holder as PDFDict;
    const target = resolved(context, value);
    if (isRemoved(value)) {
      dictionary.delete(PDFName.of(key));
      // How the answer belongs to what it answers.
      if (key === "IRT") dictionary.delete(PDFName.of("RT"));
    } else if (target instanceof PDFArray && lists.has(key)) {
      if (removeItems(target, isRemoved, 1) && target.size() === 0) dictionary.delete(PDFName.of(key));
    } else if (target instanceof PDFArray && key === "Names") {
      removeItems(target, isRemoved, 2);
    }
  }
}

/** Takes groups of so many items out of a list, by the last of each. @returns whether there was one */
function removeItems(list: PDFArray, isRemoved: (value: PDFObject) => boolean, ofSize: number): boolean {
  const items = list.asArray();
  const isGone = (index: number) => {
    const last = items[index - (index % ofSize) + ofSize - 1];
    return last !== undefined && isRemoved(last);
  };
  const kept = items.filter((_, index) => !isGone(index));
  if (kept.length === items.length) return false;
  // From the end, so that a list of many thousands is not moved for each of its items.
  while (list.size() > 0) list.remove(list.size() - 1);
  for (const item of kept) list.push(item);
  return true;
}
