import { createPool, type Pool, type RowDataPacket } from "mysql2/promise";
import type { DatabaseSecret } from "../../contracts/secrets.ts";
import type { Selection } from "../../contracts/request.ts";

/** What a selection finds in a case. */
export interface Selected {
  readonly documents: number;
  /** How many of them are privileged or held back; null where the case has no column that says so. */
  readonly privileged: number | null;
  /** Ids that were named but do not exist; the first few. */
  readonly unknownIds: readonly string[];
}

/** `documents.status` of a document that is held back. */
const heldBackStatus = 3;

/** Documents looked up at once, and how many unknown ids an answer names. */
const chunk = 5000;
const named = 10;

/**
 * The ids of a selection's documents. The schema's name is a checked prefix and a number, so it needs no escaping. A
 * folder stands for all folders below it as well.
 */
const selecting = {
  all: (schema: string) => `SELECT id FROM ${schema}.documents`,
  label: (schema: string) => `SELECT DISTINCT e.document_id AS id
    FROM ${schema}.exhibit_labels l JOIN ${schema}.exhibits e ON e.id = l.exhibit_id WHERE l.label_id = ?`,
  folder: (schema: string) => `WITH RECURSIVE tree AS (
      SELECT id FROM ${schema}.folder_tags WHERE id = ?
      UNION SELECT f.id FROM ${schema}.folder_tags f JOIN tree t ON f.parent_id = t.id)
    SELECT DISTINCT e.document_id AS id FROM tree t
    JOIN ${schema}.folder_taggings g ON g.folder_tag_id = t.id JOIN ${schema}.exhibits e ON e.id = g.exhibit_id`,
};

/**
 * What makes a document privileged in the sense of `excludePrivileged`: the column that has to be there, and the
 * condition on a document `d`. Values are compared as texts: as numbers, most texts are equal to 0.
 */
const privileges = [
  {
    table: "documents",
    column: "status",
    condition: () => `CAST(d.status AS CHAR) = '${heldBackStatus}'`,
  },
  {
    table: "exhibits",
    column: "relevancy",
    condition: (schema: string) =>
      `EXISTS (SELECT 1 FROM ${schema}.exhibits x WHERE x.document_id = d.id AND CAST(x.relevancy AS CHAR) = 'privileged')`,
  },
];

/** Looks cases up with a user that can only read. */
export class CaseReader {
  readonly #pool: Pool;
  readonly #prefix: string;

  constructor(secret: DatabaseSecret, caseSchemaPrefix: string) {
    this.#prefix = caseSchemaPrefix;
    this.#pool = createPool({
      host: secret.host,
      port: secret.port,
      user: secret.username,
      password: secret.password,
      charset: "utf8mb4",
      connectionLimit: 4,
      enableKeepAlive: true,
      connectTimeout: 10_000,
    });
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async exists(caseId: number): Promise<boolean> {
    const rows = await this.#query("SELECT 1 AS n FROM information_schema.schemata WHERE schema_name = ?", [
      this.#schema(caseId),
    ]);
    return rows.length > 0;
  }

  /** How many documents a selection holds in an existing case, and how many of them are privileged or held back. */
  async select(caseId: number, selection: Selection): Promise<Selected> {
    const schema = `\`${this.#schema(caseId)}\``;
    const isPrivileged = await this.#privilege(caseId);
    switch (selection.by) {
      case "all":
        return this.#counted(schema, isPrivileged, selecting.all(schema), []);
      case "label":
        return this.#counted(schema, isPrivileged, selecting.label(schema), [selection.labelId]);
      case "folder":
        return this.#counted(schema, isPrivileged, selecting.folder(schema), [selection.folderTagId]);
      case "documents":
        return this.#byId(schema, isPrivileged, selection.documentIds);
    }
  }

  /** SQL: whether a document `d` is privileged or held back; null where the case has no column that says so. */
  async #privilege(caseId: number): Promise<string | null> {
    const schema = this.#schema(caseId);
    const rows = await this.#query(
      "SELECT table_name AS t, column_name AS c FROM information_schema.columns WHERE table_schema = ? AND (table_name, column_name) IN (?)",
      [schema, privileges.map(({ table, column }) => [table, column])],
    );
    const found = new Set(rows.map((row) => `${String(row["t"])}.${String(row["c"])}`));
    const conditions = privileges
      .filter(({ table, column }) => found.has(`${table}.${column}`))
      .map(({ condition }) => condition(`\`${schema}\``));
    return conditions.length > 0 ? `(${conditions.join(" OR ")})` : null;
  }

  async #byId(schema: string, isPrivileged: string | null, ids: readonly string[]): Promise<Selected> {
    const unknownIds: string[] = [];
    let privileged = 0;
    for (let start = 0; start < ids.length; start += chunk) {
      const some = ids.slice(start, start + chunk);
      const rows = await this.#query(
        `SELECT CAST(d.id AS CHAR) AS id, ${isPrivileged ?? "FALSE"} AS p FROM ${schema}.documents d WHERE d.id IN (?)`,
        [some],
      );
      const known = new Set(rows.map((row) => String(row["id"])));
      privileged += rows.filter((row) => Number(row["p"]) === 1).length;
      unknownIds.push(...some.filter((id) => !known.has(id)));
    }
    return {
      documents: ids.length - unknownIds.length,
      privileged: isPrivileged === null ? null : privileged,
      unknownIds: unknownIds.slice(0, named),
    };
  }

  async #counted(
    schema: string,
    isPrivileged: string | null,
    selected: string,
    values: readonly string[],
  ): Promise<Selected> {
    const sql = `SELECT COUNT(*) AS n, SUM(${isPrivileged ?? "NULL"}) AS p
      FROM (${selected}) AS selected LEFT JOIN ${schema}.documents d ON d.id = selected.id`;
    const [row] = await this.#query(sql, values);
    const documents = Number(row?.["n"] ?? 0);
    return { documents, privileged: isPrivileged === null ? null : Number(row?.["p"] ?? 0), unknownIds: [] };
  }

  /** A connection that the server has dropped is noticed by its use: once more, on a fresh one. */
  async #query(sql: string, values: readonly unknown[]): Promise<RowDataPacket[]> {
    try {
      return (await this.#pool.query<RowDataPacket[]>(sql, [...values]))[0];
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
      return (await this.#pool.query<RowDataPacket[]>(sql, [...values]))[0];
    }
  }

  #schema(caseId: number): string {
    return `${this.#prefix}_${caseId}`;
  }
}

function isConnectionLoss(error: unknown): boolean {
  const codes = ["PROTOCOL_CONNECTION_LOST", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ER_CLIENT_INTERACTION_TIMEOUT"];
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
