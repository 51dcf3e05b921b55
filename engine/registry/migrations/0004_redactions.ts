import { sql, type Kysely, type Migration } from "kysely";

/** Table, column, type. */
const columns = [
  ["exchange_documents", "redactions_fetched", "int unsigned null"],
  ["exchange_documents", "redactions_branded", "int unsigned null"],
  ["exchange_documents", "redactions_layered", "int unsigned null"],
  ["exchange_documents", "redactions_left", "int unsigned null"],
  ["exchange_documents", "removed", "json null"],
  ["exchanges", "privileged_selected", "bigint unsigned null"],
  ["exchanges", "privileged_copied", "json null"],
] as const;

/**
 * What became of redactions, what rebuilt documents have no longer, and how many privileged documents travel. Requests
 * that were accepted before `redactionsAs` was required left their redactions behind when they did not name it.
 *
 * The server commits each statement by itself: after a crash between two of them this runs again from its beginning.
 */
export const redactions: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const [table, column, type] of columns) {
      if (await hasColumn(db, table, column)) continue;
      await sql`alter table ${sql.table(table)} add column ${sql.ref(column)} ${sql.raw(type)}`.execute(db);
    }
    await sql`update exchanges set request = json_set(request, '$.annotations.redactionsAs', 'leave')
      where json_type(json_extract(request, '$.annotations')) = 'OBJECT'
        and json_extract(request, '$.annotations.redactionsAs') is null`.execute(db);
  },
};

async function hasColumn(db: Kysely<unknown>, table: string, column: string): Promise<boolean> {
  const { rows } = await sql`select 1 from information_schema.columns
    where table_schema = database() and table_name = ${table} and column_name = ${column}`.execute(db);
  return rows.length > 0;
}
