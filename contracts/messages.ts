import { z } from "zod";
import { acceptedChoices, annotationTypes } from "./annotations.ts";
import { exchangeContext, rowId } from "./ids.ts";
import { wireError } from "./errors.ts";
import { exhibitPair, manifestFile, sourceBatchId } from "./manifest.ts";

/** `s3_copy` queue: copy one file of one document. */
export const s3CopyMessage = z.strictObject({
  kind: z.literal("s3_copy"),
  exchange: exchangeContext,
  documentId: rowId,
  destinationDocumentId: rowId,
  exhibitIds: z.array(rowId),
  /** The exhibits that the file is shown for; none for a native and a text. */
  exhibits: z.array(exhibitPair).default([]),
  /** The batch in which the document came into the source case; with the exhibits it names them in Document Engine. */
  sourceBatchId: sourceBatchId.nullable().default(null),
  /** The bucket that holds the files of all cases. */
  bucket: z.string().min(1),
  file: manifestFile,
});
export type S3CopyMessage = z.infer<typeof s3CopyMessage>;

/** `pre_uploader` queue: give one document's PDF its annotations, once for each of its exhibits. */
export const preUploaderMessage = z.strictObject({
  kind: z.literal("pre_uploader"),
  exchange: exchangeContext,
  documentId: rowId,
  destinationDocumentId: rowId,
  exhibitIds: z.array(rowId),
  /** The exhibits of the document that travel, none for a document that nobody works on. */
  exhibits: z.array(exhibitPair),
  /** The batch in which the document came into the source case. */
  sourceBatchId: sourceBatchId.nullable(),
  /** The bucket that holds the files of all cases. */
  bucket: z.string().min(1),
  file: manifestFile,
  annotations: acceptedChoices,
});
export type PreUploaderMessage = z.infer<typeof preUploaderMessage>;

/** What is to be loaded into Document Engine for one exhibit. */
export const exhibitLoad = z.strictObject({
  exhibitId: rowId,
  engineDocumentId: z.string().min(1),
  /** Its PDF. */
  key: z.string().min(1),
  /** Instant JSON with everything that it refers to, one object per annotation type. */
  layers: z.array(z.strictObject({ type: z.enum(annotationTypes), key: z.string().min(1) })),
  /** The comment threads, a `commentsFile`. */
  commentsKey: z.string().min(1).nullable(),
});
export type ExhibitLoad = z.infer<typeof exhibitLoad>;

/** `doc_uploader` queue: a PDF that lies in the destination case and waits to be loaded into Document Engine. */
export const docUploaderMessage = z.strictObject({
  kind: z.literal("doc_uploader"),
  exchange: exchangeContext,
  documentId: rowId,
  destinationDocumentId: rowId,
  exhibitIds: z.array(rowId),
  bucket: z.string().min(1),
  /** The key in the destination case. */
  key: z.string().min(1),
  fileId: rowId,
  size: z.int().nonnegative(),
  /** Where each exhibit has a PDF and layers of its own; without it, `key` is what every exhibit shows. */
  loads: z.array(exhibitLoad).optional(),
});
export type DocUploaderMessage = z.infer<typeof docUploaderMessage>;

/** `search_text` queue: put the text of one document's pages into the full-text index of the destination case. */
export const searchTextMessage = z.strictObject({
  kind: z.literal("search_text"),
  exchange: exchangeContext,
  documentId: rowId,
  destinationDocumentId: rowId,
  exhibitIds: z.array(rowId),
  fileId: rowId,
  bucket: z.string().min(1),
  /** Where the pages of each exhibit lie: see `pageTextKey`. */
  texts: z.array(z.strictObject({ exhibitId: rowId, prefix: z.string().min(1), pages: z.int().nonnegative() })),
});
export type SearchTextMessage = z.infer<typeof searchTextMessage>;

/** What can lie in the shared dead-letter queue besides the events that the `re_ocr` queue is fed with. */
export const deadLetter = z.discriminatedUnion("kind", [
  s3CopyMessage,
  preUploaderMessage,
  docUploaderMessage,
  searchTextMessage,
]);
export type DeadLetter = z.infer<typeof deadLetter>;

/** Message attribute of a dead letter: a {@link wireError} as JSON, saying why the message was given up. */
export const deadLetterReasonAttribute = "reason";
export const deadLetterReason = wireError;

/**
 * Queue of the uploader module: which `doc_uploader` queue to consume, and when to let go of it. Both may arrive
 * twice; `release` of an unknown exchange is a success.
 */
export const uploaderCommand = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("consume"),
    exchange: exchangeContext,
    queueUrl: z.url(),
    queueArn: z.string().min(1),
    topicArn: z.string().min(1),
  }),
  z.strictObject({ kind: z.literal("release"), exchange: exchangeContext }),
]);
export type UploaderCommand = z.infer<typeof uploaderCommand>;

/** Sent with a delay to `exch-orch`: look again whether an exchange is done. */
export const exchangerRecheck = z.strictObject({ kind: z.literal("recheck"), exchangeId: z.uuid() });
export type ExchangerRecheck = z.infer<typeof exchangerRecheck>;
