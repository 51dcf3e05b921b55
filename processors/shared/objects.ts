import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { isForbidden, isMissingObject } from "./failures.ts";

/** Whether what was thrown over an object means that there is none. */
export async function isAbsent(s3: S3Client, bucket: string, key: string, thrown: unknown): Promise<boolean> {
  return isMissingObject(thrown) || (isForbidden(thrown) && !(await isListed(s3, bucket, key)));
}

/**
 * Whether a listing shows the key. S3 answers 403 for a missing key unless the caller may list the bucket, and a right
 * to list that is bound to a prefix, as ours is, does not count for a call that names no prefix.
 */
async function isListed(s3: S3Client, bucket: string, key: string): Promise<boolean> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key, MaxKeys: 1 }));
  return Contents.some((found) => found.Key === key);
}
