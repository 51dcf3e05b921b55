import { sql } from "kysely";
import { excludedState, selectionStage, type LedgerEntry, type Stage, type UnitState } from "../../contracts/ledger.ts";
import { wireError } from "../../contracts/errors.ts";
import { notCarried, type RedactionCounts } from "../../contracts/redactions.ts";
import { fromNullableJson, type Registry } from "./database.ts";
import { codeOf, removedCounts } from "./totals.ts";

/** Final rows of one stage. */
export type StageCounts = Record<UnitState, number>;

export const noUnits: StageCounts = { done: 0, not_found: 0, failed: 0 };

export async function stageCounts(db: Registry, exchangeId: string): Promise<Partial<Record<Stage, StageCounts>>> {
  const rows = await db
    .selectFrom("exchange_documents")
    .select((select) => ["stage", "state", select.fn.countAll<number>().as("units")])
    .where("exchange_id", "=", exchangeId)
    .where("stage", "!=", selectionStage)
    .groupBy(["stage", "state"])
    .$narrowType<{ stage: Stage; state: UnitState }>()
    .execute();
  const counts: Partial<Record<Stage, StageCounts>> = {};
  for (const { stage, state, units } of rows) {
    counts[stage] = { ...noUnits, ...counts[stage], [state]: units };
  }
  return counts;
}

export interface DocumentCounts {
  /** Documents with at least one final row. */
  seen: number;
  notFound: number;
  failed: number;
  /** Documents that arrived without some of their annotations. */
  withheld: number;
  /** Documents that the request leaves out of its selection. */
  excluded: number;
}

/** A document counts as failed if any of its units failed, else as not found if any was not found. */
export async function documentCounts(db: Registry, exchangeId: string): Promise<DocumentCounts> {
  const { rows } = await sql<Record<"seen" | "failed" | "not_found" | "withheld" | "excluded", string | null>>`
    select sum(not excluded) as seen, sum(failed) as failed, sum(not_found and not failed) as not_found,
      sum(withheld) as withheld, sum(excluded) as excluded
    from (
      select max(state = 'failed') as failed, max(state = 'not_found') as not_found,
        max(stage = ${selectionStage}) as excluded,
        max(state = 'done' and coalesce(${codeOf} = ${notCarried}, false)) as withheld
      from exchange_documents where exchange_id = ${exchangeId} group by document_id
    ) as documents`.execute(db);
  const row = rows[0];
  return {
    seen: Number(row?.seen ?? 0),
    excluded: Number(row?.excluded ?? 0),
    failed: Number(row?.failed ?? 0),
    notFound: Number(row?.not_found ?? 0),
    withheld: Number(row?.withheld ?? 0),
  };
}

/** A row of the ledger as it is shown: of a file in a stage, or of a document that was left out. */
export interface LedgerRow extends Pick<LedgerEntry, "documentId" | "error" | "occurredAt"> {
  readonly stage: Stage | typeof selectionStage;
  readonly unitId: string;
  readonly state: UnitState | typeof excludedState;
  readonly redactions: RedactionCounts | null;
  readonly removed: Readonly<Record<string, number>> | null;
}

export interface LedgerPage {
  readonly entries: readonly LedgerRow[];
  readonly next: { stage: string; unitId: string } | null;
}

export async function page(
  db: Registry,
  exchangeId: string,
  wanted: {
    state: LedgerRow["state"] | undefined;
    after: { stage: string; unitId: string } | undefined;
    limit: number;
  },
): Promise<LedgerPage> {
  const { state, after, limit } = wanted;
  const rows = await db
    .selectFrom("exchange_documents")
    .select(["stage", "unit_id", "document_id", "state", "error", "occurred_at", "removed"])
    .select(["redactions_fetched", "redactions_branded", "redactions_layered", "redactions_left"])
    .where("exchange_id", "=", exchangeId)
    .$if(state !== undefined, (query) => query.where("state", "=", state ?? "done"))
    .$if(after !== undefined, (query) =>
      query.where(sql<boolean>`(stage, unit_id) > (${after?.stage ?? ""}, ${after?.unitId ?? ""})`),
    )
    .orderBy("stage")
    .orderBy("unit_id")
    .limit(limit + 1)
    .execute();
  const entries = rows.slice(0, limit).map((row) => ({
    stage: row.stage,
    unitId: row.unit_id,
    documentId: row.document_id,
    state: row.state,
    error: fromNullableJson(wireError, row.error),
    redactions: redactionsOf(row),
    removed: fromNullableJson(removedCounts, row.removed),
    occurredAt: row.occurred_at,
  }));
  const last = entries.at(-1);
  return { entries, next: rows.length > limit && last ? { stage: last.stage, unitId: last.unitId } : null };
}

function redactionsOf(row: {
  redactions_fetched: number | null;
  redactions_branded: number | null;
  redactions_layered: number | null;
  redactions_left: number | null;
}): RedactionCounts | null {
  const { redactions_fetched: fetched } = row;
  if (fetched === null) return null;
  const [branded, layered, left] = [row.redactions_branded, row.redactions_layered, row.redactions_left];
  return { fetched, branded: branded ?? 0, layered: layered ?? 0, left: left ?? 0 };
}

/** The ids of those among `unitIds` that have a final row in a stage. */
export async function recorded(
  db: Registry,
  exchangeId: string,
  stage: Stage,
  unitIds: readonly string[],
): Promise<Set<string>> {
  if (unitIds.length === 0) return new Set();
  const rows = await db
    .selectFrom("exchange_documents")
    .select("unit_id")
    .where("exchange_id", "=", exchangeId)
    .where("stage", "=", stage)
    .where("unit_id", "in", unitIds)
    .execute();
  return new Set(rows.map((row) => row.unit_id));
}

/** Lists documents that the request leaves out of its selection, each by its id; those that are listed stay as they are. */
export async function addExcluded(
  db: Registry,
  exchangeId: string,
  documents: readonly { documentId: string; message: string }[],
  occurredAt: Date,
): Promise<void> {
  if (documents.length === 0) return;
  await db
    .insertInto("exchange_documents")
    .ignore()
    .values(
      documents.map(({ documentId, message }) => ({
        exchange_id: exchangeId,
        stage: selectionStage,
        unit_id: documentId,
        document_id: documentId,
        state: excludedState,
        event_id: `${exchangeId}:selection:${documentId}:excluded`,
        error: JSON.stringify({ code: "PRIVILEGED_EXCLUDED", message }),
        occurred_at: occurredAt,
      })),
    )
    .execute();
}

/** Adds rows for units of which nothing was heard; a row that came meanwhile stays as it is. */
export async function addMissing(db: Registry, entries: readonly LedgerEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await db
    .insertInto("exchange_documents")
    .ignore()
    .values(
      entries.map((entry) => ({
        exchange_id: entry.exchangeId,
        stage: entry.stage,
        unit_id: entry.unitId,
        document_id: entry.documentId,
        state: entry.state,
        event_id: entry.eventId,
        error: entry.error === null ? null : JSON.stringify(entry.error),
        occurred_at: entry.occurredAt,
      })),
    )
    .execute();
}
