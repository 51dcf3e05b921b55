import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import getPort from "get-port";
import type { Progress, Toolchain } from "../toolchain/index.ts";
import { startDatabase, type Database } from "./database.ts";
import {
  awsEnvironment,
  passphraseFile,
  pulumiEnvironment,
  readDescription,
  writeDescription,
  type CloudDescription,
} from "./description.ts";
import { region, startEmulator, type Emulator } from "./emulator.ts";
import { CloudStartError } from "./errors.ts";
import type { Profile } from "./policies.ts";
import { makeProject, projectDir } from "./project.ts";
import { createUsers, writeProfiles, type Keys } from "./users.ts";

export type { Profile } from "./policies.ts";
export type { Database } from "./database.ts";

const account = "000000000000";

/** A whole cloud on this machine: AWS, where every call is checked against IAM policies, and a database server. */
export interface Cloud {
  readonly endpoint: string;
  readonly region: string;
  readonly accountId: string;
  readonly runDir: string;
  /** Logs of every part; those of the last run are kept. */
  readonly logDir: string;
  readonly database: Omit<Database, "stop">;
  /** The bucket of all case files; it belongs to the product around us. */
  readonly caseBucket: string;
  readonly stateBucket: string;
  /** The Pulumi project to call the CLI in. */
  readonly projectDir: string;
  /** The uploader module: its command queue and who it is. */
  readonly uploader: { queueUrl: string; queueArn: string; principalArn: string };
  /** Where the stand-in of Document Engine is to listen, keep its documents, and find its token. */
  readonly documentEngine: { port: number; url: string; directory: string; tokenFile: string };
  /** ARN of the engine's user, for the trust policy of its role. */
  readonly engineUserArn: string;
  /** Process environment for calling AWS as `profile`; the engine's works once its role is granted. */
  env(profile: Profile): Record<string, string>;
  /** `env` and what the Pulumi CLI needs: backend, passphrase, PATH. */
  pulumiEnv(profile: Profile): Record<string, string>;
  /** Settings of an AWS SDK client that calls as `profile`; not for the engine, which has a role. */
  client(profile: Exclude<Profile, "engine">): { endpoint: string; region: string; credentials: Keys };
  /** From now on the engine's profile assumes this role. */
  grantEngineRole(roleArn: string): Promise<void>;
  stop(): Promise<void>;
}

export interface CloudOptions {
  /** Holds every file of the cloud; what a former run left there is thrown away. */
  runDir: string;
  toolchain: Toolchain;
  progress: Progress;
  /** How long a minute of a Glue job's timeout takes. */
  glueMinuteSeconds?: number;
}

