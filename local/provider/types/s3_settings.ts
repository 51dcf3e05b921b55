import type { BucketVersioningStatus, ObjectOwnership, ServerSideEncryption } from "@aws-sdk/client-s3";
import { define } from "../resource.ts";
import { bucketSettling as settling, ifExists, inUse } from "../retrying.ts";
import { flag, object, objects, policy, text, textSet, type Values } from "../schema.ts";

/** Settings of a bucket: each is a resource of its own, known by the bucket's name. */
const bucketName = text({ role: "required", replaces: true });
const owner = text({ replaces: true, unread: true });

export const bucketPolicy = define({
  token: "aws:s3/bucketPolicy:BucketPolicy",
  properties: { bucket: bucketName, policy: policy({ role: "required" }) },
  unsupported: [],
  deleteBeforeReplace: true,
  async create(context, inputs) {
    const s3 = await context.aws.s3();
    await context.retry(settling, () => s3.putBucketPolicy({ Bucket: inputs.bucket, Policy: inputs.policy }));
    return inputs.bucket;
  },
  async read(context, id) {
    const s3 = await context.aws.s3();
    const found = await ifExists(() => s3.getBucketPolicy({ Bucket: id }));
    return found?.Policy === undefined ? undefined : { bucket: id, policy: found.Policy };
  },
  async update(context, id, { inputs }) {
    const s3 = await context.aws.s3();
    await context.retry(settling, () => s3.putBucketPolicy({ Bucket: id, Policy: inputs.policy }));
  },
  async delete(context, id) {
    const s3 = await context.aws.s3();
    await context.retry(inUse, () => s3.deleteBucketPolicy({ Bucket: id }));
  },
});

const accessProperties = {
  blockPublicAcls: flag({ default: false }),
  blockPublicPolicy: flag({ default: false }),
  bucket: bucketName,
  ignorePublicAcls: flag({ default: false }),
  restrictPublicBuckets: flag({ default: false }),
  skipDestroy: flag({ default: false, unread: true }),
};

export const bucketPublicAccessBlock = define({
  token: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  properties: accessProperties,
  unsupported: [],
  deleteBeforeReplace: true,
  async create(context, inputs) {
    const s3 = await context.aws.s3();
    await context.retry(settling, () => s3.putPublicAccessBlock(accessBlockOf(inputs)));
    return inputs.bucket;
  },
  async read(context, id) {
    const s3 = await context.aws.s3();
    const found = await ifExists(() => s3.getPublicAccessBlock({ Bucket: id }));
    const block = found?.PublicAccessBlockConfiguration;
    if (block === undefined) return undefined;
    return {
      blockPublicAcls: block.BlockPublicAcls ?? false,
      blockPublicPolicy: block.BlockPublicPolicy ?? false,
      bucket: id,
      ignorePublicAcls: block.IgnorePublicAcls ?? false,
      restrictPublicBuckets: block.RestrictPublicBuckets ?? false,
    };
  },
  async update(context, _id, { inputs }) {
    const s3 = await context.aws.s3();
    await context.retry(settling, () => s3.putPublicAccessBlock(accessBlockOf(inputs)));
  },
  async delete(context, id, { skipDestroy }) {
    if (skipDestroy === true) return;
    const s3 = await context.aws.s3();
    await context.retry(inUse, () => s3.deletePublicAccessBlock({ Bucket: id }));
  },
});

function accessBlockOf(inputs: Values<typeof accessProperties>) {
  return {
    Bucket: inputs.bucket,
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: inputs.blockPublicAcls,
      BlockPublicPolicy: inputs.blockPublicPolicy,
      IgnorePublicAcls: inputs.ignorePublicAcls,
      RestrictPublicBuckets: inputs.restrictPublicBuckets,
    },
  };
}

const encryptionProperties = {
  bucket: bucketName,
  expectedBucketOwner: owner,
  rules: objects(
    {
      applyServerSideEncryptionByDefault: object({
        kmsMasterKeyId: text(),
        sseAlgorithm: text({ role: "required" }),
      }),
      blockedEncryptionTypes: textSet({ computed: true }),
      bucketKeyEnabled: flag({ computed: true }),
    },
    { role: "required" },
  ),
};

