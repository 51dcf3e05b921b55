import { z } from "zod";
import { isRedaction, routeOf, virtualTypeOf } from "../../contracts/annotations.ts";
import type { AnnotationChoices, AnnotationType, EngineRecord } from "../../contracts/annotations.ts";
import { PermanentError } from "../../contracts/errors.ts";
import type { RedactionCounts } from "../../contracts/redactions.ts";
import { boxOf, touches } from "./pdf/geometry.ts";
import type { Box } from "./pdf/geometry.ts";
import type { Redaction } from "./redaction.ts";
import { shownText } from "./rich-text.ts";
import { canBeRoot, threadRootFor } from "./thread-root.ts";

const rectangle = z.tuple([z.number(), z.number(), z.number(), z.number()]);

/** What we must know of an annotation's content; everything else travels as it is. */
const placed = z.looseObject({
  type: z.string(),
  pageIndex: z.int().nonnegative(),
  bbox: rectangle,
  rects: z.array(rectangle).nullish(),
  fillColor: z.string().nullish(),
  overlayText: z.string().nullish(),
  text: z.union([z.string(), z.looseObject({ value: z.string() })]).nullish(),
  imageAttachmentId: z.string().nullish(),
  isCommentThreadRoot: z.boolean().nullish(),
  flags: z.array(z.string()).nullish(),
});
export type AnnotationContent = z.infer<typeof placed>;

/** An annotation that is carried into the destination case. */
export interface CarriedAnnotation {
  record: EngineRecord;
  content: AnnotationContent;
  type: AnnotationType;
}

/** The root of a comment thread. */
export interface ThreadRoot extends CarriedAnnotation {
  /** The id in the source case of the annotation that has the comments. */
  commentedId: string;
  /** Whether the annotation itself goes another way, so that its thread has a root of its own. */
  isReplaced: boolean;
}

/** The annotations of one exhibit by what becomes of them. */
export interface Sorted {
  /** Become part of the pages, redactions first. */
  branded: CarriedAnnotation[];
  /** Would become part of a page and touch a redaction that does: they go with it. */
  droppedUnderRedaction: CarriedAnnotation[];
  layered: CarriedAnnotation[];
  threads: ThreadRoot[];
  /** How many of which type are not carried. */
  excluded: Record<string, number>;
  redactions: RedactionCounts;
}

/** Decides what becomes of each annotation. @throws PermanentError UNEXPECTED_ANSWER, REDACTIONS_UNACCOUNTED */
export function sortAnnotations(records: readonly EngineRecord[], choices: AnnotationChoices): Sorted {
  const branded: CarriedAnnotation[] = [];
  const layered: CarriedAnnotation[] = [];
  const threads: ThreadRoot[] = [];
  const excluded: Record<string, number> = {};
  let left = 0;
  for (const record of records) {
    const content = contentOf(record);
    const isRoot = choices.comments === true && content.isCommentThreadRoot === true;
    const isOwnRoot = isRoot && canBeRoot(content) && !isRedaction(content);
    if (isRoot) threads.push(rootOf(record, content, isOwnRoot));
    if (isOwnRoot) continue;
    const route = routeOf({ ...content, isCommentThreadRoot: false }, choices);
    if (route?.as === "layer") layered.push({ record, content, type: route.type });
    else if (route && isShown(content)) branded.push({ record, content, type: route.type });
    else {
      if (isRedaction(content)) left++;
      const type = virtualTypeOf(content);
      excluded[type] = (excluded[type] ?? 0) + 1;
    }
  }
  const redactions = {
    fetched: records.filter(({ content }) => /redact/i.test(content.type)).length,
    branded: redactionsAmong(branded),
    layered: redactionsAmong(layered),
    left: choices.redactionsAs === "leave" ? left : 0,
  };
  assertAccounted(redactions);
  return { ...splitUnderRedactions(branded), layered, threads, excluded, redactions };
}

function contentOf(record: EngineRecord): AnnotationContent {
  const parsed = placed.safeParse(record.content);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
  throw new PermanentError("UNEXPECTED_ANSWER", `annotation ${record.id} has no usable content: ${faults}`);
}

