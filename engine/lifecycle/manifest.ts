import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { GetObjectCommand, paginateListObjectsV2, type S3Client } from "@aws-sdk/client-s3";
import { stages, type LedgerEntry, type Stage } from "../../contracts/ledger.ts";
import type { PayloadDetail } from "../../contracts/events.ts";
import { manifestLine, manifestPrefix, type ManifestLine } from "../../contracts/manifest.ts";
import { stagesOf } from "../../contracts/plan.ts";
import type { ExchangeRecord } from "../exchange/record.ts";
import type { Registry } from "../registry/database.ts";
import { addMissing, recorded } from "../registry/ledger.ts";

/** What of an exchange decides which units it has. */
export type Listed = Pick<ExchangeRecord, "id" | "request">;

/** Units that are looked up or written at once. */
const chunk = 500;

/** Reads the lines of every part of an exchange's manifest, part by part. */
async function* manifestParts(
  s3: S3Client,
  bucket: string,
  exchangeId: string,
): AsyncGenerator<{ part: string; lines: AsyncGenerator<ManifestLine> }> {
  const pages = paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: manifestPrefix(exchangeId) });
  for await (const page of pages) {
    for (const { Key: key } of page.Contents ?? []) {
      if (key !== undefined) yield { part: key, lines: linesOf(s3, bucket, key) };
    }
  }
}

async function* linesOf(s3: S3Client, bucket: string, key: string): AsyncGenerator<ManifestLine> {
  const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  if (!body) return;
  for await (const line of createInterface({ input: body as Readable, crlfDelay: Infinity })) {
    if (line.trim() !== "") yield manifestLine.parse(JSON.parse(line));
  }
}

/** What PAYLOAD_CONSTRUCTION_FINISHED would have said, counted from the manifest itself. */
export async function payloadFromManifest(
  s3: S3Client,
  bucket: string,
  { id, request }: Listed,
): Promise<PayloadDetail> {
  const parts: PayloadDetail["parts"] = [];
  for await (const { part, lines } of manifestParts(s3, bucket, id)) {
    const counts = { part, documents: 0, copy: 0, pre_upload: 0, upload: 0, re_ocr: 0, search: 0 };
    for await (const line of lines) {
      counts.documents += 1;
      for (const { stage } of unitsOf(line, request)) counts[stage] += 1;
    }
    parts.push(counts);
  }
  return { parts };
}

/** Fails, by name, every unit of the manifest that has no final row in the ledger. Returns how many there were. */
export async function failMissingUnits(
  db: Registry,
  s3: S3Client,
  bucket: string,
  { id, request }: Listed,
  now: Date,
): Promise<number> {
  let missing = 0;
  let units: Unit[] = [];
  const flush = async () => {
    missing += await failUnrecorded(db, id, units, now);
    units = [];
  };
  for await (const { lines } of manifestParts(s3, bucket, id)) {
    for await (const line of lines) {
      units.push(...unitsOf(line, request));
      if (units.length >= chunk) await flush();
    }
  }
  await flush();
  return missing;
}

interface Unit {
  readonly stage: Stage;
  readonly unitId: string;
  readonly documentId: string;
}

function unitsOf({ documentId, files }: ManifestLine, request: Listed["request"]): Unit[] {
  return files.flatMap(({ fileId, role }) =>
    stagesOf(role, request).map((stage) => ({ stage, unitId: fileId, documentId })),
  );
}

async function failUnrecorded(db: Registry, exchangeId: string, units: Unit[], now: Date): Promise<number> {
  const missing: LedgerEntry[] = [];
  for (const stage of stages) {
    const ofStage = units.filter((unit) => unit.stage === stage);
    const known = await recorded(
      db,
      exchangeId,
      stage,
      ofStage.map((unit) => unit.unitId),
    );
    for (const unit of ofStage.filter(({ unitId }) => !known.has(unitId))) {
      missing.push({
        ...unit,
        exchangeId,
        state: "failed",
        eventId: `${exchangeId}:${stage}:${unit.unitId}:deadline`,
        error: { code: "DEADLINE_EXCEEDED", message: "nothing was heard of it before the processing deadline" },
        occurredAt: now,
      });
    }
  }
  await addMissing(db, missing);
  return missing.length;
}
