import type { SQSEvent } from "aws-lambda";
import { ExchangerError } from "../../contracts/errors.ts";
import { event as eventSchema } from "../../contracts/events.ts";
import { ledgerTable, unitStates } from "../../contracts/ledger.ts";
import type { LedgerEntry } from "../../contracts/ledger.ts";
import { batchHandler, parseBody } from "../shared/batch_handler.ts";
import type { BatchHandler } from "../shared/batch_handler.ts";
import type { Database } from "../shared/database.ts";
import { eventFields } from "../shared/log.ts";
import type { Logger } from "../shared/log.ts";
import { strongestByKey, upsertStrongest } from "../shared/strongest.ts";
import { entriesOf } from "./entries.ts";

export interface LedgerDependencies {
  database: Database;
  log: Logger;
}

const upsert = upsertStrongest({
  name: ledgerTable,
  key: ["exchange_id", "stage", "unit_id"],
  carried: [
    "document_id",
    "error",
    "redactions_fetched",
    "redactions_branded",
    "redactions_layered",
    "redactions_left",
    "removed",
  ],
  fact: "state",
  strength: (value) => `FIELD(${value}, ${unitStates.map((state) => `'${state}'`).join(", ")})`,
});

/**
 * The handler of `exch-ledger`: what all events of a batch say goes into the ledger in one statement. If the server
 * refuses that statement, each event is written alone, so that one bad event does not take the others with it.
 */
export function ledgerHandler(to: LedgerDependencies): BatchHandler {
  return (batch) => {
    let together: Promise<void> | undefined;
    const handle = batchHandler({
      log: to.log,
      schema: eventSchema,
      fields: eventFields,
      process: async (event) => {
        const alone = entriesOf(event);
        together ??= writeEntries(to.database, readableEntries(batch));
        await together.catch((error: unknown) => {
          if (error instanceof ExchangerError && error.code === "STATEMENT_REFUSED") {
            return writeEntries(to.database, alone);
          }
          throw error;
        });
      },
    });
    return handle(batch);
  };
}

/** The entries of all records that can be read; the others are reported one by one. */
function readableEntries({ Records }: SQSEvent): LedgerEntry[] {
  return Records.flatMap(({ body }) => {
    try {
      return entriesOf(parseBody(eventSchema, body));
    } catch {
      return [];
    }
  });
}

/** Writes final states; the same entries in any order, grouping or number of times leave the same rows. */
export async function writeEntries(database: Database, entries: readonly LedgerEntry[]): Promise<void> {
  const strongest = strongestByKey(
    entries,
    ({ exchangeId, stage, unitId }) => [exchangeId, stage, unitId].join(" "),
    ({ state }) => unitStates.indexOf(state),
  );
  if (strongest.length === 0) return;
  await database.run(upsert, [strongest.map(rowOf)]);
}

/** In the order of the columns of the statement. */
function rowOf(entry: LedgerEntry): unknown[] {
  const { exchangeId, stage, unitId, documentId, error, eventId, occurredAt, state, redactions, removed } = entry;
  const { fetched = null, branded = null, layered = null, left = null } = redactions ?? {};
  const key = [exchangeId, stage, unitId];
  const carried = [documentId, jsonOf(error), fetched, branded, layered, left, jsonOf(removed)];
  return [...key, ...carried, eventId, occurredAt, state];
}

function jsonOf(value: object | null | undefined): string | null {
  return value ? JSON.stringify(value) : null;
}
