import type { IAM } from "@aws-sdk/client-iam";
import { define } from "../resource.ts";
import { ifExists, inUse, propagating } from "../retrying.ts";
import { flag, number, objects, policy, text, textSet } from "../schema.ts";
import { tagList, tagMap } from "../tags.ts";

export const role = define({
  token: "aws:iam/role:Role",
  regional: false,
  properties: {
    arn: text({ role: "output" }),
    createDate: text({ role: "output" }),
    uniqueId: text({ role: "output" }),
    name: text({ replaces: true }),
    assumeRolePolicy: policy({ role: "required" }),
    description: text(),
    forceDetachPolicies: flag({ default: false, unread: true }),
    inlinePolicies: objects({ name: text(), policy: policy() }, { computed: true }),
    managedPolicyArns: textSet({ computed: true }),
    maxSessionDuration: number({ default: 3600 }),
    path: text({ default: "/", replaces: true }),
    permissionsBoundary: text(),
  },
  unsupported: ["namePrefix"],
  naming: { property: "name", maxLength: 64 },

  async create(context, inputs, tags) {
    const iam = await context.aws.iam();
    const { Role } = await context.retry(propagating, () =>
      iam.createRole({
        RoleName: inputs.name,
        AssumeRolePolicyDocument: inputs.assumeRolePolicy,
        Description: inputs.description,
        MaxSessionDuration: inputs.maxSessionDuration,
        Path: inputs.path,
        PermissionsBoundary: inputs.permissionsBoundary,
        Tags: tagList(tags),
      }),
    );
    const id = context.created(Role?.RoleName ?? "");
    await syncInline(iam, id, inputs.inlinePolicies ?? []);
    await syncManaged(iam, id, inputs.managedPolicyArns ?? []);
    return id;
  },
  async read(context, id) {
    const iam = await context.aws.iam();
    const found = (await ifExists(() => iam.getRole({ RoleName: id })))?.Role;
    if (found === undefined) return undefined;
    const [inlinePolicies, managedPolicyArns] = await Promise.all([inlineOf(iam, id), managedOf(iam, id)]);
    return {
      arn: found.Arn,
      createDate: found.CreateDate?.toISOString(),
      uniqueId: found.RoleId,
      name: found.RoleName,
      assumeRolePolicy: decodeURIComponent(found.AssumeRolePolicyDocument ?? ""),
      description: found.Description,
      inlinePolicies,
      managedPolicyArns,
      maxSessionDuration: found.MaxSessionDuration,
      path: found.Path,
      permissionsBoundary: found.PermissionsBoundary?.PermissionsBoundaryArn,
      tagsAll: tagMap(found.Tags),
    };
  },
  async update(context, id, { inputs, changed }) {
    const iam = await context.aws.iam();
    const RoleName = id;
    if (changed.has("assumeRolePolicy")) {
      const PolicyDocument = inputs.assumeRolePolicy;
      await context.retry(propagating, () => iam.updateAssumeRolePolicy({ RoleName, PolicyDocument }));
    }
    if (changed.has("description") || changed.has("maxSessionDuration")) {
      await iam.updateRole({
        RoleName,
        Description: inputs.description ?? "",
        MaxSessionDuration: inputs.maxSessionDuration,
      });
    }
    if (changed.has("permissionsBoundary")) {
      if (inputs.permissionsBoundary === undefined) await iam.deleteRolePermissionsBoundary({ RoleName });
      else await iam.putRolePermissionsBoundary({ RoleName, PermissionsBoundary: inputs.permissionsBoundary });
    }
    if (changed.has("inlinePolicies")) await syncInline(iam, id, inputs.inlinePolicies ?? []);
    if (changed.has("managedPolicyArns")) await syncManaged(iam, id, inputs.managedPolicyArns ?? []);
  },
  async delete(context, id, state) {
    const iam = await context.aws.iam();
    const ours = state.inlinePolicies !== undefined && state.inlinePolicies.length > 0;
    if (ours || state.forceDetachPolicies === true) await syncInline(iam, id, []);
    const attached = state.managedPolicyArns !== undefined && state.managedPolicyArns.length > 0;
    if (attached || state.forceDetachPolicies === true) await syncManaged(iam, id, []);
    await context.retry(inUse, () => iam.deleteRole({ RoleName: id }));
  },
  tagging: {
    add: async (context, id, tags) => (await context.aws.iam()).tagRole({ RoleName: id, Tags: tagList(tags) }),
    remove: async (context, id, TagKeys) => (await context.aws.iam()).untagRole({ RoleName: id, TagKeys }),
  },
});

