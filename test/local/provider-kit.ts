/** Stacks of the provider's suites: inline programs, the real CLI, state in a folder that is thrown away. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { IAM } from "@aws-sdk/client-iam";
import type { PulumiFn, Stack } from "@pulumi/pulumi/automation/index.js";
import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { execa } from "execa";
import { z } from "zod";
import type { Cloud } from "../../local/cloud/cloud.ts";
import { sharedCloud } from "../support/cloud.ts";
import { unique } from "./cloud-kit.ts";

const project = "provider-test";

/** The shared cloud, and a profile that may do everything there by a role that it assumes. */
export class ProviderBench {
  readonly cloud: Cloud;
  readonly #folder: string;
  readonly #environment: Record<string, string>;
  readonly #path: string | undefined;
  readonly #stacks: Stack[] = [];

  private constructor(cloud: Cloud, folder: string, environment: Record<string, string>) {
    this.cloud = cloud;
    this.#folder = folder;
    this.#environment = environment;
    this.#path = process.env["PATH"];
    // The Automation API looks for the CLI on the PATH of its own process.
    process.env["PATH"] = [environment["PATH"], process.env["PATH"]].join(delimiter);
  }

  static async open(): Promise<ProviderBench> {
    const cloud = await sharedCloud();
    const folder = await mkdtemp(join(tmpdir(), "exchanger-provider-"));
    const account = `arn:aws:iam::${cloud.accountId}`;
    const iam = new IAM(cloud.client("operator"));
    const RoleName = unique("doc_exch_engine_provider_test");
    const trusted = { Effect: "Allow", Principal: { AWS: `${account}:user/engine` }, Action: "sts:AssumeRole" };
    await iam.createRole({
      RoleName,
      AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [trusted] }),
    });
    const everything = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
    await iam.putRolePolicy({ RoleName, PolicyName: "everything", PolicyDocument: JSON.stringify(everything) });

    const environment = cloud.pulumiEnv("operator");
    const config = join(folder, "config");
    const profile = `[profile deployer]\nregion=${cloud.region}\nrole_arn=${account}:role/${RoleName}\nsource_profile=engine-user\n`;
    await writeFile(config, (await readFile(environment["AWS_CONFIG_FILE"] ?? "", "utf8")) + profile);
    return new ProviderBench(cloud, folder, {
      ...environment,
      AWS_PROFILE: "deployer",
      AWS_CONFIG_FILE: config,
      PULUMI_BACKEND_URL: `file://${folder}`,
      PULUMI_CONFIG_PASSPHRASE: "only for tests",
      PULUMI_CONFIG_PASSPHRASE_FILE: "",
    });
  }

  /** A new stack; `program` may read what the test changes between operations. */
  async stack(program: () => Record<string, unknown>): Promise<Stack> {
    const stackName = unique("stack");
    const workDir = await mkdtemp(join(this.#folder, "work-"));
    const inline: PulumiFn = () => Promise.resolve(program());
    const workspace = { workDir, envVars: this.#environment };
    const stack = await LocalWorkspace.createStack({ stackName, projectName: project, program: inline }, workspace);
    this.#stacks.push(stack);
    return stack;
  }

  /** The state as it lies in the backend, secrets and all. */
  rawState(stack: Stack): Promise<string> {
    return readFile(join(this.#folder, ".pulumi", "stacks", project, `${stack.name}.json`), "utf8");
  }

  /** An import protects what it brings in. */
  async unprotect(stack: Stack): Promise<void> {
    const args = ["state", "unprotect", "--all", "--yes", "--stack", stack.name];
    await execa("pulumi", args, { cwd: stack.workspace.workDir, env: this.#environment });
  }

  /** Destroys what the tests left and forgets everything. */
  async close(): Promise<void> {
    for (const stack of this.#stacks) {
      if ((await this.rawState(stack)).includes('"aws:')) await stack.destroy();
    }
    process.env["PATH"] = this.#path;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

const deployment = z.object({
  resources: z.array(
    z.object({ type: z.string(), id: z.string().default(""), outputs: z.record(z.string(), z.unknown()).default({}) }),
  ),
});

/** What is recorded in a stack, by type token. */
export async function recorded(stack: Stack): Promise<Map<string, { id: string; outputs: Record<string, unknown> }>> {
  const exported = await stack.exportStack();
  const { resources } = deployment.parse(exported.deployment);
  return new Map(resources.map((one) => [one.type, { id: one.id, outputs: one.outputs }]));
}
