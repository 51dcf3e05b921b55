import { z } from "zod";
import type { EngineRecord } from "../../contracts/annotations.ts";
import type { JudgedRedaction } from "./judge/redaction.ts";
import { union, type Box } from "./reader/matrix.ts";
import type { PageGlyphs } from "./reader/page.ts";
import type { Place } from "./reader/words.ts";

type Rect = [number, number, number, number];

/** Points between a stamp and the edge of its page or a redaction: what touches one goes with it. */
const gap = 4;

/** A place as a redaction in Document Engine. */
export function redactionRecord({ pageIndex, boxes }: Place, number: number): EngineRecord {
  return {
    id: `redaction-${number}`,
    createdBy: "reviewer",
    content: {
      ...{ v: 2, type: "pspdfkit/markup/redaction", pageIndex, opacity: 1, fillColor: "#000000" },
      bbox: rectOf(union(boxes)),
      rects: boxes.map(rectOf),
    },
  };
}

/** A Bates stamp on the first page, in the first corner in which no redaction is. */
export function batesRecord({ width, height }: PageGlyphs, number: number, places: readonly Place[]): EngineRecord {
  const text = `CORPUS${String(number).padStart(6, "0")}`;
  const size = Math.max(1, Math.min(9, (height - 2) / 1.6, (width - 2) / (0.7 * text.length)));
  const [wide, high] = [Math.min(width, size * 0.7 * text.length), Math.min(height, size * 1.6)];
  const inset = (length: number, own: number) => Math.max(0, Math.min(gap, (length - own) / 2));
  const [x, y] = [inset(width, wide), inset(height, high)];
  const [right, bottom] = [width - wide - x, height - high - y];
  const corners: Rect[] = [
    [right, bottom, wide, high],
    [x, bottom, wide, high],
    [right, y, wide, high],
    [x, y, wide, high],
    [right, bottom / 2, wide, high],
    [x, bottom / 2, wide, high],
  ];
  const boxes = places.filter(({ pageIndex }) => pageIndex === 0).flatMap((place) => place.boxes);
  const free = corners.find((corner) => !boxes.some((box) => isNear(corner, box)));
  return {
    id: `bates-${number}`,
    createdBy: "reviewer",
    content: {
      ...{ v: 2, type: "pspdfkit/text", pageIndex: 0, opacity: 1, fontSize: size },
      ...{ bbox: free ?? corners[0], text: { format: "plain", value: text } },
      ...{ horizontalAlign: "left", verticalAlign: "top", customData: { stamp: "bates_stamp" } },
    },
  };
}

function rectOf({ left, top, right, bottom }: Box): Rect {
  return [left, top, right - left, bottom - top];
}

function isNear([left, top, width, height]: Rect, box: Box): boolean {
  return (
    left - gap < box.right && box.left < left + width + gap && top - gap < box.bottom && box.top < top + height + gap
  );
}

const rectangle = z.tuple([z.number(), z.number(), z.number(), z.number()]);
const redaction = z.looseObject({
  type: z.literal("pspdfkit/markup/redaction"),
  pageIndex: z.int().nonnegative(),
  bbox: rectangle,
  rects: z.array(rectangle).optional(),
  fillColor: z.string().nullish(),
  overlayText: z.string().nullish(),
});

/** The redactions among the annotations that Document Engine has of a document, its own ones included. */
export function redactionsIn(records: readonly EngineRecord[]): JudgedRedaction[] {
  return records.flatMap(({ content }) => {
    const parsed = redaction.safeParse(content);
    if (!parsed.success) return [];
    const { pageIndex, bbox, rects, fillColor, overlayText } = parsed.data;
    const boxes = (rects && rects.length > 0 ? rects : [bbox]).map(([left, top, width, height]) => ({
      ...{ left, top, right: left + width, bottom: top + height },
    }));
    return [{ pageIndex, boxes, fillColor: fillColor ?? "#000000", overlayText: overlayText ?? undefined }];
  });
}
