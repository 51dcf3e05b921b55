import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import type { ChecksumAlgorithm, HeadObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import { RecoverableError } from "../../contracts/errors.ts";
import { isAbsent } from "../shared/objects.ts";

/** Checksums of a whole object, base64, by algorithm. */
export type Checksums = Partial<Record<ChecksumAlgorithm, string>>;

/** An object as S3 describes it. */
export interface FoundObject {
  bucket: string;
  key: string;
  size: number;
  etag: string;
  /** Only those over the whole content: a checksum of part checksums depends on how the parts were cut. */
  checksums: Checksums;
  head: HeadObjectCommandOutput;
}

/** Looks an object up; `undefined` when there is none. */
export async function findObject(s3: S3Client, bucket: string, key: string): Promise<FoundObject | undefined> {
  try {
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: "ENABLED" }));
    if (head.ContentLength === undefined || head.ETag === undefined) {
      throw new RecoverableError("INCOMPLETE_ANSWER", `S3 told neither size nor ETag of ${key}`);
    }
    const checksums = head.ChecksumType === "FULL_OBJECT" ? checksumsOf(head) : {};
    return { bucket, key, size: head.ContentLength, etag: head.ETag, checksums, head };
  } catch (thrown) {
    if (await isAbsent(s3, bucket, key, thrown)) return undefined;
    throw thrown;
  }
}

/** SHA-256 of an object's bytes, base64; the content is streamed, never held. */
export async function sha256OfContent(s3: S3Client, { bucket, key, etag }: FoundObject): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, IfMatch: etag }));
  if (!(Body instanceof Readable)) throw new RecoverableError("INCOMPLETE_ANSWER", `S3 sent no content of ${key}`);
  const hash = createHash("sha256");
  await pipeline(Body, hash);
  return hash.digest("base64");
}

/** The checksum fields that S3's answers have in common. */
export interface ChecksumFields {
  ChecksumCRC32?: string | undefined;
  ChecksumCRC32C?: string | undefined;
  ChecksumCRC64NVME?: string | undefined;
  ChecksumSHA1?: string | undefined;
  ChecksumSHA256?: string | undefined;
}

function checksumsOf(answer: ChecksumFields): Checksums {
  return {
    ...(answer.ChecksumCRC32 !== undefined && { CRC32: answer.ChecksumCRC32 }),
    ...(answer.ChecksumCRC32C !== undefined && { CRC32C: answer.ChecksumCRC32C }),
    ...(answer.ChecksumCRC64NVME !== undefined && { CRC64NVME: answer.ChecksumCRC64NVME }),
    ...(answer.ChecksumSHA1 !== undefined && { SHA1: answer.ChecksumSHA1 }),
    ...(answer.ChecksumSHA256 !== undefined && { SHA256: answer.ChecksumSHA256 }),
  };
}
