import { RecoverableError, type WireError } from "../../contracts/errors.ts";
import type { ExchangeOutputs } from "../../programs/exchange/config.ts";
import type { Operation, OperationKind } from "../exchange/record.ts";
import { isDuplicateKey, now, type Registry } from "./database.ts";
import { toOperation } from "./rows.ts";

export interface NewOperation {
  readonly id: string;
  readonly exchangeId: string;
  readonly kind: OperationKind;
  readonly purpose: string;
  readonly attempt: number;
  readonly owner: string;
}

export type OperationEnd =
  | { state: "succeeded"; outputs: ExchangeOutputs | null }
  | { state: "failed" | "cancelled" | "aborted"; error: WireError & { retryable: boolean } };

/** Writes the intent of an operation; false when this attempt was begun before. */
export async function intend(db: Registry, operation: NewOperation): Promise<boolean> {
  try {
    await db
      .insertInto("operations")
      .values({
        id: operation.id,
        exchange_id: operation.exchangeId,
        kind: operation.kind,
        purpose: operation.purpose,
        attempt: operation.attempt,
        state: "queued",
        owner: operation.owner,
        heartbeat_at: now,
        cancel_requested: 0,
        created_at: now,
      })
      .execute();
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

export async function operationsOf(db: Registry, exchangeId: string): Promise<Operation[]> {
  const rows = await db
    .selectFrom("operations")
    .selectAll()
    .where("exchange_id", "=", exchangeId)
    .orderBy("created_at")
    .orderBy("attempt")
    .execute();
  return rows.map(toOperation);
}

/** Somebody took the operation's owner for dead: another attempt may be at its stack. */
export class OperationGivenUp extends RecoverableError {
  constructor(id: string) {
    super("OPERATION_GIVEN_UP", `operation ${id} was given up before its process got an order: it gets none`);
  }
}

/** The operation's process exists from now on. Throws {@link OperationGivenUp} where nobody waits for it any more. */
export async function markRunning(db: Registry, id: string, pid: number): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable("operations")
    .set({ state: "running", pid, started_at: now, heartbeat_at: now })
    .where("id", "=", id)
    .where("state", "=", "queued")
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) throw new OperationGivenUp(id);
}

/**
 * Says that the operation's owner is alive. `stop`: somebody asked for its end, or took it for dead and gave it up.
 */
export async function beat(db: Registry, id: string): Promise<"go on" | "stop"> {
  await db
    .updateTable("operations")
    .set({ heartbeat_at: now })
    .where("id", "=", id)
    .where("state", "in", ["queued", "running"])
    .execute();
  const row = await db
    .selectFrom("operations")
    .select(["state", "cancel_requested"])
    .where("id", "=", id)
    .executeTakeFirst();
  const alive = row !== undefined && (row.state === "queued" || row.state === "running");
  return alive && row.cancel_requested === 0 ? "go on" : "stop";
}

export async function requestCancel(db: Registry, id: string): Promise<void> {
  await db.updateTable("operations").set({ cancel_requested: 1 }).where("id", "=", id).execute();
}

/**
 * Writes how an operation ended, once, and makes its exchange due; the outputs of an `up` become facts of the exchange
 * in the same transaction.
 */
export async function end(
  db: Registry,
  operation: { id: string; exchangeId: string },
  outcome: OperationEnd,
): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    const { numUpdatedRows } = await transaction
      .updateTable("operations")
      .set({
        state: outcome.state,
        ended_at: now,
        error: outcome.state === "succeeded" ? null : JSON.stringify(outcome.error),
      })
      .where("id", "=", operation.id)
      .where("state", "in", ["queued", "running"])
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) return;
    const outputs =
      outcome.state === "succeeded" && outcome.outputs ? { outputs: JSON.stringify(outcome.outputs) } : {};
    await transaction
      .updateTable("exchanges")
      .set((set) => ({ ...outputs, wake_at: now, signals: set("signals", "+", 1) }))
      .where("id", "=", operation.exchangeId)
      .execute();
  });
}
