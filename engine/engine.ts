import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdir } from "node:fs/promises";
import { sql } from "kysely";
import { pino, type Logger } from "pino";
import { PermanentError } from "../contracts/errors.ts";
import { globalOutputs, type GlobalOutputs } from "../programs/global/outputs.ts";
import { awsClients, destroyClients, readDatabaseSecret, type AwsClients } from "./aws/clients.ts";
import { CaseReader } from "./cases/reader.ts";
import type { EngineConfig } from "./config.ts";
import { Deployer } from "./deployer/deployer.ts";
import { createApp } from "./http/app.ts";
import { readKeys } from "./http/auth.ts";
import { Inbox } from "./inbox/inbox.ts";
import { readProgress } from "./lifecycle/copy-files.ts";
import { OperationRunner } from "./lifecycle/operation-runner.ts";
import { Sweeper } from "./lifecycle/sweep.ts";
import { Worker } from "./lifecycle/worker.ts";
import { engineMetrics } from "./metrics/metrics.ts";
import { Publisher } from "./outbox/publisher.ts";
import { openRegistry, type Registry } from "./registry/database.ts";
import { migrate } from "./registry/migrations/index.ts";
import { UploaderCoordinator } from "./uploader/coordinator.ts";

export interface Engine {
  readonly url: string;
  /** Ends gracefully: operations under way may finish; `now` stops them as well. Safe to call again. */
  stop(how?: "gracefully" | "now"): Promise<void>;
}

/** How long a graceful stop waits for the operations under way before it stops them. */
const graceSeconds = 30;

/**
 * Boots an engine: global stack's outputs, registry, migrations, reconciliation, then the port. AWS clients use the
 * credentials of this process (AWS_* variables), Pulumi those of `config.environment`: they should be the same.
 */
export async function startEngine(config: EngineConfig): Promise<Engine> {
  const log = pino({ level: config.logLevel, base: { instance: config.instance } });
  await mkdir(config.workDir, { recursive: true });
  const deployer = new Deployer(config);
  await deployer.tidy();
  const global = await readGlobal(deployer, config.globalStack);
  const endpoint = config.environment["AWS_ENDPOINT_URL"];
  const aws = awsClients({ region: global.region, ...(endpoint !== undefined && { endpoint }) });
  const registry = openRegistry(await readDatabaseSecret(aws.secrets, global.registrySecretArn));
  const cases = new CaseReader(
    await readDatabaseSecret(aws.secrets, global.caseReaderSecretArn),
    global.caseSchemaPrefix,
  );
  const closeAll = async () => {
    await Promise.allSettled([registry.destroy(), cases.close()]);
    destroyClients(aws);
  };
  try {
    await migrate(registry);
    const keys = await readKeys(config.auth.jwks);
    return await assemble(config, { log, deployer, global, aws, registry, cases, keys, closeAll });
  } catch (error) {
    await closeAll();
    throw error;
  }
}

interface Parts {
  readonly log: Logger;
  readonly deployer: Deployer;
  readonly global: GlobalOutputs;
  readonly aws: AwsClients;
  readonly registry: Registry;
  readonly cases: CaseReader;
  readonly keys: Awaited<ReturnType<typeof readKeys>>;
  readonly closeAll: () => Promise<void>;
}

