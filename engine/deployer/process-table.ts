import { readFileSync } from "node:fs";

/** What this machine's process table says; null where it cannot be read. */
export interface ProcessTable {
  /** The command line of a living process, undefined when there is none with this id. */
  commandOf(pid: number): string | undefined;
}

export const thisMachine: ProcessTable = {
  commandOf(pid) {
    try {
      process.kill(pid, 0);
    } catch {
      return undefined;
    }
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    } catch {
      return "";
    }
  },
};
