/** What an administrator would copy with, and what Spark reads MySQL with: for the benchmark alone, never shipped. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { cached } from "../../local/toolchain/cache.ts";
import { ToolMissingError } from "../../local/toolchain/errors.ts";
import type { Progress } from "../../local/toolchain/index.ts";
import { findExecutable } from "../../local/toolchain/system.ts";

const programs = ["mariadb", "mariadb-dump", "mydumper", "myloader"] as const;

/** Paths of the programs, and what their processes need in the environment. */
export interface DumpTools {
  readonly path: Readonly<Record<(typeof programs)[number], string>>;
  readonly env: Readonly<Record<string, string>>;
}

/** The programs with the libraries that a small system lacks, by the names of Debian 12. */
const packages = ["mariadb-client-core", "mariadb-client", "mydumper", "libmariadb3", "libpcre3", "libglib2.0-0"];

/** Spark fetches it by this name, once, into our cache. */
export const jdbcDriver = "com.mysql:mysql-connector-j:9.4.0";

/** The machine's own programs where all are there, else Debian's, unpacked into our cache; the system stays as it is. */
export async function ensureDumpTools(cacheDir: string, progress: Progress): Promise<DumpTools> {
  const own = pathsIn(process.env["PATH"] ?? "");
  if (own) return { path: own, env: {} };
  const folder = await cached(join(cacheDir, "dump-tools-debian12"), async (target) => {
    progress(`fetching ${packages.join(" ")} (a minute, once)`);
    await unpack(target);
  });
  const path = pathsIn(join(folder, "usr", "bin"));
  if (!path) throw missing(undefined);
  const libraries = [join(folder, "usr", "lib"), join(folder, "lib")].flatMap((lib) => [lib, ...triplets(lib)]);
  return { path, env: { LD_LIBRARY_PATH: libraries.join(delimiter) } };
}

function pathsIn(folders: string): DumpTools["path"] | undefined {
  const found = programs.map((name) => [name, findExecutable([name], folders)] as const);
  return found.every(([, path]) => path !== undefined) ? (Object.fromEntries(found) as DumpTools["path"]) : undefined;
}

function triplets(lib: string): string[] {
  return ["x86_64-linux-gnu", "aarch64-linux-gnu"].map((name) => join(lib, name)).filter((path) => existsSync(path));
}

async function unpack(folder: string): Promise<void> {
  const download = () => execa("apt-get", ["download", "-qq", ...packages], { cwd: folder });
  try {
    // Where the package lists are missing or old, only root may fetch new ones.
    await download().catch(async () => {
      await execa("apt-get", ["update", "-qq"]);
      await download();
    });
    for (const file of await readdir(folder)) {
      if (file.endsWith(".deb")) await execa("dpkg", ["-x", join(folder, file), folder]);
    }
  } catch (cause) {
    throw missing(cause);
  }
}

function missing(cause: unknown): ToolMissingError {
  return new ToolMissingError(
    `${programs.join(", ")} were not found and could not be unpacked from Debian 12's packages: ` +
      "install them (on Debian or Ubuntu: apt-get install mariadb-client mydumper)",
    { cause },
  );
}
