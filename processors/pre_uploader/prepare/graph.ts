import { PDFArray, PDFDict, PDFRef, PDFStream } from "@cantoo/pdf-lib";
import type { PDFContext, PDFObject } from "@cantoo/pdf-lib";

/** An object that holds others. A stream is taken for its dictionary, which knows it. */
export type Container = PDFDict | PDFArray | PDFStream;

/** Says of a value which key of a dictionary, or which array, does not count as holding it. */
export type IsIgnored = (holder: PDFDict | PDFArray, key: string | undefined) => boolean;

interface Reached {
  containers: Set<Container>;
  refs: Set<PDFRef>;
}

/** The value itself, behind any reference. */
export function resolved(context: PDFContext, value: PDFObject | undefined): PDFObject | undefined {
  return value instanceof PDFRef ? context.lookup(value) : value;
}

export function isContainer(value: PDFObject | undefined): value is Container {
  return value instanceof PDFDict || value instanceof PDFArray || value instanceof PDFStream;
}

/** Where everything of a file begins. */
export function rootsOf({ trailerInfo }: PDFContext): PDFObject[] {
  const { Root, Info, ID } = trailerInfo;
  return [Root, Info, ID].filter((root) => root !== undefined);
}

/** Everything that is held by `roots`, directly or not, without going into what is `excluded` or through what is ignored. */
export function reach(
  context: PDFContext,
  roots: Iterable<PDFObject>,
  excluded: ReadonlySet<Container> = new Set(),
  isIgnored: IsIgnored = () => false,
): Reached {
  const reached: Reached = { containers: new Set(), refs: new Set() };
  const open: PDFObject[] = [...roots];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    const target = resolved(context, value);
    if (isContainer(target) && excluded.has(target)) continue;
    if (value instanceof PDFRef) reached.refs.add(value);
    if (!isContainer(target) || reached.containers.has(target)) continue;
    reached.containers.add(target);
    for (const { holder, key, value: held } of valuesOf(target)) {
      if ((held instanceof PDFRef || isContainer(held)) && !isIgnored(holder, key)) open.push(held);
    }
  }
  return reached;
}

interface Held {
  holder: PDFDict | PDFArray;
  key: string | undefined;
  value: PDFObject;
}

/** What a container holds. */
export function* valuesOf(container: Container): Generator<Held> {
  if (container instanceof PDFArray) {
    for (const value of container.asArray()) yield { holder: container, key: undefined, value };
    return;
  }
  const holder = container instanceof PDFStream ? container.dict : container;
  for (const [key, value] of holder.entries()) yield { holder, key: key.decodeText(), value };
}

/** Takes out of the file what nothing holds. */
export function dropUnreachable(context: PDFContext, { refs }: Reached): void {
  for (const [ref] of context.enumerateIndirectObjects()) {
    if (!refs.has(ref)) context.delete(ref);
  }
}
