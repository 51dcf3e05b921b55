/** Where an operation keeps its files, and who removes them when its process cannot. */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { thisMachine, type ProcessTable } from "./process-table.ts";
import { projectName } from "./protocol.ts";

const ownerFile = "owner";
/** The number of the engine's process that made it stands in its name: there from the start, whenever the engine dies. */
const folderName = /-(\d+)-[0-9a-f]{8}$/;
const newMs = 60_000;

/** Makes the folder of one operation, with a place for temporary files, so that these go with it. */
export async function makeFolder(workDir: string, stackName: string): Promise<{ folder: string; temporary: string }> {
  const folder = join(workDir, `${stackName}-${process.pid}-${randomUUID().slice(0, 8)}`);
  const temporary = join(folder, "tmp");
  await mkdir(temporary, { recursive: true });
  return { folder, temporary };
}

/** Notes whose folder it is, for {@link removeAbandoned}. */
export async function noteOwner(folder: string, pid: number): Promise<void> {
  await writeFile(join(folder, ownerFile), String(pid));
}

/** Removes an operation's folder, and what the CLI remembers of it elsewhere. */
export async function removeFolder(folder: string, environment: Readonly<NodeJS.ProcessEnv>): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await rm(selectionFile(folder, environment), { force: true });
}

/**
 * Removes the folders of processes that were killed together with their engine. `runsBy` tells from a command line
 * that it is an operation's, since the number of a dead process may be used again.
 */
export async function removeAbandoned(
  workDir: string,
  environment: Readonly<NodeJS.ProcessEnv>,
  runsBy: (command: string) => boolean,
  processes: ProcessTable = thisMachine,
): Promise<void> {
  for (const name of await readdir(workDir)) {
    const maker = folderName.exec(name)?.[1];
    if (maker === undefined) continue;
    const folder = join(workDir, name);
    const owner = await readFile(join(folder, ownerFile), "utf8").catch(() => undefined);
    const isInUse =
      owner === undefined
        ? processes.commandOf(Number(maker)) !== undefined && (await isNew(folder))
        : runsBy(processes.commandOf(Number(owner)) ?? "");
    if (!isInUse) await removeFolder(folder, environment);
  }
}

/** Another engine of this machine may just have made it, and not have its process yet. */
async function isNew(folder: string): Promise<boolean> {
  const made = await stat(folder).catch(() => undefined);
  return made === undefined || Date.now() - made.ctimeMs < newMs;
}

/** Where the CLI remembers which stack is selected in a folder; nobody else removes it. */
function selectionFile(folder: string, environment: Readonly<NodeJS.ProcessEnv>): string {
  const home = environment["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
  const hash = createHash("sha1").update(join(folder, "Pulumi.yaml")).digest("hex");
  return join(home, "workspaces", `${projectName}-${hash}-workspace.json`);
}
