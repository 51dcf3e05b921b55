import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectTaggingCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import type { ChecksumAlgorithm, CompletedPart, S3Client, Tag } from "@aws-sdk/client-s3";
import PQueue from "p-queue";
import { RecoverableError } from "../../contracts/errors.ts";
import type { Logger } from "../shared/log.ts";
import { copySource } from "./keys.ts";
import type { FoundObject } from "./objects.ts";

/** From which size on, and in which parts, objects are copied piecewise. Bytes. */
export interface MultipartLimits {
  thresholdBytes: number;
  partBytes: number;
}

/** S3 takes at most so many parts. */
const maxParts = 10_000;
/** Part copies that run at once. */
const partConcurrency = 8;

/** Whether an object must be copied in parts. */
export function needsParts(size: number, { thresholdBytes }: MultipartLimits): boolean {
  return size > thresholdBytes;
}

/** The parts of an object: as long as asked, longer where there would be too many. */
export function partRanges(size: number, partBytes: number): { number: number; range: string }[] {
  const length = Math.max(partBytes, Math.ceil(size / maxParts));
  return Array.from({ length: Math.ceil(size / length) }, (_, index) => {
    const first = index * length;
    return { number: index + 1, range: `bytes=${first}-${Math.min(first + length, size) - 1}` };
  });
}

/** Tags in the form of a query string, as the header wants them. */
export function taggingHeader(tags: readonly Tag[]): string {
  return new URLSearchParams(tags.map(({ Key = "", Value = "" }): [string, string] => [Key, Value])).toString();
}

/** Copies an object within S3, pinned to the version that was looked at; metadata and tags travel with it. */
export async function copyWhole(
  s3: S3Client,
  source: FoundObject,
  destinationKey: string,
  checksum: ChecksumAlgorithm,
): Promise<void> {
  await s3.send(
    new CopyObjectCommand({
      Bucket: source.bucket,
      Key: destinationKey,
      CopySource: copySource(source.bucket, source.key),
      CopySourceIfMatch: source.etag,
      ChecksumAlgorithm: checksum,
    }),
  );
}

/** As {@link copyWhole}, for objects that are too large for one call. What was begun is removed on failure. */
export async function copyInParts(
  s3: S3Client,
  source: FoundObject,
  destinationKey: string,
  checksum: ChecksumAlgorithm,
  { partBytes }: MultipartLimits,
  log: Logger,
): Promise<void> {
  const upload = await begin(s3, source, destinationKey, checksum);
  const parts = new PQueue({ concurrency: partConcurrency });
  try {
    const copied = await parts.addAll(
      partRanges(source.size, partBytes).map((part) => () => copyPart(s3, source, upload, part)),
    );
    await s3.send(
      new CompleteMultipartUploadCommand({
        ...upload,
        MultipartUpload: { Parts: copied },
        MpuObjectSize: source.size,
        ChecksumType: "FULL_OBJECT",
      }),
    );
  } catch (thrown) {
    // A part that lands after the abort would stay for ever: let those in flight end first.
    parts.clear();
    await parts.onIdle();
    await s3.send(new AbortMultipartUploadCommand(upload)).catch((cause: unknown) => {
      log.error({ err: cause, uploadId: upload.UploadId }, "multipart upload could not be aborted");
    });
    throw thrown;
  }
}

interface Upload {
  Bucket: string;
  Key: string;
  UploadId: string;
}

/** A part copy carries no metadata and no tags: they are read from the source and set here. */
async function begin(s3: S3Client, source: FoundObject, key: string, checksum: ChecksumAlgorithm): Promise<Upload> {
  const { head, bucket } = source;
  const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: source.key }));
  const { UploadId } = await s3.send(
    new CreateMultipartUploadCommand({
      Bucket: bucket,
      Key: key,
      ContentType: head.ContentType,
      ContentEncoding: head.ContentEncoding,
      ContentDisposition: head.ContentDisposition,
      ContentLanguage: head.ContentLanguage,
      CacheControl: head.CacheControl,
      Metadata: head.Metadata,
      ...(TagSet?.length && { Tagging: taggingHeader(TagSet) }),
      ChecksumAlgorithm: checksum,
      ChecksumType: "FULL_OBJECT",
    }),
  );
  if (UploadId === undefined) throw new RecoverableError("INCOMPLETE_ANSWER", `S3 gave no upload id for ${key}`);
  return { Bucket: bucket, Key: key, UploadId };
}

async function copyPart(
  s3: S3Client,
  source: FoundObject,
  upload: Upload,
  part: { number: number; range: string },
): Promise<CompletedPart> {
  const { CopyPartResult: result } = await s3.send(
    new UploadPartCopyCommand({
      ...upload,
      PartNumber: part.number,
      CopySource: copySource(source.bucket, source.key),
      CopySourceIfMatch: source.etag,
      CopySourceRange: part.range,
    }),
  );
  return {
    PartNumber: part.number,
    ETag: result?.ETag,
    ChecksumCRC32: result?.ChecksumCRC32,
    ChecksumCRC32C: result?.ChecksumCRC32C,
    ChecksumCRC64NVME: result?.ChecksumCRC64NVME,
  };
}
