/**
 * `npm run bench:provider`: an exchange's stack with a provider process of each operation's own, and with one that runs
 * already and serves both operations; then several stacks at once with their own. Several cannot share one: the CLI
 * cancels its provider when it ends, and with it what others have under way there. Tells seconds (medians) and memory;
 * the last line of stdout is one JSON object. `-- --rounds N` for more or fewer than five rounds.
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
import { onPlatform, roundsOf, type Bench } from "./on-platform.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
const rounds = roundsOf(values.rounds);
const together = 4;

interface Round {
  readonly upSeconds: number;
  readonly destroySeconds: number;
  readonly peakMiB: number;
}

await onPlatform(compare);

async function compare({ platform, stage, signal }: Bench): Promise<void> {
  const environment = { ...platform.cloud.pulumiEnv("engine"), HOME: process.env["HOME"] ?? "" };
  const own = deployerWith(platform, environment);
  const all = { own: [] as Round[], shared: [] as Round[], crowd: [] as Round[] };
  // In turns, so that whatever else this machine does falls on all.
  for (let round = 1; round <= rounds; round++) {
    signal.throwIfAborted();
    await stage(`Round ${round} of ${rounds}, a provider each`, async () => {
      all.own.push(await measure(platform, own, 1));
      all.crowd.push(await measure(platform, own, together));
    });
    const provider = await startSharedProvider(platform.cloud, environment);
    try {
      const shared = deployerWith(platform, { ...environment, PULUMI_DEBUG_PROVIDERS: `aws:${provider.port}` });
      await stage(`Round ${round} of ${rounds}, one for both operations`, async () => {
        all.shared.push(await measure(platform, shared, 1));
      });
    } finally {
      await provider.stop();
    }
  }
  const one = { own: summary(all.own), shared: summary(all.shared) };
  const ratio = (of: keyof Round) => `${tenths(one.own[of] / one.shared[of])} times`;
  process.stderr.write(
    `own/shared: up ${ratio("upSeconds")}, destroy ${ratio("destroySeconds")}, memory ${ratio("peakMiB")}\n`,
  );
  process.stdout.write(`${JSON.stringify({ one, [`${together}AtOnce`]: { own: summary(all.crowd) } })}\n`);
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
