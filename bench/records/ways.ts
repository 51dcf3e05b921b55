/** The ways to copy a case into an empty one on the same server, each timed from its first process to its last. */
import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { execa } from "execa";
import { z } from "zod";
import type { Cloud } from "../../local/cloud/cloud.ts";
import { watchMemory } from "../../local/load/memory.ts";
import type { Logins } from "../../local/platform/databases.ts";
import { caseSchemaPrefix } from "../../local/platform/platform.ts";
import { tables } from "../../local/samples/builder.ts";
import type { Toolchain } from "../../local/toolchain/index.ts";
import { schemaOf } from "./cases.ts";
import { jdbcDriver, type DumpTools } from "./tools.ts";

export const ways = ["limit", "serverSide", "streaming", "dumpPipe", "mydumper", "sparkDefaults"] as const;
export type Way = (typeof ways)[number];

/** What one copy took; memory is that of the job's processes, without the server. */
export interface Run {
  readonly seconds: number;
  /** By the job's own report: without the start of its process and of Spark. */
  readonly workSeconds?: number;
  readonly peakMiB?: number;
}

/** Copies between two cases by their ids. */
export type Copy = (sourceCaseId: number, destinationCaseId: number) => Promise<Run>;

export interface Ground {
  readonly cloud: Cloud;
  readonly toolchain: Toolchain;
  readonly tools: DumpTools;
  readonly logins: Logins;
  readonly signal: AbortSignal;
}

const glueFolder = join(import.meta.dirname, "..", "..", "glue");
const sparkScript = join(import.meta.dirname, "spark_defaults.py");
const secretIds = { source: "bench-case-reader", target: "bench-record-copy" };

const report = z.object({ seconds: z.number() });

/** As the global stack sets it. */
const documentsPerPart = 2000;

/** Keeps the job's logins where it looks for them. */
export async function keepSecrets({ cloud, logins }: Ground): Promise<void> {
  const client = new SecretsManagerClient(cloud.client("operator"));
  try {
    for (const [Name, login] of [
      [secretIds.source, logins.caseReader],
      [secretIds.target, logins.recordCopy],
    ] as const) {
      await client.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(login) }));
    }
  } finally {
    client.destroy();
  }
}

export function copiesOn(ground: Ground): Record<Way, Copy> {
  return {
    limit: (source, target) => timed(() => insertSelect(ground, source, target)),
    serverSide: (source, target) => recordCopy(ground, "server_side", source, target),
    streaming: (source, target) => recordCopy(ground, "streaming", source, target),
    dumpPipe: (source, target) => timed(() => dumpPipe(ground, source, target)),
    mydumper: (source, target) => mydumper(ground, source, target),
    sparkDefaults: (source, target) => sparkDefaults(ground, source, target),
  };
}

async function timed(work: () => Promise<unknown>): Promise<Run> {
  const started = performance.now();
  await work();
  return { seconds: (performance.now() - started) / 1000 };
}

/** One statement a table, foreign keys checked, and no locks on the source. */
async function insertSelect({ cloud, signal }: Ground, source: number, target: number): Promise<void> {
  const connection = await cloud.database.admin();
  try {
    await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    for (const table of tables) {
      signal.throwIfAborted();
      await connection.query(`INSERT INTO ${schemaOf(target)}.${table} SELECT * FROM ${schemaOf(source)}.${table}`);
    }
  } finally {
    await connection.end();
  }
}

/** The job as its process runs, whole: a Spark session, where it starts one, counts as well. */
async function recordCopy(ground: Ground, mover: string, source: number, target: number): Promise<Run> {
  const { cloud, toolchain } = ground;
  const exchangeId = randomUUID();
  const prefix = `exchanges/${exchangeId}/`;
  const given = {
    exchange_id: exchangeId,
    source_case_id: source,
    destination_case_id: target,
    batch_id: "bench",
    selection: '{"by":"all"}',
    include_natives: "true",
    metadata: '["custodians","confidentialityCodes","issues","folders","customFields","relevancy"]',
    data_bucket: cloud.caseBucket,
    manifest_prefix: `${prefix}manifest/`,
    report_key: `${prefix}report.json`,
    case_schema_prefix: caseSchemaPrefix,
    database_secret_id: secretIds.target,
    source_database_secret_id: secretIds.source,
    manifest_part_size: documentsPerPart,
    mover,
  };
  const args = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]);
  let peakMiB = 0;
  const run = await timed(async () => {
    const env = { ...sparkEnvironment(ground), PYTHONPATH: glueFolder };
    const job = execa(toolchain.python, [join(glueFolder, "script.py"), ...args], { ...processOptions(ground), env });
    const memory = watchMemory(job.pid ?? 0, { intervalMs: 200 });
    try {
      await job;
    } finally {
      memory.stop();
      peakMiB = memory.peak().total;
    }
  });
  return { ...run, workSeconds: await reportedSeconds(cloud, prefix, given.report_key), peakMiB };
}

