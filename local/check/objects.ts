import { createHash } from "node:crypto";
import { GetObjectCommand, NoSuchKey, paginateListObjectsV2, type S3Client } from "@aws-sdk/client-s3";

/** What a listing says of each object, by key: whatever is written anew looks different. */
export async function listObjects(s3: S3Client, bucket: string, prefix: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  // Encoded, because a key may hold what XML cannot.
  const listing = { Bucket: bucket, Prefix: prefix, EncodingType: "url" } as const;
  for await (const page of paginateListObjectsV2({ client: s3 }, listing)) {
    for (const { Key = "", ETag, Size, LastModified } of page.Contents ?? []) {
      const key = decodeURIComponent(Key.replaceAll("+", " "));
      found.set(key, JSON.stringify([ETag, Size, LastModified]));
    }
  }
  return found;
}

/** What an object is: its bytes as a hash, and what S3 keeps beside them. */
export interface ObjectContent {
  sha256: string;
  size: number;
  contentType: string;
  metadata: string;
}

/** Reads an object as a stream, whatever its size; undefined where there is none. */
export async function readObject(s3: S3Client, bucket: string, key: string): Promise<ObjectContent | undefined> {
  try {
    const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    const hash = createHash("sha256");
    let size = 0;
    for await (const chunk of (object.Body ?? []) as AsyncIterable<Uint8Array>) {
      hash.update(chunk);
      size += chunk.length;
    }
    const metadata = JSON.stringify(Object.entries(object.Metadata ?? {}).sort());
    return { sha256: hash.digest("hex"), size, contentType: object.ContentType ?? "", metadata };
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}
