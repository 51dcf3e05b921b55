import { sql, type ExpressionBuilder, type Transaction } from "kysely";
import { RecoverableError } from "../../contracts/errors.ts";
import type { ExchangeRequest } from "../../contracts/request.ts";
import { finalStates, type ExchangeState } from "../../contracts/states.ts";
import type { ExchangeRecord } from "../exchange/record.ts";
import { isDuplicateKey, now, nowPlus, type Registry } from "./database.ts";
import { toRecord } from "./rows.ts";
import type { RegistrySchema } from "./schema.ts";

/** Which cases a caller may see. */
export type CaseScope = "*" | readonly number[];

export interface Acceptance {
  readonly id: string;
  readonly subject: string;
  /** SHA-256 of the idempotency key or, without one, of the natural key. */
  readonly dedupeKey: string;
  /** A natural key comes free again once its exchange has failed or was cancelled; a caller's own key never does. */
  readonly natural: boolean;
  /** SHA-256 of the parsed request. */
  readonly requestHash: string;
  readonly request: ExchangeRequest;
  readonly selected: number;
  /** How many privileged or held-back documents the selection held; null or absent where that is not known. */
  readonly privileged?: number | null;
}

/** No more exchanges are taken until some of those that wait have begun. */
export class TooManyWaiting extends RecoverableError {
  constructor(maxWaiting: number) {
    super("TOO_MANY_WAITING", `${maxWaiting} exchanges wait for a free place already: send the request again later`);
  }
}

export interface Known {
  readonly record: ExchangeRecord;
  readonly requestHash: string;
}

/** The exchange that answers to a key, if there is one. */
export async function findByKey(db: Registry, dedupeKey: string, natural: boolean): Promise<Known | null> {
  const row = await db
    .selectFrom("exchanges")
    .selectAll()
    .where("dedupe_key", "=", dedupeKey)
    .$if(natural, (query) => query.where("state", "not in", ["FAILED", "CANCELLED"]))
    .executeTakeFirst();
  return row ? { record: toRecord(row), requestHash: row.request_hash } : null;
}

/**
 * Writes a new exchange, or gives back the one that already answers to its key: of any number of identical requests at
 * once, one makes the exchange. `deadlineSeconds` is how long it may wait for admission; throws {@link TooManyWaiting}
 * when `maxWaiting` others wait for it already.
 */
export async function accept(
  db: Registry,
  acceptance: Acceptance,
  deadlineSeconds: number,
  maxWaiting = Number.POSITIVE_INFINITY,
): Promise<Known & { created: boolean }> {
  if (acceptance.natural) {
    await db
      .updateTable("exchanges")
      .set({ dedupe_key: null })
      .where("dedupe_key", "=", acceptance.dedupeKey)
      .where("state", "in", ["FAILED", "CANCELLED"])
      .execute();
  }
  const created = await insert(db, acceptance, deadlineSeconds, maxWaiting);
  const row = await db
    .selectFrom("exchanges")
    .selectAll()
    .where("dedupe_key", "=", acceptance.dedupeKey)
    .executeTakeFirstOrThrow();
  return { record: toRecord(row), requestHash: row.request_hash, created };
}

