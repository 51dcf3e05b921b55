import { z } from "zod";
import { wireError } from "./errors.ts";
import { rowId } from "./ids.ts";

/**
 * What a file is to its document: the PDF that reviewers see (`document`), the file as it was collected (`native`),
 * or extracted text (`text`).
 */
export const fileRole = z.enum(["document", "native", "text"]);
export type FileRole = z.infer<typeof fileRole>;

/** S3 takes keys of at most so many bytes of UTF-8; a column may hold more. */
const longestKeyBytes = 1024;
const objectKey = z
  .string()
  .min(1)
  .refine((key) => Buffer.byteLength(key) <= longestKeyBytes, {
    error: ({ input }) => `has ${Buffer.byteLength(String(input))} bytes, a key on S3 at most ${longestKeyBytes}`,
  });

/**
 * Bytes of a file, as a decimal string in the manifest: the column is a BIGINT UNSIGNED, and JSON numbers lose digits beyond
 * 2^53. No object on S3 is as large as that, so that within messages a number is enough.
 */
const byteCount = z.unknown().transform((given, context): number => {
  const bytes = typeof given === "string" && /^\d{1,20}$/.test(given) ? Number(given) : given;
  if (typeof bytes === "number" && Number.isSafeInteger(bytes) && bytes >= 0) return bytes;
  context.addIssue(
    typeof bytes === "number" && bytes > Number.MAX_SAFE_INTEGER
      ? `is ${String(given)}, more bytes than an object on S3 can have`
      : "must be a number of bytes",
  );
  return z.NEVER;
});

/** A file to be copied: one row of `document_variants` and one object on S3. */
export const manifestFile = z.strictObject({
  /** `document_variants.id` in the source case; names the file in events and in the ledger. */
  fileId: rowId,
  destinationFileId: rowId,
  role: fileRole,
  sourceKey: objectKey,
  destinationKey: objectKey,
  /** Bytes, as the source database says. */
  size: byteCount,
  /** Lower-case hex SHA-256 of the content where the source database knows it. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
});
export type ManifestFile = z.infer<typeof manifestFile>;

/**
 * A batch of the source case: any text that its column holds, for it names nothing that we make. It is part of the ids under
 * which Document Engine keeps the source case, which are percent-encoded wherever they stand in a path.
 */
export const sourceBatchId = z.string();

/** An exhibit of the source case and what it became. */
export const exhibitPair = z.strictObject({ sourceExhibitId: rowId, exhibitId: rowId });
export type ExhibitPair = z.infer<typeof exhibitPair>;

/** One line of a manifest part: a document with everything that later stages need, so that they read no database. */
export const manifestLine = z.strictObject({
  documentId: rowId,
  destinationDocumentId: rowId,
  /** The batch in which the document came into the source case, where that is known; an empty one says nothing. */
  sourceBatchId: sourceBatchId.nullable().transform((batch) => (batch === "" ? null : batch)),
  /** Exhibits of the document in the order of their ids in the destination case. */
  exhibits: z.array(exhibitPair),
  files: z.array(manifestFile),
});
export type ManifestLine = z.infer<typeof manifestLine>;

/**
 * Rows of one table: those selected in the source, and those found for them in the destination after the copy.
 * `checksum`: of the copied rows in any order, the same in the source, translated, and in the destination.
 */
export const tableCount = z.object({
  source: z.int().nonnegative(),
  target: z.int().nonnegative(),
  checksum: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .optional(),
});

/**
 * Why a document is privileged in the sense of `excludePrivileged`: the relevancy of one of its exhibits, or its review
 * status. The values are those of the case schema.
 */
const privilegeReason = z.enum(["privileged", "held_back"]);

/** Privileged or held-back documents of the selection: those that travel, and those that were left out. */
export const privilegedCounts = z.object({ included: z.int().nonnegative(), excluded: z.int().nonnegative() });
export type PrivilegedCounts = z.infer<typeof privilegedCounts>;

/** A document that was left out of the selection. */
const excludedDocument = z.object({ documentId: rowId, because: z.array(privilegeReason).min(1) });
export type ExcludedDocument = z.infer<typeof excludedDocument>;

/** `privileged.json` beside the report: how many of them travel, and those that were left out. */
export const privilegedDocuments = z.object({
  included: z.int().nonnegative(),
  excluded: z.array(excludedDocument),
});

/** `report.json` beside the manifest: what the record copy did. Written last, so its presence means "complete". */
export const copyReport = z.object({
  documents: z.int().nonnegative(),
  parts: z.int().nonnegative(),
  rows: z.record(z.string(), tableCount),
  /** What could not travel: `table` or `table.column` that only one side has. */
  skipped: z.array(z.string()),
  /** Null where the source case knows neither of the two. */
  privileged: privilegedCounts.nullable().default(null),
  /** PRIVILEGED_INCLUDED and PRIVILEGED_EXCLUDED with the same numbers, for people who read the file. */
  warnings: z.array(wireError.extend({ count: z.int().positive() })).default([]),
  seconds: z.number(),
});
export type CopyReport = z.infer<typeof copyReport>;

/** `progress.json` beside the report, while the copy runs: rows of each table that are done, and in all. */
export const copyProgress = z.object({
  rows: z.record(z.string(), z.object({ done: z.int().nonnegative(), total: z.int().nonnegative() })),
});
export type CopyProgress = z.infer<typeof copyProgress>;

/** Where one exchange keeps its manifest and report in the data bucket. */
export function exchangePrefix(exchangeId: string): string {
  return `exchanges/${exchangeId}/`;
}

/** Every part of the manifest lies under this prefix, as `part-00000.jsonl` and so on. */
export function manifestPrefix(exchangeId: string): string {
  return `${exchangePrefix(exchangeId)}manifest/`;
}

/**
 * `removed.json`: what a run took out of the destination, by table, and what had to stay and why: rows that another
 * exchange uses too are its own from now on (`handedOver`), on others hangs somebody's work.
 */
export const copyRemoval = z.object({
  rows: z.record(z.string(), z.int().nonnegative()),
  kept: z.array(
    z.object({ table: z.string(), rows: z.int().positive(), because: z.string(), handedOver: z.boolean() }),
  ),
  seconds: z.number(),
});
export type CopyRemoval = z.infer<typeof copyRemoval>;

/**
 * Written last by a run that took out what the copy had written, so its presence means that the run came to its end.
 * Rows on which others' work hangs stay in the destination; the file lists them as `kept`.
 */
export function removalKey(exchangeId: string): string {
  return `${exchangePrefix(exchangeId)}removed.json`;
}

/** Written when the documents are selected, before any is copied. */
export function privilegedKey(exchangeId: string): string {
  return `${exchangePrefix(exchangeId)}privileged.json`;
}

/** Written every second while rows are copied. */
export function progressKey(exchangeId: string): string {
  return `${exchangePrefix(exchangeId)}progress.json`;
}

/** Written last by a copy, so its presence means "complete". */
export function reportKey(exchangeId: string): string {
  return `${exchangePrefix(exchangeId)}report.json`;
}
