import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { policiesOf, profiles, type PolicyNames, type Profile } from "./policies.ts";
import { region, type Emulator } from "./emulator.ts";
import { CloudStartError } from "./errors.ts";

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Create every user with its policy and one access key: the only thing that root ever does. */
export async function createUsers(emulator: Emulator, names: PolicyNames): Promise<Record<Profile, Keys>> {
  const iam = new IAMClient({ endpoint: emulator.endpoint, region, credentials: emulator.root });
  try {
    const policies = policiesOf(names);
    const create = async (UserName: Profile): Promise<[Profile, Keys]> => {
      await iam.send(new CreateUserCommand({ UserName }));
      const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: policies[UserName] });
      await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: UserName, PolicyDocument }));
      const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName }));
      if (!key?.AccessKeyId || !key.SecretAccessKey) {
        throw new CloudStartError("NO_ACCESS_KEY", `the AWS emulator gave no access key for user '${UserName}'`);
      }
      return [UserName, { accessKeyId: key.AccessKeyId, secretAccessKey: key.SecretAccessKey }];
    };
    const created = await Promise.all(profiles.map(create));
    return Object.fromEntries(created) as Record<Profile, Keys>;
  } finally {
    iam.destroy();
  }
}

/** The engine's user, whose keys can only assume the engine's role. */
const engineUser = "engine-user";

/** Write the AWS profile files, readable by their owner alone. The engine's profile appears with its role. */
export async function writeProfiles(
  folder: string,
  keys: Record<Profile, Keys>,
  engineRoleArn?: string,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const credentials = profiles.map((profile) =>
    section(profile === "engine" ? engineUser : profile, {
      aws_access_key_id: keys[profile].accessKeyId,
      aws_secret_access_key: keys[profile].secretAccessKey,
    }),
  );
  const plain = profiles.filter((profile) => profile !== "engine");
  const config = [engineUser, ...plain].map((profile) => section(`profile ${profile}`, { region }));
  if (engineRoleArn !== undefined) {
    const role = { region, role_arn: engineRoleArn, source_profile: engineUser, role_session_name: "engine" };
    config.push(section("profile engine", role));
  }
  await writeFile(join(folder, "credentials"), credentials.join("\n"), { mode: 0o600 });
  await writeFile(join(folder, "config"), config.join("\n"), { mode: 0o600 });
}

function section(name: string, settings: Record<string, string>): string {
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`);
  return `[${name}]\n${lines.join("")}`;
}
