import { z } from "zod";

const rectangle = z.tuple([z.number(), z.number(), z.number().nonnegative(), z.number().nonnegative()]);
const color = z.string().regex(/^#[0-9A-Fa-f]{6}$/, "must be #RRGGBB");
const formatted = z.union([z.string(), z.looseObject({ format: z.enum(["plain", "xhtml"]), value: z.string() })]);

/** An annotation in Instant JSON: points from the top left corner of the page as it is shown. */
export const annotationContent = z.looseObject({
  v: z.union([z.literal(1), z.literal(2)]),
  type: z.string(),
  pageIndex: z.int().nonnegative(),
  /** `[left, top, width, height]` */
  bbox: rectangle,
  opacity: z.number().min(0).max(1).optional(),
  flags: z.array(z.string()).optional(),
  creatorName: z.string().nullish(),
  createdAt: z.string().optional(),
  updatedAt: z.string().optional(),
  customData: z.record(z.string(), z.unknown()).nullish(),
  pdfObjectId: z.int().positive().optional(),
  rects: z.array(rectangle).optional(),
  text: formatted.nullish(),
  note: z.string().nullish(),
  color: color.nullish(),
  fillColor: color.nullish(),
  outlineColor: color.nullish(),
  strokeColor: color.nullish(),
  fontColor: color.nullish(),
  backgroundColor: color.nullish(),
  fontSize: z.number().positive().optional(),
  strokeWidth: z.number().nonnegative().optional(),
  lineWidth: z.number().nonnegative().optional(),
  rotation: z.number().optional(),
  overlayText: z.string().nullish(),
  repeatOverlayText: z.boolean().optional(),
  blendMode: z.string().optional(),
  horizontalAlign: z.string().optional(),
  stampType: z.string().optional(),
  imageAttachmentId: z.string().optional(),
  isCommentThreadRoot: z.boolean().optional(),
});
export type AnnotationContent = z.infer<typeof annotationContent>;

/** A comment of a thread; its root is an annotation of the same layer. */
export const commentContent = z.looseObject({
  type: z.literal("pspdfkit/comment"),
  v: z.union([z.literal(1), z.literal(2)]),
  rootId: z.string(),
  pageIndex: z.int().nonnegative(),
  text: formatted.nullable(),
  creatorName: z.string().nullish(),
  createdAt: z.string().optional(),
  updatedAt: z.string().optional(),
});
export type CommentContent = z.infer<typeof commentContent>;

export const redactionType = "pspdfkit/markup/redaction";
const roots = new Set([
  "pspdfkit/markup/highlight",
  "pspdfkit/markup/underline",
  "pspdfkit/markup/strikeout",
  "pspdfkit/markup/squiggly",
  "pspdfkit/note",
  "pspdfkit/comment-marker",
]);
/** Whether annotations of a type can be roots of comment threads. */
export const canBeRoot = (type: string) => roots.has(type);
export const isMarkup = (type: string) => type.startsWith("pspdfkit/markup/");

/** What a type must have: by the API's specification, and what the engine's importer cannot do without. */
const demanded: Record<string, { api: string[]; engine: string[] }> = {
  [redactionType]: { api: [], engine: [] },
  "pspdfkit/markup/highlight": { api: ["rects", "color"], engine: [] },
  "pspdfkit/markup/underline": { api: ["rects", "color"], engine: [] },
  "pspdfkit/markup/strikeout": { api: ["rects", "color"], engine: [] },
  "pspdfkit/markup/squiggly": { api: ["rects", "color"], engine: [] },
  "pspdfkit/note": { api: ["text", "icon"], engine: [] },
  "pspdfkit/text": {
    api: ["text", "fontSize", "horizontalAlign", "verticalAlign"],
    engine: ["horizontalAlign", "verticalAlign"],
  },
  "pspdfkit/image": { api: [], engine: [] },
  "pspdfkit/stamp": { api: ["stampType"], engine: ["stampType"] },
  "pspdfkit/comment-marker": { api: ["icon"], engine: [] },
  "pspdfkit/shape/rectangle": { api: [], engine: ["strokeWidth"] },
  "pspdfkit/shape/ellipse": { api: [], engine: ["strokeWidth"] },
  "pspdfkit/ink": { api: ["lines", "lineWidth"], engine: ["lines", "lineWidth", "isDrawnNaturally"] },
  "pspdfkit/link": { api: ["action"], engine: [] },
};

/** What the judge of an annotation must know of its document. */
export interface Surroundings {
  pageCount: number;
  hasAttachment: (id: string) => boolean;
  /** `api` for annotations that are created one by one, `engine` for those of an Instant JSON document. */
  judge: "api" | "engine";
}

export type Judged = { content: AnnotationContent } | { problem: string };

/** Looks at an annotation as the engine does; the first problem is told in its words where they are known. */
export function judgeAnnotation(given: unknown, { pageCount, hasAttachment, judge }: Surroundings): Judged {
  const keys = z.record(z.string(), z.unknown()).safeParse(given);
  if (!keys.success) return { problem: "Annotation JSON is not an object" };
  const type = String(keys.data["type"]);
  const rules = demanded[type];
  if (!rules) return { problem: `Invalid/unsupported annotation type '${type}'` };
  const needed = [...(judge === "engine" ? ["opacity"] : []), ...rules[judge]];
  const missing = needed.find((key) => keys.data[key] === undefined || keys.data[key] === null);
  if (missing !== undefined) {
    return { problem: `Annotation JSON is missing the key '${missing === "stampType" ? "kind" : missing}'` };
  }
  const parsed = annotationContent.safeParse(given);
  if (!parsed.success) return { problem: `Annotation JSON is wrong: ${firstIssue(parsed.error)}` };
  const content = parsed.data;
  if (content.pageIndex >= pageCount) return { problem: "Page index out of bounds." };
  if (content.imageAttachmentId !== undefined && !hasAttachment(content.imageAttachmentId)) {
    return { problem: `Found imageAttachmentId (${content.imageAttachmentId}) but no matching attachment.` };
  }
  return { content };
}

export function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue ? `${issue.path.join(".")}: ${issue.message}` : "unknown";
}
