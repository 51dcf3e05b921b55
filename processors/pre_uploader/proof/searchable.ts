import type { Box, Transform } from "../pdf/geometry.ts";
import { heapOf, readText, withMemory } from "../pdf/pdfium.ts";
import type { Pdfium } from "../pdf/pdfium.ts";
import { shownTransform } from "../pdf/reader.ts";

const invisibleMode = 3;

/**
 * The boxes of the characters of a page that are there to be searched and not to be seen, like those of a scan. Characters
 * of optional content are left out.
 */
export function searchableBoxes(pdfium: Pdfium, page: number): Box[] {
  const shown = shownTransform(pdfium, page);
  const text = pdfium.FPDFText_LoadPage(page);
  if (text === 0) return [];
  try {
    const count = pdfium.FPDFText_CountChars(text);
    return Array.from({ length: count }, (_, index) => index).flatMap((index) => {
      const object = pdfium.FPDFText_GetTextObject(text, index);
      const isSearchable =
        object !== 0 && pdfium.FPDFTextObj_GetTextRenderMode(object) === invisibleMode && !isInLayer(pdfium, object);
      return isSearchable ? [characterBox(pdfium, text, index, shown)] : [];
    });
  } finally {
    pdfium.FPDFText_ClosePage(text);
  }
}

function isInLayer(pdfium: Pdfium, object: number): boolean {
  const marks = Array.from({ length: pdfium.FPDFPageObj_CountMarks(object) }, (_, index) =>
    readText(pdfium, (buffer, size) =>
      withMemory(pdfium, 4, (length) => {
        const mark = pdfium.FPDFPageObj_GetMark(object, index);
        pdfium.FPDFPageObjMark_GetName(mark, buffer, size, length);
        return new DataView(heapOf(pdfium).buffer).getUint32(length, true);
      }),
    ),
  );
  return marks.includes("OC");
}

function characterBox(pdfium: Pdfium, text: number, index: number, shown: Transform): Box {
  return withMemory(pdfium, 32, (address) => {
    pdfium.FPDFText_GetCharBox(text, index, address, address + 8, address + 16, address + 24);
    const [left = 0, right = 0, bottom = 0, top = 0] = new Float64Array(heapOf(pdfium).buffer, address, 4);
    return shown.apply(left, bottom, right, top);
  });
}
