import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { makeFolder, noteOwner, removeAbandoned, removeFolder } from "../../engine/deployer/folders.ts";
import type { ProcessTable } from "../../engine/deployer/process-table.ts";

describe("folders of Pulumi operations", () => {
  let root: string;
  let workDir: string;
  let environment: { PULUMI_HOME: string };
  const isOurs = (command: string) => command.includes("child.ts");
  const processes: ProcessTable = {
    commandOf: (pid) => ({ 10: "node child.ts op-1", 20: "vi letter.txt" })[pid],
  };

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "folders-"));
    workDir = join(root, "work");
    environment = { PULUMI_HOME: join(root, "home") };
    await mkdir(join(environment.PULUMI_HOME, "workspaces"), { recursive: true });
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const ownedBy = async (stack: string, pid: number) => {
    const { folder } = await makeFolder(workDir, stack);
    await noteOwner(folder, pid);
    return folder;
  };
  const tidy = (table = processes) => removeAbandoned(workDir, environment, isOurs, table);

  it("hold a place for temporary files, and no two are the same", async () => {
    // Act
    const [one, other] = [await makeFolder(workDir, "exchange-1"), await makeFolder(workDir, "exchange-1")];

    // Assess
    expect([existsSync(one.temporary), one.folder === other.folder]).to.deep.equal([true, false]);
  });

  it("go with what the CLI remembers of them", async () => {
    // Prepare
    const folder = await ownedBy("exchange-1", 10);
    const hash = "documentexchanger-";
    const remembered = join(environment.PULUMI_HOME, "workspaces");
    await writeFile(join(remembered, `${hash}of-another-workspace.json`), "{}");
    const name = `${hash}${createHash("sha1").update(join(folder, "Pulumi.yaml")).digest("hex")}-workspace.json`;
    await writeFile(join(remembered, name), "{}");

    // Act
    await removeFolder(folder, environment);

    // Assess
    expect(await readdir(remembered)).to.deep.equal([`${hash}of-another-workspace.json`]);
  });

  it("are removed when their process is gone, or its number is another's by now; those in use stay", async () => {
    // Prepare
    const [running, dead, reused] = [
      await ownedBy("exchange-1", 10),
      await ownedBy("exchange-2", 11),
      await ownedBy("global-local", 20),
    ];
    await mkdir(join(workDir, ".compile-cache"));

    // Act
    await tidy();

    // Assess
    expect([running, dead, reused].map((folder) => existsSync(folder))).to.deep.equal([true, false, false]);
    expect(existsSync(join(workDir, ".compile-cache"))).to.equal(true);
  });

  it("stay a while without a process while their engine lives: it may just be about to start it", async () => {
    // Prepare
    const { folder } = await makeFolder(workDir, "exchange-1");
    await utimes(folder, 0, 0);

    // Act
    await tidy({ commandOf: (pid) => (pid === process.pid ? "node engine/main.ts" : undefined) });

    // Assess
    expect(existsSync(folder)).to.equal(true);
  });

  it("are removed at once when their engine died before it gave them a process", async () => {
    // Prepare
    const { folder } = await makeFolder(workDir, "exchange-1");

    // Act
    await tidy({ commandOf: () => undefined });

    // Assess
    expect(existsSync(folder)).to.equal(false);
  });
});