async function dumpPipe({ tools, ...ground }: Ground, source: number, target: number): Promise<void> {
  const options = { ...processOptions(ground), env: tools.env, cwd: serverFolder(ground.cloud) };
  const dump = ["--no-defaults", ...asRoot, "--single-transaction", "--no-create-info", schemaOf(source)];
  // What goes through is not kept: a dump of more than a hundred megabytes would be ended.
  await execa(tools.path["mariadb-dump"], dump, { ...options, stdout: "pipe", buffer: false }).pipe(
    tools.path.mariadb,
    ["--no-defaults", ...asRoot, schemaOf(target)],
    options,
  );
}

async function mydumper({ tools, ...ground }: Ground, source: number, target: number): Promise<Run> {
  const folder = join(ground.cloud.runDir, "tmp", "dump");
  const options = { ...processOptions(ground), env: tools.env, cwd: serverFolder(ground.cloud) };
  await mkdir(folder, { recursive: true });
  try {
    return await timed(async () => {
      const from = [...asRoot, `--database=${schemaOf(source)}`, `--outputdir=${folder}`, "--no-schemas"];
      await execa(tools.path.mydumper, from, options);
      await execa(tools.path.myloader, [...asRoot, `--database=${schemaOf(target)}`, `--directory=${folder}`], options);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function sparkDefaults(ground: Ground, source: number, target: number): Promise<Run> {
  const { toolchain, logins } = ground;
  const ivy = join(toolchain.cacheDir, "ivy");
  const { stdout } = await execa(toolchain.python, [sparkScript, schemaOf(source), schemaOf(target), ...tables], {
    ...processOptions(ground),
    env: sparkEnvironment(ground, "--packages", jdbcDriver, "--conf", `spark.jars.ivy='${ivy}'`),
    stdin: "pipe",
    input: JSON.stringify(logins.recordCopy),
    stdout: "pipe",
  });
  return { seconds: Number(stdout.trim().split("\n").at(-1)) };
}

/** Root comes in by the socket alone, without a password. */
const asRoot = ["--socket=s", "--user=root"];

function serverFolder({ runDir }: Cloud): string {
  return join(runDir, "mariadb");
}

/** What the processes say goes to a log, to be looked at when one fails. */
function processOptions({ cloud, signal }: Pick<Ground, "cloud" | "signal">) {
  const output = { file: join(cloud.logDir, "bench.log"), append: true } as const;
  return { cancelSignal: signal, stdin: "ignore", stdout: output, stderr: output } as const;
}

function sparkEnvironment({ cloud, toolchain }: Ground, ...options: string[]): Record<string, string> {
  const folder = join(cloud.runDir, "tmp");
  const submit = ["--conf", "spark.ui.enabled=false", "--conf", "spark.driver.host=127.0.0.1", ...options];
  return {
    ...cloud.env("operator"),
    PATH: [...toolchain.path, process.env["PATH"]].join(delimiter),
    PYSPARK_SUBMIT_ARGS: [...submit, "pyspark-shell"].join(" "),
    PYSPARK_PYTHON: toolchain.python,
    SPARK_LOCAL_IP: "127.0.0.1",
    SPARK_LOCAL_DIRS: folder,
    TMPDIR: folder,
  };
}

/**
 * Reads the report and removes whatever the exchange wrote: the emulator keeps objects in memory, and manifests of many
 * runs would not leave enough for the next.
 */
async function reportedSeconds(cloud: Cloud, Prefix: string, Key: string): Promise<number> {
  const Bucket = cloud.caseBucket;
  const s3 = new S3Client(cloud.client("operator"));
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const { seconds } = report.parse(JSON.parse((await Body?.transformToString()) ?? ""));
    const { Contents: found = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
    const Objects = found.map((object) => ({ Key: object.Key }));
    await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    return seconds;
  } finally {
    s3.destroy();
  }
}
