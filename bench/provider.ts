/**
 * `npm run bench:provider`: an exchange's stack with a provider process of each operation's own, and with one that all
 * operations share. Tells seconds (medians) and memory; the last line of stdout is one JSON object. `-- --rounds N` for
 * more or fewer than five rounds.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { exchangeStackName } from "../contracts/names.ts";
import { planOf } from "../contracts/plan.ts";
import { Deployer } from "../engine/deployer/deployer.ts";
import type { Job, Outcome } from "../engine/deployer/protocol.ts";
import type { ExchangeStackConfig } from "../programs/exchange/config.ts";
import type { Cloud } from "../local/cloud/cloud.ts";
import { watchMemory } from "../local/load/memory.ts";
import { median, tenths } from "../local/load/statistics.ts";
import type { Platform } from "../local/platform/platform.ts";
import { onPlatform, type Bench } from "./on-platform.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
const rounds = Number(values.rounds);
const together = 4;

interface Round {
  readonly upSeconds: number;
  readonly destroySeconds: number;
  readonly peakMiB: number;
}

await onPlatform(compare);

async function compare({ platform, stage, signal }: Bench): Promise<void> {
  const environment = { ...platform.cloud.pulumiEnv("engine"), HOME: process.env["HOME"] ?? "" };
  const shared = await startSharedProvider(platform.cloud, environment);
  try {
    const ways = {
      own: deployerWith(platform, environment),
      shared: deployerWith(platform, { ...environment, PULUMI_DEBUG_PROVIDERS: `aws:${shared.port}` }),
    };
    const alone: Record<keyof typeof ways, Round[]> = { own: [], shared: [] };
    const crowd: Record<keyof typeof ways, Round[]> = { own: [], shared: [] };
    for (let round = 0; round < rounds; round++) {
      // In turns, so that whatever else this machine does falls on both.
      for (const way of ["own", "shared"] as const) {
        signal.throwIfAborted();
        const title = `Round ${round + 1} of ${rounds}, ${way === "own" ? "a provider each" : "one for all"}`;
        await stage(title, async () => {
          alone[way].push(await measure(platform, ways[way], 1));
          crowd[way].push(await measure(platform, ways[way], together));
        });
      }
    }
    const result = {
      one: { own: summary(alone.own), shared: summary(alone.shared) },
      [`${together}AtOnce`]: { own: summary(crowd.own), shared: summary(crowd.shared) },
    };
    for (const [title, { own, shared: all }] of Object.entries(result)) {
      const ratio = (of: keyof Round) => `${tenths(own[of] / all[of])} times`;
      process.stderr.write(
        `${title}: own/shared: up ${ratio("upSeconds")}, destroy ${ratio("destroySeconds")}, memory ${ratio("peakMiB")}\n`,
      );
    }
    process.stdout.write(`${JSON.stringify(result)}\n`);
  } finally {
    await shared.stop();
  }
}

function deployerWith({ cloud }: Platform, environment: Record<string, string>): Deployer {
  const workDir = join(cloud.runDir, "bench");
  return new Deployer({ maxOperations: together, operationMiB: 1, operationsPerMinute: 60_000, workDir, environment });
}

/** Brings up and destroys so many stacks at once; memory is that of programs, CLIs and providers. */
async function measure(platform: Platform, deployer: Deployer, stacks: number): Promise<Round> {
  const memory = watchMemory(process.pid, {
    intervalMs: 200,
    only: ["Pulumi programs", "Pulumi CLI", "Pulumi providers"],
  });
  try {
    const configs = Array.from({ length: stacks }, (_, index) => configOf(platform, index));
    const upSeconds = await timed(() =>
      Promise.all(configs.map((config) => deployer.run(upOf(config)).then(assertOk))),
    );
    const destroySeconds = await timed(() =>
      Promise.all(
        configs.map(({ exchange }) => {
          const stackName = exchangeStackName(exchange.exchangeId);
          return deployer.run({ kind: "destroy", stackName, recover: false }).then(assertOk);
        }),
      ),
    );
    return { upSeconds, destroySeconds, peakMiB: memory.peak().total };
  } finally {
    memory.stop();
  }
}

function configOf({ cases, outputs }: Platform, index: number): ExchangeStackConfig {
  const { queues, processors } = planOf({ includeNatives: true });
  const { sourceCaseId, destinationCaseId: caseId } = cases;
  return {
    exchange: { exchangeId: randomUUID(), sourceCaseId, caseId, batchId: `bench-${index}` },
    plan: { queues: [...queues], processors: [...processors] },
    phase: "running",
    global: outputs,
  };
}

function upOf(config: ExchangeStackConfig): Job {
  return {
    kind: "up",
    stackName: exchangeStackName(config.exchange.exchangeId),
    config,
    program: new URL("../programs/exchange/program.ts", import.meta.url).href,
    secretsProvider: undefined,
    isNew: true,
    recover: false,
  };
}

function assertOk(outcome: Outcome): void {
  if (!outcome.ok) throw new Error(`${outcome.error.code}: ${outcome.error.message}`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

function summary(all: readonly Round[]): Round {
  const of = (name: keyof Round) => tenths(median(all.map((round) => round[name])));
  return { upSeconds: of("upSeconds"), destroySeconds: of("destroySeconds"), peakMiB: of("peakMiB") };
}

/** A provider that is told of no single Pulumi run, so that it serves whichever attaches to its port. */
async function startSharedProvider(
  cloud: Cloud,
  environment: Record<string, string>,
): Promise<{ port: number; stop: () => Promise<void> }> {
  const provider = spawn("pulumi-resource-aws", [], {
    cwd: cloud.runDir,
    env: environment,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = once(provider, "exit");
  const [line] = (await once(provider.stdout, "data")) as [Buffer];
  return {
    port: Number(line.toString().trim()),
    stop: async () => {
      provider.kill("SIGTERM");
      await ended;
    },
  };
}
