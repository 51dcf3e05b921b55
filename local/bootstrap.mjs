/**
 * Every npm script starts here, with whatever Node the machine has (18 or newer) and before anything is installed:
 *
 *   node local/bootstrap.mjs SCRIPT.ts [ARGUMENT ...]        run a script of ours
 *   node local/bootstrap.mjs --bin NAME [ARGUMENT ...]       run a tool out of node_modules/.bin
 *
 * It installs node_modules when they are missing or are not those of package-lock.json, then hands over to the Node
 * that the project pins. Two starts at once install once.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { clearInterval, setInterval, setTimeout } from "node:timers";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const bin = join(modules, ".bin");
const clone = createHash("sha256").update(root).digest("hex").slice(0, 12);
/** Beside no clone's files, since an install clears node_modules; one for each clone. */
const lock = join(tmpdir(), `documentexchanger-install-${clone}.lock`);

const marker = "DOCUMENTEXCHANGER_INSTALLING";

const say = (line) => process.stderr.write(`${line}\n`);
const read = (file) => JSON.parse(readFileSync(file, "utf8")).packages;

/**
 * Every package of package-lock.json that this platform needs is in npm's own record of what it installed, and on disk:
 * `npm install --package-lock-only` writes that record without the packages.
 */
function isInstalled() {
  const record = join(modules, ".package-lock.json");
  if (!existsSync(record)) return false;
  const [wanted, installed] = [read(join(root, "package-lock.json")), read(record)];
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === "") return true;
    if (!(path in installed)) return Boolean(optional);
    return installed[path].version === version && existsSync(join(root, path));
  });
}

/** Hold the lock while `work` runs; the holder refreshes it, so one that was killed loses it after ten seconds. */
async function locked(work) {
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      if (isStale()) rmSync(lock, { recursive: true, force: true });
      else await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
  const refresh = setInterval(() => writeFileSync(join(lock, "held"), ""), 2_000);
  try {
    return await work();
  } finally {
    clearInterval(refresh);
    rmSync(join(lock, "held"), { force: true });
    rmdirSync(lock);
  }
}

function isStale() {
  try {
    const held = existsSync(join(lock, "held")) ? join(lock, "held") : lock;
    return Date.now() - statSync(held).mtimeMs > 10_000;
  } catch {
    return false;
  }
}

async function install() {
  if (isInstalled()) return;
  say("installing node_modules with `npm ci` (one to three minutes, once) ...");
  // The `node` package's install script must not meet its own half-installed binary on PATH.
  const path = process.env.PATH.split(delimiter).filter((folder) => !folder.startsWith(modules));
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];
  // The pinned Node is newer than the machine's own may be: npm's warnings about that would only alarm.
  const args = [...npm.slice(1), "ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const status = await run(npm[0], args, { ...process.env, PATH: path.join(delimiter), [marker]: "1" }, [
    "ignore",
    2,
    2,
  ]);
  if (status !== 0) {
    say("`npm ci` failed: see the lines above; repeat the command once the cause is gone");
    process.exit(status);
  }
}

/** Run to the end; returns the exit status as a shell would report it. */
function run(command, args, env, stdio) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, stdio });
    // A terminal's Ctrl-C reaches the child by itself; we only stay until it is done. Other signals come to us alone.
    const stay = () => undefined;
    const pass = (signal) => child.kill(signal);
    process.on("SIGINT", stay);
    for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, pass);
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      process.off("SIGINT", stay);
      for (const each of ["SIGTERM", "SIGHUP"]) process.off(each, pass);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

const [first, ...rest] = process.argv.slice(2);
const isTool = first === "--bin";
const target = isTool ? rest.shift() : first;
if (!target) {
  say("usage: node local/bootstrap.mjs SCRIPT.ts [ARGUMENT ...] | --bin NAME [ARGUMENT ...]");
  process.exit(2);
}
// npm runs scripts with certain names during an install; one of ours would wait here for that very install.
if (process.env[marker]) process.exit(0);
if (!isInstalled()) await locked(install);

const node = join(bin, "node");
const script = isTool ? join(bin, target) : join(root, target);
const env = { ...process.env, PATH: [bin, process.env.PATH].join(delimiter) };
process.exitCode = await run(node, [script, ...rest], env, "inherit");
