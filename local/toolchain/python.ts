import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { cached } from "./cache.ts";
import { ToolMissingError } from "./errors.ts";
import { findExecutable, installPackages } from "./system.ts";
import type { Progress } from "./progress.ts";

const lockFile = join(import.meta.dirname, "requirements.lock");
const minimalMinor = 11;

/** The Python environment that requirements.lock describes; returns its folder. */
export function ensurePython(cacheDir: string, progress: Progress): Promise<string> {
  const key = createHash("sha256").update(readFileSync(lockFile)).digest("hex").slice(0, 12);
  return cached(join(cacheDir, `python-${key}`), async (folder) => {
    const python = await usablePython(progress);
    progress("installing the Python environment: MiniStack, Spark and test tools (one to three minutes, once)");
    await execa(python, ["-m", "venv", folder]);
    const install = ["-m", "pip", "install", "--quiet", "--no-deps", "--requirement", lockFile];
    await execa(join(folder, "bin", "python"), install, { env: { PIP_DISABLE_PIP_VERSION_CHECK: "1" } });
    await execa(join(folder, "bin", "python"), ["-m", "pip", "check"]);
  });
}

/** A Python that is new enough and can make environments; Glue 5 has 3.11, which therefore comes first. */
async function usablePython(progress: Progress): Promise<string> {
  const find = async () => {
    for (const name of ["python3.11", "python3.12", "python3.13", "python3"]) {
      const python = findExecutable([name]);
      if (python !== undefined && (await canMakeEnvironments(python))) return python;
    }
    return undefined;
  };
  const found = await find();
  if (found !== undefined) return found;
  const what = `Python 3.${minimalMinor} or later with its venv module`;
  await installPackages(["python3", "python3-venv"], what, progress);
  const installed = await find();
  if (installed === undefined) throw new ToolMissingError(`${what} was not found: install it and put it on PATH`);
  return installed;
}

async function canMakeEnvironments(python: string): Promise<boolean> {
  const probe = `import sys, venv, ensurepip; sys.exit(sys.version_info < (3, ${minimalMinor}))`;
  return (await execa(python, ["-c", probe], { reject: false })).exitCode === 0;
}
