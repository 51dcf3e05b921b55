import { z } from "zod";
import { batchId, caseId, rowId } from "./ids.ts";

const brandOrLayer = z.enum(["brand_in", "layer"]);

/** How each annotation type travels; a type that is not named does not. Comments are always a layer. */
export const annotationChoices = z.strictObject({
  redactionsAs: brandOrLayer.optional(),
  highlightsAs: brandOrLayer.optional(),
  notesAs: brandOrLayer.optional(),
  stickersAs: brandOrLayer.optional(),
  batesAs: brandOrLayer.optional(),
  confidentialityCodesAs: brandOrLayer.optional(),
  comments: z.boolean().optional(),
});
export type AnnotationChoices = z.infer<typeof annotationChoices>;

/** The kinds of metadata that can travel with the documents. */
export const metadataKinds = [
  "custodians",
  "confidentialityCodes",
  "issues",
  "folders",
  "customFields",
  "relevancy",
] as const;
const metadataKind = z.enum(metadataKinds);
export type MetadataKind = z.infer<typeof metadataKind>;

const rowIdInput = z.union([z.int().positive().transform(String), rowId], {
  error: "must be a positive whole number",
});

const selectionBody = z
  .strictObject({
    labelId: rowIdInput.optional(),
    folderTagId: rowIdInput.optional(),
    documentIds: z.array(rowIdInput).min(1, "must name at least one document").max(100_000).optional(),
    all: z.literal(true, { error: "must be true when it is given" }).optional(),
  })
  .transform((body, context): Selection => {
    const given = Object.entries(body).filter(([, value]) => value !== undefined);
    if (given.length !== 1) {
      context.addIssue("must have exactly one of labelId, folderTagId, documentIds, all");
      return z.NEVER;
    }
    if (body.labelId !== undefined) return { by: "label", labelId: body.labelId };
    if (body.folderTagId !== undefined) return { by: "folder", folderTagId: body.folderTagId };
    if (body.documentIds !== undefined) {
      return { by: "documents", documentIds: [...new Set(body.documentIds)] };
    }
    return { by: "all" };
  });

/** Which documents of the source case are meant. */
export type Selection =
  | { by: "label"; labelId: string }
  | { by: "folder"; folderTagId: string }
  | { by: "documents"; documentIds: string[] }
  | { by: "all" };

/** The body of `POST /exchanges`; parsing yields an {@link ExchangeRequest}. */
export const exchangeRequestBody = z
  .strictObject({
    sourceCaseId: caseId,
    destinationCaseId: caseId,
    batchId,
    selection: selectionBody,
    includeNatives: z.boolean().default(false),
    annotations: annotationChoices.optional(),
    metadata: z
      .array(metadataKind)
      .default([...metadataKinds])
      .transform((kinds) => metadataKinds.filter((kind) => kinds.includes(kind))),
  })
  .refine((body) => body.sourceCaseId !== body.destinationCaseId, {
    path: ["destinationCaseId"],
    message: "must differ from sourceCaseId",
  });
export type ExchangeRequest = z.output<typeof exchangeRequestBody>;