export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const { runDir, toolchain, progress } = options;
  await refuseSecondCloud(runDir);
  await rm(runDir, { recursive: true, force: true });
  const logDir = join(runDir, "logs");
  const tmpDir = join(runDir, "tmp");
  for (const folder of [runDir, logDir, tmpDir]) await mkdir(folder, { recursive: true, mode: 0o700 });
  // The emulator unpacks Lambdas below: whether they are modules is theirs to say, not our package's.
  await writeFile(join(runDir, "package.json"), "{}\n");

  progress("starting the database server and the AWS emulator");
  const [database, emulator] = await startBoth(
    startDatabase(join(runDir, "mariadb"), logDir, toolchain),
    startEmulator({ runDir, logDir, tmpDir }, toolchain, { glueMinuteSeconds: options.glueMinuteSeconds ?? 60 }),
  );
  const stop = async () => {
    await Promise.all([emulator.stop(), database.stop()]);
    await keepOnlyLogs(runDir);
  };
  try {
    return await furnish(options, logDir, database, emulator, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Users, profiles, buckets and the uploader's queue: what an account has before our global stack comes. */
async function furnish(
  { runDir, toolchain, progress }: CloudOptions,
  logDir: string,
  database: Database,
  emulator: Emulator,
  stop: () => Promise<void>,
): Promise<Cloud> {
  progress("creating users, buckets and the uploader's queue");
  const suffix = randomBytes(4).toString("hex");
  const caseBucket = `case-files-${suffix}`;
  const stateBucket = `pulumi-state-${suffix}`;
  const uploaderQueue = `uploader-commands-${suffix}`;
  const keys = await createUsers(emulator, { account, region, caseBucket, uploaderQueue });
  await emulator.seal();
  await writeProfiles(join(runDir, "aws"), keys);
  const documentEngine = await placeOfDocumentEngine(runDir);
  for (const file of [passphraseFile(runDir), documentEngine.tokenFile]) {
    await writeFile(file, randomBytes(24).toString("base64url"), { mode: 0o600 });
  }

  const client = (profile: Profile) => ({ endpoint: emulator.endpoint, region, credentials: keys[profile] });
  const s3 = new S3Client(client("operator"));
  const sqs = new SQSClient(client("operator"));
  for (const Bucket of [caseBucket, stateBucket]) await s3.send(new CreateBucketCommand({ Bucket }));
  const { QueueUrl: queueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: uploaderQueue }));
  if (queueUrl === undefined)
    throw new CloudStartError("NO_QUEUE", "the AWS emulator gave no URL for the uploader's queue");
  s3.destroy();
  sqs.destroy();

  const uploader = {
    queueUrl,
    queueArn: `arn:aws:sqs:${region}:${account}:${uploaderQueue}`,
    principalArn: `arn:aws:iam::${account}:user/uploader`,
  };
  const engineUserArn = `arn:aws:iam::${account}:user/engine`;
  const description: CloudDescription = {
    pid: process.pid,
    endpoint: emulator.endpoint,
    region,
    runDir,
    stateBucket,
    caseBucket,
    path: [...providerPath(), ...toolchain.path],
    compileCache: join(toolchain.cacheDir, "node-compile-cache"),
    stackSettings: {
      EXCHANGER_CASE_BUCKET: caseBucket,
      EXCHANGER_STATE_BUCKET: stateBucket,
      EXCHANGER_UPLOADER_QUEUE_URL: uploader.queueUrl,
      EXCHANGER_UPLOADER_QUEUE_ARN: uploader.queueArn,
      EXCHANGER_UPLOADER_PRINCIPAL_ARN: uploader.principalArn,
      EXCHANGER_DOCUMENT_ENGINE_URL: documentEngine.url,
      EXCHANGER_ENGINE_PRINCIPAL_ARN: engineUserArn,
    },
  };
  await writeDescription(description);
  await makeProject(runDir);
  return {
    endpoint: emulator.endpoint,
    region,
    accountId: account,
    runDir,
    logDir,
    database,
    caseBucket,
    stateBucket,
    uploader,
    documentEngine,
    engineUserArn,
    projectDir: projectDir(runDir),
    env: (profile) => awsEnvironment(description, profile),
    pulumiEnv: (profile) => pulumiEnvironment(description, profile),
    client,
    grantEngineRole: (roleArn) => writeProfiles(join(runDir, "aws"), keys, roleArn),
    stop,
  };
}

async function placeOfDocumentEngine(runDir: string): Promise<Cloud["documentEngine"]> {
  const port = await getPort({ host: "127.0.0.1" });
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    directory: join(runDir, "document-engine"),
    tokenFile: join(runDir, "document-engine-token"),
  };
}

/** The folder of our AWS provider, unless `EXCHANGER_AWS_PROVIDER=official` asks for the vendor's plugin. */
function providerPath(): string[] {
  if (process.env["EXCHANGER_AWS_PROVIDER"] === "official") return [];
  return [join(import.meta.dirname, "..", "provider", "bin")];
}

/** Both or neither: when one does not start, the other is stopped. */
async function startBoth(database: Promise<Database>, emulator: Promise<Emulator>): Promise<[Database, Emulator]> {
  const started = await Promise.allSettled([database, emulator]);
  const [first, second] = started;
  if (first.status === "fulfilled" && second.status === "fulfilled") return [first.value, second.value];
  for (const part of started) if (part.status === "fulfilled") await part.value.stop();
  throw first.status === "rejected" ? first.reason : (second as PromiseRejectedResult).reason;
}

async function refuseSecondCloud(runDir: string): Promise<void> {
  const running = await readDescription(runDir).catch(() => undefined);
  if (running && running.pid !== process.pid) {
    throw new CloudStartError(
      "CLOUD_RUNS",
      `a local cloud runs already in ${runDir} (process ${running.pid}): stop it, or use another clone`,
    );
  }
}

/** State is thrown away with the cloud; logs of the last run stay for whoever wants to know what happened. */
async function keepOnlyLogs(runDir: string): Promise<void> {
  const entries = await readdir(runDir).catch(() => []);
  const state = entries.filter((entry) => entry !== "logs");
  await Promise.all(state.map((entry) => rm(join(runDir, entry), { recursive: true, force: true, maxRetries: 3 })));
}
