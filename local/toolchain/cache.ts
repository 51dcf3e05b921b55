import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, realpath, rename, rm, stat, symlink, utimes } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** Our folder in the user's cache: built and downloaded tools, shared by every clone, keyed by version. */
export function cacheFolder(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "documentexchanger");
}

const heartbeatMs = 2_000;
const staleAfterMs = 15_000;
const pollMs = 250;

/**
 * The folder `target`, made by `build` if it is not there. It appears whole or not at all: `build` fills a folder
 * beside it, whose path is final (a Python environment cannot be moved), and a link then gives it the name. Of two
 * processes one builds and the other waits; what a killed one left is removed by the next.
 */
export async function cached(target: string, build: (folder: string) => Promise<void>): Promise<string> {
  if (existsSync(target)) return target;
  await mkdir(dirname(target), { recursive: true });
  await locked(`${target}.lock`, async () => {
    if (existsSync(target)) return;
    await removeUnfinished(target);
    const folder = `${target}.${randomBytes(4).toString("hex")}`;
    await mkdir(folder);
    try {
      await build(folder);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    const link = `${folder}.link`;
    await symlink(basename(folder), link);
    await rename(link, target);
  });
  return target;
}

async function removeUnfinished(target: string): Promise<void> {
  const prefix = `${basename(target)}.`;
  const left = (await readdir(dirname(target))).filter((name) => name.startsWith(prefix) && !name.endsWith(".lock"));
  for (const name of left) await rm(join(dirname(target), name), { recursive: true, force: true });
}

/** Hold the lock folder while `work` runs. A holder that was killed stops touching it, and loses it. */
async function locked(lock: string, work: () => Promise<void>): Promise<void> {
  while (!(await take(lock))) {
    if (await isStale(lock)) await rm(lock, { recursive: true, force: true });
    else await delay(pollMs);
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    void utimes(lock, now, now).catch(() => undefined);
  }, heartbeatMs);
  try {
    await work();
  } finally {
    clearInterval(heartbeat);
    await rm(lock, { recursive: true, force: true });
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await mkdir(lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function isStale(lock: string): Promise<boolean> {
  const held = await stat(lock).catch(() => undefined);
  return held !== undefined && Date.now() - held.mtimeMs > staleAfterMs;
}

/** Tells one build of an executable from another without running it. */
export async function fingerprint(executable: string): Promise<string> {
  const { size, mtimeMs } = await stat(await realpath(executable));
  return `${size.toString(36)}-${Math.round(mtimeMs).toString(36)}`;
}
