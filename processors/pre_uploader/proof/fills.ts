/** Which paths of a page are the fills of its redactions: they are all that may lie under other redactions. */
import { grown, intersection } from "../pdf/geometry.ts";
import type { Box } from "../pdf/geometry.ts";
import { pathSegments } from "../pdf/objects.ts";
import type { PageObject, Segment } from "../pdf/objects.ts";
import { heapOf, withMemory } from "../pdf/pdfium.ts";
import type { Pdfium } from "../pdf/pdfium.ts";
import { drawPicture, maskOf, pageArea } from "../pdf/picture.ts";
import { shownTransform } from "../pdf/reader.ts";
import type { Redaction } from "../redaction.ts";
import { boxResolution, colourAt, colourOf, distance, edge, sameFill } from "./pixels.ts";
import type { Colour } from "./pixels.ts";

interface Fill {
  box: Box;
  colour: Colour;
}

/**
 * The paths that are exactly the box of a redaction, filled with its colour and nothing else: no line round it, no clip
 * that would leave it the shape of a letter, and drawn as a whole.
 *
 * Leaves the objects of the page inactive.
 *
 * @param objects those of the page, inactive
 */
export function redactionFills(
  pdfium: Pdfium,
  page: number,
  objects: readonly PageObject[],
  redactions: readonly Redaction[],
): Set<PageObject> {
  const fills = redactions.flatMap(({ boxes, fillColor }) =>
    boxes.map((box) => ({ box, colour: colourOf(fillColor ?? "#000000") })),
  );
  const shown = shownTransform(pdfium, page);
  return new Set(
    objects.filter((object) => {
      if (!isPlainFill(pdfium, object)) return false;
      const segments = pathSegments(pdfium, object, shown);
      const own = fills.filter((fill) => isOutlineOf(segments, fill.box));
      return own.some((fill) => isDrawnWhole(pdfium, page, object, fill));
    }),
  );
}

/** The outline of a rectangle, with or without a line back to its beginning. */
const mostSegments = 6;

/** Whether a path is filled only, has few lines, and nothing clips it. */
function isPlainFill(pdfium: Pdfium, { handle, kind }: PageObject): boolean {
  if (kind !== "path" || pdfium.FPDFPath_CountSegments(handle) > mostSegments) return false;
  const clip = pdfium.FPDFPageObj_GetClipPath(handle);
  if (clip !== 0 && pdfium.FPDFClipPath_CountPaths(clip) > 0) return false;
  return withMemory(pdfium, 8, (address) => {
    if (!pdfium.FPDFPath_GetDrawMode(handle, address, address + 4)) return false;
    const [fillMode = 0, hasStroke = 0] = new Int32Array(heapOf(pdfium).buffer, address, 2);
    return fillMode !== 0 && hasStroke === 0;
  });
}

/** Numbers of a file are written with so much loss. In points. */
const rounding = 0.02;

/** Whether lines go from corner to corner of a box along its sides, past all four. */
function isOutlineOf(segments: readonly Segment[], { left, top, right, bottom }: Box): boolean {
  const corners = [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ] as const;
  const isNear = (one: number, other: number) => Math.abs(one - other) <= rounding;
  const passed = new Set<number>();
  for (const [from, to] of segments) {
    const [start, end] = [from, to].map(([x, y]) => corners.findIndex(([X, Y]) => isNear(x, X) && isNear(y, Y)));
    if (start === undefined || end === undefined || start < 0 || end < 0) return false;
    const isDiagonal = !isNear(from[0], to[0]) && !isNear(from[1], to[1]);
    if (isDiagonal) return false;
    passed.add(start).add(end);
  }
  return passed.size === corners.length;
}

/** Whether every pixel of a box has its colour when only this object is drawn. */
function isDrawnWhole(pdfium: Pdfium, page: number, { handle }: PageObject, { box, colour }: Fill): boolean {
  const area = intersection(box, pageArea(pdfium, page));
  // What lies wholly beside the page is no part of what is looked at.
  if (!area) return true;
  pdfium.FPDFPageObj_SetIsActive(handle, true);
  const picture = drawPicture(pdfium, page, { area, scale: boxResolution, isOnPaper: false });
  pdfium.FPDFPageObj_SetIsActive(handle, false);
  return maskOf(picture, [grown(area, -edge)]).every(
    (isInside, at) =>
      isInside === 0 ||
      ((picture.pixels[4 * at + 3] ?? 0) >= opaque && distance(colourAt(picture.pixels, 4 * at), colour) <= sameFill),
  );
}

/** Of less alpha is what a mask or a clip takes from. */
const opaque = 250;
