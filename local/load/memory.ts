import { readdirSync, readFileSync } from "node:fs";

const rest = "rest";

/** Which part of the whole a process belongs to, by its command line; the first that fits. */
const parts = [
  ["Pulumi programs", /deployer\/child\.ts/],
  ["Pulumi providers", /pulumi-resource-|local\/provider\/main\.ts/],
  ["Pulumi CLI", /(^|\/)pulumi /],
  ["engine", /engine\/main\.ts/],
  ["Spark", /java|spark-submit|pyspark|script\.py/],
  ["database", /mariadbd/],
  ["emulator", /ministack/],
] as const satisfies readonly (readonly [name: string, pattern: RegExp])[];
export type Part = (typeof parts)[number][0] | typeof rest;

/** MiB at the moment at which the whole was largest. */
export interface Peak {
  readonly total: number;
  readonly shares: Readonly<Record<string, number>>;
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/**
 * Samples the memory of a process and of everything below it, or only of some parts. The proportional set size counts a
 * page that several processes share once in all. Linux only.
 */
export function watchMemory(
  root: number,
  { intervalMs = 1000, only }: { intervalMs?: number; only?: readonly Part[] } = {},
): { peak: () => Peak; stop: () => void } {
  let peak: Peak = { total: 0, shares: {} };
  const look = () => {
    const shares: Record<string, number> = {};
    for (const { pid, command } of treeOf(root, processes())) {
      const part = parts.find(([, pattern]) => pattern.test(command))?.[0] ?? rest;
      if (only && !only.includes(part)) continue;
      shares[part] = (shares[part] ?? 0) + proportionalKiB(pid) / 1024;
    }
    const total = Object.values(shares).reduce((sum, share) => sum + share, 0);
    if (total <= peak.total) return;
    peak = {
      total: Math.round(total),
      shares: Object.fromEntries(Object.entries(shares).map(([part, share]) => [part, Math.round(share)])),
    };
  };
  const timer = setInterval(look, intervalMs);
  return {
    peak: () => peak,
    stop: () => {
      clearInterval(timer);
    },
  };
}

function processes(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = read(`/proc/${name}/stat`);
      const command = read(`/proc/${name}/cmdline`).replaceAll("\0", " ");
      // The name in parentheses may itself hold blanks and parentheses.
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      return stat === "" ? [] : { pid: Number(name), parent, command };
    });
}

/** The process and all its descendants. */
export function treeOf(root: number, all: readonly Process[]): Process[] {
  const found = all.filter(({ pid }) => pid === root);
  for (const { pid } of found) found.push(...all.filter(({ parent }) => parent === pid));
  return found;
}

function proportionalKiB(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
}

/** Empty when the process is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
