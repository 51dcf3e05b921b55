import { Readable } from "node:stream";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { PermanentError, RecoverableError } from "../../contracts/errors.ts";
import { isAbsent } from "../shared/objects.ts";

/**
 * The bytes of a PDF; undefined where there is no object.
 *
 * @throws PermanentError PDF_TOO_LARGE for more bytes than this Lambda has memory for
 */
export async function readPdfObject(
  s3: S3Client,
  bucket: string,
  key: string,
  maximumBytes: number,
): Promise<Uint8Array | undefined> {
  try {
    const { Body, ContentLength = 0 } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    if (!(Body instanceof Readable)) throw new RecoverableError("INCOMPLETE_ANSWER", `S3 sent no content of ${key}`);
    if (ContentLength > maximumBytes) {
      Body.destroy();
      const message = `${key} has ${ContentLength} bytes, more than the ${maximumBytes} that fit: raise MAXIMUM_PDF_BYTES and the memory`;
      throw new PermanentError("PDF_TOO_LARGE", message);
    }
    return await Body.transformToByteArray();
  } catch (thrown) {
    if (await isAbsent(s3, bucket, key, thrown)) return undefined;
    throw thrown;
  }
}

/** S3 holds what arrives against the checksum that goes with it. */
export function putPdf(s3: S3Client, bucket: string, key: string, content: Uint8Array): Promise<void> {
  return put(s3, bucket, key, content, "application/pdf");
}

export function putJson(s3: S3Client, bucket: string, key: string, content: object): Promise<void> {
  return put(s3, bucket, key, JSON.stringify(content), "application/json");
}

async function put(s3: S3Client, bucket: string, key: string, Body: Uint8Array | string, type: string): Promise<void> {
  await s3.send(
    new PutObjectCommand({ Bucket: bucket, Key: key, Body, ContentType: type, ChecksumAlgorithm: "SHA256" }),
  );
}
