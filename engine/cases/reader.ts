import { createPool, type Pool, type RowDataPacket } from "mysql2/promise";
import type { DatabaseSecret } from "../../contracts/secrets.ts";
import type { Selection } from "../../contracts/request.ts";

/** What a selection finds in a case. */
export interface Selected {
  readonly documents: number;
  /** Ids that were named but do not exist; the first few. */
  readonly unknownIds: readonly string[];
}

/** Documents looked up at once, and how many unknown ids an answer names. */
const chunk = 5000;
const named = 10;

/** Statements about one case; its schema's name is a checked prefix and a number, so it needs no escaping. */
const statements = {
  all: (schema: string) => `SELECT COUNT(*) AS n FROM ${schema}.documents`,
  known: (schema: string) => `SELECT CAST(id AS CHAR) AS id FROM ${schema}.documents WHERE id IN (?)`,
  label: (schema: string) => `SELECT COUNT(DISTINCT e.document_id) AS n
    FROM ${schema}.exhibit_labels l JOIN ${schema}.exhibits e ON e.id = l.exhibit_id WHERE l.label_id = ?`,
  /** The folder and all folders below it. */
  folder: (schema: string) => `WITH RECURSIVE tree AS (
      SELECT id FROM ${schema}.folder_tags WHERE id = ?
      UNION SELECT f.id FROM ${schema}.folder_tags f JOIN tree t ON f.parent_id = t.id)
    SELECT COUNT(DISTINCT e.document_id) AS n FROM tree t
    JOIN ${schema}.folder_taggings g ON g.folder_tag_id = t.id JOIN ${schema}.exhibits e ON e.id = g.exhibit_id`,
};

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

  /** How many documents a selection holds in an existing case. */
  async select(caseId: number, selection: Selection): Promise<Selected> {
    const schema = `\`${this.#schema(caseId)}\``;
    switch (selection.by) {
      case "all":
        return this.#counted(statements.all(schema), []);
      case "label":
        return this.#counted(statements.label(schema), [selection.labelId]);
      case "folder":
        return this.#counted(statements.folder(schema), [selection.folderTagId]);
      case "documents":
        return this.#byId(statements.known(schema), selection.documentIds);
    }
  }

  async #byId(sql: string, ids: readonly string[]): Promise<Selected> {
    const unknownIds: string[] = [];
    for (let start = 0; start < ids.length; start += chunk) {
      const some = ids.slice(start, start + chunk);
      const known = new Set((await this.#query(sql, [some])).map((row) => String(row["id"])));
      unknownIds.push(...some.filter((id) => !known.has(id)));
    }
    return { documents: ids.length - unknownIds.length, unknownIds: unknownIds.slice(0, named) };
  }

  async #counted(sql: string, values: unknown[]): Promise<Selected> {
    const documents = Number((await this.#query(sql, values))[0]?.["n"] ?? 0);
    return { documents, unknownIds: [] };
  }

  /** A connection that the server has dropped is noticed by its use: once more, on a fresh one. */
  async #query(sql: string, values: unknown[]): Promise<RowDataPacket[]> {
    try {
      return (await this.#pool.query<RowDataPacket[]>(sql, values))[0];
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
      return (await this.#pool.query<RowDataPacket[]>(sql, values))[0];
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
