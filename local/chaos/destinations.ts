import { DeleteObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { casePrefix } from "../../contracts/names.ts";
import { listObjects } from "../check/objects.ts";
import { caseSchemaPrefix, type Platform } from "../platform/platform.ts";
import { makeDestinationCase } from "../samples/make.ts";

/** Fresh destination cases, one a run. */
export interface Destinations {
  /** A case that no exchange has touched. */
  next(): Promise<number>;
  close(): Promise<void>;
}

const firstId = 1001;

/** The next case is made while the last one is in use, and the one before that is dropped. */
export function destinationsOf({ cloud }: Platform): Destinations {
  const s3 = new S3Client({ ...cloud.client("platform"), forcePathStyle: true });
  const { database, caseBucket } = cloud;
  let following = firstId;

  async function make(): Promise<number> {
    const caseId = following++;
    await makeDestinationCase({ database, s3, caseBucket, caseSchemaPrefix }, caseId);
    return caseId;
  }

  async function drop(caseId: number): Promise<void> {
    const admin = await database.admin();
    try {
      await admin.query("DROP DATABASE IF EXISTS ??", [`${caseSchemaPrefix}_${caseId}`]);
    } finally {
      await admin.end();
    }
    const objects = await listObjects(s3, caseBucket, casePrefix(caseId));
    for (const Key of objects.keys()) await s3.send(new DeleteObjectCommand({ Bucket: caseBucket, Key }));
  }

  let coming = awaitedLater(make());
  let dropping: Promise<void> = Promise.resolve();
  return {
    async next() {
      const caseId = await coming;
      await dropping;
      coming = awaitedLater(make());
      if (caseId > firstId) dropping = awaitedLater(drop(caseId - 1));
      return caseId;
    },
    async close() {
      await Promise.allSettled([coming, dropping]);
      s3.destroy();
    },
  };
}

/** A failure is told to whoever waits for it, and until then to nobody. */
function awaitedLater<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}
