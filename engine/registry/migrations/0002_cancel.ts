import { sql, type Kysely, type Migration } from "kysely";

/** When somebody asked for an exchange's end, and when an operator asked for it at once. */
export const cancel: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`alter table exchanges
      add column cancel_requested_at datetime(3) null,
      add column hurried_at datetime(3) null`.execute(db);
  },
};
