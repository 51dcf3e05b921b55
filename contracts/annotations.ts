import { z } from "zod";

const brandOrLayer = z.enum(["brand_in", "layer"]);

const redactionChoices = "brand_in, layer or leave";
/** Required, so that nobody leaves redactions behind by forgetting them. `leave`: they do not travel. */
const brandLayerOrLeave = z.enum(["brand_in", "layer", "leave"], {
  error: ({ input }) =>
    input === undefined ? `is required: choose ${redactionChoices}` : `must be one of ${redactionChoices}`,
});

/**
 * How each annotation type travels. Of the types other than redactions, one that is not named does not travel. Comments
 * are always a layer.
 */
export const annotationChoices = z.strictObject({
  redactionsAs: brandLayerOrLeave,
  highlightsAs: brandOrLayer.optional(),
  notesAs: brandOrLayer.optional(),
  stickersAs: brandOrLayer.optional(),
  batesAs: brandOrLayer.optional(),
  confidentialityCodesAs: brandOrLayer.optional(),
  comments: z.boolean().optional(),
});
export type AnnotationChoices = z.infer<typeof annotationChoices>;

/** The choices in messages and executions that are under way: a former release sent messages that did not name redactions. */
export const acceptedChoices = annotationChoices.extend({ redactionsAs: brandLayerOrLeave.default("leave") });

/** The annotation types that travel, in the order in which they are worked on. */
export const annotationTypes = [
  "redactions",
  "highlights",
  "notes",
  "stickers",
  "bates",
  "confidentialityCodes",
  "comments",
] as const;
export type AnnotationType = (typeof annotationTypes)[number];

/** The types of which the caller chooses whether they become part of the page. Comments are always a layer. */
export type BrandableType = Exclude<AnnotationType, "comments">;

/** The member of a request that says how a type travels. */
export const choiceOf = {
  redactions: "redactionsAs",
  highlights: "highlightsAs",
  notes: "notesAs",
  stickers: "stickersAs",
  bates: "batesAs",
  confidentialityCodes: "confidentialityCodesAs",
} as const satisfies Record<BrandableType, keyof AnnotationChoices>;

/**
 * The types by their names in Document Engine. Two of ours are one of theirs: stamps are texts that carry the suffix of
 * their virtual type as `customData.stamp`. A text with another stamp, or with none, is neither.
 */
export const virtualTypes: Readonly<Record<string, BrandableType>> = {
  "pspdfkit/markup/redaction": "redactions",
  "pspdfkit/markup/highlight": "highlights",
  "pspdfkit/note": "notes",
  "pspdfkit/image": "stickers",
  "pspdfkit/text:bates_stamp": "bates",
  "pspdfkit/text:confidentiality_stamp": "confidentialityCodes",
};

/** What tells a Bates stamp from a confidentiality stamp and both from any other text. */
const stampMarker = z.looseObject({ stamp: z.enum(["bates_stamp", "confidentiality_stamp"]) });

/** As far as an annotation's content says what it is. */
interface Typed {
  readonly type: string;
  readonly customData?: unknown;
  readonly isCommentThreadRoot?: boolean | null | undefined;
}

/** The name of an annotation's type, with the suffix where there is one. */
export function virtualTypeOf({ type, customData }: Typed): string {
  if (type !== "pspdfkit/text") return type;
  const marker = stampMarker.safeParse(customData);
  return marker.success ? `${type}:${marker.data.stamp}` : type;
}

/** The type of ours that has a name of Document Engine; `undefined`: none. */
export function typeNamed(name: string): BrandableType | undefined {
  return Object.hasOwn(virtualTypes, name) ? virtualTypes[name] : undefined;
}

/** Whether an annotation hides what is under it, also where it is the root of a thread, grouped, hidden or locked. */
export function isRedaction(content: Typed): boolean {
  return typeNamed(virtualTypeOf(content)) === "redactions";
}

/**
 * How an annotation travels under the given choices; `undefined`: it stays. A redaction follows `redactionsAs` also where
 * it is the root of a thread, grouped, hidden or locked. Of all other annotations, the root of a thread goes with its
 * thread where comments travel.
 */
export function routeOf(
  content: Typed,
  choices: AnnotationChoices,
): { type: AnnotationType; as: "brand_in" | "layer" } | undefined {
  const isThread = content.isCommentThreadRoot === true && choices.comments === true && !isRedaction(content);
  if (isThread) return { type: "comments", as: "layer" };
  const type = typeNamed(virtualTypeOf(content));
  const as = type && choices[choiceOf[type]];
  return as && as !== "leave" ? { type, as } : undefined;
}

/** The id under which one exhibit of a case lies in Document Engine. */
export function engineDocumentId(of: {
  caseId: number;
  /** The batch in which the document came into that case. */
  batchId: string;
  documentId: string;
  exhibitId: string;
}): string {
  return `document_${of.caseId}_${of.batchId}_${of.documentId}_${of.exhibitId}`;
}

/** One annotation or comment as Document Engine keeps it. */
export const engineRecord = z.looseObject({
  id: z.string().min(1),
  content: z.looseObject({ type: z.string() }),
  createdBy: z.string().nullish(),
  updatedBy: z.string().nullish(),
  group: z.string().nullish(),
});
export type EngineRecord = z.infer<typeof engineRecord>;

/** An object on S3 with the comment threads of one exhibit, in the order of the document. */
export const commentsFile = z.strictObject({
  /** The engine document that they belong to. */
  documentId: z.string().min(1),
  threads: z.array(z.strictObject({ root: engineRecord, comments: z.array(engineRecord) })),
});
export type CommentsFile = z.infer<typeof commentsFile>;