type InlinePolicy = { name?: string | undefined; policy?: string | undefined };

async function inlineOf(iam: IAM, RoleName: string): Promise<InlinePolicy[]> {
  const { PolicyNames = [] } = await iam.listRolePolicies({ RoleName });
  return Promise.all(
    [...PolicyNames].sort().map(async (PolicyName) => {
      const { PolicyDocument = "" } = await iam.getRolePolicy({ RoleName, PolicyName });
      return { name: PolicyName, policy: decodeURIComponent(PolicyDocument) };
    }),
  );
}

async function managedOf(iam: IAM, RoleName: string): Promise<string[]> {
  const { AttachedPolicies = [] } = await iam.listAttachedRolePolicies({ RoleName });
  return AttachedPolicies.map((one) => one.PolicyArn ?? "").sort();
}

async function syncInline(iam: IAM, RoleName: string, wanted: InlinePolicy[]): Promise<void> {
  const { PolicyNames = [] } = await iam.listRolePolicies({ RoleName });
  const strange = PolicyNames.filter((name) => !wanted.some((one) => one.name === name));
  await Promise.all([
    ...strange.map((PolicyName) => iam.deleteRolePolicy({ RoleName, PolicyName })),
    ...wanted.map((one) => iam.putRolePolicy({ RoleName, PolicyName: one.name, PolicyDocument: one.policy })),
  ]);
}

async function syncManaged(iam: IAM, RoleName: string, wanted: string[]): Promise<void> {
  const actual = await managedOf(iam, RoleName);
  const [gone, fresh] = [actual.filter((arn) => !wanted.includes(arn)), wanted.filter((arn) => !actual.includes(arn))];
  await Promise.all([
    ...gone.map((PolicyArn) => iam.detachRolePolicy({ RoleName, PolicyArn })),
    ...fresh.map((PolicyArn) => iam.attachRolePolicy({ RoleName, PolicyArn })),
  ]);
}

export const rolePolicy = define({
  token: "aws:iam/rolePolicy:RolePolicy",
  regional: false,
  properties: {
    name: text({ replaces: true }),
    policy: policy({ role: "required" }),
    role: text({ role: "required", replaces: true }),
  },
  unsupported: ["namePrefix"],
  naming: { property: "name", maxLength: 128 },

  async create(context, inputs) {
    const iam = await context.aws.iam();
    const PolicyName = inputs.name ?? "";
    await context.retry(propagating, () =>
      iam.putRolePolicy({ RoleName: inputs.role, PolicyName, PolicyDocument: inputs.policy }),
    );
    return `${inputs.role}:${PolicyName}`;
  },
  async read(context, id) {
    const iam = await context.aws.iam();
    const [RoleName = "", PolicyName = ""] = id.split(":");
    const found = await ifExists(() => iam.getRolePolicy({ RoleName, PolicyName }));
    if (found === undefined) return undefined;
    return { name: PolicyName, role: RoleName, policy: decodeURIComponent(found.PolicyDocument ?? "") };
  },
  async update(context, id, { inputs }) {
    const iam = await context.aws.iam();
    const [RoleName, PolicyName] = id.split(":");
    await iam.putRolePolicy({ RoleName, PolicyName, PolicyDocument: inputs.policy });
  },
  async delete(context, id) {
    const iam = await context.aws.iam();
    const [RoleName, PolicyName] = id.split(":");
    await iam.deleteRolePolicy({ RoleName, PolicyName });
  },
});

