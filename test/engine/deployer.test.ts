import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { ensureToolchain } from "../../local/toolchain/index.ts";
import { Deployer } from "../../engine/deployer/deployer.ts";
import { thisMachine } from "../../engine/deployer/process-table.ts";
import type { Job, Outcome } from "../../engine/deployer/protocol.ts";
import type { ExchangeStackConfig } from "../../programs/exchange/config.ts";

const childModule = fileURLToPath(new URL("../../engine/deployer/child.ts", import.meta.url));

describe("deployer", function () {
  this.timeout(180_000);
  let folder: string;
  /** Written by the slow program once it runs. */
  let flag: string;
  let deployer: Deployer;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "deployer-"));
    flag = join(folder, "runs");
    const { path } = await ensureToolchain(() => undefined);
    deployer = new Deployer({
      maxOperations: 2,
      operationMiB: 100,
      operationsPerMinute: 6000,
      workDir: join(folder, "work"),
      stopGraceSeconds: 20,
      environment: {
        ...(process.env as Record<string, string>),
        PATH: [...path, process.env["PATH"]].join(delimiter),
        PULUMI_HOME: join(folder, "home"),
        PULUMI_BACKEND_URL: `file://${folder}`,
        PULUMI_CONFIG_PASSPHRASE: "only for this test",
      },
    });
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const up = (program: string, phase = "running", recover = false): Job => ({
    kind: "up",
    stackName: "exchange-1",
    program: new URL(`programs/${program}.ts`, import.meta.url).href,
    config: { phase } as unknown as ExchangeStackConfig,
    secretsProvider: undefined,
    isNew: phase === "running" && !recover,
    recover,
  });
  const other = (kind: "destroy" | "outputs", recover = false): Job => ({ kind, stackName: "exchange-1", recover });
  const outputs = (phase: string): Outcome => ({ ok: true, outputs: { phase, queues: {}, processors: {} } });

  /** Files of the stack in the backend. */
  const traces = async () =>
    (await readdir(join(folder, ".pulumi"), { recursive: true }).catch(() => [])).filter((path) =>
      /exchange-1.*\.(json|bak)/.test(path),
    );
  const leaveLock = async () => {
    const locks = join(folder, ".pulumi", "locks", "organization", "documentexchanger", "exchange-1");
    await mkdir(locks, { recursive: true });
    await writeFile(join(locks, "5bda8697-c76f-4ccc-87c4-0792df8fefc2.json"), "{}");
  };

  it("brings a stack up, changes its phase, reads its outputs and destroys it without the program", async () => {
    const seen: unknown[] = [];
    for (const job of [up("small"), up("small", "draining"), other("outputs"), other("destroy"), other("destroy")]) {
      seen.push(await deployer.run(job));
    }

    expect(seen).to.deep.equal([
      outputs("running"),
      outputs("draining"),
      outputs("draining"),
      { ok: true, outputs: null },
      { ok: true, outputs: null },
    ]);
    expect(await readdir(join(folder, ".pulumi", "stacks", "documentexchanger")).catch(() => [])).to.deep.equal([]);
  });

  it("leaves neither work folder nor workspace file behind", async () => {
    await deployer.run(up("small"));
    await deployer.run(other("destroy"));

    expect((await readdir(join(folder, "work"))).filter((name) => name.startsWith("exchange"))).to.deep.equal([]);
    expect(await readdir(join(folder, "home", "workspaces"))).to.deep.equal([]);
  });

  it("tells why a program failed and that trying again does not help", async () => {
    const outcome = await deployer.run(up("failing"));

    expect(outcome.ok).to.equal(false);
    if (outcome.ok) return;
    expect(outcome.error.message).to.include("the program may not do this");
    expect([outcome.error.code, outcome.error.retryable]).to.deep.equal(["ACCESS_DENIED", false]);
  });

  it("keeps a stray rejection of one operation away from another that runs at the same time", async () => {
    const [stray, small] = await Promise.all([
      deployer.run({ ...up("stray"), stackName: "exchange-2" }),
      deployer.run(up("small")),
    ]);

    expect(stray.ok).to.equal(false);
    expect(small).to.deep.equal(outputs("running"));
  });

  it("stops an operation that is cancelled, and recovers its stack afterwards", async () => {
    const cancel = new AbortController();
    const running = deployer.run(up("slow", flag), { signal: cancel.signal });
    void untilThere(flag).then(() => {
      cancel.abort();
    });

    const outcome = await running;
    const recovered = [await deployer.run(up("small", "running", true)), await deployer.run(other("destroy", true))];

    expect([outcome.ok, !outcome.ok && outcome.cancelled]).to.deep.equal([false, true]);
    expect(recovered).to.deep.equal([outputs("running"), { ok: true, outputs: null }]);
  });

  it("removes what somebody left of a stack who died while removing it", async () => {
    // Prepare: the stack itself is removed first, then history and backups, and the lock last.
    await deployer.run(up("small"));
    await deployer.run(up("small", "draining"));
    const project = join(folder, ".pulumi", "stacks", "documentexchanger");
    for (const name of await readdir(project)) await rm(join(project, name));
    await leaveLock();
    const left = await traces();

    // Act
    const outcome = await deployer.run(other("destroy"));

    // Assess
    expect(left.length).to.be.greaterThan(1);
    expect({ outcome, left: await traces() }).to.deep.equal({ outcome: { ok: true, outputs: null }, left: [] });
  });

  it("makes a stack where somebody died while making it, and left a lock alone", async () => {
    // Prepare
    await leaveLock();

    // Act
    const outcomes = [
      await deployer.run(up("small")),
      await deployer.run(up("small", "running", true)),
      await deployer.run(other("destroy")),
    ];

    // Assess
    const [blocked, ...recovered] = outcomes;
    expect(blocked?.ok === false && blocked.error.code).to.equal("STACK_LOCKED");
    expect({ recovered, left: await traces() }).to.deep.equal({
      recovered: [outputs("running"), { ok: true, outputs: null }],
      left: [],
    });
  });

  it("takes its folder along when its engine dies before the order", async () => {
    const work = join(folder, "work", "exchange-1-4711-0123abcd");
    await mkdir(work, { recursive: true });
    const child = fork(childModule, [work, "60"]);

    child.disconnect();
    await once(child, "exit");

    expect(existsSync(work)).to.equal(false);
  });

  it("ends a process, with its folder, whose engine stands still before the order", async () => {
    const work = join(folder, "work", "exchange-1-4711-0123abcd");
    await mkdir(work, { recursive: true });
    const child = fork(childModule, [work, "0.1"]);

    await once(child, "exit");

    expect(existsSync(work)).to.equal(false);
  });

  it("gives no order to a process that could not be noted, and leaves nothing of it", async () => {
    const noted: number[] = [];
    const started = (pid: number) => {
      noted.push(pid);
      return Promise.reject(new Error("the registry is gone"));
    };

    const outcome = await deployer.run(up("small"), { started }).catch(String);

    expect(outcome).to.equal("Error: the registry is gone");
    expect(thisMachine.commandOf(noted[0]!)).to.equal(undefined);
    expect(await traces()).to.deep.equal([]);
    expect((await readdir(join(folder, "work"))).filter((name) => name.startsWith("exchange"))).to.deep.equal([]);
  });

  it("does not begin an operation that was cancelled while it waited", async () => {
    const outcome = await deployer.run(up("small"), { signal: AbortSignal.abort() });

    expect(outcome).to.deep.include({ ok: false, cancelled: true });
  });

  it("reports a process that was killed, and lets go of the stack's lock in the next attempt", async () => {
    const outcome = await deployer.run(up("slow", flag), {
      started: (pid) => {
        void untilThere(flag).then(() => process.kill(-pid, "SIGKILL"));
      },
    });
    const blocked = await deployer.run(up("small"));
    const recovered = await deployer.run(up("small", "running", true));

    expect(outcome).to.deep.include({ ok: false, cancelled: false });
    expect(!outcome.ok && outcome.error.code).to.equal("OPERATION_DIED");
    expect(!blocked.ok && blocked.error.code).to.equal("STACK_LOCKED");
    expect(recovered).to.deep.equal(outputs("running"));
  });
});

async function untilThere(file: string): Promise<void> {
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 100));
}
