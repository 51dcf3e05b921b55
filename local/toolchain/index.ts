import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Told, in one line, what is being done. */
export type Progress = (message: string) => void;

/** Everything that is installed outside of node_modules; all paths are absolute. */
export interface Toolchain {
  /** Our folder in the user's cache. */
  readonly cacheDir: string;
  /** The Pulumi CLI. */
  readonly pulumi: string;
  /** The interpreter of the Python environment with MiniStack, Spark and the test tools. */
  readonly python: string;
  readonly mariadbd: string;
  readonly mariadbInstallDb: string;
  /** Tells one server release from another. */
  readonly mariadbVersion: string;
  /** Folders to put first on PATH: node, Pulumi, Python, Java. */
  readonly path: readonly string[];
}

export function ensureToolchain(progress: Progress): Promise<Toolchain> {
  progress("checking the toolchain");
  const cacheDir = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "documentexchanger");
  const pulumiDir = join(cacheDir, "pulumi-3.259.0");
  const venv = join(cacheDir, "venv-dev");
  const mariadbd = ["/usr/sbin/mariadbd", "/usr/libexec/mariadbd"].find(existsSync) ?? "mariadbd";
  return Promise.resolve({
    cacheDir,
    pulumi: join(pulumiDir, "pulumi"),
    python: join(venv, "bin", "python"),
    mariadbd,
    mariadbInstallDb: "mariadb-install-db",
    mariadbVersion: "10.11",
    path: [join(import.meta.dirname, "..", "..", "node_modules", ".bin"), pulumiDir, join(venv, "bin")],
  });
}
