import { keyOf, type Row } from "./case-rows.ts";
import { expectedRow, targetOf, type Carrying } from "./expected.ts";
import type { Finding } from "./finding.ts";
import { isBookkeeping, type Fingerprint } from "./fingerprint.ts";
import { sharedTables } from "./scope.ts";

export interface RowsVerdict {
  problems: Finding[];
  /** Table → rows that must have come, and of them those that were found. */
  rows: Record<string, { source: number; target: number }>;
  /** `table key` of every destination row that an exchange accounts for. */
  accounted: Set<string>;
}

/** Looks for every row that one exchange must have brought, and compares it column by column. */
export function compareRows(carrying: Carrying, before: Fingerprint): RowsVerdict {
  const verdict: RowsVerdict = { problems: [], rows: {}, accounted: new Set() };
  for (const [table, rows] of carrying.scope) {
    const target = rows.filter((row) => compareRow(carrying, before, table, row, verdict)).length;
    verdict.rows[table] = { source: rows.length, target };
  }
  return verdict;
}

/** Whether the row was found; what is wrong with it goes to the verdict. */
function compareRow(carrying: Carrying, before: Fingerprint, table: string, row: Row, verdict: RowsVerdict): boolean {
  const target = carrying.destination.tables.get(table);
  const source = carrying.source.tables.get(table);
  if (!target || !source) throw new TypeError(`table ${table} is not in both cases`);
  const name = `${table} ${keyOf(source, row)}`;
  const problem = (about: Finding["about"], text: string) =>
    verdict.problems.push({ about, text: `${name} of the source ${text}` });

  if ("id" in row) {
    const targets = carrying.counterparts.get(table)?.get(String(row["id"])) ?? [];
    if (targets.length > 1) {
      problem("doubled row", `is there ${targets.length} times in the destination: ${targets.join(", ")}`);
    }
    if (!targets.length) {
      problem("missing row", "has not arrived");
      return false;
    }
  }
  const expected = expectedRow(carrying, table, row);
  const key = keyOf(target, expected);
  const found = indexed(target.rows, (candidate) => keyOf(target, candidate)).get(key);
  if (!found) {
    problem("missing row", `has not arrived: ${table} ${key} is not in the destination`);
    return false;
  }
  verdict.accounted.add(`${table} ${key}`);
  // A row that was there before keeps what it had; only its name says that it is the same.
  if (before.rows.get(table)?.has(key)) return true;
  for (const [column, value] of Object.entries(expected)) {
    const actual = found[column] ?? null;
    if (actual === value || (table in sharedTables && isOthers(carrying, table, key, column, actual))) continue;
    problem("wrong row", `arrived as ${key} with ${column} = ${quoted(actual)}, not ${quoted(value)}`);
  }
  return true;
}

/** Whether a new shared row may have the value: a free bit, or what another source row of the same name says. */
function isOthers(carrying: Carrying, table: string, key: string, column: string, actual: string | null): boolean {
  if (column === "bit_index") return true;
  const same = (carrying.scope.get(table) ?? []).filter((row) => targetOf(carrying, table, String(row["id"])) === key);
  return same.some((row) => expectedRow(carrying, table, row)[column] === actual);
}

/** Rows that are new in the destination although no selected row accounts for them. */
export function strangers(
  carrying: Pick<Carrying, "destination">,
  before: Fingerprint,
  accounted: ReadonlySet<string>,
): Finding[] {
  return [...carrying.destination.tables]
    .filter(([table]) => !isBookkeeping(table))
    .flatMap(([table, content]) => {
      const known = before.rows.get(table);
      const keys = content.rows.map((row) => keyOf(content, row)).filter((key) => !known?.has(key));
      return keys.map((key) => `${table} ${key}`).filter((name) => !accounted.has(name));
    })
    .map((name) => ({
      about: "stray row",
      text: `destination row ${name} came with no selected row: it is doubled, or belongs to something else`,
    }));
}

const indexes = new WeakMap<readonly Row[], Map<string, Row>>();

/** The rows by key; made once for each list of rows. */
function indexed(rows: readonly Row[], key: (row: Row) => string): Map<string, Row> {
  const known = indexes.get(rows) ?? new Map(rows.map((row) => [key(row), row]));
  indexes.set(rows, known);
  return known;
}

function quoted(value: string | null): string {
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
