import { define } from "../resource.ts";
import { ifExists, type RetryRule } from "../retrying.ts";
import { flag, number, policy, text, textSet } from "../schema.ts";
import { tagList, tagMap } from "../tags.ts";

/** A deleted secret's name is free when its deletion has ended. */
const beingDeleted: readonly RetryRule[] = [
  {
    name: "InvalidRequestException",
    message: /scheduled for deletion/i,
    reason: "a secret of this name is being deleted",
  },
];

export const secret = define({
  token: "aws:secretsmanager/secret:Secret",
  properties: {
    arn: text({ role: "output" }),
    description: text(),
    forceOverwriteReplicaSecret: flag({ default: false, unread: true }),
    kmsKeyId: text(),
    name: text({ replaces: true }),
    policy: policy({ computed: true }),
    recoveryWindowInDays: number({ default: 30, unread: true }),
  },
  unsupported: ["namePrefix", "replicas", "type"],
  naming: { property: "name", maxLength: 512 },

  async create(context, inputs, tags) {
    const secrets = await context.aws.secretsManager();
    const made = await context.retry(beingDeleted, () =>
      secrets.createSecret({
        Name: inputs.name,
        Description: inputs.description,
        KmsKeyId: inputs.kmsKeyId,
        Tags: tagList(tags),
      }),
    );
    const id = context.created(made.ARN ?? "");
    if (inputs.policy) await secrets.putResourcePolicy({ SecretId: id, ResourcePolicy: inputs.policy });
    return id;
  },
  async read(context, id) {
    const secrets = await context.aws.secretsManager();
    const found = await ifExists(() => secrets.describeSecret({ SecretId: id }));
    if (found === undefined || found.DeletedDate !== undefined) return undefined;
    const rights = await ifExists(() => secrets.getResourcePolicy({ SecretId: id }));
    return {
      arn: found.ARN,
      description: found.Description,
      kmsKeyId: found.KmsKeyId,
      name: found.Name,
      policy: rights?.ResourcePolicy,
      tagsAll: tagMap(found.Tags),
    };
  },
  async update(context, id, { inputs, changed }) {
    const secrets = await context.aws.secretsManager();
    if (changed.has("description") || changed.has("kmsKeyId")) {
      const { description = "", kmsKeyId } = inputs;
      await secrets.updateSecret({ SecretId: id, Description: description, KmsKeyId: kmsKeyId });
    }
    if (changed.has("policy")) {
      if (inputs.policy) await secrets.putResourcePolicy({ SecretId: id, ResourcePolicy: inputs.policy });
      else await secrets.deleteResourcePolicy({ SecretId: id });
    }
  },
  async delete(context, id, { recoveryWindowInDays = 30 }) {
    const secrets = await context.aws.secretsManager();
    const how =
      recoveryWindowInDays === 0
        ? { ForceDeleteWithoutRecovery: true }
        : { RecoveryWindowInDays: recoveryWindowInDays };
    await secrets.deleteSecret({ SecretId: id, ...how });
  },
  tagging: {
    add: async (context, id, tags) =>
      (await context.aws.secretsManager()).tagResource({ SecretId: id, Tags: tagList(tags) }),
    remove: async (context, id, TagKeys) =>
      (await context.aws.secretsManager()).untagResource({ SecretId: id, TagKeys }),
  },
});

export const secretVersion = define({
  token: "aws:secretsmanager/secretVersion:SecretVersion",
  properties: {
    arn: text({ role: "output" }),
    secretArn: text({ role: "output" }),
    versionId: text({ role: "output" }),
    secretBinary: text({ replaces: true, secret: true }),
    secretId: text({ role: "required", replaces: true }),
    secretString: text({ replaces: true, secret: true }),
    versionStages: textSet({ computed: true }),
  },
  unsupported: ["hasSecretStringWo", "secretStringWo", "secretStringWoVersion"],
  validate: ({ secretString, secretBinary }) =>
    (secretString === undefined) === (secretBinary === undefined)
      ? [{ property: "secretString", reason: "exactly one of secretString and secretBinary must be given" }]
      : [],

  async create(context, inputs) {
    const secrets = await context.aws.secretsManager();
    const { secretBinary } = inputs;
    const made = await secrets.putSecretValue({
      SecretId: inputs.secretId,
      SecretString: inputs.secretString,
      SecretBinary: secretBinary === undefined ? undefined : Buffer.from(secretBinary, "base64"),
      VersionStages: inputs.versionStages,
    });
    return `${made.ARN ?? inputs.secretId}|${made.VersionId ?? ""}`;
  },
  async read(context, id, known) {
    const secrets = await context.aws.secretsManager();
    const [SecretId, VersionId] = id.split("|");
    const found = await ifExists(() => secrets.getSecretValue({ SecretId, VersionId }));
    if (found === undefined) return undefined;
    return {
      arn: found.ARN,
      secretArn: found.ARN,
      versionId: found.VersionId,
      secretBinary: found.SecretBinary === undefined ? undefined : Buffer.from(found.SecretBinary).toString("base64"),
      secretId: known.secretId ?? found.ARN ?? "",
      secretString: found.SecretString,
      versionStages: found.VersionStages,
    };
  },
  async update(context, id, { inputs }) {
    const secrets = await context.aws.secretsManager();
    const [SecretId, VersionId] = id.split("|");
    const { VersionStages: actual = [] } = await secrets.getSecretValue({ SecretId, VersionId });
    const wanted = inputs.versionStages ?? [];
    for (const VersionStage of wanted.filter((stage) => !actual.includes(stage))) {
      await secrets.updateSecretVersionStage({ SecretId, VersionStage, MoveToVersionId: VersionId });
    }
    for (const VersionStage of actual.filter((stage) => !wanted.includes(stage))) {
      await secrets.updateSecretVersionStage({ SecretId, VersionStage, RemoveFromVersionId: VersionId });
    }
  },
  /** A value goes when its secret goes; only extra labels can be taken from it. */
  async delete(context, id, { versionStages = [] }) {
    const secrets = await context.aws.secretsManager();
    const [SecretId, VersionId] = id.split("|");
    for (const VersionStage of versionStages.filter((stage) => stage !== "AWSCURRENT" && stage !== "AWSPREVIOUS")) {
      await secrets.updateSecretVersionStage({ SecretId, VersionStage, RemoveFromVersionId: VersionId });
    }
  },
});
