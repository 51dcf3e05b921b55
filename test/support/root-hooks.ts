/** Mocha root hooks: every suite's tests run in a random order (seed printed, `TEST_SEED` repeats it). */
import { randomInt } from "node:crypto";
import type { Context, Suite } from "mocha";
import { stopSharedCloud } from "./cloud.ts";

const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 31));

/** A small repeatable generator (mulberry32): tests must be able to run again in the order that failed. */
function generator(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffle(items: unknown[], random: () => number): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other], items[last]];
  }
}

function shuffleSuite(suite: Suite, random: () => number): void {
  shuffle(suite.tests, random);
  shuffle(suite.suites, random);
  for (const child of suite.suites) shuffleSuite(child, random);
}

function hasFailed(suite: Suite): boolean {
  return suite.tests.some((test) => test.state === "failed") || suite.suites.some(hasFailed);
}

/** Servers and child processes that a suite forgot: they would keep the run alive for ever. */
function leftRunning(): string[] {
  return process.getActiveResourcesInfo().filter((name) => /^(ProcessWrap|TCPServerWrap|PipeServerWrap)$/.test(name));
}

export const mochaHooks = {
  beforeAll(this: Context): void {
    const root = this.test?.parent;
    if (!root) throw new Error("the root suite was not found");
    process.stderr.write(`  test order: TEST_SEED=${String(seed)}\n`);
    shuffleSuite(root, generator(seed));
  },

  async afterAll(this: Context): Promise<void> {
    this.timeout(30_000);
    const root = this.test?.parent;
    await stopSharedCloud(root !== undefined && hasFailed(root));
    // A closed server's handle is freed on the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    const left = leftRunning();
    if (left.length > 0) throw new Error(`the tests left running: ${left.join(", ")}`);
  },
};
