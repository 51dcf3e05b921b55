import { z } from "zod";
import { annotationChoices, choiceOf, typeNamed } from "./annotations.ts";
import { batchId, caseId, rowId } from "./ids.ts";

/** What Document Engine's types were called before, in requests. */
const formerNames: Readonly<Record<string, string>> = { "pspdfkit/markup/redact": "pspdfkit/markup/redaction" };

/** The choices, in which a type may also be called by its name in Document Engine. */
const requestedChoices = z
  .record(z.string(), z.unknown())
  .transform((given, context) => {
    const named = Object.entries(given).map(([name, as]): [string, unknown] => {
      const type = typeNamed(formerNames[name] ?? name);
      return [type ? choiceOf[type] : name, as];
    });
    const choices = Object.fromEntries(named);
    for (const [name, as] of named) {
      if (choices[name] !== as) context.addIssue({ code: "custom", path: [name], message: "is given twice" });
    }
    return choices;
  })
  .pipe(annotationChoices);

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
    annotations: requestedChoices.optional(),
    /** Leaves privileged and held-back documents out of the selection. */
    excludePrivileged: z.boolean().default(false),
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