async function assemble(config: EngineConfig, parts: Parts): Promise<Engine> {
  const { log, deployer, global, aws, registry, cases, keys } = parts;
  const publisher = new Publisher({
    db: registry,
    sns: aws.sns,
    sqs: aws.sqs,
    topicArn: global.topicArn,
    orchestrationQueueUrl: global.orchestrationQueue.url,
    pollSeconds: config.pollSeconds,
    leaseSeconds: config.leaseSeconds,
    log,
  });
  const operations = new OperationRunner({
    db: registry,
    deployer,
    global,
    program: new URL("../programs/exchange/program.ts", import.meta.url).href,
    secretsProvider: config.secretsProvider,
    instance: config.instance,
    heartbeatSeconds: config.leaseSeconds / 3,
    log,
    ended: () => {
      worker.nudge();
    },
  });
  const sweeper = new Sweeper(aws);
  const uploader = new UploaderCoordinator(aws.sqs, global.uploader.queueUrl);
  const worker: Worker = new Worker({
    eyes: {
      db: registry,
      aws,
      sweeper,
      global,
      instance: config.instance,
      leaseSeconds: config.leaseSeconds,
    },
    hands: {
      db: registry,
      aws,
      global,
      operations,
      uploader,
      sweeper,
      drainDelaySeconds: config.drainDelaySeconds,
      log,
    },
    settings: config,
    maxLiveExchanges: config.maxLiveExchanges,
    moved: () => {
      publisher.nudge();
    },
    log,
  });
  const nudge = () => {
    worker.nudge();
  };
  const inbox = new Inbox({ db: registry, sqs: aws.sqs, queueUrl: global.orchestrationQueue.url, log, heard: nudge });
  const app = createApp({
    routes: {
      db: registry,
      cases,
      copyProgress: (id) =>
        readProgress(aws.s3, global.dataBucket, id).catch((error: unknown) => {
          log.warn({ err: error, exchangeId: id }, "the record copy's progress cannot be read");
          return null;
        }),
      hasDocumentEngine: global.documentEngine !== undefined,
      admissionSeconds: config.deadlineMinutes.ACCEPTED * 60,
      maxWaiting: config.maxWaitingExchanges,
      accepted: nudge,
      due: nudge,
    },
    auth: { keys, issuer: config.auth.issuer, audience: config.auth.audience },
    ready: async () => {
      await sql`select 1`.execute(registry);
    },
    metrics: engineMetrics({
      db: registry,
      load: () => deployer.load,
      breaker: () => uploader.state,
      maxLive: config.maxLiveExchanges,
      maxWaiting: config.maxWaitingExchanges,
    }),
    log,
  });

  // Every exchange that a dead engine left behind is looked at once before the first request is taken.
  await worker.reconcile();
  worker.start();
  publisher.start();
  inbox.start();
  const server = await listen(app, config);
  const url = `http://${config.host}:${(server.address() as AddressInfo).port}`;
  log.info({ url, globalStack: config.globalStack }, "engine is ready");

  const stop = once(async (how: "gracefully" | "now") => {
    log.info({ how }, "engine stops");
    await close(server);
    await Promise.all([inbox.stop(), worker.stop()]);
    await operations.settle(how === "now" ? 0 : graceSeconds);
    await publisher.stop();
    await parts.closeAll();
    log.info("engine has stopped");
  });
  return {
    url,
    stop: (how = "gracefully") => {
      if (how === "now") operations.cancelAll();
      return stop(how);
    },
  };
}

async function readGlobal(deployer: Deployer, stackName: string): Promise<GlobalOutputs> {
  const outcome = await deployer.run({ kind: "outputs", stackName, recover: false });
  if (!outcome.ok) {
    const { code, message } = outcome.error;
    throw new PermanentError(code, `the outputs of the global stack ${stackName} cannot be read: ${message}`);
  }
  const parsed = globalOutputs.safeParse(outcome.outputs);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join(".")).join(", ");
  throw new PermanentError("INVALID_GLOBAL_STACK", `the global stack ${stackName} has no fitting outputs: ${fields}`);
}

function listen(app: ReturnType<typeof createApp>, { host, port }: EngineConfig): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = app.listen(port, host, (error?: Error) => {
      if (error) reject(error);
      else resolve(server);
    });
  });
}

/** Lets requests under way end; idle connections are cut. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** A second caller waits for the same end. */
function once(stop: (how: "gracefully" | "now") => Promise<void>): typeof stop {
  let stopping: Promise<void> | undefined;
  return (how) => (stopping ??= stop(how));
}
