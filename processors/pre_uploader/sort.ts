import { z } from "zod";
import { routeOf, virtualTypeOf } from "../../contracts/annotations.ts";
import type { AnnotationChoices, AnnotationType, EngineRecord } from "../../contracts/annotations.ts";
import { PermanentError } from "../../contracts/errors.ts";
import { boxOf, touches } from "./pdf/geometry.ts";
import type { Box } from "./pdf/geometry.ts";
import type { Redaction } from "./redaction.ts";

const rectangle = z.tuple([z.number(), z.number(), z.number(), z.number()]);

/** What we must know of an annotation's content; everything else travels as it is. */
const placed = z.looseObject({
  type: z.string(),
  pageIndex: z.int().nonnegative(),
  bbox: rectangle,
  rects: z.array(rectangle).optional(),
  overlayText: z.string().nullish(),
  text: z.union([z.string(), z.looseObject({ value: z.string() })]).nullish(),
  imageAttachmentId: z.string().nullish(),
  isCommentThreadRoot: z.boolean().nullish(),
});
type Content = z.infer<typeof placed>;

/** An annotation that travels. */
export interface Travelling {
  record: EngineRecord;
  content: Content;
  type: AnnotationType;
}

/** The annotations of one exhibit by what becomes of them. */
export interface Sorted {
  /** Become part of the pages, redactions first. */
  branded: Travelling[];
  /** Would become part of a page and touch a redaction that does: they go with it. */
  swallowed: Travelling[];
  layered: Travelling[];
  threads: Travelling[];
  /** How many of which type do not travel. */
  staying: Record<string, number>;
}

/** Decides what becomes of each annotation. @throws PermanentError UNEXPECTED_ANSWER */
export function sortAnnotations(records: readonly EngineRecord[], choices: AnnotationChoices): Sorted {
  const sorted: Sorted = { branded: [], swallowed: [], layered: [], threads: [], staying: {} };
  for (const record of records) {
    const content = contentOf(record);
    const route = routeOf(content, choices);
    if (!route) {
      const type = virtualTypeOf(content);
      sorted.staying[type] = (sorted.staying[type] ?? 0) + 1;
      continue;
    }
    const target = route.type === "comments" ? sorted.threads : route.as === "layer" ? sorted.layered : sorted.branded;
    target.push({ record, content, type: route.type });
  }
  return withoutSwallowed(sorted);
}

function contentOf(record: EngineRecord): Content {
  const parsed = placed.safeParse(record.content);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
  throw new PermanentError("UNEXPECTED_ANSWER", `annotation ${record.id} has no usable content: ${faults}`);
}

/** Taken out here, and not left to the engine, so that it is known and told. */
function withoutSwallowed(sorted: Sorted): Sorted {
  const redactions = sorted.branded.filter(({ type }) => type === "redactions");
  const areas = Map.groupBy(redactions.map(redactionOf), ({ pageIndex }) => pageIndex);
  const isSwallowed = ({ type, content }: Travelling) =>
    type !== "redactions" &&
    (areas.get(content.pageIndex) ?? []).some(({ boxes }) => boxes.some((box) => touches(box, boxOf(content.bbox))));
  const others = sorted.branded.filter(({ type }) => type !== "redactions");
  return {
    ...sorted,
    branded: [...redactions, ...others.filter((one) => !isSwallowed(one))],
    swallowed: others.filter(isSwallowed),
  };
}

/** The area of a redaction: its rectangles, not the hull of them. */
export function redactionOf({ content }: Travelling): Redaction {
  const { pageIndex, rects, bbox, overlayText } = content;
  const boxes: Box[] = (rects && rects.length > 0 ? rects : [bbox]).map(boxOf);
  return { pageIndex, boxes, overlayText: overlayText ?? undefined };
}

/** The text that an annotation shows. */
export function textOf({ content }: Travelling): string {
  const { text } = content;
  return typeof text === "string" ? text : (text?.value ?? "");
}
