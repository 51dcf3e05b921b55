import { randomUUID } from "node:crypto";
import type { Transaction, UpdateObject } from "kysely";
import { RecoverableError } from "../../contracts/errors.ts";
import { finalStates, type ExchangeState } from "../../contracts/states.ts";
import type { ExchangeRecord, Operation } from "../exchange/record.ts";
import { now, nowPlus, type Registry } from "./database.ts";
import { operationsOf } from "./operations.ts";
import { enqueue, type OutboxMessage } from "./outbox.ts";
import { toRecord } from "./rows.ts";
import type { RegistrySchema } from "./schema.ts";

/** Another engine may hold the exchange by now: stop touching it. */
export class LeaseLost extends RecoverableError {
  constructor(exchangeId: string) {
    super("LEASE_LOST", `the lease on exchange ${exchangeId} ran out: another engine may work on it`);
  }
}

export type ExchangeChange = Omit<
  UpdateObject<RegistrySchema, "exchanges">,
  "lease_owner" | "lease_until" | "state" | "state_since"
>;

export interface Move {
  readonly from: ExchangeState;
  readonly to: ExchangeState;
  readonly reason: string;
  readonly change?: ExchangeChange;
  readonly messages?: readonly OutboxMessage[];
}

/**
 * The right to work on one exchange, for a while. It lives in the registry, by the registry's clock; every write
 * through it is void once it ran out, and {@link assertHeld} tells before an effect that no write can guard.
 */
export class Lease {
  readonly exchangeId: string;
  readonly #db: Registry;
  readonly #owner: string;
  readonly #seconds: number;
  /** What had been signalled when the record was last read. */
  #signals: number;
  #until: number;

  constructor(
    db: Registry,
    taken: { exchangeId: string; owner: string; seconds: number; signals: number; since: number },
  ) {
    this.exchangeId = taken.exchangeId;
    this.#db = db;
    this.#owner = taken.owner;
    this.#seconds = taken.seconds;
    this.#signals = taken.signals;
    this.#until = taken.since + taken.seconds * 1000;
  }

