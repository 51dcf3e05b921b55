import { sql, type Kysely, type Migration } from "kysely";

/** What became of the rows of an exchange that did not finish, and since when its uploader is silent. */
export const records: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`alter table exchanges
      add column records json null,
      add column uploader_silent_since datetime(3) null`.execute(db);
  },
};
