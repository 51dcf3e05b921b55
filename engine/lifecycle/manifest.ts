import type { Readable } from "node:stream";
import { GetObjectCommand, paginateListObjectsV2, type S3Client } from "@aws-sdk/client-s3";
import { RecoverableError, type WireError } from "../../contracts/errors.ts";
import { stages, type LedgerEntry } from "../../contracts/ledger.ts";
import type { PayloadDetail } from "../../contracts/events.ts";
import { manifestPrefix } from "../../contracts/manifest.ts";
import { readManifest, unitsOf, type ManifestRecord, type ManifestUnit } from "../../contracts/manifest-reader.ts";
import type { ExchangeRecord } from "../exchange/record.ts";
import type { Registry } from "../registry/database.ts";
import { addMissing, recorded } from "../registry/ledger.ts";

/** What of an exchange decides which units it has. */
export type Listed = Pick<ExchangeRecord, "id" | "request">;

/** Units that are looked up or written at once. */
const chunk = 500;

/** Reads the records of every part of an exchange's manifest, part by part. */
async function* manifestParts(
  s3: S3Client,
  bucket: string,
  exchangeId: string,
): AsyncGenerator<{ part: string; records: AsyncGenerator<ManifestRecord> }> {
  const pages = paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: manifestPrefix(exchangeId) });
  for await (const page of pages) {
    for (const { Key: key } of page.Contents ?? []) {
      if (key !== undefined) yield { part: key, records: recordsOf(s3, bucket, key) };
    }
  }
}

function recordsOf(s3: S3Client, bucket: string, key: string): AsyncGenerator<ManifestRecord> {
  return readManifest(key, async () => {
    const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    if (!body) throw new RecoverableError("INCOMPLETE_ANSWER", `S3 sent no content of ${key}`);
    return body as Readable;
  });
}

/** What PAYLOAD_CONSTRUCTION_FINISHED would have said, counted from the manifest itself. */
export async function payloadFromManifest(
  s3: S3Client,
  bucket: string,
  { id, request }: Listed,
): Promise<PayloadDetail> {
  const parts: PayloadDetail["parts"] = [];
  for await (const { part, records } of manifestParts(s3, bucket, id)) {
    const counts = { part, documents: 0, copy: 0, pre_upload: 0, upload: 0, re_ocr: 0, search: 0 };
    for await (const record of records) {
      counts.documents += 1;
      for (const { stage } of unitsOf(record, request)) counts[stage] += 1;
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
  for await (const { records } of manifestParts(s3, bucket, id)) {
    for await (const record of records) {
      const error = record.kind === "refused" ? record.error : missingAtDeadline;
      units.push(...unitsOf(record, request).map((unit) => ({ ...unit, error })));
      if (units.length >= chunk) await flush();
    }
  }
  await flush();
  return missing;
}

/** A unit with the reason for which it fails if nothing is recorded of it. */
interface Unit extends ManifestUnit {
  readonly error: WireError;
}

const missingAtDeadline: WireError = {
  code: "DEADLINE_EXCEEDED",
  message: "no event about it came before the processing deadline",
};

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
    for (const { unitId, documentId, error } of ofStage.filter(({ unitId }) => !known.has(unitId))) {
      const eventId = `${exchangeId}:${stage}:${unitId}:deadline`;
      missing.push({ exchangeId, stage, unitId, documentId, state: "failed", eventId, error, occurredAt: now });
    }
  }
  await addMissing(db, missing);
  return missing.length;
}
