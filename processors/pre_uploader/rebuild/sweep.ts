/** Takes out what nothing leads to: copies that were begun and turned out not to be allowed. */
import { PDFArray, PDFDict, PDFRef, PDFStream } from "@cantoo/pdf-lib";
import type { PDFContext, PDFObject } from "@cantoo/pdf-lib";

export function sweep(target: PDFContext): void {
  const reached = new Set<PDFRef>();
  const pending: (PDFObject | undefined)[] = [target.trailerInfo.Root];
  while (pending.length > 0) {
    const object = pending.pop();
    if (object instanceof PDFRef) {
      if (reached.has(object)) continue;
      reached.add(object);
      pending.push(target.lookup(object));
    } else if (object instanceof PDFArray) for (const one of object.asArray()) pending.push(one);
    else if (object instanceof PDFDict) pending.push(...object.values());
    else if (object instanceof PDFStream) pending.push(...object.dict.values());
  }
  for (const [reference] of target.enumerateIndirectObjects()) {
    if (!reached.has(reference)) target.delete(reference);
  }
}
