import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { delimiter, join } from "node:path";
import getPort from "get-port";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { Toolchain } from "../toolchain/index.ts";
import { CloudStartError } from "./errors.ts";
import { guardScript, startGuarded } from "./guarded.ts";

/** The AWS emulator, with root's one and only key. */
export interface Emulator {
  readonly endpoint: string;
  readonly port: number;
  readonly root: { accessKeyId: string; secretAccessKey: string };
  /** End root's rights for good. */
  seal(): Promise<void>;
  stop(): Promise<void>;
}

export const region = "us-east-1";
const startPatienceMs = 30_000;

export async function startEmulator(
  folders: { runDir: string; logDir: string; tmpDir: string },
  toolchain: Toolchain,
  options: { glueMinuteSeconds: number },
): Promise<Emulator> {
  const port = await getPort({ host: "127.0.0.1" });
  const endpoint = `http://127.0.0.1:${port}`;
  const root = {
    accessKeyId: `AKIA${randomBytes(8).toString("hex").toUpperCase()}`,
    secretAccessKey: randomBytes(20).toString("hex"),
  };
  const log = join(folders.logDir, "emulator.log");
  const server = startGuarded(toolchain.python, [join(import.meta.dirname, "ministack_launcher.py"), folders.runDir], {
    log,
    env: {
      PATH: [...toolchain.path, process.env["PATH"]].join(delimiter),
      HOME: process.env["HOME"],
      LANG: "C.UTF-8",
      TMPDIR: folders.tmpDir,
      PYTHONDONTWRITEBYTECODE: "1",
      AUTH: "true",
      BIND_HOST: "127.0.0.1",
      MINISTACK_HOST: "127.0.0.1",
      GATEWAY_PORT: String(port),
      MINISTACK_REGION: region,
      LOG_LEVEL: "INFO",
      IOT_MTLS_ENABLED: "0",
      LAMBDA_EXECUTOR: "local",
      LOCAL_CLOUD_ROOT_KEY: root.accessKeyId,
      LOCAL_CLOUD_FOLDER: folders.runDir,
      LOCAL_CLOUD_LOGS: folders.logDir,
      LOCAL_CLOUD_GUARD: guardScript,
      LOCAL_CLOUD_GLUE_MINUTE: String(options.glueMinuteSeconds),
    },
  });

  const deadline = Date.now() + startPatienceMs;
  while (!(await answers(`${endpoint}/_ministack/health`))) {
    if (!server.running() || Date.now() > deadline) {
      await server.stop(0);
      const lines = (await readFile(log, "utf8")).trim().split("\n").slice(-5).join("\n");
      throw new CloudStartError("EMULATOR_START", `the AWS emulator did not start, see ${log}:\n${lines}`);
    }
    await delay(50);
  }

  return {
    endpoint,
    port,
    root,
    async seal() {
      server.process.stdin?.write("seal\n");
      const sts = new STSClient({ endpoint, region, credentials: root });
      while (
        await sts.send(new GetCallerIdentityCommand({})).then(
          () => true,
          () => false,
        )
      ) {
        await delay(20);
      }
      sts.destroy();
    },
    stop: () => server.stop(4_500),
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
