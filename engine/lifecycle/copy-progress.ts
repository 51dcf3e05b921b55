import { GetObjectCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { copyProgress, progressKey, type CopyProgress } from "../../contracts/manifest.ts";

/** How far the record copy is; null while it has not said. */
export async function readProgress(s3: S3Client, bucket: string, exchangeId: string): Promise<CopyProgress | null> {
  const key = progressKey(exchangeId);
  // Who may list only under a prefix is refused a key that is missing: a listing tells.
  const { Contents: found } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key, MaxKeys: 1 }));
  if (found?.[0]?.Key !== key) return null;
  const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return copyProgress.parse(JSON.parse((await body?.transformToString()) ?? ""));
}
