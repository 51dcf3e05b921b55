import type { S3 } from "@aws-sdk/client-s3";
import { partition } from "../context.ts";
import { InvalidInputError } from "../../../contracts/errors.ts";
import { define } from "../resource.ts";
import { ifExists, inUse, nameOf } from "../retrying.ts";
import { flag, text } from "../schema.ts";
import { tagList, tagMap, type Tags } from "../tags.ts";

export const bucket = define({
  token: "aws:s3/bucket:Bucket",
  properties: {
    arn: text({ role: "output" }),
    bucketDomainName: text({ role: "output" }),
    bucketRegion: text({ role: "output" }),
    bucketRegionalDomainName: text({ role: "output" }),
    bucket: text({ replaces: true }),
    forceDestroy: flag({ default: false, unread: true }),
    objectLockEnabled: flag({ computed: true, replaces: true }),
  },
  unsupported: [
    "accelerationStatus",
    "acl",
    "bucketNamespace",
    "bucketPrefix",
    "corsRules",
    "grants",
    "hostedZoneId",
    "lifecycleRules",
    "logging",
    "objectLockConfiguration",
    "policy",
    "replicationConfiguration",
    "requestPayer",
    "serverSideEncryptionConfiguration",
    "versioning",
    "website",
    "websiteDomain",
    "websiteEndpoint",
  ],
  naming: { property: "bucket", maxLength: 63, lowerCase: true },

  async create(context, inputs, tags) {
    const s3 = await context.aws.s3();
    const Bucket = inputs.bucket ?? "";
    // In us-east-1 S3 answers "done" for a bucket that is ours already: two resources would share it.
    if (await bucketExists(s3, Bucket)) {
      throw new InvalidInputError(
        "BUCKET_EXISTS",
        `BucketAlreadyExists: the bucket "${Bucket}" exists already: choose another name or import it`,
      );
    }
    await context.retry(inUse, () =>
      s3.createBucket({
        Bucket,
        ...(inputs.objectLockEnabled === true ? { ObjectLockEnabledForBucket: true } : {}),
        ...(context.region === "us-east-1"
          ? {}
          : { CreateBucketConfiguration: { LocationConstraint: context.region as "eu-west-1" } }),
      }),
    );
    context.created(Bucket);
    if (Object.keys(tags).length > 0) await s3.putBucketTagging({ Bucket, Tagging: { TagSet: tagList(tags) } });
    return Bucket;
  },
  async read(context, id) {
    const s3 = await context.aws.s3();
    if (!(await bucketExists(s3, id))) return undefined;
    const [tags, lock] = await Promise.all([
      bucketTags(s3, id),
      s3.getObjectLockConfiguration({ Bucket: id }).catch((error: unknown) => {
        if (nameOf(error) === "ObjectLockConfigurationNotFoundError") return undefined;
        throw error;
      }),
    ]);
    return {
      arn: `arn:${partition(context.region)}:s3:::${id}`,
      bucketDomainName: `${id}.s3.amazonaws.com`,
      bucketRegion: context.region,
      bucketRegionalDomainName: `${id}.s3.${context.region}.amazonaws.com`,
      bucket: id,
      objectLockEnabled: lock?.ObjectLockConfiguration?.ObjectLockEnabled === "Enabled",
      tagsAll: tags,
    };
  },
  async delete(context, id, { forceDestroy }) {
    const s3 = await context.aws.s3();
    if (forceDestroy === true) await emptyBucket(s3, id);
    await context.retry(inUse, () => s3.deleteBucket({ Bucket: id }));
  },
  tagging: {
    // S3 knows only the whole set.
    add: async (context, id, tags) => changeTags(await context.aws.s3(), id, (actual) => ({ ...actual, ...tags })),
    remove: async (context, id, keys) =>
      changeTags(await context.aws.s3(), id, (actual) => {
        return Object.fromEntries(Object.entries(actual).filter(([key]) => !keys.includes(key)));
      }),
  },
});

async function bucketExists(s3: S3, Bucket: string): Promise<boolean> {
  return (await ifExists(() => s3.headBucket({ Bucket }))) !== undefined;
}

async function bucketTags(s3: S3, Bucket: string): Promise<Tags> {
  return tagMap((await ifExists(() => s3.getBucketTagging({ Bucket })))?.TagSet);
}

async function changeTags(s3: S3, Bucket: string, change: (tags: Tags) => Tags): Promise<void> {
  const wanted = change(await bucketTags(s3, Bucket));
  if (Object.keys(wanted).length === 0) await s3.deleteBucketTagging({ Bucket });
  else await s3.putBucketTagging({ Bucket, Tagging: { TagSet: tagList(wanted) } });
}

/** Removes every object in every version; also uploads that never ended. */
async function emptyBucket(s3: S3, Bucket: string): Promise<void> {
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await s3.listObjectVersions({ Bucket });
    const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
    if (Objects.length === 0) break;
    const { Errors = [] } = await s3.deleteObjects({ Bucket, Delete: { Objects, Quiet: true } });
    const [first] = Errors;
    if (first) {
      throw new InvalidInputError(
        "BUCKET_NOT_EMPTY",
        `${Errors.length} objects of the bucket "${Bucket}" cannot be deleted, the first is "${first.Key ?? ""}": ${first.Message ?? ""}`,
      );
    }
  }
  const { Uploads = [] } = await s3.listMultipartUploads({ Bucket });
  for (const { Key, UploadId } of Uploads) await s3.abortMultipartUpload({ Bucket, Key, UploadId });
}
