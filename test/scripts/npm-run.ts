import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";

const root = new URL("../..", import.meta.url);

/** A script of package.json that was started by npm, as a person does at a terminal. */
export class NpmRun {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #ended: Promise<number>;
  #isOver = false;
  readonly #waiting = new Set<() => void>();
  stdout = "";
  stderr = "";

  constructor(script: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn("npm", ["run", "--silent", script, "--", ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      // A process group of its own, to which a Ctrl-C goes as a whole.
      detached: true,
    });
    this.#child.stdout.on("data", (chunk: Buffer) => {
      this.stdout += chunk.toString();
      this.#look();
    });
    this.#child.stderr.on("data", (chunk: Buffer) => {
      this.stderr += chunk.toString();
      this.#look();
    });
    this.#ended = once(this.#child, "close").then(([code]) => {
      this.#isOver = true;
      this.#look();
      return code === null ? 128 : Number(code);
    });
  }

  /** The exit code. */
  ended(): Promise<number> {
    return this.#ended;
  }

  /** Resolves once the output contains a text. @throws Error with the output when the script ends without it */
  async has(text: string): Promise<void> {
    const isThere = () => this.stdout.includes(text) || this.stderr.includes(text);
    while (!isThere()) {
      if (this.#isOver) throw new Error(`the script ended without '${text}':\n${this.stderr}`);
      await new Promise<void>((look) => this.#waiting.add(look));
    }
  }

  /** As Ctrl-C does; nothing for a script that has ended. */
  interrupt(): void {
    if (!this.#isOver && this.#child.pid !== undefined) process.kill(-this.#child.pid, "SIGINT");
  }

  /** The JSON object of the last line of stdout. @throws Error with the output where there is none */
  result(): unknown {
    const line = this.stdout.trimEnd().split("\n").at(-1) ?? "";
    try {
      return JSON.parse(line);
    } catch {
      throw new Error(`the last line is not JSON: '${line}'\n${this.stderr}`);
    }
  }

  #look(): void {
    for (const look of this.#waiting) look();
    this.#waiting.clear();
  }
}
