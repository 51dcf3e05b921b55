/** Deploys both programs for real, with the plain Pulumi CLI, in the shared cloud. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { exchangeStackName } from "../../contracts/names.ts";
import type { Cloud } from "../../local/cloud/cloud.ts";
import { exchangeOutputs, type ExchangeOutputs, type ExchangeStackConfig } from "../../programs/exchange/config.ts";
import { globalOutputs, type GlobalOutputs } from "../../programs/global/outputs.ts";

export const globalStack = "global-programs";

/**
 * Stands for the record copy, which has a suite of its own: its `--selection` says what to write as the manifest, line by
 * line, or that the job is to fail.
 */
const glueScript = `
import json, sys
import boto3

arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
parts = json.loads(arguments["--selection"])
if parts == "fail":
    sys.exit("ERROR NO_SUCH_LABEL: label 7 does not exist")
for number, lines in enumerate(parts):
    key = f"{arguments['--manifest_prefix']}part-{number:05}.jsonl"
    body = "".join(json.dumps(line) + "\\n" for line in lines)
    boto3.client("s3").put_object(Bucket=arguments["--data_bucket"], Key=key, Body=body.encode())
`;

export interface Deployment {
  global: GlobalOutputs;
  /** Runs the CLI; the answer is its standard output. */
  pulumi(profile: "operator" | "engine", ...args: string[]): Promise<string>;
  /** The stack of an exchange as the engine brings it up. */
  deployExchange(config: Omit<ExchangeStackConfig, "global">): Promise<ExchangeOutputs>;
  destroy(profile: "operator" | "engine", stack: string): Promise<void>;
  removeFiles(): Promise<void>;
}

export async function deployGlobal(cloud: Cloud): Promise<Deployment> {
  const artifacts = await mkdtemp(join(tmpdir(), "exchanger-artifacts-"));
  const root = join(import.meta.dirname, "..", "..");
  // The build awaits at its top, and what mocha loads by itself must not.
  const { buildArtifacts } = await import("../../build.ts");
  await buildArtifacts({ root, outputFolder: artifacts });
  await writeFile(join(artifacts, "glue", "script.py"), glueScript);

  const stacks = join(cloud.projectDir, "stacks");
  const settingsOf = (stack: string) => join(stacks, `Pulumi.${stack}.yaml`);
  await cp(join(root, "stacks", "Pulumi.global-local.yaml"), settingsOf(globalStack));

  const pulumi: Deployment["pulumi"] = async (profile, ...args) => {
    const env = { ...cloud.pulumiEnv(profile), EXCHANGER_ARTIFACTS: artifacts };
    const { stdout } = await execa("pulumi", [...args, "--non-interactive"], {
      cwd: cloud.projectDir,
      env,
      stdin: "ignore",
    });
    return stdout;
  };
  const up = async (profile: "operator" | "engine", stack: string): Promise<unknown> => {
    await pulumi(profile, "up", "--yes", "--skip-preview", "-s", stack);
    return JSON.parse(await pulumi(profile, "stack", "output", "--json", "-s", stack));
  };

  const known = new Set<string>();
  await pulumi("operator", "stack", "init", globalStack);
  const global = globalOutputs.parse(await up("operator", globalStack));
  await cloud.grantEngineRole(global.engineRoleArn);

  return {
    global,
    pulumi,
    async deployExchange(config) {
      const stack = exchangeStackName(config.exchange.exchangeId);
      const settings = settingsOf(stack);
      if (!known.has(stack)) {
        await pulumi("engine", "stack", "init", stack);
        known.add(stack);
      }
      const salt = /^encryptionsalt: .*$/m.exec(await readFile(settings, "utf8"))?.[0] ?? "";
      const exchange = JSON.stringify({ ...config, global });
      await writeFile(settings, `config:\n  documentexchanger:exchange: ${exchange}\n${salt}\n`);
      return exchangeOutputs.parse(await up("engine", stack));
    },
    async destroy(profile, stack) {
      await pulumi(profile, "destroy", "--yes", "--skip-preview", "-s", stack);
      await pulumi(profile, "stack", "rm", "--yes", stack);
    },
    removeFiles: () => rm(artifacts, { recursive: true }),
  };
}
