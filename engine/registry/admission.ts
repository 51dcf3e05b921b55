import { now, type Registry } from "./database.ts";

/**
 * Lets waiting exchanges begin, oldest first, while fewer than `maxLive` are under way. One engine decides at a time;
 * another that asks meanwhile lets in none. Returns the ids of those that it let in.
 */
export async function admit(db: Registry, maxLive: number): Promise<string[]> {
  return db.transaction().execute(async (transaction) => {
    const gate = transaction.selectFrom("gates").select("name").where("name", "=", "admission");
    // An engine that is paused while it decides must not keep the others from what is under way.
    if (!(await gate.forUpdate().skipLocked().executeTakeFirst())) return [];
    const { live } = await transaction
      .selectFrom("exchanges")
      .select((select) => select.fn.countAll<number>().as("live"))
      .where("state", "not in", ["ACCEPTED", "FINISHED", "FAILED", "CANCELLED"])
      .executeTakeFirstOrThrow();
    const waiting = await transaction
      .selectFrom("exchanges")
      .select("id")
      .where("state", "=", "ACCEPTED")
      .where("lease_owner", "is", null)
      .where("cancel_requested_at", "is", null)
      .orderBy("seq")
      .limit(Math.max(0, maxLive - live))
      .execute();
    const oldest = waiting.map((row) => row.id);
    if (oldest.length === 0) return [];
    await transaction
      .updateTable("exchanges")
      .set({ state: "PROVISIONING", state_since: now, updated_at: now, wake_at: now })
      .where("id", "in", oldest)
      .where("state", "=", "ACCEPTED")
      .where("cancel_requested_at", "is", null)
      .execute();
    // One that was cancelled since it was read was left as it is.
    const admitted = await transaction
      .selectFrom("exchanges")
      .select("id")
      .where("id", "in", oldest)
      .where("state", "=", "PROVISIONING")
      .orderBy("seq")
      .execute();
    const ids = admitted.map((row) => row.id);
    if (ids.length === 0) return [];
    await transaction
      .insertInto("transitions")
      .values(
        ids.map((id) => ({
          exchange_id: id,
          from_state: "ACCEPTED" as const,
          to_state: "PROVISIONING" as const,
          reason: "a place is free",
          at: now,
        })),
      )
      .execute();
    return ids;
  });
}