export const managedPolicy = define({
  token: "aws:iam/policy:Policy",
  regional: false,
  properties: {
    arn: text({ role: "output" }),
    attachmentCount: number({ role: "output", volatile: true }),
    policyId: text({ role: "output" }),
    description: text({ replaces: true }),
    name: text({ replaces: true }),
    path: text({ default: "/", replaces: true }),
    policy: policy({ role: "required" }),
  },
  unsupported: ["namePrefix", "delayAfterPolicyCreationInMs"],
  naming: { property: "name", maxLength: 128 },

  async create(context, inputs, tags) {
    const iam = await context.aws.iam();
    const { Policy } = await iam.createPolicy({
      PolicyName: inputs.name,
      PolicyDocument: inputs.policy,
      Description: inputs.description,
      Path: inputs.path,
      Tags: tagList(tags),
    });
    return Policy?.Arn ?? "";
  },
  async read(context, id) {
    const iam = await context.aws.iam();
    const found = (await ifExists(() => iam.getPolicy({ PolicyArn: id })))?.Policy;
    if (found === undefined) return undefined;
    const { PolicyVersion } = await iam.getPolicyVersion({ PolicyArn: id, VersionId: found.DefaultVersionId });
    return {
      arn: found.Arn,
      attachmentCount: found.AttachmentCount,
      policyId: found.PolicyId,
      description: found.Description,
      name: found.PolicyName,
      path: found.Path,
      policy: decodeURIComponent(PolicyVersion?.Document ?? ""),
      tagsAll: tagMap(found.Tags),
    };
  },
  async update(context, id, { inputs }) {
    const iam = await context.aws.iam();
    await dropOldVersions(iam, id, 4);
    await iam.createPolicyVersion({ PolicyArn: id, PolicyDocument: inputs.policy, SetAsDefault: true });
  },
  async delete(context, id) {
    const iam = await context.aws.iam();
    await dropOldVersions(iam, id, 1);
    await context.retry(inUse, () => iam.deletePolicy({ PolicyArn: id }));
  },
  tagging: {
    add: async (context, id, tags) => (await context.aws.iam()).tagPolicy({ PolicyArn: id, Tags: tagList(tags) }),
    remove: async (context, id, TagKeys) => (await context.aws.iam()).untagPolicy({ PolicyArn: id, TagKeys }),
  },
});

/** IAM keeps five versions of a policy and deletes none by itself. */
async function dropOldVersions(iam: IAM, PolicyArn: string, keep: number): Promise<void> {
  const { Versions = [] } = await iam.listPolicyVersions({ PolicyArn });
  const age = (version: { CreateDate?: Date | undefined }) => version.CreateDate?.getTime() ?? 0;
  const old = Versions.filter((version) => version.IsDefaultVersion !== true).sort((a, b) => age(a) - age(b));
  for (const { VersionId } of old.slice(0, Math.max(0, Versions.length - keep))) {
    await iam.deletePolicyVersion({ PolicyArn, VersionId });
  }
}

export const rolePolicyAttachment = define({
  token: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  regional: false,
  properties: {
    policyArn: text({ role: "required", replaces: true }),
    role: text({ role: "required", replaces: true }),
  },
  unsupported: [],
  async create(context, inputs) {
    const iam = await context.aws.iam();
    await context.retry(propagating, () =>
      iam.attachRolePolicy({ RoleName: inputs.role, PolicyArn: inputs.policyArn }),
    );
    return `${inputs.role}/${inputs.policyArn}`;
  },
  async read(context, id) {
    const { role: RoleName, policyArn } = attachmentOf(id);
    const iam = await context.aws.iam();
    const attached = await ifExists(() => managedOf(iam, RoleName));
    return attached?.includes(policyArn) === true ? { role: RoleName, policyArn } : undefined;
  },
  async delete(context, id) {
    const { role: RoleName, policyArn } = attachmentOf(id);
    const iam = await context.aws.iam();
    await iam.detachRolePolicy({ RoleName, PolicyArn: policyArn });
  },
});

/** `role/arn:…`: a role's name holds no slash, a policy's ARN does. */
function attachmentOf(id: string): { role: string; policyArn: string } {
  const slash = id.indexOf("/");
  return { role: id.slice(0, slash), policyArn: id.slice(slash + 1) };
}
