import { existsSync } from "node:fs";
import { chmod, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { cached } from "./cache.ts";
import { ToolMissingError } from "./errors.ts";
import { findExecutable } from "./system.ts";
import type { Progress } from "./progress.ts";

export const pulumiVersion = "3.259.0";

/** The Pulumi CLI of exactly our version, with its Node language host; returns the folder to put on PATH. */
export async function ensurePulumi(cacheDir: string, progress: Progress): Promise<string> {
  const folder = await cached(join(cacheDir, `pulumi-${pulumiVersion}`), async (target) => {
    if (await linkInstalled(target)) return;
    if (await isVendorReachable()) {
      progress(`installing the Pulumi CLI ${pulumiVersion} with the vendor's installer (a minute, once)`);
      await installFromVendor(target);
      return;
    }
    progress(`building the Pulumi CLI ${pulumiVersion} from its Go module (three to six minutes, once)`);
    await buildWithGo(target);
  });
  return existsSync(join(folder, "bin", "pulumi")) ? join(folder, "bin") : folder;
}

/** Use the machine's own CLI where it is the very version. */
async function linkInstalled(target: string): Promise<boolean> {
  const installed = findExecutable(["pulumi"]);
  if (installed === undefined) return false;
  const env = { PULUMI_SKIP_UPDATE_CHECK: "true" };
  const { stdout } = await execa(installed, ["version"], { env, reject: false });
  const host = join(dirname(installed), "pulumi-language-nodejs");
  if (stdout.trim() !== `v${pulumiVersion}` || !existsSync(host)) return false;
  for (const name of ["pulumi", "pulumi-language-nodejs"]) {
    await symlink(join(dirname(installed), name), join(target, name));
  }
  return true;
}

async function isVendorReachable(): Promise<boolean> {
  try {
    return (await fetch("https://get.pulumi.com/", { method: "HEAD", signal: AbortSignal.timeout(4_000) })).ok;
  } catch {
    return false;
  }
}

async function installFromVendor(target: string): Promise<void> {
  const { PulumiCommand } = await import("@pulumi/pulumi/automation/index.js");
  // Installs the version of the SDK itself, which is ours.
  await PulumiCommand.install({ root: target });
}

async function buildWithGo(target: string): Promise<void> {
  const go = findExecutable(["go"]);
  if (go === undefined) {
    throw new ToolMissingError(
      `the Pulumi CLI ${pulumiVersion} was not found, its installer cannot be reached, and there is no Go to build it: ` +
        "install that version of the CLI, or Go 1.24 or later",
    );
  }
  // Without the version in the binary the Automation API refuses it.
  const version = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${pulumiVersion}`;
  const cli = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
  // The CLI's releases bring the host; its module is not published by itself since this version of the SDK.
  const host = "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs";
  await Promise.all([
    goBuild(go, "pulumi", ["-ldflags", `-s -w ${version}`, "-o", join(target, "pulumi"), cli]),
    goBuild(go, "language-host", ["-ldflags", "-s -w", "-o", join(target, "pulumi-language-nodejs"), host]),
  ]);
  const script = join(target, "pulumi-language-nodejs-exec");
  await writeFile(script, `#!/bin/sh\nexec node -e 'require("@pulumi/pulumi/cmd/run")' -- "$@"\n`);
  await chmod(script, 0o755);
}

/** Build out of a committed go.mod and go.sum; GOPROXY, GOFLAGS and the rest are the user's own. */
async function goBuild(go: string, module: string, args: string[]): Promise<void> {
  await execa(go, ["build", "-mod=readonly", "-trimpath", ...args], { cwd: join(import.meta.dirname, module) });
}
