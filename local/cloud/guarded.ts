import { spawn, type ChildProcess } from "node:child_process";
import { openSync, closeSync } from "node:fs";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";

/** Runs a command for as long as its standard input is open, so that the command cannot outlive us. */
export const guardScript = join(import.meta.dirname, "guard.sh");

/** A server process that ends with us. */
export interface Guarded {
  readonly process: ChildProcess;
  /** Whether the process is still there. */
  running(): boolean;
  /** Resolves when the process is gone, with its exit code; null after a signal. */
  readonly ended: Promise<number | null>;
  /** Close the pipe and wait; whoever does not go is killed after `patienceMs`. */
  stop(patienceMs: number): Promise<void>;
}

/**
 * Start a server in a process group of its own, so that a terminal's Ctrl-C reaches us alone and we stop things in
 * order. Output goes to `log`.
 */
export function startGuarded(
  command: string,
  args: readonly string[],
  options: { log: string; env: NodeJS.ProcessEnv; cwd?: string },
): Guarded {
  const output = openSync(options.log, "a");
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ["pipe", output, output],
    detached: true,
  });
  closeSync(output);
  // Writing to a process that is gone already is no fault of the writer.
  child.stdin?.on("error", () => undefined);
  const ended = once(child, "exit").then(
    ([code]) => code as number | null,
    () => null,
  );
  return {
    process: child,
    running: () => child.pid !== undefined && child.exitCode === null && child.signalCode === null,
    ended,
    async stop(patienceMs) {
      child.stdin?.end();
      const expiry = new AbortController();
      const late = delay(patienceMs, "late" as const, { signal: expiry.signal }).catch(() => "ended" as const);
      if ((await Promise.race([ended.then(() => "ended" as const), late])) === "late") killGroup(child);
      expiry.abort();
      await ended;
    },
  };
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