function rootOf(record: EngineRecord, content: AnnotationContent, isOwnRoot: boolean): ThreadRoot {
  const of = { type: "comments", commentedId: record.id } as const;
  if (isOwnRoot) return { ...of, record, content, isReplaced: false };
  const root = threadRootFor(record, boxesOf(content));
  return { ...of, record: root, content: contentOf(root), isReplaced: true };
}

/** Document Engine draws nothing of an annotation that is hidden, but applies a redaction that is. */
function isShown(content: AnnotationContent): boolean {
  return isRedaction(content) || !content.flags?.some((flag) => flag === "hidden" || flag === "noView");
}

/** How many redactions there are among annotations that are carried. */
export function redactionsAmong(annotations: readonly CarriedAnnotation[]): number {
  return annotations.filter(({ content }) => isRedaction(content)).length;
}

/**
 * Asserts that something becomes of every redaction, and that it is what the request says. Also one of a type that only
 * resembles a redaction counts: what it hides nobody knows.
 *
 * @throws PermanentError REDACTIONS_UNACCOUNTED
 */
export function assertAccounted({ fetched, branded, layered, left }: RedactionCounts): void {
  if (fetched === branded + layered + left) return;
  throw new PermanentError(
    "REDACTIONS_UNACCOUNTED",
    `of ${fetched} redactions ${branded} are branded, ${layered} layered and ${left} left in the source case, which is not all: look for redactions of an unknown type`,
  );
}

/** What goes with a redaction is taken out here, and not left to Document Engine, so that it is known and reported. */
export function splitUnderRedactions(
  branded: readonly CarriedAnnotation[],
): Pick<Sorted, "branded" | "droppedUnderRedaction"> {
  const redactions = branded.filter(({ type }) => type === "redactions");
  const others = branded.filter(({ type }) => type !== "redactions");
  const areas = Map.groupBy(redactions.map(redactionOf), ({ pageIndex }) => pageIndex);
  const isDropped = ({ content }: CarriedAnnotation) => {
    const drawn = drawnBoxesOf(content);
    const redacted = (areas.get(content.pageIndex) ?? []).flatMap(({ boxes }) => boxes);
    return redacted.some((box) => drawn.some((own) => touches(box, own)));
  };
  return {
    branded: [...redactions, ...others.filter((one) => !isDropped(one))],
    droppedUnderRedaction: others.filter(isDropped),
  };
}

/** The area of a redaction: its rectangles, not the hull of them. */
export function redactionOf({ content }: CarriedAnnotation): Redaction {
  const { pageIndex, overlayText, fillColor } = content;
  return {
    pageIndex,
    boxes: boxesOf(content),
    fillColor: fillColor ?? undefined,
    overlayText: overlayText ?? undefined,
  };
}

/** The rectangles of an annotation; where it has none, its bounding box. */
export function boxesOf({ rects, bbox }: AnnotationContent): Box[] {
  return (rects && rects.length > 0 ? rects : [bbox]).map(boxOf);
}

/** Of a note that becomes part of a page, in points: Document Engine prints its text beside the place of its icon. */
const notePrint = { width: 160, charactersOfLine: 24, lineHeight: 12, padding: 24 };

/** Where an annotation is drawn when it becomes part of its page. */
export function drawnBoxesOf(content: AnnotationContent): Box[] {
  const box = boxOf(content.bbox);
  if (content.type !== "pspdfkit/note") return [box, ...(content.rects ?? []).map(boxOf)];
  const { width, charactersOfLine, lineHeight, padding } = notePrint;
  const lines = shownText(content.text ?? "")
    .split("\n")
    .reduce((sum, line) => sum + Math.ceil((line.length + 1) / charactersOfLine), 0);
  return [box, { ...box, right: box.left + width, bottom: box.top + lines * lineHeight + padding }];
}

/** The text that an annotation shows. */
export function textOf({ content }: CarriedAnnotation): string {
  return shownText(content.text ?? "");
}
