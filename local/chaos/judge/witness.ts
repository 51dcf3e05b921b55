import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { GlueClient } from "@aws-sdk/client-glue";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { z } from "zod";
import type { Stage, UnitState } from "../../../contracts/ledger.ts";
import { manifestPrefix, tableCount, type FileRole } from "../../../contracts/manifest.ts";
import { readManifest } from "../../../contracts/manifest-reader.ts";
import { select } from "../../check/case-rows.ts";
import { examine } from "../../check/check.ts";
import { listObjects } from "../../check/objects.ts";
import { createClient, type Client } from "../../platform/client.ts";
import type { Platform } from "../../platform/platform.ts";
import { violations, type Violation } from "../invariants.ts";
import type { Outcome } from "../lane.ts";
import type { Facts, PlannedFile, Unit } from "./facts.ts";
import { openRecorder } from "./recorder.ts";
import { readRegistry } from "./registry.ts";
import { findRemains } from "./remains.ts";

/** An outsider who watches a lane from the beginning, and judges its runs. */
export interface Witness {
  /** `patienceMs`: how long what is not right yet may take to become so. */
  judge(outcome: Outcome, patienceMs?: number): Promise<Violation[]>;
  close(): Promise<void>;
}

/** What comes after the end (last events, redelivered messages, processes that end) has so long to come. */
const settlingMs = 30_000;

