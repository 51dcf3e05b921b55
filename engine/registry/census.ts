import { sql } from "kysely";
import { exchangeStates, type ExchangeState } from "../../contracts/states.ts";
import { now, type Registry } from "./database.ts";

/** What the registry holds, in numbers; ages in seconds, 0 where there is nothing. */
export interface Census {
  readonly exchanges: readonly { readonly state: ExchangeState; readonly count: number; readonly oldest: number }[];
  readonly operationsRunning: number;
  readonly outbox: { readonly unpublished: number; readonly oldest: number };
}

/** Counts by the database's clock; every state is there, also one in which nothing is. */
export async function takeCensus(db: Registry): Promise<Census> {
  const [states, operations, outbox] = await Promise.all([
    db
      .selectFrom("exchanges")
      .select((select) => ["state", select.fn.countAll<number>().as("count"), age("min(state_since)").as("oldest")])
      .groupBy("state")
      .execute(),
    db
      .selectFrom("operations")
      .select((select) => select.fn.countAll<number>().as("count"))
      .where("state", "=", "running")
      .executeTakeFirstOrThrow(),
    db
      .selectFrom("outbox")
      .select((select) => [select.fn.countAll<number>().as("count"), age("min(created_at)").as("oldest")])
      .where("published_at", "is", null)
      .executeTakeFirstOrThrow(),
  ]);
  const found = new Map(states.map((row) => [row.state, row]));
  return {
    exchanges: exchangeStates.map((state) => ({
      state,
      count: found.get(state)?.count ?? 0,
      oldest: found.get(state)?.oldest ?? 0,
    })),
    operationsRunning: operations.count,
    outbox: { unpublished: outbox.count, oldest: outbox.oldest ?? 0 },
  };
}

function age(since: "min(state_since)" | "min(created_at)") {
  return sql<number | null>`greatest(0, timestampdiff(microsecond, ${sql.raw(since)}, ${now}) / 1e6)`;
}
