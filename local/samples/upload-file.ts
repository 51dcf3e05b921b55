import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { InvalidInputError } from "../../contracts/errors.ts";
import { beginsLikePdf, countPages, parseLimit } from "../uploader/pdf.ts";
import type { FoundFile } from "./file-tree.ts";

const smallestPart = 8 * 1024 * 1024;
/** S3 takes 10,000 parts; a file that grows meanwhile shall still fit. */
const mostParts = 9_000;

/**
 * Streams a file to S3. What was sent is what counts, even if the file changes meanwhile.
 * @returns bytes sent and their SHA-256 in hex
 */
export async function uploadFile(
  s3: S3Client,
  file: FoundFile,
  target: { Bucket: string; Key: string; ContentType: string },
): Promise<{ size: number; sha256: string }> {
  const hash = createHash("sha256");
  let size = 0;
  async function* hashed() {
    for await (const chunk of readingOf(file)) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  }
  const sending = new Upload({
    client: s3,
    params: { ...target, Body: Readable.from(hashed(), { objectMode: false }) },
    partSize: Math.max(smallestPart, Math.ceil(file.size / mostParts)),
    queueSize: 2,
  });
  await sending.done();
  return { size, sha256: hash.digest("hex") };
}

async function* readingOf(file: FoundFile): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(file.path) as AsyncIterable<Buffer>;
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** What a file is to reviewers: `rendition` says whether it can be shown to them as it is. */
export interface Inspection {
  mimeType: string;
  rendition: boolean;
  pages: number | null;
  /** Why a file that begins like a PDF is no rendition. */
  note?: string;
}

/** Looks whether a file is a PDF that can be read; very large ones are judged by their first bytes. */
export async function inspectFile(file: FoundFile): Promise<Inspection> {
  const head = await headOf(file);
  if (!beginsLikePdf(head)) return { mimeType: "application/octet-stream", rendition: false, pages: null };
  const mimeType = "application/pdf";
  if (file.size > parseLimit) return { mimeType, rendition: true, pages: null };
  try {
    return { mimeType, rendition: true, pages: await countPages(await readFile(file.path)) };
  } catch (error) {
    const note = `travels as a native only: ${error instanceof Error ? error.message : String(error)}`;
    return { mimeType, rendition: false, pages: null, note };
  }
}

async function headOf(file: FoundFile): Promise<Buffer> {
  try {
    await using handle = await open(file.path);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: FoundFile, cause: unknown): InvalidInputError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new InvalidInputError(
    "UNREADABLE",
    `'${file.names.join("/")}' cannot be read (${reason}): make it readable or take it out of the folder`,
    { cause },
  );
}
