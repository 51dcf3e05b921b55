import { readFile } from "node:fs/promises";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Connection } from "mysql2/promise";
import type { DocumentEngine } from "../../processors/shared/document_engine/client.ts";
import { tables, type CaseBuilder } from "./builder.ts";
import { allEnded, inTurn } from "./in-turn.ts";

const schemaFile = new URL("../../glue/schema/case.sql", import.meta.url);

/** Where cases are kept. */
export interface CaseStore {
  /** Makes connections that may create schemas. */
  database: { admin: () => Promise<Connection> };
  /** A client that may write case files. */
  s3: S3Client;
  caseBucket: string;
  /** Where the PDFs of cases are shown; without it they are on S3 only. */
  documentEngine?: Pick<DocumentEngine, "upload">;
  /** The schema of a case is `{caseSchemaPrefix}_{caseId}`. */
  caseSchemaPrefix: string;
}

const rowsPerInsert = 500;
const putsAtOnce = 12;
const uploadsAtOnce = 4;

/** Makes the schema of a new case, empty. */
export async function createSchema(
  store: Pick<CaseStore, "database" | "caseSchemaPrefix">,
  caseId: number,
): Promise<Connection> {
  const schema = `${store.caseSchemaPrefix}_${caseId}`;
  const connection = await store.database.admin();
  try {
    await connection.query("CREATE DATABASE ?? CHARACTER SET utf8mb4", [schema]);
    await connection.changeUser({ database: schema });
    await runScript(connection, await readFile(schemaFile, "utf8"));
    return connection;
  } catch (error) {
    await connection.end();
    throw error;
  }
}

/** Runs the statements of an SQL script of ours, each of which ends its line with a semicolon. */
export async function runScript(connection: Connection, script: string): Promise<void> {
  for (const statement of script.replace(/^\s*--.*$/gm, "").split(/;\s*$/m)) {
    if (statement.trim()) await connection.query(statement);
  }
}

/** Writes a case: its schema, its rows, its objects, its documents in Document Engine. */
export async function storeCase(store: CaseStore, builder: CaseBuilder): Promise<void> {
  await allEnded([storeRows(store, builder), storeObjects(store, builder), storeEngineDocuments(store, builder)]);
}

async function storeRows(store: CaseStore, builder: CaseBuilder): Promise<void> {
  const connection = await createSchema(store, builder.caseId);
  try {
    await insertRows(connection, builder);
  } finally {
    await connection.end();
  }
}

/** Writes a builder's rows into the connection's schema, all or none. */
export async function insertRows(connection: Connection, builder: CaseBuilder): Promise<void> {
  await connection.beginTransaction();
  for (const table of tables) {
    const rows = builder.of(table);
    const columns = Object.keys(rows[0] ?? {});
    for (let start = 0; start < rows.length; start += rowsPerInsert) {
      const values = rows.slice(start, start + rowsPerInsert).map((row) => columns.map((column) => row[column]));
      await connection.query("INSERT INTO ?? (??) VALUES ?", [table, columns, values]);
    }
  }
  await connection.commit();
}

async function storeObjects({ s3, caseBucket }: CaseStore, builder: CaseBuilder): Promise<void> {
  await inTurn(builder.objects.values(), putsAtOnce, ({ key, body, contentType }) =>
    s3.send(new PutObjectCommand({ Bucket: caseBucket, Key: key, Body: body, ContentType: contentType })),
  );
}

async function storeEngineDocuments({ documentEngine }: CaseStore, builder: CaseBuilder): Promise<void> {
  await inTurn(builder.engineDocuments, uploadsAtOnce, async ({ id, key, annotations }) => {
    const pdf = builder.objects.get(key)?.body;
    if (pdf) await documentEngine?.upload(id, pdf, annotations);
  });
}
