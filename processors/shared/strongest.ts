/**
 * Facts arrive in any order and more than once; a row keeps the strongest of those about its key. Between two of the
 * same strength the earlier stays, then the one with the smaller event id: a total order, so that every order of
 * arrival ends in the same row. The same rule stands here twice: for the facts of one batch, and as SQL for those
 * that are in the table.
 */

/** What the rule looks at. */
export interface Fact {
  occurredAt: Date;
  eventId: string;
}

/** Whether `one` replaces `other`. */
export function replaces<F extends Fact>(one: F, other: F, strengthOf: (fact: F) => number): boolean {
  const stronger = strengthOf(one) - strengthOf(other);
  if (stronger !== 0) return stronger > 0;
  const earlier = other.occurredAt.getTime() - one.occurredAt.getTime();
  if (earlier !== 0) return earlier > 0;
  return one.eventId < other.eventId;
}

/** The strongest fact per key, in the order of the keys, so that two writers lock rows in the same order. */
export function strongestByKey<F extends Fact>(
  facts: readonly F[],
  keyOf: (fact: F) => string,
  strengthOf: (fact: F) => number,
): F[] {
  const kept = new Map<string, F>();
  for (const fact of facts) {
    const key = keyOf(fact);
    const other = kept.get(key);
    if (!other || replaces(fact, other, strengthOf)) kept.set(key, fact);
  }
  return [...kept].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, fact]) => fact);
}

/** A table whose rows keep the strongest fact; it has the columns `event_id` and `occurred_at`. */
export interface FactTable {
  name: string;
  key: readonly string[];
  /** Columns that go with the fact. */
  carried: readonly string[];
  /** The column that holds the fact itself. */
  fact: string;
  /** SQL: the strength of a value of the column. */
  strength: (value: string) => string;
}

/** The columns in the order in which {@link upsertStrongest} wants the values of a row. */
export function columnsOf({ key, carried, fact }: FactTable): string[] {
  return [...key, ...carried, "event_id", "occurred_at", fact];
}

/**
 * An upsert with one parameter, the rows as nested arrays.
 *
 * Assignments take effect from left to right and later ones see the earlier: what the comparison reads is therefore
 * assigned last, in the reverse order of its weight.
 */
export function upsertStrongest(table: FactTable): string {
  const { name, carried, fact, strength } = table;
  const [offered, kept] = [strength(`VALUES(${fact})`), strength(fact)];
  const binary = (value: string) => `CAST(${value} AS BINARY)`;
  const wins =
    `${offered} > ${kept} OR (${offered} = ${kept} AND (VALUES(occurred_at) < occurred_at OR ` +
    `(VALUES(occurred_at) = occurred_at AND ${binary("VALUES(event_id)")} < ${binary("event_id")})))`;
  const assignments = [...carried, "event_id", "occurred_at", fact].map(
    (column) => `${column} = IF(${wins}, VALUES(${column}), ${column})`,
  );
  return `INSERT INTO ${name} (${columnsOf(table).join(", ")}) VALUES ? ON DUPLICATE KEY UPDATE ${assignments.join(", ")}`;
}
