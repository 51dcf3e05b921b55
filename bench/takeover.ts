/**
 * `npm run bench:takeover`: from the SIGKILL of an engine in the middle of an operation to the operation's next attempt by
 * another engine, which has run all the time. The last line of stdout is one JSON object.
 * `-- --rounds N` for more or fewer than five rounds.
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { median, tenths } from "../local/load/statistics.ts";
import { post } from "../local/load/together.ts";
import { startEngine, type Service } from "../local/platform/services.ts";
import { clientOf, onPlatform, roundsOf, type Bench } from "./on-platform.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
const rounds = roundsOf(values.rounds);
/** The engine's own default, named so that the figure can be held against it. */
const leaseSeconds = 30;
const settings = { EXCHANGER_LEASE_SECONDS: String(leaseSeconds) };
const lookEveryMs = 20;

await onPlatform(measure, settings);

async function measure({ platform, stage, signal }: Bench): Promise<void> {
  const registry = await platform.cloud.database.admin();
  await registry.changeUser({ database: "documentexchanger" });
  const all: number[] = [];
  const engines: (Service & { url: string })[] = [];
  try {
    let living = platform.engineUrl;
    for (let round = 1; round <= rounds; round++) {
      const other = await startEngine(platform.cloud, platform.issuer, settings);
      engines.push(other);
      const { seconds, heir } = await stage(`Round ${round} of ${rounds}`, () =>
        killOwner({ platform, signal }, registry, [living, other.url], round),
      );
      all.push(seconds);
      living = heir;
    }
  } finally {
    await Promise.all(engines.map((engine) => engine.stop()));
    await registry.end();
  }
  const seconds = { median: tenths(median(all)), max: tenths(Math.max(...all)) };
  process.stdout.write(`${JSON.stringify({ rounds, leaseSeconds, seconds })}\n`);
}

/** Tells how long it took, and the URL of the engine that took over and has ended the exchange. */
async function killOwner(
  { platform, signal }: Pick<Bench, "platform" | "signal">,
  registry: Connection,
  urls: readonly [living: string, other: string],
  round: number,
): Promise<{ seconds: number; heir: string }> {
  const { sourceCaseId, destinationCaseId, selection } = platform.cases;
  const wanted = { sourceCaseId, destinationCaseId, batchId: `bench-${round}`, selection, includeNatives: true };
  const id = await post(await clientOf(platform, urls[0]), wanted);
  const [, pid = ""] = (await ownerOf(registry, id, 1, signal)).split("/");
  const killed = performance.now();
  process.kill(Number(pid), "SIGKILL");
  await ownerOf(registry, id, 2, signal);
  const seconds = (performance.now() - killed) / 1000;
  const heir = await livingOf(urls);
  // The next round has the machine to itself.
  await (await clientOf(platform, heir)).follow(id, undefined, signal);
  return { seconds, heir };
}

/** The engine, as `host/pid/nonce`, whose attempt at bringing the stack up has this number, once a process runs it. */
async function ownerOf(
  registry: Connection,
  exchangeId: string,
  attempt: number,
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    const [[found]] = await registry.query<(RowDataPacket & { owner: string })[]>(
      "SELECT owner FROM operations WHERE exchange_id = ? AND purpose = 'provision' AND attempt = ? AND state = 'running'",
      [exchangeId, attempt],
    );
    if (found) return found.owner;
    await delay(lookEveryMs, undefined, { signal });
  }
}

async function livingOf(urls: readonly string[]): Promise<string> {
  const answers = await Promise.all(urls.map((url) => fetch(new URL("/readyz", url)).catch(() => undefined)));
  const index = answers.findIndex((answer) => answer?.ok === true);
  const url = urls[index];
  if (url === undefined) throw new Error("no engine is left");
  return url;
}
