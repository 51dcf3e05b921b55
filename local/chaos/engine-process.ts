import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { guardScript, startGuarded, type Guarded } from "../cloud/guarded.ts";
import { PlatformStartError } from "../platform/errors.ts";
import { commandLine, descendants, killAll, signal } from "./processes.ts";

/** Who dies: the engine alone, so that its children notice and wind down, or all of them, as when a host loses power. */
export type Victim = "engine" | "host";

export interface EngineProcessOptions {
  /** The folder of the project whose engine runs. */
  readonly root: string;
  readonly log: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
}

const main = join("engine", "main.ts");
const startPatienceMs = 60_000;

/** An engine as a process of its own that can be killed at any moment and comes back at the same port. */
export class EngineProcess {
  readonly #options: EngineProcessOptions;
  #root: string;
  #settings: Readonly<Record<string, string>> = {};
  #guarded: Guarded | undefined;

  constructor(options: EngineProcessOptions) {
    this.#options = options;
    this.#root = options.root;
  }

  /** From its next start on, the engine is that of another project; of its own one without `root`. */
  moveTo(root = this.#options.root): void {
    this.#root = root;
  }

  /** Id of the engine's own process; undefined when it does not run. */
  get pid(): number | undefined {
    const guard = this.#guarded?.running() === true ? this.#guarded.process.pid : undefined;
    if (guard === undefined) return undefined;
    return descendants(guard).find(({ pid, parent }) => parent === guard && commandLine(pid).includes(main))?.pid;
  }

  /** Starts it; comes back at once. `settings` stay until others are given. */
  spawn(settings: Readonly<Record<string, string>> = this.#settings): void {
    const { log, port, env } = this.#options;
    this.#settings = settings;
    this.#guarded = startGuarded(guardScript, [process.execPath, join(this.#root, main)], {
      log,
      cwd: this.#root,
      env: { ...env, ...settings, EXCHANGER_PORT: String(port) },
    });
  }

  /** Starts it and waits until it takes requests. */
  async start(settings?: Readonly<Record<string, string>>): Promise<void> {
    this.spawn(settings);
    await this.ready();
  }

  async ready(): Promise<void> {
    const deadline = Date.now() + startPatienceMs;
    while (!(await this.#answers())) {
      if (this.#guarded?.running() !== true || Date.now() > deadline) {
        throw new PlatformStartError("SERVICE_START", `the engine did not start: see ${this.#options.log}`);
      }
      await delay(25);
    }
  }

  /** SIGKILL, and back when the process is gone. */
  async kill(victim: Victim): Promise<void> {
    const { pid } = this;
    if (pid === undefined) return;
    const children = victim === "host" ? descendants(pid) : [];
    signal(pid, "SIGKILL");
    killAll(children);
    await this.#guarded?.ended;
  }

  /** SIGSTOP and SIGCONT: it stands still and does not know it. */
  pause(): void {
    if (this.pid !== undefined) signal(this.pid, "SIGSTOP");
  }

  resume(): void {
    if (this.pid !== undefined) signal(this.pid, "SIGCONT");
  }

  /** Asks it to end, and kills it when that takes longer than `patienceMs`. */
  async stop(patienceMs = 10_000): Promise<void> {
    await this.#guarded?.stop(patienceMs);
  }

  async #answers(): Promise<boolean> {
    const answer = await fetch(`http://127.0.0.1:${this.#options.port}/readyz`).catch(() => undefined);
    return answer?.status === 200;
  }
}
