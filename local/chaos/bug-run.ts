import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { plant, type Bug } from "./bugs/index.ts";
import { Results, type Result } from "./results.ts";

/** Runs a bug's row in a copy of the project that has the bug; what it violates there is what catches it. */
export async function runBug(bug: Bug, signal: AbortSignal): Promise<Omit<Result, "kind" | "at">> {
  const started = performance.now();
  const out = await mkdtemp(join(tmpdir(), "exchanger-bug-"));
  const tree = await plant(bug);
  try {
    const args = [join(tree.root, "local", "chaos", "main.ts"), "--only", bug.row, "--lanes", "1", "--out", out];
    const { stderr } = await execa(process.execPath, args, {
      cwd: tree.root,
      reject: false,
      stdin: "ignore",
      cancelSignal: signal,
      // Its clouds have to be taken down, too.
      forceKillAfterDelay: 60_000,
    });
    signal.throwIfAborted();
    const result = Results.open(out, false).of(bug.row);
    if (!result) throw new Error(`bug ${bug.name}: its row ${bug.row} gave no result: ${stderr.slice(-2000)}`);
    return {
      ...result,
      row: `bug ${bug.name}`,
      verdict: result.verdict === "violated" ? "caught" : "missed",
      seconds: Math.round((performance.now() - started) / 100) / 10,
    };
  } finally {
    await tree.remove();
    await rm(out, { recursive: true, force: true });
  }
}
