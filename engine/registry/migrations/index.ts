import { Migrator, type Kysely, type MigrationProvider } from "kysely";
import { RecoverableError } from "../../../contracts/errors.ts";
import type { RegistrySchema } from "../schema.ts";
import { initial } from "./0001_initial.ts";
import { cancel } from "./0002_cancel.ts";
import { records } from "./0003_records.ts";
import { redactions } from "./0004_redactions.ts";

/** Applied in the order of their names; a migration that was released is never changed. */
const provider: MigrationProvider = {
  getMigrations: () =>
    Promise.resolve({
      "0001_initial": initial,
      "0002_cancel": cancel,
      "0003_records": records,
      "0004_redactions": redactions,
    }),
};

/** Brings the registry's schema up to date; safe to run by several engines at once (Kysely takes a lock). */
export async function migrate(db: Kysely<RegistrySchema>): Promise<void> {
  const { error, results } = await new Migrator({ db, provider }).migrateToLatest();
  if (error === undefined) return;
  const failed = results?.find((result) => result.status === "Error")?.migrationName ?? "the migrations";
  const why = error instanceof Error ? error.message : "no reason was given";
  throw new RecoverableError("MIGRATION_FAILED", `could not apply ${failed} to the registry: ${why}`, { cause: error });
}
