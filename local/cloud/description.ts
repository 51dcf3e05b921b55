import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { NoCloudError } from "./errors.ts";
import type { Profile } from "./policies.ts";

/** `cloud.json` in the run folder: what another process needs to know of a running cloud. It holds no secret. */
const cloudDescription = z.strictObject({
  pid: z.int().positive(),
  endpoint: z.url(),
  region: z.string(),
  runDir: z.string(),
  stateBucket: z.string(),
  caseBucket: z.string(),
  /** Folders that come first on PATH, and where the AWS provider is found. */
  path: z.array(z.string()),
  /** Where Node keeps what it has compiled: half of the start of a program is compiling. */
  compileCache: z.string(),
  /** What `stacks/Pulumi.global-local.yaml` takes from the environment. */
  stackSettings: z.record(z.string(), z.string()),
});
export type CloudDescription = z.infer<typeof cloudDescription>;

const fileOf = (runDir: string) => join(runDir, "cloud.json");

export async function writeDescription(description: CloudDescription): Promise<void> {
  await writeFile(fileOf(description.runDir), `${JSON.stringify(description, undefined, 2)}\n`, { mode: 0o600 });
}

/** The cloud that runs on `runDir`, or an error that says how to start one. */
export async function readDescription(runDir: string): Promise<CloudDescription> {
  const text = await readFile(fileOf(runDir), "utf8").catch((cause: unknown) => {
    throw new NoCloudError("NO_CLOUD", "no local cloud is running: start it with `npm run local`", { cause });
  });
  const description = cloudDescription.parse(JSON.parse(text));
  if (!isAlive(description.pid)) {
    throw new NoCloudError("NO_CLOUD", "the local cloud was killed: start it again with `npm run local`");
  }
  return description;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Environment for a process that calls AWS as `profile`: no static keys, and no trace of the user's own account. */
export function awsEnvironment(cloud: CloudDescription, profile: Profile): Record<string, string> {
  return {
    AWS_PROFILE: profile,
    AWS_CONFIG_FILE: join(cloud.runDir, "aws", "config"),
    AWS_SHARED_CREDENTIALS_FILE: join(cloud.runDir, "aws", "credentials"),
    AWS_REGION: cloud.region,
    AWS_ENDPOINT_URL: cloud.endpoint,
    AWS_EC2_METADATA_DISABLED: "true",
  };
}

/** The environment of {@link awsEnvironment} and all that the Pulumi CLI needs. */
export function pulumiEnvironment(cloud: CloudDescription, profile: Profile): Record<string, string> {
  const backend = new URLSearchParams({ region: cloud.region, endpoint: cloud.endpoint, s3ForcePathStyle: "true" });
  return {
    ...awsEnvironment(cloud, profile),
    ...cloud.stackSettings,
    PATH: [...cloud.path, process.env["PATH"] ?? ""].join(":"),
    PULUMI_BACKEND_URL: `s3://${cloud.stateBucket}?${backend.toString()}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile(cloud.runDir),
    PULUMI_HOME: join(cloud.runDir, "pulumi"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // The emulator sends no checksums with answers, and the CLI would say so each time.
    AWS_RESPONSE_CHECKSUM_VALIDATION: "when_required",
    NODE_COMPILE_CACHE: cloud.compileCache,
  };
}

export function passphraseFile(runDir: string): string {
  return join(runDir, "passphrase");
}
