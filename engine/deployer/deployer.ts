import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import PQueue from "p-queue";
import { makeFolder, noteOwner, removeAbandoned, removeFolder } from "./folders.ts";
import { Door } from "./door.ts";
import type { Job, Outcome } from "./protocol.ts";

export interface DeployerOptions {
  /** Operations at once; the rest waits its turn. */
  readonly maxOperations: number;
  /** Memory that one operation takes at most; no further one begins while less is free. */
  readonly operationMiB: number;
  /** Operations that may begin in a minute. */
  readonly operationsPerMinute: number;
  /** Every operation has a folder of its own in here, removed when it ends. */
  readonly workDir: string;
  readonly environment: Readonly<Record<string, string>>;
  /** How long an operation may take to stop by itself once it was asked to. */
  readonly stopGraceSeconds?: number;
  /** How long a process waits for its order, which an engine that stands still does not give. */
  readonly orderSeconds?: number;
}

export interface Run {
  /** Stands on the process's command line, so that others can tell whose process it is. */
  readonly label?: string;
  /** Called when the process exists; it gets no order and ends if this fails. */
  readonly started?: (pid: number) => void | Promise<void>;
  /** Aborting asks the process to stop: SIGINT first, SIGKILL after the grace. */
  readonly signal?: AbortSignal;
}

const childModule = fileURLToPath(new URL("child.ts", import.meta.url));
/** How much of a child's last words is kept in case it dies without an outcome. */
const longestLastWords = 2000;

/**
 * Runs Pulumi operations, each in a child process: a stray rejection of one cannot fail another. Each has a provider of
 * its own too: a provider process keeps one configuration, and ours holds the tags by which an exchange is swept.
 */
export class Deployer {
  readonly #options: DeployerOptions;
  readonly #queue: PQueue;
  readonly #door: Door;

  constructor(options: DeployerOptions) {
    this.#options = options;
    this.#queue = new PQueue({ concurrency: options.maxOperations });
    this.#door = new Door({ perMinute: options.operationsPerMinute, operationMiB: options.operationMiB });
  }

  /** Operations that wait for a place, and those that a process works on. */
  get load(): { waiting: number; executing: number } {
    const executing = this.#door.inside;
    return { waiting: this.#queue.size + this.#queue.pending - executing, executing };
  }

  /** Runs one operation when a place is free. Never rejects for what Pulumi or its process does: see the outcome. */
  async run(job: Job, run: Run = {}): Promise<Outcome> {
    const { signal } = run;
    return this.#queue.add(
      async () => (await this.#door.through(() => this.#execute(job, run), signal)) ?? stoppedBefore,
    );
  }

  /** Removes what operations have left on this machine that died together with their engine. */
  async tidy(): Promise<void> {
    const { workDir, environment } = this.#options;
    await removeAbandoned(workDir, environment, (command) => command.includes(childModule));
  }

  async #execute(job: Job, run: Run): Promise<Outcome> {
    const { folder: workDir, temporary } = await makeFolder(this.#options.workDir, job.stackName);
    const orderSeconds = String(this.#options.orderSeconds ?? 30);
    const child = fork(childModule, [workDir, orderSeconds, ...(run.label === undefined ? [] : [run.label])], {
      // A group of its own: a terminal's Ctrl-C reaches the engine alone, and a kill reaches the CLI and its plugins.
      detached: true,
      env: {
        // Compiling the SDK is a third of a child's start.
        NODE_COMPILE_CACHE: join(this.#options.workDir, ".compile-cache"),
        ...this.#options.environment,
        PULUMI_SKIP_UPDATE_CHECK: "true",
        TMPDIR: temporary,
      },
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    const ended = outcomeOf(child);
    const stop = () => {
      void this.#stop(child, ended);
    };
    try {
      if (child.pid !== undefined) {
        await noteOwner(workDir, child.pid);
        await run.started?.(child.pid);
      }
      run.signal?.addEventListener("abort", stop, { once: true });
      if (run.signal?.aborted === true) stop();
      child.send(job);
      return await ended;
    } finally {
      run.signal?.removeEventListener("abort", stop);
      // Has ended, or got no order and has done nothing.
      child.kill("SIGKILL");
      await ended;
      await removeFolder(workDir, this.#options.environment);
    }
  }

  /** SIGINT to the one child; the whole group dies if that does not help in time. */
  async #stop(child: ChildProcess, ended: Promise<Outcome>): Promise<void> {
    child.kill("SIGINT");
    const timer = setTimeout(
      () => {
        if (child.pid !== undefined) killGroup(child.pid);
      },
      (this.#options.stopGraceSeconds ?? 120) * 1000,
    );
    await ended.finally(() => {
      clearTimeout(timer);
    });
  }
}

const stoppedBefore: Outcome = {
  ok: false,
  cancelled: true,
  error: { code: "CANCELLED", message: "the operation was cancelled before it began", retryable: true },
};

function outcomeOf(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve) => {
    let told: Outcome | undefined;
    let lastWords = "";
    child.stderr?.on("data", (data: Buffer) => {
      lastWords = (lastWords + data.toString()).slice(-longestLastWords);
    });
    child.once("message", (outcome: Outcome) => {
      told = outcome;
    });
    child.once("error", (error) => {
      resolve(died(`could not be started: ${error.message}`));
    });
    child.once("close", (code, signal) => {
      resolve(told ?? died(`ended with ${signal ?? `code ${String(code)}`} and no outcome: ${lastWords.trim()}`));
    });
  });
}

function died(how: string): Outcome {
  const error = { code: "OPERATION_DIED", message: `the operation's process ${how}`, retryable: true };
  return { ok: false, cancelled: false, error };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
