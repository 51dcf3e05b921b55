import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { GetJobRunsCommand, type GlueClient } from "@aws-sdk/client-glue";
import type { S3Client } from "@aws-sdk/client-s3";
import { exchangeStackName } from "../../../contracts/names.ts";
import { listObjects } from "../../check/objects.ts";
import type { Platform } from "../../platform/platform.ts";

export interface RemainsQuestion {
  readonly platform: Platform;
  readonly s3: S3Client;
  readonly glue: GlueClient;
  readonly exchangeIds: readonly string[];
}

/** What is left on this machine, in Pulumi's backend and in Glue, beside the resources of the account. */
export async function findRemains(question: RemainsQuestion): Promise<string[]> {
  const found = await Promise.all([
    backendObjects(question),
    glueRuns(question),
    folders(question.platform),
    selections(question),
    operationProcesses(workFolder(question.platform)),
  ]);
  return found.flat();
}

/** Checkpoints, locks, histories and backups alike. */
async function backendObjects({ platform, s3, exchangeIds }: RemainsQuestion): Promise<string[]> {
  const keys = [...(await listObjects(s3, platform.cloud.stateBucket, ".pulumi/")).keys()];
  return keys
    .filter((key) => exchangeIds.some((id) => key.includes(exchangeStackName(id))))
    .map((key) => `object ${key} of Pulumi's backend`);
}

async function glueRuns({ platform, glue, exchangeIds }: RemainsQuestion): Promise<string[]> {
  const { JobRuns = [] } = await glue.send(new GetJobRunsCommand({ JobName: platform.outputs.glueJobName }));
  return JobRuns.filter(({ JobRunState = "", Arguments }) => {
    const active = ["STARTING", "RUNNING", "STOPPING"].includes(JobRunState);
    return active && exchangeIds.includes(Arguments?.["--exchange_id"] ?? "");
  }).map(({ Id = "" }) => `Glue run ${Id}`);
}

/** Where the engine keeps a folder for each operation. */
export function workFolder({ cloud }: Platform): string {
  return join(cloud.runDir, "engine");
}

/** Where everything that the engine starts puts its temporary files. */
export function temporaryFolder({ cloud }: Platform): string {
  return join(cloud.runDir, "engine-tmp");
}

async function folders(platform: Platform): Promise<string[]> {
  const [work, temporary] = await Promise.all([workFolder(platform), temporaryFolder(platform)].map(entries));
  return [
    ...(work ?? []).filter((name) => name !== ".compile-cache").map((name) => `work folder ${name}`),
    ...(temporary ?? []).map((name) => `temporary file ${name}`),
  ];
}

/** The stacks that the CLI remembers as selected in some folder. */
async function selections({ platform, exchangeIds }: RemainsQuestion): Promise<string[]> {
  const folder = join(platform.cloud.runDir, "pulumi", "workspaces");
  const texts = await Promise.all(
    (await entries(folder)).map(async (name) => [name, await readFile(join(folder, name), "utf8").catch(() => "")]),
  );
  return texts
    .filter(([, text = ""]) => exchangeIds.some((id) => text.includes(id)))
    .map(([name = ""]) => `selected stack ${name}`);
}

/** Processes of Pulumi operations, also those whose engine is dead: they inherit its environment. */
async function operationProcesses(folder: string): Promise<string[]> {
  const pids = (await entries("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [environment, command] = await Promise.all(
        ["environ", "cmdline"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
      );
      const ours = environment?.split("\0").includes(`EXCHANGER_WORK_DIR=${folder}`) === true;
      const text = command?.replaceAll("\0", " ").trim() ?? "";
      return ours && /pulumi|deployer\/child/.test(text) ? [`process ${pid} (${text.slice(0, 80)})`] : [];
    }),
  );
  return found.flat();
}

async function entries(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
