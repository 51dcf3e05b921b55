import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { execa, ExecaError } from "execa";
import { globalOutputs, type GlobalOutputs } from "../../programs/global/outputs.ts";
import type { Cloud } from "../cloud/cloud.ts";
import type { Progress } from "../toolchain/index.ts";
import { PlatformStartError } from "./errors.ts";

export const globalStack = "global-local";

/** Deploys the global stack as an operator would, with the plain Pulumi CLI, and returns its outputs. */
export async function deployGlobalStack(cloud: Cloud, progress: Progress): Promise<GlobalOutputs> {
  const log = join(cloud.logDir, "global-stack.log");
  const pulumi = (...args: string[]) => {
    const running = execa("pulumi", [...args, "--non-interactive"], {
      cwd: cloud.projectDir,
      env: cloud.pulumiEnv("operator"),
      stdin: "ignore",
    });
    running.stdout.pipe(createWriteStream(log, { flags: "a" }));
    return running;
  };
  try {
    progress(`pulumi up -s ${globalStack}`);
    await pulumi("stack", "init", globalStack);
    await pulumi("up", "--yes", "--skip-preview", "-s", globalStack);
    const { stdout } = await pulumi("stack", "output", "--json", "-s", globalStack);
    return globalOutputs.parse(JSON.parse(stdout));
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    const told = [error.stdout, error.stderr].map(String).join("\n").trim().split("\n").slice(-30).join("\n");
    throw new PlatformStartError("GLOBAL_STACK_FAILED", `the global stack did not come up, see ${log}:\n${told}`, {
      cause: error,
    });
  }
}
