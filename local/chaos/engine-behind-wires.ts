import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import getPort from "get-port";
import { databaseSecret } from "../../contracts/secrets.ts";
import type { GlobalOutputs } from "../../programs/global/outputs.ts";
import type { Cloud } from "../cloud/cloud.ts";
import type { Issuer } from "../platform/issuer.ts";
import { engineEnvironment } from "../platform/services.ts";
import { EngineProcess } from "./engine-process.ts";
import { recogniseApi } from "./wires/api-label.ts";
import { recogniseAws, recogniseAwsAnswer } from "./wires/aws-label.ts";
import { openHttpWire, type Wire } from "./wires/http-wire.ts";
import { openSqlWire } from "./wires/sql-wire.ts";
import { Switchboard } from "./wires/switchboard.ts";

const root = join(import.meta.dirname, "..", "..");

/** Waits of minutes and half-minutes, as short as the emulator's exact counters and this machine allow. */
const chaosTimes = {
  EXCHANGER_LEASE_SECONDS: "2",
  EXCHANGER_POLL_SECONDS: "0.5",
  EXCHANGER_DRAIN_DELAY_SECONDS: "1",
  EXCHANGER_SETTLING_SECONDS: "0.5",
  // One exchange after the other: nothing has to be paced.
  EXCHANGER_OPERATIONS_PER_MINUTE: "6000",
  EXCHANGER_OPERATION_MIB: "100",
};

/** An engine that reaches AWS and its registry, and is reached, through wires only. */
export interface WiredEngine {
  readonly engine: EngineProcess;
  readonly switchboard: Switchboard;
  /** Where callers reach it. */
  readonly url: string;
  /** Another one, on the same wires, with a port of its own. */
  readonly second: () => Promise<EngineProcess>;
  close(): Promise<void>;
}

/** Lays the wires and makes the engine; it is not started yet. */
export async function wireEngine(cloud: Cloud, outputs: GlobalOutputs, issuer: Issuer): Promise<WiredEngine> {
  const switchboard = new Switchboard();
  const host = "127.0.0.1";
  const port = await getPort({ host });
  const emulator = { host, port: Number(new URL(cloud.endpoint).port) };
  const wires: { aws: Wire; sql: Wire; api: Wire } = {
    aws: await openHttpWire({
      switchboard,
      target: () => emulator,
      recognise: recogniseAws,
      recogniseAnswer: recogniseAwsAnswer,
    }),
    sql: await openSqlWire({ switchboard, target: () => cloud.database }),
    api: await openHttpWire({ switchboard, target: () => ({ host, port }), recognise: recogniseApi }),
  };
  await leadLoginsTo(wires.sql.port, cloud, [outputs.registrySecretArn, outputs.caseReaderSecretArn]);
  // A folder of its own, so that it shows what stays behind.
  const TMPDIR = join(cloud.runDir, "engine-tmp");
  await mkdir(TMPDIR, { recursive: true });
  const env = {
    ...throughWire(engineEnvironment(cloud, issuer), cloud.endpoint, `http://${host}:${wires.aws.port}`),
    TMPDIR,
  };
  const make = (name: string, at: number) =>
    new EngineProcess({ root, log: join(cloud.logDir, `${name}.log`), port: at, env: { ...env, ...chaosTimes } });
  return {
    engine: make("engine", port),
    switchboard,
    url: `http://${host}:${wires.api.port}`,
    second: async () => make("second-engine", await getPort({ host })),
    close: async () => {
      await Promise.all(Object.values(wires).map((wire) => wire.close()));
    },
  };
}

/** The same environment with the wire's address wherever the emulator's stands: for the SDK and for Pulumi's backend. */
function throughWire(env: Record<string, string>, endpoint: string, wire: string): Record<string, string> {
  const [plain, encoded] = [endpoint, encodeURIComponent(endpoint)];
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) =>
      name === "AWS_ENDPOINT_URL" || name === "PULUMI_BACKEND_URL"
        ? [name, value.replace(plain, wire).replace(encoded, encodeURIComponent(wire))]
        : [name, value],
    ),
  );
}

/** The engine finds its database by these secrets, so that is where the wire is put in. */
async function leadLoginsTo(port: number, cloud: Cloud, arns: readonly string[]): Promise<void> {
  const secrets = new SecretsManagerClient(cloud.client("operator"));
  try {
    for (const SecretId of arns) {
      const { SecretString = "" } = await secrets.send(new GetSecretValueCommand({ SecretId }));
      const login = { ...databaseSecret.parse(JSON.parse(SecretString)), port };
      await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(login) }));
    }
  } finally {
    secrets.destroy();
  }
}