async function insert(
  db: Registry,
  acceptance: Acceptance,
  deadlineSeconds: number,
  maxWaiting: number,
): Promise<boolean> {
  const { request } = acceptance;
  try {
    return await db.transaction().execute(async (transaction) => {
      if (!(await hasRoom(transaction, acceptance.dedupeKey, maxWaiting))) return false;
      await transaction
        .insertInto("exchanges")
        .values({
          id: acceptance.id,
          state: "ACCEPTED",
          state_since: now,
          dedupe_key: acceptance.dedupeKey,
          request_hash: acceptance.requestHash,
          subject: acceptance.subject,
          source_case_id: request.sourceCaseId,
          destination_case_id: request.destinationCaseId,
          batch_id: request.batchId,
          request: JSON.stringify(request),
          selected: acceptance.selected,
          privileged_selected: acceptance.privileged ?? null,
          created_at: now,
          updated_at: now,
          wake_at: nowPlus(deadlineSeconds),
          signals: 0,
          drain_round: 0,
        })
        .execute();
      await transaction
        .insertInto("transitions")
        .values({ exchange_id: acceptance.id, from_state: null, to_state: "ACCEPTED", reason: "requested", at: now })
        .execute();
      return true;
    });
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

/** False when the key is known meanwhile. One engine counts at a time, so that the bound holds. */
async function hasRoom(
  transaction: Transaction<RegistrySchema>,
  dedupeKey: string,
  maxWaiting: number,
): Promise<boolean> {
  if (maxWaiting === Number.POSITIVE_INFINITY) return true;
  await transaction.selectFrom("gates").select("name").where("name", "=", "admission").forUpdate().execute();
  const known = await transaction
    .selectFrom("exchanges")
    .select("id")
    .where("dedupe_key", "=", dedupeKey)
    .executeTakeFirst();
  if (known) return false;
  const { waiting } = await transaction
    .selectFrom("exchanges")
    .select((select) => select.fn.countAll<number>().as("waiting"))
    .where("state", "=", "ACCEPTED")
    .executeTakeFirstOrThrow();
  if (waiting >= maxWaiting) throw new TooManyWaiting(maxWaiting);
  return true;
}

/**
 * Asks for an exchange's end and makes it due at once; false when it has ended. `hurry` also voids the back-off of a
 * destruction; where that is under way, it is all that `hurry` does, and the outcome stays.
 */
export async function requestEnd(db: Registry, id: string, hurry: boolean): Promise<boolean> {
  const requested = sql<Date>`coalesce(cancel_requested_at, ${now})`;
  const { numUpdatedRows } = await db
    .updateTable("exchanges")
    .set((set) => ({
      wake_at: now,
      updated_at: now,
      signals: set("signals", "+", 1),
      ...(!hurry && { cancel_requested_at: requested }),
      ...(hurry && {
        hurried_at: now,
        cancel_requested_at: set
          .case()
          .when("state", "=", "DESTROYING")
          .then(set.ref("cancel_requested_at"))
          .else(requested)
          .end(),
      }),
    }))
    .where("id", "=", id)
    .where("state", "not in", finalStates)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

export async function find(db: Registry, id: string): Promise<ExchangeRecord | null> {
  const row = await db.selectFrom("exchanges").selectAll().where("id", "=", id).executeTakeFirst();
  return row ? toRecord(row) : null;
}

export interface Page {
  readonly records: readonly ExchangeRecord[];
  /** Where the next page begins; null after the last one. */
  readonly next: number | null;
}

/** Newest first; `before` is the `next` of the page before. */
export async function list(
  db: Registry,
  wanted: { cases: CaseScope; state: ExchangeState | undefined; before: number | undefined; limit: number },
): Promise<Page> {
  const { cases, state, before, limit } = wanted;
  const rows = await db
    .selectFrom("exchanges")
    .selectAll()
    .where((where) => visible(where, cases))
    .$if(state !== undefined, (query) => query.where("state", "=", state ?? "ACCEPTED"))
    .$if(before !== undefined, (query) => query.where("seq", "<", before ?? 0))
    .orderBy("seq", "desc")
    .limit(limit + 1)
    .execute();
  const page = rows.slice(0, limit);
  return { records: page.map(toRecord), next: rows.length > limit ? (page.at(-1)?.seq ?? null) : null };
}

function visible(where: ExpressionBuilder<RegistrySchema, "exchanges">, cases: CaseScope) {
  if (cases === "*") return sql<boolean>`true`;
  if (cases.length === 0) return sql<boolean>`false`;
  return where.and([where("source_case_id", "in", cases), where("destination_case_id", "in", cases)]);
}

export interface Transition {
  readonly state: ExchangeState;
  readonly at: Date;
  readonly reason: string;
}

export async function history(db: Registry, id: string): Promise<Transition[]> {
  const rows = await db
    .selectFrom("transitions")
    .select(["to_state", "at", "reason"])
    .where("exchange_id", "=", id)
    .orderBy("id")
    .execute();
  return rows.map((row) => ({ state: row.to_state, at: row.at, reason: row.reason }));
}

/** Makes an exchange due at once: something about it has become known. */
export async function wake(db: Registry, id: string): Promise<void> {
  await db
    .updateTable("exchanges")
    .set((set) => ({ wake_at: now, signals: set("signals", "+", 1) }))
    .where("id", "=", id)
    .where("state", "not in", ["ACCEPTED", "FINISHED", "FAILED", "CANCELLED"])
    .execute();
}

/** Makes every exchange due that is under way. */
export async function wakeAll(db: Registry): Promise<void> {
  await db
    .updateTable("exchanges")
    .set({ wake_at: now })
    .where("state", "not in", ["ACCEPTED", "FINISHED", "FAILED", "CANCELLED"])
    .execute();
}
