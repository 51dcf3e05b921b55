import { readdirSync, readFileSync } from "node:fs";

interface Entry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
}

/** Every process below `pid`, from the machine's process table; without `pid` itself. */
export function descendants(pid: number): Entry[] {
  const all = processTable();
  const found: Entry[] = [];
  for (let parents = new Set([pid]); parents.size > 0;) {
    const children = all.filter(({ parent }) => parents.has(parent));
    found.push(...children);
    parents = new Set(children.map((child) => child.pid));
  }
  return found;
}

/** Kills processes and the groups that they lead, at once; whoever is gone already is fine. */
export function killAll(entries: readonly Entry[]): void {
  for (const { pid, group } of entries) {
    signal(pid, "SIGKILL");
    if (pid === group) signal(-group, "SIGKILL");
  }
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}

function processTable(): Entry[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const entry = read(name);
      return entry ? [entry] : [];
    });
}

function read(name: string): Entry | undefined {
  try {
    // The command's name stands in brackets and may hold anything; what is wanted follows it.
    const stat = readFileSync(`/proc/${name}/stat`, "utf8");
    const [, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { pid: Number(name), parent: Number(parent), group: Number(group) };
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}
