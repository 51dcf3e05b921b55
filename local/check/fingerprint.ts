import type { S3Client } from "@aws-sdk/client-s3";
import { casePrefix } from "../../contracts/names.ts";
import { hashOf, keyOf, readCase, type CaseRows, type Reader } from "./case-rows.ts";
import { listObjects } from "./objects.ts";

/** How to look at a case from outside. */
export interface CaseAccess {
  /** May read the schemas of both cases. */
  connection: Reader;
  /** May list and read case files. */
  s3: S3Client;
  caseBucket: string;
  caseSchemaPrefix: string;
}

/** A case at one moment: a hash of every row, and what a listing says of every object. */
export interface Fingerprint {
  /** Table → key of the row → hash. */
  rows: ReadonlyMap<string, ReadonlyMap<string, string>>;
  objects: ReadonlyMap<string, string>;
}

export async function lookAtCase(
  access: CaseAccess,
  caseId: number,
): Promise<{ rows: CaseRows; fingerprint: Fingerprint }> {
  const [rows, objects] = await Promise.all([
    readCase(access.connection, `${access.caseSchemaPrefix}_${caseId}`),
    listObjects(access.s3, access.caseBucket, casePrefix(caseId)),
  ]);
  const hashes = [...rows.tables]
    .filter(([table]) => !isBookkeeping(table))
    .map(([table, content]) => {
      const byKey = content.rows.map((row) => [keyOf(content, row), hashOf(content, row)] as const);
      return [table, new Map(byKey)] as const;
    });
  return { rows, fingerprint: { rows: new Map(hashes), objects } };
}

/** What exchanges keep in the destination for themselves. */
export function isBookkeeping(table: string): boolean {
  return table.startsWith("exchange_");
}

export interface Difference {
  /** `table key` of rows, or keys of objects. */
  changed: string[];
  gone: string[];
  added: string[];
}

function compare(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Difference {
  const keys = [...before.keys()];
  return {
    changed: keys.filter((key) => after.has(key) && after.get(key) !== before.get(key)),
    gone: keys.filter((key) => !after.has(key)),
    added: [...after.keys()].filter((key) => !before.has(key)),
  };
}

/** What happened to the rows of a case between two moments. */
export function rowDifference(before: Fingerprint, after: Fingerprint): Difference {
  const flat = ({ rows }: Fingerprint) =>
    new Map(
      [...rows].flatMap(([table, hashes]) => [...hashes].map(([key, hash]) => [`${table} ${key}`, hash] as const)),
    );
  return compare(flat(before), flat(after));
}

export function objectDifference(before: Fingerprint, after: Fingerprint): Difference {
  return compare(before.objects, after.objects);
}

/** Everything that must not have changed, as sentences about what has. */
export function changes(what: string, { changed, gone }: Difference): string[] {
  return [
    ...changed.map((name) => `${what} ${name} has been changed`),
    ...gone.map((name) => `${what} ${name} is gone`),
  ];
}
