import { z } from "zod";
import { exchangeContext, rowId } from "./ids.ts";
import { wireError } from "./errors.ts";
import { manifestFile } from "./manifest.ts";

/** `s3_copy` queue: copy one file of one document. */
export const s3CopyMessage = z.strictObject({
  kind: z.literal("s3_copy"),
  exchange: exchangeContext,
  documentId: rowId,
  destinationDocumentId: rowId,
  exhibitIds: z.array(rowId),
  /** The bucket that holds the files of all cases. */
  bucket: z.string().min(1),
  file: manifestFile,
});
export type S3CopyMessage = z.infer<typeof s3CopyMessage>;

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
});
export type DocUploaderMessage = z.infer<typeof docUploaderMessage>;

/** What can lie in the shared dead-letter queue. */
export const deadLetter = z.discriminatedUnion("kind", [s3CopyMessage, docUploaderMessage]);
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