  /** Throws when the lease has run out by this process's own clock, which does not trust a pause. */
  assertHeld(): void {
    if (performance.now() >= this.#until) throw new LeaseLost(this.exchangeId);
  }

  /** Prolongs the lease; called by a heartbeat while the holder acts. */
  async prolong(): Promise<void> {
    const since = performance.now();
    await this.#write(this.#db, { lease_until: nowPlus(this.#seconds) });
    this.#until = since + this.#seconds * 1000;
  }

  /**
   * Prolongs the lease and reads the exchange as it is now, by the database's clock, with its operations: both at one
   * moment, since an operation that ends writes to both.
   */
  async read(): Promise<{ record: ExchangeRecord; operations: Operation[]; now: Date }> {
    await this.prolong();
    const transaction = this.#db.transaction().setIsolationLevel("repeatable read");
    const { row, operations } = await transaction.execute(async (snapshot) => ({
      row: await snapshot
        .selectFrom("exchanges")
        .selectAll()
        .select(now.as("now"))
        .where("id", "=", this.exchangeId)
        .executeTakeFirstOrThrow(),
      operations: await operationsOf(snapshot, this.exchangeId),
    }));
    this.#signals = row.signals;
    return { record: toRecord(row), operations, now: row.now };
  }

  /** Records facts. */
  async record(change: ExchangeChange): Promise<void> {
    await this.#write(this.#db, { ...change, updated_at: now });
  }

  /** Changes the state, writes the history and what is to be told, all or nothing. */
  async move(move: Move): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      const set = { ...move.change, state: move.to, state_since: now, updated_at: now, wake_at: now, waiting: null };
      await this.#write(transaction, set, move.from);
      if (move.to === "FINISHED" || move.to === "FAILED") await this.#assertNotCancelled(transaction);
      await transaction
        .insertInto("transitions")
        .values({
          exchange_id: this.exchangeId,
          from_state: move.from,
          to_state: move.to,
          reason: move.reason.slice(0, 1000),
          at: now,
        })
        .execute();
      await enqueue(transaction, move.messages ?? []);
    });
  }

  /** A cancel that was answered while the end was being decided has to be what the exchange ends with. */
  async #assertNotCancelled(transaction: Transaction<RegistrySchema>): Promise<void> {
    const row = await transaction
      .selectFrom("exchanges")
      .select("cancel_requested_at")
      .where("id", "=", this.exchangeId)
      .executeTakeFirstOrThrow();
    if (row.cancel_requested_at === null) return;
    throw new RecoverableError("CANCELLED_MEANWHILE", `exchange ${this.exchangeId} was cancelled just now: look again`);
  }

  /** Gives the exchange back until it is due again; at once if something became known while it was worked on. */
  async release(seconds: number, waiting: string | null): Promise<void> {
    await this.#db
      .updateTable("exchanges")
      .set((set) => ({
        lease_owner: null,
        lease_until: null,
        waiting: waiting === null ? null : waiting.slice(0, 1000),
        wake_at: set.case().when("signals", "=", this.#signals).then(nowPlus(seconds)).else(now).end(),
      }))
      .where("id", "=", this.exchangeId)
      .where("lease_owner", "=", this.#owner)
      .execute();
  }

  async #write(
    db: Registry | Transaction<RegistrySchema>,
    change: UpdateObject<RegistrySchema, "exchanges">,
    state?: ExchangeState,
  ): Promise<void> {
    let query = db
      .updateTable("exchanges")
      .set(change)
      .where("id", "=", this.exchangeId)
      .where("lease_owner", "=", this.#owner)
      .where("lease_until", ">", now);
    if (state !== undefined) query = query.where("state", "=", state);
    const { numUpdatedRows } = await query.executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) throw new LeaseLost(this.exchangeId);
  }
}

export interface Claim {
  readonly instance: string;
  readonly seconds: number;
  readonly limit: number;
  /** Whether the holder of a lease, whose name begins with its instance, is known to be dead: the lease is void. */
  readonly isDead: (holder: string) => boolean;
}

/** Takes leases on up to `limit` exchanges that are due and that nobody alive holds, longest due first. */
export async function claimDue(db: Registry, claim: Claim): Promise<Lease[]> {
  const since = performance.now();
  const owner = `${claim.instance}/${randomUUID()}`;
  const dead = (await holders(db)).filter(claim.isDead);
  const rows = await db.transaction().execute(async (transaction) => {
    const due = await transaction
      .selectFrom("exchanges")
      .select(["id", "signals"])
      .where("state", "not in", finalStates)
      .where("wake_at", "<=", now)
      .where((where) =>
        where.or([
          where("lease_until", "is", null),
          where("lease_until", "<=", now),
          ...dead.map((holder) => where("lease_owner", "=", holder)),
        ]),
      )
      .orderBy("wake_at")
      .limit(claim.limit)
      .forUpdate()
      .skipLocked()
      .execute();
    if (due.length > 0) {
      await transaction
        .updateTable("exchanges")
        .set({ lease_owner: owner, lease_until: nowPlus(claim.seconds) })
        .where(
          "id",
          "in",
          due.map((row) => row.id),
        )
        .execute();
    }
    return due;
  });
  return rows.map(
    (row) =>
      new Lease(db, {
        exchangeId: row.id,
        owner,
        seconds: claim.seconds,
        signals: row.signals,
        since,
      }),
  );
}

async function holders(db: Registry): Promise<string[]> {
  const rows = await db
    .selectFrom("exchanges")
    .select("lease_owner")
    .distinct()
    .where("state", "not in", finalStates)
    .where("wake_at", "<=", now)
    .where("lease_until", ">", now)
    .execute();
  return rows.flatMap(({ lease_owner }) => lease_owner ?? []);
}
