import { sql } from "kysely";
import type { WireError } from "../../contracts/errors.ts";
import type { PayloadDetail } from "../../contracts/events.ts";
import { isDuplicateKey, now, type Registry } from "./database.ts";

/** What an event adds to what is known of its exchange. */
export interface Heard {
  readonly eventId: string;
  readonly eventType: string;
  readonly exchangeId: string;
  readonly fact:
    | { kind: "copy_finished" }
    | { kind: "payload"; payload: PayloadDetail }
    | { kind: "failure"; failure: WireError }
    | { kind: "none" };
}

/**
 * Notes an event and its fact and makes its exchange due, all or nothing. A fact that is known already is not changed.
 */
export async function hear(db: Registry, heard: Heard): Promise<"noted" | "heard before" | "unknown exchange"> {
  try {
    return await db.transaction().execute(async (transaction) => {
      await transaction
        .insertInto("inbox")
        .values({
          event_id: heard.eventId,
          exchange_id: heard.exchangeId,
          event_type: heard.eventType,
          received_at: now,
        })
        .execute();
      const { numUpdatedRows } = await transaction
        .updateTable("exchanges")
        .set((set) => ({
          signals: set("signals", "+", 1),
          wake_at: set.case().when("state", "=", "ACCEPTED").then(set.ref("wake_at")).else(now).end(),
          ...(heard.fact.kind === "copy_finished" && {
            copy_finished_at: sql<Date>`coalesce(copy_finished_at, ${now})`,
          }),
          ...(heard.fact.kind === "payload" && {
            payload: sql<string>`coalesce(payload, ${JSON.stringify(heard.fact.payload)})`,
            copy_finished_at: sql<Date>`coalesce(copy_finished_at, ${now})`,
          }),
          ...(heard.fact.kind === "failure" && {
            failure: sql<string>`coalesce(failure, ${JSON.stringify(heard.fact.failure)})`,
          }),
        }))
        .where("id", "=", heard.exchangeId)
        .executeTakeFirstOrThrow();
      if (numUpdatedRows === 0n) throw new UnknownExchange();
      return "noted" as const;
    });
  } catch (error) {
    if (error instanceof UnknownExchange) return "unknown exchange";
    if (isDuplicateKey(error)) return "heard before";
    throw error;
  }
}

/** Rolls the transaction back: an event of no exchange leaves no trace. */
class UnknownExchange extends Error {}
