import type { ChecksumAlgorithm, ObjectCannedACL, S3, ServerSideEncryption, StorageClass } from "@aws-sdk/client-s3";
import { bytesOf } from "../assets.ts";
import { partition } from "../context.ts";
import { define } from "../resource.ts";
import { ifExists, type RetryRule } from "../retrying.ts";
import { asset, flag, text, textMap, type Values } from "../schema.ts";
import { tagList, tagMap, type Tags } from "../tags.ts";

const visible: readonly RetryRule[] = [{ name: "NoSuchBucket", reason: "the bucket is not visible yet" }];

const properties = {
  arn: text({ role: "output" }),
  checksumCrc32: text({ role: "output", volatile: true }),
  checksumCrc32c: text({ role: "output", volatile: true }),
  checksumCrc64nvme: text({ role: "output", volatile: true }),
  checksumSha1: text({ role: "output", volatile: true }),
  checksumSha256: text({ role: "output", volatile: true }),
  versionId: text({ role: "output", volatile: true }),
  acl: text({ computed: true, unread: true }),
  bucket: text({ role: "required", replaces: true }),
  bucketKeyEnabled: flag({ computed: true }),
  cacheControl: text(),
  checksumAlgorithm: text({ unread: true }),
  content: text({ unread: true }),
  contentBase64: text({ unread: true }),
  contentDisposition: text(),
  contentEncoding: text(),
  contentLanguage: text(),
  contentType: text({ computed: true }),
  etag: text({ computed: true, volatile: true }),
  forceDestroy: flag({ default: false, unread: true }),
  key: text({ replaces: true }),
  kmsKeyId: text({ computed: true }),
  metadata: textMap(),
  serverSideEncryption: text({ computed: true }),
  source: asset({ unread: true }),
  sourceHash: text({ unread: true }),
  storageClass: text({ computed: true }),
  websiteRedirect: text(),
};
type ObjectInputs = Values<typeof properties>;

/** Everything but the tags is written with the content. */
export const bucketObject = define({
  token: "aws:s3/bucketObjectv2:BucketObjectv2",
  properties,
  unsupported: ["objectLockLegalHoldStatus", "objectLockMode", "objectLockRetainUntilDate", "overrideProvider"],
  naming: { property: "key", maxLength: 1024, exact: true },
  validate: ({ source, content, contentBase64 }) =>
    [source, content, contentBase64].filter((one) => one !== undefined).length > 1
      ? [{ property: "source", reason: "only one of source, content and contentBase64 can be given" }]
      : [],

  async create(context, inputs, tags) {
    const s3 = await context.aws.s3();
    const request = await requestOf(inputs, tags);
    await context.retry(visible, () => s3.putObject(request));
    return `${inputs.bucket}/${inputs.key ?? ""}`;
  },
  async read(context, id) {
    const s3 = await context.aws.s3();
    const { Bucket, Key } = addressOf(id);
    const found = await ifExists(() => s3.headObject({ Bucket, Key, ChecksumMode: "ENABLED" }));
    if (found === undefined) return undefined;
    return {
      arn: `arn:${partition(context.region)}:s3:::${Bucket}/${Key}`,
      bucket: Bucket,
      key: Key,
      bucketKeyEnabled: found.BucketKeyEnabled ?? false,
      cacheControl: found.CacheControl,
      checksumCrc32: found.ChecksumCRC32 ?? "",
      checksumCrc32c: found.ChecksumCRC32C ?? "",
      checksumCrc64nvme: found.ChecksumCRC64NVME ?? "",
      checksumSha1: found.ChecksumSHA1 ?? "",
      checksumSha256: found.ChecksumSHA256 ?? "",
      contentDisposition: found.ContentDisposition,
      contentEncoding: found.ContentEncoding === "aws-chunked" ? undefined : found.ContentEncoding,
      contentLanguage: found.ContentLanguage,
      contentType: found.ContentType,
      etag: found.ETag?.replaceAll('"', ""),
      kmsKeyId: found.SSEKMSKeyId,
      metadata: found.Metadata,
      serverSideEncryption: found.ServerSideEncryption,
      storageClass: found.StorageClass ?? "STANDARD",
      versionId: found.VersionId ?? "",
      websiteRedirect: found.WebsiteRedirectLocation,
      tagsAll: await objectTags(s3, Bucket, Key),
    };
  },
  async update(context, _id, { inputs, tags }) {
    const s3 = await context.aws.s3();
    await s3.putObject(await requestOf(inputs, tags));
  },
  /** Every version goes: what is left would keep the bucket from being deleted. */
  async delete(context, id, { forceDestroy }) {
    const s3 = await context.aws.s3();
    const { Bucket, Key } = addressOf(id);
    const { Versions = [], DeleteMarkers = [] } = await s3.listObjectVersions({ Bucket, Prefix: Key });
    const ours = [...Versions, ...DeleteMarkers].filter((version) => version.Key === Key);
    const bypass = forceDestroy === true ? { BypassGovernanceRetention: true } : {};
    for (const { VersionId } of ours) await s3.deleteObject({ Bucket, Key, VersionId, ...bypass });
    if (ours.length === 0) await s3.deleteObject({ Bucket, Key });
  },
  tagging: {
    add: async (context, id, tags) => changeTags(await context.aws.s3(), id, (actual) => ({ ...actual, ...tags })),
    remove: async (context, id, keys) =>
      changeTags(await context.aws.s3(), id, (actual) => {
        return Object.fromEntries(Object.entries(actual).filter(([key]) => !keys.includes(key)));
      }),
  },
});

