/** The tools outside of node_modules: found on the machine, or installed once into the user's cache. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder, fingerprint } from "./cache.ts";
import { ensurePulumi } from "./pulumi.ts";
import { ensurePython } from "./python.ts";
import type { Progress } from "./progress.ts";
import { ensureJava, ensureMariadb } from "./system.ts";

export type { Progress } from "./progress.ts";

/** Where every tool is; all paths are absolute. */
export interface Toolchain {
  /** Our folder in the user's cache. */
  readonly cacheDir: string;
  /** The Pulumi CLI. */
  readonly pulumi: string;
  /** The interpreter of the Python environment with MiniStack, Spark and the test tools. */
  readonly python: string;
  readonly mariadbd: string;
  readonly mariadbInstallDb: string;
  /** Tells one build of the server from another. */
  readonly mariadbVersion: string;
  /** Folders to put first on PATH: node, Pulumi, Python, Java. */
  readonly path: readonly string[];
}

/** Find or install everything; a second call costs a few file look-ups. Says something only when there is work. */
export async function ensureToolchain(progress: Progress): Promise<Toolchain> {
  const cacheDir = cacheFolder();
  await mkdir(cacheDir, { recursive: true });
  const [pulumiDir, venv, [mariadb, javaDir]] = await allSettledOrFirstError([
    ensurePulumi(cacheDir, progress),
    ensurePython(cacheDir, progress),
    // One after the other: apt-get allows no two installs at once.
    ensureMariadb(progress).then(async (found) => [found, await ensureJava(progress)] as const),
  ]);
  return {
    cacheDir,
    pulumi: join(pulumiDir, "pulumi"),
    python: join(venv, "bin", "python"),
    mariadbd: mariadb.server,
    mariadbInstallDb: mariadb.installDb,
    mariadbVersion: await fingerprint(mariadb.server),
    path: [join(import.meta.dirname, "..", "..", "node_modules", ".bin"), pulumiDir, join(venv, "bin"), javaDir],
  };
}

/** Let every install end before the first failure is reported, so that none goes on behind our back. */
async function allSettledOrFirstError<T extends readonly Promise<unknown>[]>(
  installs: readonly [...T],
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(installs);
  return Promise.all(installs);
}
