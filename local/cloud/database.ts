import { randomBytes } from "node:crypto";
import { cp, mkdir, rename, rm, readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";
import { execa } from "execa";
import getPort from "get-port";
import mysql from "mysql2/promise";
import type { Toolchain } from "../toolchain/index.ts";
import { CloudStartError } from "./errors.ts";
import { guardScript, startGuarded, type Guarded } from "./guarded.ts";

/** A private MariaDB server on the loopback interface. */
export interface Database {
  readonly host: string;
  readonly port: number;
  /** A new connection as root, which only the socket allows; the caller ends it. */
  admin(): Promise<mysql.Connection>;
  /**
   * Make a user with a random password.
   * @param grants what follows GRANT and precedes TO, e.g. "SELECT ON `case\\_%`.*"
   */
  createUser(name: string, grants: readonly string[]): Promise<{ username: string; password: string }>;
  /** The server dies at once; what was committed is there again with {@link revive}. */
  kill(): Promise<void>;
  /** Starts it again, at the same port. */
  revive(): Promise<void>;
  stop(): Promise<void>;
}

const startPatienceMs = 20_000;
const pidFile = "mariadbd.pid";

export async function startDatabase(dataDir: string, logDir: string, toolchain: Toolchain): Promise<Database> {
  await copyTemplate(dataDir, toolchain);
  await mkdir(temporaryDir(dataDir), { recursive: true });
  const port = await getPort({ host: "127.0.0.1" });
  const admin = () => mysql.createConnection({ socketPath: join(dataDir, "s"), user: "root", supportBigNumbers: true });
  const start = () => startServer({ dataDir, port, log: join(logDir, "mariadb.log"), toolchain, admin });
  let server = await start();

  return {
    host: "127.0.0.1",
    port,
    admin,
    async createUser(name, grants) {
      const password = randomBytes(18).toString("base64url");
      const connection = await admin();
      try {
        await connection.query("CREATE USER ?@'%' IDENTIFIED BY ?", [name, password]);
        for (const grant of grants) await connection.query(`GRANT ${grant} TO ?@'%'`, [name]);
      } finally {
        await connection.end();
      }
      return { username: name, password };
    },
    async kill() {
      process.kill(Number(await readFile(join(dataDir, pidFile), "utf8")), "SIGKILL");
      await server.ended;
    },
    async revive() {
      server = await start();
    },
    stop: () => server.stop(4_000),
  };
}

interface ServerOptions {
  dataDir: string;
  port: number;
  log: string;
  toolchain: Toolchain;
  admin: () => Promise<mysql.Connection>;
}

/** Starts the server on its data, and waits until it takes connections. */
async function startServer({ dataDir, port, log, toolchain, admin }: ServerOptions): Promise<Guarded> {
  // A socket path may have 107 characters at most, so it is given relative to the working folder.
  const server = startGuarded(guardScript, [toolchain.mariadbd, ...serverOptions(dataDir, port)], {
    log,
    env: { PATH: process.env["PATH"], LANG: process.env["LANG"] },
    cwd: dataDir,
  });
  const deadline = Date.now() + startPatienceMs;
  for (;;) {
    try {
      await (await admin()).end();
      return server;
    } catch (error) {
      if (!server.running() || Date.now() > deadline) {
        await server.stop(0);
        const lines = (await readFile(log, "utf8")).trim().split("\n").slice(-5).join("\n");
        throw new CloudStartError("DATABASE_START", `mariadb did not start, see ${log}:\n${lines}`, { cause: error });
      }
      await delay(25);
    }
  }
}

/** Beside the data folder, every folder in which is a schema. */
function temporaryDir(dataDir: string): string {
  return `${dataDir}-tmp`;
}

function serverOptions(dataDir: string, port: number): string[] {
  return [
    "--no-defaults",
    `--datadir=${dataDir}`,
    // A server that starts removes what it finds of temporary tables, whosever they are.
    `--tmpdir=${temporaryDir(dataDir)}`,
    "--socket=s",
    `--pid-file=${join(dataDir, pidFile)}`,
    `--port=${port}`,
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_unicode_ci",
    "--local-infile=ON",
    "--innodb-buffer-pool-size=128M",
    "--innodb-log-file-size=48M",
    // A commit survives the death of the server, as whoever was told of it expects. The data is thrown away at the end:
    // durability over a power cut would only cost time.
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-doublewrite=OFF",
    "--skip-log-bin",
    "--max-connections=200",
    ...(process.getuid?.() === 0 ? ["--user=root"] : []),
  ];
}

/** An initialised data folder, made once per server version and copied for each start. */
async function copyTemplate(dataDir: string, toolchain: Toolchain): Promise<void> {
  const template = join(toolchain.cacheDir, `mariadb-template-${toolchain.mariadbVersion}`);
  if (!existsSync(template)) {
    const building = `${template}.${process.pid}-${randomBytes(4).toString("hex")}`;
    await mkdir(building, { recursive: true });
    await initialise(building, toolchain);
    // Whoever comes second finds a whole template in place, and drops its own.
    await rename(building, template).catch(() => rm(building, { recursive: true, force: true }));
  }
  await cp(template, dataDir, { recursive: true });
}

async function initialise(dataDir: string, toolchain: Toolchain): Promise<void> {
  const user = process.getuid?.() === 0 ? ["--user=root"] : [];
  const env = { TMPDIR: dataDir };
  await execa(
    toolchain.mariadbInstallDb,
    [
      "--no-defaults",
      `--datadir=${dataDir}`,
      "--innodb-log-file-size=48M",
      "--skip-test-db",
      "--auth-root-authentication-method=normal",
      "--skip-name-resolve",
      ...user,
    ],
    { env },
  );
  // Anonymous users shadow `name@%` for local callers, and root is for the socket alone.
  const statements = [
    "DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost');",
    `DELETE FROM mysql.global_priv WHERE User NOT IN ('root', 'mariadb.sys');`,
  ];
  await execa(
    toolchain.mariadbd,
    [
      "--no-defaults",
      "--bootstrap",
      `--datadir=${dataDir}`,
      "--innodb-log-file-size=48M",
      "--skip-networking",
      ...user,
    ],
    { env, input: `${statements.join("\n")}\n` },
  );
}