/** `bucket/key` or, in imports, also `s3://bucket/key`. */
function addressOf(id: string): { Bucket: string; Key: string } {
  const address = id.replace(/^s3:\/\//, "");
  const slash = address.indexOf("/");
  return { Bucket: address.slice(0, slash), Key: address.slice(slash + 1) };
}

async function requestOf(inputs: ObjectInputs, tags: Tags) {
  return {
    Bucket: inputs.bucket,
    Key: inputs.key,
    Body: await contentOf(inputs),
    ACL: inputs.acl as ObjectCannedACL | undefined,
    BucketKeyEnabled: inputs.bucketKeyEnabled,
    CacheControl: inputs.cacheControl,
    ChecksumAlgorithm: inputs.checksumAlgorithm as ChecksumAlgorithm | undefined,
    ContentDisposition: inputs.contentDisposition,
    ContentEncoding: inputs.contentEncoding,
    ContentLanguage: inputs.contentLanguage,
    ContentType: inputs.contentType ?? "application/octet-stream",
    Metadata: inputs.metadata,
    SSEKMSKeyId: inputs.kmsKeyId,
    ServerSideEncryption: inputs.serverSideEncryption as ServerSideEncryption | undefined,
    StorageClass: inputs.storageClass as StorageClass | undefined,
    WebsiteRedirectLocation: inputs.websiteRedirect,
    ...(Object.keys(tags).length === 0 ? {} : { Tagging: new URLSearchParams(tags).toString() }),
  };
}

async function contentOf({ source, content, contentBase64 }: ObjectInputs): Promise<Uint8Array> {
  if (source !== undefined) return bytesOf(source);
  return contentBase64 === undefined ? Buffer.from(content ?? "") : Buffer.from(contentBase64, "base64");
}

async function objectTags(s3: S3, Bucket: string, Key: string): Promise<Tags> {
  return tagMap((await ifExists(() => s3.getObjectTagging({ Bucket, Key })))?.TagSet);
}

async function changeTags(s3: S3, id: string, change: (tags: Tags) => Tags): Promise<void> {
  const { Bucket, Key } = addressOf(id);
  const TagSet = tagList(change(await objectTags(s3, Bucket, Key)));
  await s3.putObjectTagging({ Bucket, Key, Tagging: { TagSet } });
}
