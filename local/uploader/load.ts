import { GetObjectCommand, S3ServiceException, type S3Client } from "@aws-sdk/client-s3";
import { PermanentError, RecoverableError } from "../../contracts/errors.ts";
import type { DocUploaderMessage } from "../../contracts/messages.ts";
import type { DocumentEngine } from "../../processors/shared/document_engine/client.ts";
import { storeExhibits } from "./document-engine.ts";
import { beginsLikePdf, countPages, parseLimit } from "./pdf.ts";

/**
 * Takes one PDF in. Resolves with its page count (`null`: not counted).
 * @throws PermanentError when this document can never be loaded; anything else is tried again.
 */
export type LoadDocument = (message: DocUploaderMessage) => Promise<{ pages: number | null }>;

/** Faults on demand, for tests and for showing what an exchange does about them. */
export interface Faults {
  /** Documents that are refused for good. */
  refuse?: (message: DocUploaderMessage) => boolean;
  /** The first so many attempts on each document fail in passing. */
  failTimes?: number;
  /** Each attempt takes that much longer, in milliseconds. */
  delay?: number;
}

/**
 * Reads the PDF from S3, looks whether it is one and whether it can be read, and stores it in Document Engine where there
 * is one. What is too large to be looked through is not stored either.
 */
export function loaderFrom(s3: S3Client, engine?: DocumentEngine): LoadDocument {
  return async (message) => {
    const { bucket, key, size } = message;
    const tooLarge = size > parseLimit;
    const bytes = await download(s3, bucket, key, tooLarge ? "bytes=0-15" : undefined);
    if (!beginsLikePdf(bytes)) {
      throw new PermanentError("NOT_A_PDF", `${key} does not begin with %PDF-: only PDFs can be loaded`);
    }
    if (tooLarge) return { pages: null };
    const pages = await countPages(bytes);
    const read = (asked: string) => (asked === key ? Promise.resolve(bytes) : download(s3, bucket, asked));
    if (engine) await storeExhibits(engine, message, read);
    return { pages };
  };
}

async function download(s3: S3Client, bucket: string, key: string, range?: string): Promise<Uint8Array> {
  try {
    const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...(range && { Range: range }) }));
    return (await object.Body?.transformToByteArray()) ?? new Uint8Array();
  } catch (error) {
    const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
    // Without the right to list a bucket, S3 answers 403 for a missing key as well.
    if (status === 404 || status === 403) {
      const message = `${key} is missing in ${bucket} or may not be read: check that the file was copied`;
      throw new PermanentError("OBJECT_NOT_READABLE", message, { cause: error });
    }
    throw error;
  }
}

/** The loader, made to fail as asked. */
export function withFaults(load: LoadDocument, faults: Faults): LoadDocument {
  const attempts = new Map<string, number>();
  return async (message) => {
    const { fileId, exchange } = message;
    if (faults.delay) await new Promise((resolve) => setTimeout(resolve, faults.delay));
    if (faults.refuse?.(message)) {
      throw new PermanentError("REFUSED", `file ${fileId} is refused, as asked by the configured faults`);
    }
    const unit = `${exchange.exchangeId} ${fileId}`;
    const attempt = (attempts.get(unit) ?? 0) + 1;
    attempts.set(unit, attempt);
    if (attempt <= (faults.failTimes ?? 0)) {
      throw new RecoverableError("UNAVAILABLE", `attempt ${attempt} on file ${fileId} fails, as asked by the faults`);
    }
    return load(message);
  };
}
