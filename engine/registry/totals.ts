import { sql } from "kysely";
import { z } from "zod";
import { missedContent, notCounted, type RedactionCounts } from "../../contracts/redactions.ts";
import { fromJson, type Registry } from "./database.ts";

/** SQL: the code of a row's error or warning. */
export const codeOf = sql<string | null>`json_unquote(json_extract(error, '$.code'))`;
/** How many of what a document has no longer. */
export const removedCounts = z.record(z.string(), z.int().nonnegative());

/** What became of redactions and of other parts of all documents of an exchange, as far as the ledger knows. */
export interface DocumentTotals {
  /** Null as long as no document is counted. */
  readonly redactions: RedactionCounts | null;
  /** Documents whose redactions could not be counted. */
  readonly uncounted: number;
  /** What rebuilt documents have no longer and their readers can miss, by name. */
  readonly missed: readonly (readonly [noun: string, count: number])[];
  /** Documents of which something can be missed. */
  readonly missedFrom: number;
}

export async function documentTotals(db: Registry, exchangeId: string): Promise<DocumentTotals> {
  const [{ uncounted, ...redactions }, missed] = await Promise.all([
    redactionTotals(db, exchangeId),
    missedTotals(db, exchangeId),
  ]);
  return { redactions: redactions.fetched === null ? null : known(redactions), uncounted, ...missed };
}

type Sums = Record<keyof RedactionCounts, number | null>;

function known({ fetched, branded, layered, left }: Sums): RedactionCounts {
  return { fetched: fetched ?? 0, branded: branded ?? 0, layered: layered ?? 0, left: left ?? 0 };
}

async function redactionTotals(db: Registry, exchangeId: string): Promise<Sums & { uncounted: number }> {
  const { rows } = await sql<Record<keyof Sums | "uncounted", string | null>>`
    select sum(redactions_fetched) as fetched, sum(redactions_branded) as branded,
      sum(redactions_layered) as layered, sum(redactions_left) as \`left\`,
      count(distinct if(${codeOf} = ${notCounted}, document_id, null)) as uncounted
    from exchange_documents where exchange_id = ${exchangeId}`.execute(db);
  const number = (name: keyof Sums) => {
    const value = rows[0]?.[name] ?? null;
    return value === null ? null : Number(value);
  };
  const sums = { fetched: number("fetched"), branded: number("branded"), layered: number("layered") };
  return { ...sums, left: number("left"), uncounted: Number(rows[0]?.uncounted ?? 0) };
}

/** Few different texts stand in very many rows: each is read once. */
async function missedTotals(db: Registry, exchangeId: string): Promise<Pick<DocumentTotals, "missed" | "missedFrom">> {
  const { rows } = await sql<{ removed: string; documents: string | number }>`
    select cast(removed as char) as removed, count(*) as documents from exchange_documents
    where exchange_id = ${exchangeId} and removed is not null group by cast(removed as char)`.execute(db);
  const sums = new Map<string, number>();
  let missedFrom = 0;
  for (const row of rows) {
    const [documents, missed] = [Number(row.documents), missedContent(fromJson(removedCounts, row.removed))];
    if (missed.length > 0) missedFrom += documents;
    for (const [noun, count] of missed) sums.set(noun, (sums.get(noun) ?? 0) + count * documents);
  }
  return { missed: missedContent(Object.fromEntries(sums)), missedFrom };
}
