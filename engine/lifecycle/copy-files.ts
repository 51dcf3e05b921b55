/** What the record copy writes beside the manifest, each file a JSON object. */
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import type { z } from "zod";
import {
  copyProgress,
  copyRemoval,
  copyReport,
  privilegedDocuments,
  privilegedKey,
  progressKey,
  removalKey,
  reportKey,
  type CopyProgress,
  type CopyRemoval,
  type CopyReport,
  type ExcludedDocument,
} from "../../contracts/manifest.ts";

/** Whether a run has written this object. Who may list only under a prefix is refused a key that is missing: a listing tells. */
export async function isThere(s3: S3Client, bucket: string, key: string): Promise<boolean> {
  const { Contents: found = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key, MaxKeys: 1 }));
  return found.some((object) => object.Key === key);
}

/** What the record copy did; null while it has not finished. */
export function readReport(s3: S3Client, bucket: string, exchangeId: string): Promise<CopyReport | null> {
  return read(s3, bucket, reportKey(exchangeId), copyReport);
}

/** How far the record copy is; null while it has not said. */
export function readProgress(s3: S3Client, bucket: string, exchangeId: string): Promise<CopyProgress | null> {
  return read(s3, bucket, progressKey(exchangeId), copyProgress);
}

/** What a removal took out and what had to stay; null while none has come to its end. */
export function readRemoval(s3: S3Client, bucket: string, exchangeId: string): Promise<CopyRemoval | null> {
  return read(s3, bucket, removalKey(exchangeId), copyRemoval);
}

/** The documents that the record copy left out of the selection, none while it has not selected. */
export async function readExcluded(s3: S3Client, bucket: string, exchangeId: string): Promise<ExcludedDocument[]> {
  return (await read(s3, bucket, privilegedKey(exchangeId), privilegedDocuments))?.excluded ?? [];
}

async function read<T>(s3: S3Client, bucket: string, key: string, schema: z.ZodType<T>): Promise<T | null> {
  if (!(await isThere(s3, bucket, key))) return null;
  const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return schema.parse(JSON.parse((await body?.transformToString()) ?? ""));
}
