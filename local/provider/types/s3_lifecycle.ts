import type {
  ExpirationStatus,
  LifecycleRule,
  TransitionDefaultMinimumObjectSize,
  TransitionStorageClass,
} from "@aws-sdk/client-s3";
import { define } from "../resource.ts";
import { bucketSettling as settling, ifExists, inUse } from "../retrying.ts";
import { flag, number, object, objects, text, textMap, type Values } from "../schema.ts";

const tagFilter = { key: text({ role: "required" }), value: text({ role: "required" }) };
const sizes = { objectSizeGreaterThan: number({ computed: true }), objectSizeLessThan: number({ computed: true }) };
const lifecycleRule = {
  abortIncompleteMultipartUpload: object({ daysAfterInitiation: number() }),
  expiration: object({ date: text(), days: number(), expiredObjectDeleteMarker: flag({ computed: true }) }),
  filter: object(
    { and: object({ ...sizes, prefix: text(), tags: textMap() }), ...sizes, prefix: text(), tag: object(tagFilter) },
    { computed: true },
  ),
  id: text({ role: "required" }),
  noncurrentVersionExpiration: object({
    newerNoncurrentVersions: number(),
    noncurrentDays: number({ role: "required" }),
  }),
  noncurrentVersionTransitions: objects({
    newerNoncurrentVersions: number(),
    noncurrentDays: number({ role: "required" }),
    storageClass: text({ role: "required" }),
  }),
  status: text({ role: "required" }),
  transitions: objects({ date: text(), days: number(), storageClass: text({ role: "required" }) }),
};
const lifecycleProperties = {
  bucket: text({ role: "required", replaces: true }),
  expectedBucketOwner: text({ replaces: true, unread: true }),
  rules: objects(lifecycleRule, { role: "required" }),
  transitionDefaultMinimumObjectSize: text({ computed: true }),
};
type Rule = Values<typeof lifecycleRule>;

export const bucketLifecycle = define({
  token: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
  properties: lifecycleProperties,
  unsupported: ["rules.prefix", "timeouts"],
  deleteBeforeReplace: true,
  async create(context, inputs) {
    const s3 = await context.aws.s3();
    await context.retry(settling, () => s3.putBucketLifecycleConfiguration(lifecycleOf(inputs)));
    return inputs.bucket;
  },
  async read(context, id) {
    const s3 = await context.aws.s3();
    const found = await ifExists(() => s3.getBucketLifecycleConfiguration({ Bucket: id }));
    if (found?.Rules === undefined) return undefined;
    return {
      bucket: id,
      rules: found.Rules.map(fromSdk),
      transitionDefaultMinimumObjectSize: found.TransitionDefaultMinimumObjectSize,
    };
  },
  async update(context, _id, { inputs }) {
    const s3 = await context.aws.s3();
    await context.retry(settling, () => s3.putBucketLifecycleConfiguration(lifecycleOf(inputs)));
  },
  async delete(context, id) {
    const s3 = await context.aws.s3();
    await context.retry(inUse, () => s3.deleteBucketLifecycle({ Bucket: id }));
  },
});

function lifecycleOf(inputs: Values<typeof lifecycleProperties>) {
  const size = inputs.transitionDefaultMinimumObjectSize;
  return {
    Bucket: inputs.bucket,
    ...(size === undefined ? {} : { TransitionDefaultMinimumObjectSize: size as TransitionDefaultMinimumObjectSize }),
    LifecycleConfiguration: { Rules: inputs.rules.map(toSdk) },
  };
}

function toSdk(rule: Rule): LifecycleRule {
  const { filter, expiration, noncurrentVersionExpiration: noncurrent } = rule;
  const and = filter?.and;
  const tag = filter?.tag;
  return {
    ID: rule.id,
    Status: rule.status as ExpirationStatus,
    Filter: {
      Prefix: filter?.prefix ?? (filter === undefined ? "" : undefined),
      ObjectSizeGreaterThan: filter?.objectSizeGreaterThan,
      ObjectSizeLessThan: filter?.objectSizeLessThan,
      Tag: tag && { Key: tag.key, Value: tag.value },
      And: and && {
        Prefix: and.prefix,
        ObjectSizeGreaterThan: and.objectSizeGreaterThan,
        ObjectSizeLessThan: and.objectSizeLessThan,
        Tags: Object.entries(and.tags ?? {}).map(([Key, Value]) => ({ Key, Value })),
      },
    },
    AbortIncompleteMultipartUpload:
      rule.abortIncompleteMultipartUpload === undefined
        ? undefined
        : { DaysAfterInitiation: rule.abortIncompleteMultipartUpload.daysAfterInitiation },
    Expiration:
      expiration === undefined
        ? undefined
        : {
            Days: expiration.days,
            Date: dateOf(expiration.date),
            ExpiredObjectDeleteMarker: expiration.expiredObjectDeleteMarker,
          },
    NoncurrentVersionExpiration:
      noncurrent === undefined
        ? undefined
        : { NoncurrentDays: noncurrent.noncurrentDays, NewerNoncurrentVersions: noncurrent.newerNoncurrentVersions },
    NoncurrentVersionTransitions: rule.noncurrentVersionTransitions?.map((one) => ({
      NoncurrentDays: one.noncurrentDays,
      NewerNoncurrentVersions: one.newerNoncurrentVersions,
      StorageClass: one.storageClass as TransitionStorageClass,
    })),
    Transitions: rule.transitions?.map((one) => ({
      Days: one.days,
      Date: dateOf(one.date),
      StorageClass: one.storageClass as TransitionStorageClass,
    })),
  };
}

function fromSdk(rule: LifecycleRule): Rule {
  const { Filter: filter, Expiration: expiration, NoncurrentVersionExpiration: noncurrent } = rule;
  return {
    id: rule.ID ?? "",
    status: rule.Status ?? "",
    filter: filter && {
      prefix: filter.Prefix,
      objectSizeGreaterThan: filter.ObjectSizeGreaterThan,
      objectSizeLessThan: filter.ObjectSizeLessThan,
      tag: filter.Tag && { key: filter.Tag.Key ?? "", value: filter.Tag.Value ?? "" },
      and: filter.And && {
        prefix: filter.And.Prefix,
        objectSizeGreaterThan: filter.And.ObjectSizeGreaterThan,
        objectSizeLessThan: filter.And.ObjectSizeLessThan,
        tags: Object.fromEntries((filter.And.Tags ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""])),
      },
    },
    abortIncompleteMultipartUpload: rule.AbortIncompleteMultipartUpload && {
      daysAfterInitiation: rule.AbortIncompleteMultipartUpload.DaysAfterInitiation,
    },
    expiration: expiration && {
      days: expiration.Days,
      date: expiration.Date?.toISOString(),
      expiredObjectDeleteMarker: expiration.ExpiredObjectDeleteMarker,
    },
    noncurrentVersionExpiration: noncurrent && {
      noncurrentDays: noncurrent.NoncurrentDays ?? 0,
      newerNoncurrentVersions: noncurrent.NewerNoncurrentVersions,
    },
    noncurrentVersionTransitions: rule.NoncurrentVersionTransitions?.map((one) => ({
      noncurrentDays: one.NoncurrentDays ?? 0,
      newerNoncurrentVersions: one.NewerNoncurrentVersions,
      storageClass: one.StorageClass ?? "",
    })),
    transitions: rule.Transitions?.map((one) => ({
      days: one.Days,
      date: one.Date?.toISOString(),
      storageClass: one.StorageClass ?? "",
    })),
  };
}

function dateOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}