/** Begins to watch; has to be there before the first run. */
export async function openWitness(platform: Platform): Promise<Witness> {
  const recorder = await openRecorder(platform);
  const clients = {
    s3: new S3Client({ ...platform.cloud.client("auditor"), forcePathStyle: true }),
    sqs: new SQSClient(platform.cloud.client("auditor")),
    glue: new GlueClient(platform.cloud.client("auditor")),
  };
  const token = await platform.issuer.token({ subject: "witness", scopes: ["exchange:read"], cases: "*" });
  const tools: Tools = { platform, recorder, ...clients, client: createClient(platform.engineUrl, token) };
  return {
    async judge(outcome, patienceMs = settlingMs) {
      const deadline = Date.now() + (outcome.view ? patienceMs : 0);
      const atOnce = violations(await gather(outcome, tools));
      for (let found = atOnce; ; found = violations(await gather(outcome, tools))) {
        if (found.length === 0 || Date.now() > deadline) return [...atOnce.filter(staysWrong(found)), ...found];
        await delay(250);
      }
    },
    async close() {
      await recorder.close();
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}

/** What was left at the end is not right because it has gone since; a process may take a moment to be gone. */
function staysWrong(found: readonly Violation[]) {
  return ({ invariant, what }: Violation) =>
    invariant === "I5" && !what.includes("left over: process") && !found.some((one) => one.what === what);
}

interface Tools {
  readonly platform: Platform;
  readonly recorder: Awaited<ReturnType<typeof openRecorder>>;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly glue: GlueClient;
  readonly client: Client;
}

async function gather(outcome: Outcome, tools: Tools): Promise<Facts> {
  const { exchangeId, outsider, before, asked, view, scenario } = outcome;
  const { platform } = tools;
  const registry = await readRegistry(outsider.connection, outsider.destinationCaseId, exchangeId);
  const exchangeIds = registry.exchanges.map(({ id }) => id);
  const told = apiWords.parse(outcome.body ?? {});
  const [events, planned, manifest, uploader, queues, documents, examination, remains] = await Promise.all([
    exchangeId === undefined ? [] : tools.recorder.heard(exchangeId),
    plannedFiles(outcome),
    exchangeId === undefined ? [] : manifestOf(tools, exchangeId),
    uploaderJournal(platform, exchangeId),
    queueDepths(tools),
    view ? documentsOf(tools.client, view.exchangeId) : [],
    examine(outsider, before, exchangeId === undefined ? [] : [{ exchangeId, ...asked }]),
    findRemains({ ...tools, exchangeIds }),
  ]);
  return {
    ...{ exchangeId, view, registry, events, planned, manifest, uploader, queues, documents, examination, remains },
    costs: scenario.fault?.costs ?? 0,
    ends: scenario.ends ?? scenario.fault?.ends ?? ["FINISHED"],
    cancelled: outcome.cancelled,
    records: told.records,
    rows: told.rows,
  };
}

const apiWords = z.object({
  records: z.enum(["none", "kept", "removed", "partial", "undecided"]).optional(),
  rows: z.record(z.string(), tableCount).optional(),
});

async function plannedFiles({ outsider, asked }: Outcome): Promise<PlannedFile[]> {
  const rows = await select(
    outsider.connection,
    "SELECT id, document_id, role FROM ??.document_variants WHERE document_id IN (?)",
    [`${outsider.caseSchemaPrefix}_${outsider.sourceCaseId}`, asked.documentIds],
  );
  return rows
    .map((row) => ({
      fileId: String(row["id"]),
      documentId: String(row["document_id"]),
      role: row["role"] as FileRole,
    }))
    .filter(({ role }) => asked.includeNatives || role !== "native");
}

async function manifestOf({ s3, platform }: Tools, exchangeId: string): Promise<string[]> {
  const Bucket = platform.outputs.dataBucket;
  const fileIds: string[] = [];
  for (const Key of (await listObjects(s3, Bucket, manifestPrefix(exchangeId))).keys()) {
    const open = async () => (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body as Readable;
    for await (const record of readManifest(Key, open)) {
      const { files } = record.kind === "document" ? record.line : record;
      fileIds.push(...files.map(({ fileId }) => fileId));
    }
  }
  return fileIds;
}

const journalLine = z.object({
  kind: z.literal("document"),
  exchangeId: z.string(),
  fileId: z.string(),
  outcome: z.object({ status: z.enum(["SUCCESS", "ERROR"]) }),
});

async function uploaderJournal({ cloud }: Platform, exchangeId = ""): Promise<Facts["uploader"]> {
  const text = await readFile(join(cloud.runDir, "uploader.json"), "utf8").catch(() => "");
  // The line of an exchange names it; the rest, of all other exchanges, need not be taken apart.
  const lines = text.split("\n").filter((line) => line.includes(exchangeId) && line.endsWith("}"));
  const parsed = lines.flatMap((line) => journalLine.safeParse(JSON.parse(line)).data ?? []);
  return new Map(parsed.map(({ fileId, outcome }) => [fileId, outcome.status]));
}

const counters = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
] as const;

async function queueDepths({ sqs, platform: { outputs } }: Tools): Promise<Facts["queues"]> {
  const queues = {
    orchestration: outputs.orchestrationQueue,
    status: outputs.statusQueue,
    ledger: outputs.ledgerQueue,
    "dead letters": outputs.deadLetterQueue,
    parked: outputs.parkedQueue,
  };
  const depths = Object.entries(queues).map(async ([name, { url }]) => {
    const asking = { QueueUrl: url, AttributeNames: [...counters] };
    const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand(asking));
    return [name, counters.reduce((sum, counter) => sum + Number(Attributes[counter] ?? 0), 0)] as const;
  });
  return Object.fromEntries(await Promise.all(depths));
}

const page = z.object({
  documents: z.array(
    z.object({
      stage: z.custom<Stage>((value) => typeof value === "string"),
      fileId: z.string(),
      documentId: z.string(),
      state: z.custom<UnitState>((value) => typeof value === "string"),
    }),
  ),
  next: z.string().nullable(),
});

async function documentsOf(client: Client, exchangeId: string): Promise<Unit[]> {
  const units: Unit[] = [];
  let after: string | null = "";
  while (after !== null) {
    const query = new URLSearchParams({ limit: "500", ...(after !== "" && { after }) });
    const { body } = await client.request("GET", `/exchanges/${exchangeId}/documents?${query.toString()}`);
    const { documents, next }: z.infer<typeof page> = page.parse(body);
    units.push(...documents);
    after = next;
  }
  return units;
}
