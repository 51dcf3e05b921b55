/** Generated cases on the local server, and what they hold. */
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { RowDataPacket } from "mysql2/promise";
import type { Database } from "../../local/cloud/cloud.ts";
import { caseSchemaPrefix } from "../../local/platform/platform.ts";
import { tables } from "../../local/samples/builder.ts";
import { createSchema, runScript } from "../../local/samples/store.ts";

export type Server = Pick<Database, "admin">;

const rowsFile = new URL("case.sql", import.meta.url);

export const schemaOf = (caseId: number): string => `${caseSchemaPrefix}_${caseId}`;

/** A server with memory and a log for two million rows; a case of its own size runs on nothing smaller. */
export async function makeRoom(server: Server): Promise<void> {
  await asRoot(server, [
    "SET GLOBAL innodb_buffer_pool_size = 3 * 1024 * 1024 * 1024",
    "SET GLOBAL innodb_log_file_size = 1024 * 1024 * 1024",
  ]);
}

/** Makes a case of so many documents; returns its rows by table. */
export async function makeCase(server: Server, caseId: number, documents: number): Promise<Record<string, number>> {
  const connection = await createSchema({ database: server, caseSchemaPrefix }, caseId);
  try {
    await runScript(connection, (await readFile(rowsFile, "utf8")).replaceAll("{documents}", String(documents)));
    await connection.query(`ANALYZE TABLE ${tables.join(", ")}`);
  } finally {
    await connection.end();
  }
  return countRows(server, caseId);
}

/** Calls `work` with an empty case, which is gone afterwards; nothing of the one before is still being written. */
export async function withEmptyCase<T>(server: Server, caseId: number, work: () => Promise<T>): Promise<T> {
  await (await createSchema({ database: server, caseSchemaPrefix }, caseId)).end();
  try {
    await settle(server);
    return await work();
  } finally {
    await asRoot(server, [`DROP DATABASE ${schemaOf(caseId)}`]);
  }
}

export async function countRows(server: Server, caseId: number): Promise<Record<string, number>> {
  const connection = await server.admin();
  try {
    const counts: Record<string, number> = {};
    for (const table of tables) {
      const sql = `SELECT COUNT(*) AS count FROM ${schemaOf(caseId)}.${table}`;
      const [rows] = await connection.query<RowDataPacket[]>(sql);
      counts[table] = Number(rows[0]?.["count"]);
    }
    return counts;
  } finally {
    await connection.end();
  }
}

export const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

async function asRoot(server: Server, statements: readonly string[]): Promise<void> {
  const connection = await server.admin();
  try {
    for (const statement of statements) await connection.query(statement);
  } finally {
    await connection.end();
  }
}

/** Waits until the server has written out what earlier runs left to be written. */
async function settle(server: Server): Promise<void> {
  const connection = await server.admin();
  try {
    await connection.query("SET GLOBAL innodb_max_dirty_pages_pct = 0");
    for (let waited = 0; waited < 600; waited++) {
      const sql = "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'";
      const [rows] = await connection.query<RowDataPacket[]>(sql);
      if (Number(rows[0]?.["Value"]) < 50) break;
      await delay(100);
    }
    await connection.query("SET GLOBAL innodb_max_dirty_pages_pct = DEFAULT");
  } finally {
    await connection.end();
  }
}
