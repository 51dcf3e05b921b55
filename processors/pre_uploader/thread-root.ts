import type { EngineRecord } from "../../contracts/annotations.ts";
import type { Box } from "./pdf/geometry.ts";

/** The types that Document Engine takes as the root of a comment thread. */
const rootTypes: ReadonlySet<string> = new Set([
  "pspdfkit/markup/highlight",
  "pspdfkit/markup/underline",
  "pspdfkit/markup/strikeout",
  "pspdfkit/markup/squiggly",
  "pspdfkit/note",
  "pspdfkit/comment-marker",
]);

/** Whether an annotation of this type may have comments in Document Engine. */
export function canBeRoot({ type }: { type: string }): boolean {
  return rootTypes.has(type);
}

/** The width and height of a comment marker, in points. */
const markerSize = 24;

/**
 * A comment marker in the place of an annotation whose comments travel without it. It says who made the annotation and
 * when, and nothing that the annotation says.
 */
export function threadRootFor({ id, content, ...record }: EngineRecord, boxes: readonly Box[]): EngineRecord {
  const [first] = boxes;
  const kept = Object.entries(content).filter(
    ([name, value]) => ["creatorName", "createdAt", "updatedAt"].includes(name) && typeof value === "string",
  );
  return {
    ...record,
    id: `${id}\nthread`,
    content: {
      ...{ v: 2, type: "pspdfkit/comment-marker", icon: "comment", opacity: 1, isCommentThreadRoot: true },
      pageIndex: content["pageIndex"],
      bbox: [Math.max(0, first?.left ?? 0), Math.max(0, first?.top ?? 0), markerSize, markerSize],
      ...Object.fromEntries(kept),
    },
  };
}
