import { createHash } from "node:crypto";
import { isUtf8 } from "node:buffer";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { InvalidInputError } from "../../contracts/errors.ts";

/** A connection, or several, of somebody who only reads. */
export type Reader = Pick<Connection, "query">;

/** A row as the server sends it: texts, and bytes that are no text as hex. Ids of 64 bits keep all their digits. */
export type Row = Readonly<Record<string, string | null>>;

export interface TableRows {
  columns: string[];
  /** Columns of the primary key. */
  key: string[];
  rows: Row[];
}

export interface ForeignKey {
  name: string;
  table: string;
  columns: string[];
  referencedTable: string;
  referencedColumns: string[];
}

/** Everything that lies in the schema of one case. */
export interface CaseRows {
  schema: string;
  tables: ReadonlyMap<string, TableRows>;
  foreignKeys: readonly ForeignKey[];
}

/** Runs a statement; every value comes as text. */
export async function select(connection: Reader, sql: string, values: unknown[] = []): Promise<Row[]> {
  const [rows] = await connection.query<RowDataPacket[]>({
    sql,
    values,
    typeCast: (field) => {
      const bytes = field.buffer();
      if (bytes === null) return null;
      return isUtf8(bytes) ? bytes.toString() : `0x${bytes.toString("hex")}`;
    },
  });
  return rows;
}

/** Reads a whole case, and what the server's catalogue says of its keys. */
export async function readCase(connection: Reader, schema: string): Promise<CaseRows> {
  const columns = await select(
    connection,
    `SELECT c.TABLE_NAME AS \`table\`, c.COLUMN_NAME AS name, c.COLUMN_KEY AS keyed
       FROM information_schema.COLUMNS c JOIN information_schema.TABLES t USING (TABLE_SCHEMA, TABLE_NAME)
      WHERE c.TABLE_SCHEMA = ? AND t.TABLE_TYPE = 'BASE TABLE' ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION`,
    [schema],
  );
  if (!columns.length) {
    throw new InvalidInputError("UNKNOWN_CASE", `schema '${schema}' has no tables: check the case number and prefix`);
  }
  const tables = new Map<string, TableRows>();
  for (const [table, own] of Map.groupBy(columns, (column) => String(column["table"]))) {
    tables.set(table, {
      columns: own.map(({ name }) => String(name)),
      key: own.filter(({ keyed }) => keyed === "PRI").map(({ name }) => String(name)),
      rows: await select(connection, "SELECT * FROM ??.??", [schema, table]),
    });
  }
  return { schema, tables, foreignKeys: await readForeignKeys(connection, schema) };
}

async function readForeignKeys(connection: Reader, schema: string): Promise<ForeignKey[]> {
  const parts = await select(
    connection,
    `SELECT CONSTRAINT_NAME AS name, TABLE_NAME AS \`table\`, COLUMN_NAME AS \`column\`,
            REFERENCED_TABLE_NAME AS referencedTable, REFERENCED_COLUMN_NAME AS referencedColumn
       FROM information_schema.KEY_COLUMN_USAGE
      WHERE TABLE_SCHEMA = ? AND REFERENCED_TABLE_NAME IS NOT NULL
      ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION`,
    [schema],
  );
  const grouped = Map.groupBy(parts, (part) => `${String(part["table"])}.${String(part["name"])}`);
  return [...grouped.values()].map((of) => ({
    name: String(of[0]?.["name"]),
    table: String(of[0]?.["table"]),
    columns: of.map((part) => String(part["column"])),
    referencedTable: String(of[0]?.["referencedTable"]),
    referencedColumns: of.map((part) => String(part["referencedColumn"])),
  }));
}

/** Names a row within its table: the values of its primary key, or of all columns where there is none. */
export function keyOf(table: TableRows, row: Row): string {
  return (table.key.length ? table.key : table.columns).map((column) => String(row[column])).join(",");
}

export function hashOf(table: TableRows, row: Row): string {
  const values = table.columns.map((column) => row[column] ?? null);
  return createHash("sha256").update(JSON.stringify(values)).digest("base64url");
}

/** Foreign keys of a case that lead nowhere, as sentences. */
export function danglingKeys({ tables, foreignKeys }: CaseRows): string[] {
  return foreignKeys.flatMap((foreignKey) => {
    const child = tables.get(foreignKey.table);
    const parents = tables.get(foreignKey.referencedTable)?.rows ?? [];
    const tuple = (row: Row, columns: readonly string[]) => columns.map((column) => row[column]).join(",");
    const known = new Set(parents.map((row) => tuple(row, foreignKey.referencedColumns)));
    const dangling = (child?.rows ?? []).filter(
      (row) => foreignKey.columns.every((column) => row[column] != null) && !known.has(tuple(row, foreignKey.columns)),
    );
    return dangling.map((row) => {
      const from = `${foreignKey.table} ${child ? keyOf(child, row) : ""}`;
      const to = `${foreignKey.referencedTable} ${tuple(row, foreignKey.columns)}`;
      return `destination: ${from} refers by ${foreignKey.columns.join(",")} to ${to}, which does not exist`;
    });
  });
}
