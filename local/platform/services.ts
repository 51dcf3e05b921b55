import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import getPort from "get-port";
import { createDocumentEngine, type DocumentEngine } from "../../processors/shared/document_engine/client.ts";
import type { Cloud } from "../cloud/cloud.ts";
import { guardScript, startGuarded, type Guarded } from "../cloud/guarded.ts";
import { PlatformStartError } from "./errors.ts";
import { globalStack } from "./global-stack.ts";
import type { Issuer } from "./issuer.ts";

const root = join(import.meta.dirname, "..", "..");
const startPatienceMs = 60_000;
const stopPatienceMs = 15_000;

export interface Service {
  stop(): Promise<void>;
}

/** Waits that are minutes on AWS, where counters lag, networks are slow and calls are rationed, and moments here. */
const localTimes = {
  EXCHANGER_DRAIN_DELAY_SECONDS: "2",
  EXCHANGER_SETTLING_SECONDS: "2",
  EXCHANGER_POLL_SECONDS: "0.5",
  EXCHANGER_RELEASE_SECONDS: "10",
  EXCHANGER_OPERATIONS_PER_MINUTE: "600",
};

/** The environment of an engine under its own IAM role, but for its port. */
export function engineEnvironment(cloud: Cloud, issuer: Issuer): Record<string, string> {
  return {
    ...cloud.pulumiEnv("engine"),
    EXCHANGER_GLOBAL_STACK: globalStack,
    EXCHANGER_WORK_DIR: join(cloud.runDir, "engine"),
    EXCHANGER_JWKS: issuer.jwksUrl,
    EXCHANGER_JWT_ISSUER: issuer.issuer,
    EXCHANGER_JWT_AUDIENCE: issuer.audience,
    ...localTimes,
  };
}

/** The engine as a process of its own, under its own IAM role. */
export async function startEngine(
  cloud: Cloud,
  issuer: Issuer,
  settings: Readonly<Record<string, string>> = {},
): Promise<Service & { url: string }> {
  const port = await getPort({ host: "127.0.0.1" });
  const url = `http://127.0.0.1:${port}`;
  const log = join(cloud.logDir, "engine.log");
  const engine = startGuarded(guardScript, [process.execPath, join(root, "engine", "main.ts")], {
    log,
    cwd: root,
    env: { ...engineEnvironment(cloud, issuer), EXCHANGER_PORT: String(port), ...settings },
  });
  await waitUntil(engine, log, "the engine", async () => {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    return answer?.status === 200;
  });
  return { url, stop: () => engine.stop(stopPatienceMs) };
}

/** The stand-in of Document Engine as a process of its own. */
export async function startDocumentEngine(cloud: Pick<Cloud, "documentEngine" | "logDir">): Promise<Service> {
  const { port, url, directory, tokenFile } = cloud.documentEngine;
  const log = join(cloud.logDir, "document-engine.log");
  const main = join(root, "local", "document-engine", "main.ts");
  const server = startGuarded(guardScript, [process.execPath, main], {
    log,
    cwd: root,
    env: {
      PATH: process.env["PATH"],
      DOCUMENT_ENGINE_PORT: String(port),
      DOCUMENT_ENGINE_DIRECTORY: directory,
      DOCUMENT_ENGINE_TOKEN_FILE: tokenFile,
    },
  });
  await waitUntil(server, log, "Document Engine", async () => {
    const answer = await fetch(`${url}/healthcheck`).catch(() => undefined);
    return answer?.status === 200;
  });
  return { stop: () => server.stop(stopPatienceMs) };
}

/** Calls it as the product around us does, which puts the documents of cases there. */
export async function connectDocumentEngine({
  documentEngine,
}: Pick<Cloud, "documentEngine">): Promise<DocumentEngine> {
  const token = await readFile(documentEngine.tokenFile, "utf8");
  const secret = { read: () => Promise.resolve({ token }), forget: () => undefined };
  return createDocumentEngine({ url: documentEngine.url, secret });
}

/** The stand-in of the uploader module as a process of its own, under its own IAM user. */
export async function startUploader(cloud: Cloud): Promise<Service> {
  const log = join(cloud.logDir, "uploader.log");
  const uploader = startGuarded(guardScript, [process.execPath, join(root, "local", "uploader", "main.ts")], {
    log,
    cwd: root,
    env: {
      ...cloud.env("uploader"),
      PATH: process.env["PATH"],
      UPLOADER_COMMAND_QUEUE_URL: cloud.uploader.queueUrl,
      UPLOADER_JOURNAL_FILE: join(cloud.runDir, "uploader.json"),
      UPLOADER_DOCUMENT_ENGINE_URL: cloud.documentEngine.url,
      UPLOADER_DOCUMENT_ENGINE_TOKEN_FILE: cloud.documentEngine.tokenFile,
    },
  });
  await Promise.race([uploader.ended, delay(200)]);
  if (!uploader.running()) throw notStarted("the uploader", log);
  return { stop: () => uploader.stop(stopPatienceMs) };
}

async function waitUntil(service: Guarded, log: string, name: string, ready: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + startPatienceMs;
  while (!(await ready())) {
    if (!service.running() || Date.now() > deadline) {
      await service.stop(0);
      throw notStarted(name, log);
    }
    await delay(50);
  }
}

function notStarted(name: string, log: string): PlatformStartError {
  return new PlatformStartError("SERVICE_START", `${name} did not start: see ${log}`);
}