export const bucketEncryption = define({
  token: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  properties: encryptionProperties,
  unsupported: [],
  deleteBeforeReplace: true,
  async create(context, inputs) {
    const s3 = await context.aws.s3();
    await context.retry(settling, () => s3.putBucketEncryption(encryptionOf(inputs)));
    return inputs.bucket;
  },
  async read(context, id) {
    const s3 = await context.aws.s3();
    const found = await ifExists(() => s3.getBucketEncryption({ Bucket: id }));
    const rules = found?.ServerSideEncryptionConfiguration?.Rules;
    if (rules === undefined) return undefined;
    return {
      bucket: id,
      rules: rules.map((rule) => ({
        applyServerSideEncryptionByDefault: {
          sseAlgorithm: rule.ApplyServerSideEncryptionByDefault?.SSEAlgorithm ?? "",
          kmsMasterKeyId: rule.ApplyServerSideEncryptionByDefault?.KMSMasterKeyID,
        },
        bucketKeyEnabled: rule.BucketKeyEnabled,
      })),
    };
  },
  async update(context, _id, { inputs }) {
    const s3 = await context.aws.s3();
    await context.retry(settling, () => s3.putBucketEncryption(encryptionOf(inputs)));
  },
  async delete(context, id) {
    const s3 = await context.aws.s3();
    await context.retry(inUse, () => s3.deleteBucketEncryption({ Bucket: id }));
  },
});

function encryptionOf(inputs: Values<typeof encryptionProperties>) {
  return {
    Bucket: inputs.bucket,
    ExpectedBucketOwner: inputs.expectedBucketOwner,
    ServerSideEncryptionConfiguration: {
      Rules: inputs.rules.map(({ applyServerSideEncryptionByDefault: applied, bucketKeyEnabled }) => ({
        ...(applied === undefined
          ? {}
          : {
              ApplyServerSideEncryptionByDefault: {
                SSEAlgorithm: applied.sseAlgorithm as ServerSideEncryption,
                KMSMasterKeyID: applied.kmsMasterKeyId,
              },
            }),
        BucketKeyEnabled: bucketKeyEnabled,
      })),
    },
  };
}

export const bucketVersioning = define({
  token: "aws:s3/bucketVersioning:BucketVersioning",
  properties: {
    bucket: bucketName,
    expectedBucketOwner: owner,
    versioningConfiguration: object(
      { mfaDelete: text({ computed: true }), status: text({ role: "required" }) },
      { role: "required" },
    ),
  },
  unsupported: ["mfa"],
  deleteBeforeReplace: true,
  async create(context, inputs) {
    const s3 = await context.aws.s3();
    const { status } = inputs.versioningConfiguration;
    // A bucket that never had versions cannot be told so: it is already "Disabled".
    if (status !== "Disabled")
      await context.retry(settling, () => s3.putBucketVersioning(versioningOf(inputs.bucket, status)));
    return inputs.bucket;
  },
  async read(context, id) {
    const s3 = await context.aws.s3();
    const found = await ifExists(() => s3.getBucketVersioning({ Bucket: id }));
    if (found === undefined) return undefined;
    return { bucket: id, versioningConfiguration: { status: found.Status ?? "Disabled", mfaDelete: found.MFADelete } };
  },
  async update(context, id, { inputs }) {
    const s3 = await context.aws.s3();
    const { status } = inputs.versioningConfiguration;
    await context.retry(settling, () => s3.putBucketVersioning(versioningOf(id, status)));
  },
  async delete(context, id, { versioningConfiguration }) {
    const s3 = await context.aws.s3();
    if (versioningConfiguration?.status !== "Enabled") return;
    await context.retry(inUse, () => s3.putBucketVersioning(versioningOf(id, "Suspended")));
  },
});

function versioningOf(Bucket: string, status: string) {
  return { Bucket, VersioningConfiguration: { Status: status as BucketVersioningStatus } };
}

export const bucketOwnershipControls = define({
  token: "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
  properties: {
    bucket: bucketName,
    rule: object({ objectOwnership: text({ role: "required" }) }, { role: "required" }),
  },
  unsupported: [],
  deleteBeforeReplace: true,
  async create(context, inputs) {
    const s3 = await context.aws.s3();
    await context.retry(settling, () => s3.putBucketOwnershipControls(ownershipOf(inputs.bucket, inputs.rule)));
    return inputs.bucket;
  },
  async read(context, id) {
    const s3 = await context.aws.s3();
    const found = await ifExists(() => s3.getBucketOwnershipControls({ Bucket: id }));
    const [rule] = found?.OwnershipControls?.Rules ?? [];
    return rule === undefined ? undefined : { bucket: id, rule: { objectOwnership: rule.ObjectOwnership ?? "" } };
  },
  async update(context, id, { inputs }) {
    const s3 = await context.aws.s3();
    await context.retry(settling, () => s3.putBucketOwnershipControls(ownershipOf(id, inputs.rule)));
  },
  async delete(context, id) {
    const s3 = await context.aws.s3();
    await context.retry(inUse, () => s3.deleteBucketOwnershipControls({ Bucket: id }));
  },
});

function ownershipOf(Bucket: string, rule: { objectOwnership: string }) {
  return { Bucket, OwnershipControls: { Rules: [{ ObjectOwnership: rule.objectOwnership as ObjectOwnership }] } };
}
