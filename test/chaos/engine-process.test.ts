import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import getPort from "get-port";
import { EngineProcess, type Victim } from "../../local/chaos/engine-process.ts";
import { commandLine, killAll } from "../../local/chaos/processes.ts";

/** Stands for the engine: takes requests, and has a child that leads a process group of its own. */
const program = `
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { writeFileSync } from "node:fs";
const child = spawn("sh", ["-c", "sleep 60 & echo $! > grandchild; wait"], { detached: true, stdio: "ignore" });
writeFileSync("child", String(child.pid));
createServer((request, response) => response.end(process.env.SETTING)).listen(Number(process.env.EXCHANGER_PORT));
`;

describe("an engine that is killed and comes back", function () {
  this.timeout(60_000);

  let root: string;
  let engine: EngineProcess;
  let port: number;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "chaos-engine-"));
    await mkdir(join(root, "engine"));
    await writeFile(join(root, "engine", "main.ts"), program);
    await writeFile(join(root, "package.json"), '{"type":"module"}');
    port = await getPort({ host: "127.0.0.1" });
    engine = new EngineProcess({ root, log: join(root, "log"), port, env: { PATH: process.env["PATH"] ?? "" } });
    await engine.start({ SETTING: "first" });
  });
  afterEach(async () => {
    await engine.stop(1_000);
    for (const pid of await children()) killAll([{ pid, parent: 0, group: pid }]);
    await rm(root, { recursive: true, force: true });
  });

  const children = async () => {
    const read = async (name: string) => Number(await readFile(join(root, name), "utf8").catch(() => "0"));
    while ((await read("grandchild")) === 0) await delay(10);
    return [await read("child"), await read("grandchild")];
  };
  const setting = async () => (await fetch(`http://127.0.0.1:${port}/`)).text();
  const alive = (pid: number) => commandLine(pid) !== "";

  for (const [victim, left] of [
    ["engine", 2],
    ["host", 0],
  ] as const satisfies [Victim, number][]) {
    it(`the ${victim} dies at once, and of its children ${left} live on`, async () => {
      // Prepare
      const before = engine.pid;
      const offspring = await children();

      // Act
      await engine.kill(victim);

      // Assess
      expect({ before: typeof before, after: engine.pid, left: offspring.filter(alive).length }).to.deep.equal({
        before: "number",
        after: undefined,
        left,
      });
      killAll(offspring.map((pid) => ({ pid, parent: 0, group: pid })));
    });
  }

  it("comes back at the same port, with the settings that it had", async () => {
    // Prepare
    const first = engine.pid;
    await engine.kill("host");

    // Act
    await engine.start();

    // Assess
    expect({ setting: await setting(), same: engine.pid === first }).to.deep.equal({ setting: "first", same: false });
  });

  it("stands still while it is paused, and does not know it afterwards", async () => {
    // Act
    engine.pause();
    const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(200) }).catch(
      (error: unknown) => (error as Error).name,
    );
    engine.resume();

    // Assess
    expect({ answer, later: await setting() }).to.deep.equal({ answer: "TimeoutError", later: "first" });
  });
});
