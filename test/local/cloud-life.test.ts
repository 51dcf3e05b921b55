import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { execa } from "execa";
import { startCloud, type Cloud } from "../../local/cloud/cloud.ts";
import { readDescription } from "../../local/cloud/description.ts";
import { ensureToolchain } from "../../local/toolchain/index.ts";
import { createJob, ended, runIn, startRun } from "./cloud-kit.ts";

const root = join(import.meta.dirname, "..", "..");
const quiet = () => undefined;

/** Command lines of processes that have to do with a run folder. */
async function processesOf(runDir: string): Promise<string[]> {
  const { stdout } = await execa("ps", ["-eo", "args"]);
  return stdout.split("\n").filter((line) => line.includes(runDir) && !line.includes("ps -eo"));
}

async function accepts(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port, timeout: 2_000 });
  try {
    await Promise.race([
      once(socket, "connect"),
      once(socket, "timeout").then(() => Promise.reject(new Error("late"))),
    ]);
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

describe("a local cloud of one's own", function () {
  this.timeout(90_000);
  let runDir: string;
  let cloud: Cloud;
  before(async () => {
    runDir = await mkdtemp(join(tmpdir(), "exchanger-life-"));
    const toolchain = await ensureToolchain(quiet);
    cloud = await startCloud({ runDir, toolchain, progress: quiet, glueMinuteSeconds: 2 });
  });
  after(async () => {
    await cloud.stop();
    await rm(runDir, { recursive: true, force: true });
  });

  it("answers on the loopback interface only", async () => {
    const addresses = Object.values(networkInterfaces()).flat();
    const outside = addresses.filter((each) => each !== undefined && !each.internal).map((each) => each!.address);
    for (const port of [Number(new URL(cloud.endpoint).port), cloud.database.port]) {
      expect(await accepts("127.0.0.1", port)).to.equal(true);
      for (const address of outside) expect(await accepts(address, port), address).to.equal(false);
    }
  });

  it("ends a Glue run that exceeds its timeout", async () => {
    const job = await createJob(cloud, "import time\ntime.sleep(600)\n", { minutes: 1 });
    const { JobRunState } = await runIn(cloud, job, await startRun(cloud, job), ended);
    expect(JobRunState).to.equal("TIMEOUT");
  });

  it("gives each database user its grants and no more, and root to the socket alone", async () => {
    // Prepare
    const mysql = await import("mysql2/promise");
    const admin = await cloud.database.admin();
    await admin.query("CREATE DATABASE life");
    await admin.query("CREATE TABLE life.things (name VARCHAR(20))");
    await admin.query("INSERT INTO life.things VALUES ('Ω 😀')");
    await admin.end();
    const { username, password } = await cloud.database.createUser("reader", ["SELECT ON `life`.*"]);
    const { host, port } = cloud.database;

    // Act
    const reader = await mysql.createConnection({ host, port, user: username, password });
    const [rows] = await reader.query("SELECT name FROM life.things");
    const write = await reader.query("DELETE FROM life.things").catch((error: unknown) => (error as Error).message);
    await reader.end();
    const byPort = (user: string) =>
      mysql.createConnection({ host, port, user }).then(
        () => "connected",
        (error: unknown) => (error as { code: string }).code,
      );

    // Assess
    expect(rows).to.deep.equal([{ name: "Ω 😀" }]);
    expect(write).to.match(/command denied/);
    expect([await byPort("root"), await byPort("nobody")]).to.deep.equal([
      "ER_ACCESS_DENIED_ERROR",
      "ER_ACCESS_DENIED_ERROR",
    ]);
  });

  it("has a database that keeps what was committed when it is killed, and comes back at the same port", async () => {
    // Prepare
    const admin = await cloud.database.admin();
    admin.on("error", () => undefined);
    await admin.query("CREATE DATABASE lasting");
    await admin.query("CREATE TABLE lasting.things (name VARCHAR(20))");
    await admin.query("INSERT INTO lasting.things VALUES ('kept')");

    // Act
    await cloud.database.kill();
    const dead = await accepts("127.0.0.1", cloud.database.port);
    await cloud.database.revive();
    const alive = await accepts("127.0.0.1", cloud.database.port);

    // Assess
    const again = await cloud.database.admin();
    const [rows] = await again.query("SELECT name FROM lasting.things");
    await again.end();
    expect([dead, alive, rows]).to.deep.equal([false, true, [{ name: "kept" }]]);
  });

  it("is found by `npm run pulumi`, which passes arguments, output and exit code through", async () => {
    const pulumi = (folder: string, ...args: string[]) =>
      execa("node", [join(root, "local/pulumi/main.ts"), ...args], {
        env: { EXCHANGER_RUN_DIR: folder },
        reject: false,
      });

    const list = await pulumi(runDir, "stack", "ls", "--json");
    const unknown = await pulumi(runDir, "stack", "rm", "nowhere", "--yes", "--non-interactive");
    const none = await pulumi(join(runDir, "nothing"), "stack", "ls");

    expect([list.exitCode, list.stdout]).to.deep.equal([0, "[]"]);
    expect(unknown.exitCode).not.to.equal(0);
    expect(unknown.stderr).to.contain("no stack named 'nowhere' found");
    expect([none.exitCode, none.stderr]).to.deep.equal([1, "no local cloud is running: start it with `npm run local`"]);
  });
});

describe("the end of a local cloud", function () {
  this.timeout(90_000);
  let runDir: string;
  beforeEach(async () => {
    runDir = await mkdtemp(join(tmpdir(), "exchanger-end-"));
  });
  afterEach(() => rm(runDir, { recursive: true, force: true }));

  it("leaves no process, no port and nothing on disk but the logs", async () => {
    // Prepare
    const cloud = await startCloud({ runDir, toolchain: await ensureToolchain(quiet), progress: quiet });
    const job = await createJob(cloud, "import time\ntime.sleep(600)\n");
    await runIn(cloud, job, await startRun(cloud, job), ["RUNNING"]);
    const ports = [Number(new URL(cloud.endpoint).port), cloud.database.port];
    const before = await processesOf(runDir);

    // Act
    await cloud.stop();

    // Assess
    expect(before).not.to.deep.equal([]);
    expect(await processesOf(runDir)).to.deep.equal([]);
    expect(await Promise.all(ports.map((port) => accepts("127.0.0.1", port)))).to.deep.equal([false, false]);
    expect(await readdir(runDir)).to.deep.equal(["logs"]);
    expect((await readdir(join(runDir, "logs"))).sort()).to.deep.equal([
      "emulator.log",
      "glue",
      "lambda",
      "mariadb.log",
    ]);
  });

  it("comes with its process, even when that is killed; while it lives, its folder takes no second one", async () => {
    // Prepare
    const program = `
      import { startCloud } from "${root}/local/cloud/cloud.ts";
      import { ensureToolchain } from "${root}/local/toolchain/index.ts";
      import { createJob, runIn, startRun } from "${root}/test/local/cloud-kit.ts";
      const progress = () => undefined;
      const cloud = await startCloud({ runDir: "${runDir}", toolchain: await ensureToolchain(progress), progress });
      const job = await createJob(cloud, "import time\\ntime.sleep(600)\\n");
      await runIn(cloud, job, await startRun(cloud, job), ["RUNNING"]);
      console.log("up");
    `;
    const owner = execa("node", ["--input-type=module", "--eval", program], { reject: false, buffer: false });
    await once(createInterface({ input: owner.stdout }), "line");
    const description = await readDescription(runDir);

    // Act
    const second: unknown = await startCloud({
      runDir,
      toolchain: await ensureToolchain(quiet),
      progress: quiet,
    }).catch((error: unknown) => error);
    owner.kill("SIGKILL");
    await owner;
    while ((await processesOf(runDir)).length > 0) await delay(100);
    const after: unknown = await readDescription(runDir).catch((error: unknown) => error);

    // Assess
    expect(description.pid).to.equal(owner.pid);
    expect((second as Error).message).to.equal(
      `a local cloud runs already in ${runDir} (process ${description.pid}): stop it, or use another clone`,
    );
    expect((after as Error).message).to.equal("the local cloud was killed: start it again with `npm run local`");
  });
});

describe("the launcher of the AWS emulator", () => {
  it("names every private part that an emulator of another version lacks", async () => {
    const { python } = await ensureToolchain(quiet);
    const program = `
from emulator import private
print(private.missing_names({"ministack.app": ["main", "gone"], "ministack.nowhere": ["x"]}), private.missing_names())
`;
    const { stdout } = await execa(python, ["-c", program], { cwd: join(root, "local/cloud") });
    expect(stdout).to.equal("['ministack.app.gone', 'ministack.nowhere'] []");
  });
});
