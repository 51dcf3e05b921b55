import type { S3Client } from "@aws-sdk/client-s3";
import type { ExcludedDocument } from "../../contracts/manifest.ts";
import type { Registry } from "../registry/database.ts";
import { addExcluded } from "../registry/ledger.ts";
import { readExcluded } from "./copy-files.ts";

/** Documents that are written at once. */
const chunk = 1000;

const reasons = { privileged: "privileged", held_back: "held back" } as const;

/** Lists, each by its id, the documents that the record copy left out of the selection. Repeating it changes nothing. */
export async function listExcluded(
  db: Registry,
  s3: S3Client,
  bucket: string,
  exchangeId: string,
  now: Date,
): Promise<void> {
  const excluded = await readExcluded(s3, bucket, exchangeId);
  for (let start = 0; start < excluded.length; start += chunk) {
    const some = excluded.slice(start, start + chunk);
    const rows = some.map((one) => ({ documentId: one.documentId, message: messageOf(one) }));
    await addExcluded(db, exchangeId, rows, now);
  }
}

function messageOf({ because }: ExcludedDocument): string {
  return `the document is ${because.map((reason) => reasons[reason]).join(" and ")}, and excludePrivileged leaves it out`;
}
