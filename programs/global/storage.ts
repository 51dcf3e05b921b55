import * as s3 from "@pulumi/aws/s3/index.js";
import { asset, type Output } from "@pulumi/pulumi";
import { onlyOverTls, policyOf } from "../components/policy.ts";
import { bundleNames, type Artifact, type Artifacts, type BundleName } from "./artifacts.ts";
import type { Scope } from "./scope.ts";

/** Where in the data bucket the manifests and reports of exchanges lie. */
export const exchangesPrefix = "exchanges/";
/** Where in the data bucket what we deploy lies. */
export const artifactsPrefix = "artifacts/";

/** Where a bundle lies, as the outputs name it. */
export interface StoredCode {
  bucket: Output<string>;
  key: Output<string>;
  sha256Base64: string;
}

export interface Storage {
  bucket: s3.Bucket;
  bundles: Record<BundleName, StoredCode>;
  glueScript: StoredCode;
  gluePackage: StoredCode;
}

/** The data bucket with what the build made in it. */
export function makeStorage({ config, options }: Scope, artifacts: Artifacts): Storage {
  const bucket = new s3.Bucket("doc-exch-data", { forceDestroy: config.dataMayBeDestroyed }, options);
  protect(bucket, config, options);

  const store = (key: string, artifact: Artifact): StoredCode => {
    const object = new s3.BucketObjectv2(
      key,
      {
        bucket: bucket.bucket,
        key: `${artifactsPrefix}${key}`,
        source: new asset.FileAsset(artifact.path),
        sourceHash: artifact.sha256Base64,
      },
      options,
    );
    return { bucket: bucket.bucket, key: object.key, sha256Base64: artifact.sha256Base64 };
  };
  const bundles = Object.fromEntries(
    bundleNames.map((name) => [name, store(`lambdas/${name}.zip`, artifacts.bundles[name])]),
  );
  return {
    bucket,
    bundles: bundles as Record<BundleName, StoredCode>,
    glueScript: store("glue/script.py", artifacts.glueScript),
    gluePackage: store("glue/documentexchanger_glue.zip", artifacts.gluePackage),
  };
}

/** Encrypted, private, versioned, over TLS only, and old exchanges leave by themselves. */
function protect(bucket: s3.Bucket, config: Scope["config"], options: Scope["options"]): void {
  const name = "doc-exch-data";
  const of = { bucket: bucket.bucket };
  new s3.BucketServerSideEncryptionConfiguration(
    name,
    { ...of, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] },
    options,
  );
  const access = new s3.BucketPublicAccessBlock(
    name,
    { ...of, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
    options,
  );
  new s3.BucketVersioning(name, { ...of, versioningConfiguration: { status: "Enabled" } }, options);
  new s3.BucketLifecycleConfiguration(
    name,
    {
      ...of,
      rules: [
        {
          id: "old-exchanges",
          status: "Enabled",
          filter: { prefix: exchangesPrefix },
          expiration: { days: config.dataRetentionDays },
          noncurrentVersionExpiration: { noncurrentDays: config.dataRetentionDays },
          abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
        },
      ],
    },
    options,
  );
  if (config.requireTls) {
    const policy = policyOf({ arn: bucket.arn }, ({ arn }) => [onlyOverTls("s3:*", [arn, `${arn}/*`])]);
    // S3 takes one change of a bucket's access at a time.
    new s3.BucketPolicy(name, { ...of, policy }, { ...options, dependsOn: [access] });
  }
}
