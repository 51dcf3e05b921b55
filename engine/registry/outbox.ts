import type { Transaction } from "kysely";
import { now, nowPlus, type Registry } from "./database.ts";
import type { RegistrySchema } from "./schema.ts";

/** A message that leaves with the transaction that wrote it, or not at all. */
export interface OutboxMessage {
  /** Names the message for good; written twice it is sent as one. */
  readonly messageId: string;
  readonly exchangeId: string;
  readonly channel: "topic" | "orchestration";
  readonly body: object;
  readonly delaySeconds?: number;
}

export interface DueMessage {
  readonly id: number;
  readonly messageId: string;
  readonly channel: "topic" | "orchestration";
  readonly body: unknown;
  readonly delaySeconds: number;
  readonly attempts: number;
}

export async function enqueue(
  transaction: Transaction<RegistrySchema>,
  messages: readonly OutboxMessage[],
): Promise<void> {
  for (const message of messages) {
    await transaction
      .insertInto("outbox")
      .ignore()
      .values({
        message_id: message.messageId,
        exchange_id: message.exchangeId,
        channel: message.channel,
        body: JSON.stringify(message.body),
        delay_seconds: message.delaySeconds ?? 0,
        attempts: 0,
        next_at: now,
        created_at: now,
        published_at: null,
      })
      .execute();
  }
}

/**
 * Takes up to `limit` messages that are due, oldest first, and puts them off by `leaseSeconds`, so that no other engine
 * sends them meanwhile and a crash before {@link markPublished} only repeats them.
 */
export async function takeDue(db: Registry, limit: number, leaseSeconds: number): Promise<DueMessage[]> {
  return db.transaction().execute(async (transaction) => {
    const rows = await transaction
      .selectFrom("outbox")
      .select(["id", "message_id", "channel", "body", "delay_seconds", "attempts"])
      .where("published_at", "is", null)
      .where("next_at", "<=", now)
      .orderBy("id")
      .limit(limit)
      .forUpdate()
      .skipLocked()
      .execute();
    if (rows.length === 0) return [];
    await transaction
      .updateTable("outbox")
      .set((set) => ({ next_at: nowPlus(leaseSeconds), attempts: set("attempts", "+", 1) }))
      .where(
        "id",
        "in",
        rows.map((row) => row.id),
      )
      .execute();
    return rows.map((row) => ({
      id: row.id,
      messageId: row.message_id,
      channel: row.channel,
      body: typeof row.body === "string" ? (JSON.parse(row.body) as unknown) : row.body,
      delaySeconds: row.delay_seconds,
      attempts: row.attempts + 1,
    }));
  });
}

export async function markPublished(db: Registry, id: number): Promise<void> {
  await db.updateTable("outbox").set({ published_at: now }).where("id", "=", id).execute();
}

export async function putOff(db: Registry, id: number, seconds: number): Promise<void> {
  await db
    .updateTable("outbox")
    .set({ next_at: nowPlus(seconds) })
    .where("id", "=", id)
    .execute();
}
