import { accessSync, constants, existsSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { execa } from "execa";
import { ToolMissingError } from "./errors.ts";
import type { Progress } from "./progress.ts";

/** Where servers live on systems that do not put them on a user's PATH. */
const systemFolders = ["/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/local/bin", "/opt/homebrew/bin"];

/** The first executable of one of these names, by absolute path. */
export function findExecutable(names: readonly string[], path = process.env["PATH"] ?? ""): string | undefined {
  const folders = [...path.split(delimiter), ...systemFolders];
  const candidates = names.flatMap((name) => folders.filter(Boolean).map((folder) => join(folder, name)));
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

let indexIsFresh: Promise<unknown> | undefined;

/**
 * Install system packages where we may (root on Debian and its kin), or say what is missing.
 * @param what the tool and its version, e.g. "a MariaDB server"
 */
export async function installPackages(packages: readonly string[], what: string, progress: Progress): Promise<void> {
  const names = packages.join(" ");
  const apt = findExecutable(["apt-get"]);
  if (process.getuid?.() !== 0 || apt === undefined) {
    throw new ToolMissingError(`${what} was not found: install it (on Debian or Ubuntu: apt-get install ${names})`);
  }
  progress(`installing ${names} with apt-get (up to a minute)`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const waitForOthers = ["-o", "DPkg::Lock::Timeout=120"];
  try {
    indexIsFresh ??= execa(apt, ["update", "-qq", ...waitForOthers], { env });
    await indexIsFresh;
    await execa(apt, ["install", "-y", "-qq", "--no-install-recommends", ...waitForOthers, ...packages], { env });
  } catch (cause) {
    throw new ToolMissingError(`${what} was not found, and apt-get could not install ${names}: install it by hand`, {
      cause,
    });
  }
}

/** A MariaDB server and the program that makes its data folder. */
export async function ensureMariadb(progress: Progress): Promise<{ server: string; installDb: string }> {
  const find = () => {
    const server = findExecutable(["mariadbd"]);
    const installDb = findExecutable(["mariadb-install-db"]);
    return server !== undefined && installDb !== undefined ? { server, installDb } : undefined;
  };
  const found = find();
  if (found) return found;
  // The client package has the helpers that mariadb-install-db calls.
  await installPackages(["mariadb-server-core", "mariadb-client-core"], "a MariaDB server", progress);
  const installed = find();
  if (!installed)
    throw new ToolMissingError("mariadbd was not found although its package is installed: put it on PATH");
  return installed;
}

/** The major version of a Java release, as its `release` file or its version line states it. */
export function javaMajor(text: string): number {
  const version = /(?:JAVA_VERSION=|version )"(?:1\.)?(\d+)/.exec(text)?.[1];
  return version === undefined ? 0 : Number(version);
}

const minimalJava = 17;

/** The folder of a Java runtime that is new enough for Spark, 17 or later. */
export async function ensureJava(progress: Progress): Promise<string> {
  const found = await findJava();
  if (found !== undefined) return found;
  const what = `Java ${minimalJava} or later`;
  await installPackages(["openjdk-17-jre-headless"], what, progress);
  const installed = await findJava();
  if (installed === undefined) throw new ToolMissingError(`${what} was not found: set JAVA_HOME to one`);
  return installed;
}

async function findJava(): Promise<string | undefined> {
  const home = process.env["JAVA_HOME"];
  const folders = [...(home === undefined ? [] : [join(home, "bin")]), ...(process.env["PATH"] ?? "").split(delimiter)];
  for (const folder of folders) {
    if (folder === "" || !existsSync(join(folder, "java"))) continue;
    const bin = dirname(await realpath(join(folder, "java")));
    // The release file spares a start of Java; only some distributions lack it.
    const release = await readFile(join(bin, "..", "release"), "utf8").catch(() => "");
    const text = release === "" ? (await execa(join(bin, "java"), ["-version"], { reject: false })).stderr : release;
    if (javaMajor(text) >= minimalJava) return bin;
  }
  return undefined;
}
