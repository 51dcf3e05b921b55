import { select, type CaseRows, type Reader, type Row } from "./case-rows.ts";
import { sharedTables, type CheckedExchange } from "./scope.ts";

/** Which rows of the destination stand for a row of the source: table → source id → target ids, oldest first. */
export type Counterparts = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** What is known of an exchange before. */
export interface Known {
  readonly source: CaseRows;
  readonly destination: CaseRows;
  readonly exchange: Pick<CheckedExchange, "exchangeId">;
  /** The rows that are meant. */
  readonly scope: ReadonlyMap<string, readonly Row[]>;
}

/** Finds them: copied rows by what the exchange says of their ids, shared rows by names as the server compares them. */
export async function findCounterparts(
  connection: Reader,
  { source, destination, exchange, scope }: Known,
): Promise<Counterparts> {
  const found = new Map<string, Map<string, string[]>>();
  const own = (destination.tables.get("exchange_tables")?.rows ?? []).filter(
    (row) => row["exchange_id"] === exchange.exchangeId,
  );
  const names = new Map(own.map((row) => [row["table_no"], String(row["table_name"])]));
  const mapped = (destination.tables.get("exchange_id_map")?.rows ?? []).flatMap((row) => {
    const table = names.get(row["table_no"]);
    return table === undefined ? [] : [{ table, source: row["source_id"] ?? "", target: row["target_id"] ?? "" }];
  });
  const pairs = [...mapped, ...own.flatMap((table) => shifted(table, scope))];
  for (const [table, of] of Map.groupBy(pairs, ({ table }) => table)) found.set(table, byFirst(of));
  for (const [table, columns] of Object.entries(sharedTables)) {
    const same = columns.map((column) => `s.${column} = t.${column}`).join(" AND ");
    const pairs = await select(
      connection,
      `SELECT s.id AS source, t.id AS target FROM ??.${table} s JOIN ??.${table} t ON ${same}`,
      [source.schema, destination.schema],
    );
    found.set(table, byFirst(table === "folder_tags" ? samePath(pairs, source, destination) : pairs));
  }
  return found;
}

/** Of a table whose ids move all by the same number: where the rows lead that are meant. */
function shifted(of: Row, scope: Known["scope"]): { table: string; source: string; target: string }[] {
  const [table, by] = [String(of["table_name"]), of["shifted_by"] ?? null];
  if (by === null) return [];
  const [first, last] = [BigInt(of["first_source"] ?? 0), BigInt(of["last_source"] ?? 0)];
  return (scope.get(table) ?? []).flatMap((row) => {
    const source = BigInt(row["id"] ?? 0);
    return source < first || source > last
      ? []
      : [{ table, source: String(source), target: String(source + BigInt(by)) }];
  });
}

function byFirst(pairs: readonly Row[]): Map<string, string[]> {
  const grouped = Map.groupBy(pairs, (pair) => String(pair["source"]));
  const oldestFirst = (a: string, b: string) => (BigInt(a) < BigInt(b) ? -1 : 1);
  return new Map(
    [...grouped].map(([source, of]) => [source, of.map((pair) => String(pair["target"])).sort(oldestFirst)]),
  );
}

/** Of folders of one name, those that lie below the same folders. */
function samePath(pairs: readonly Row[], source: CaseRows, destination: CaseRows): Row[] {
  const parents = ({ tables }: CaseRows) =>
    new Map((tables.get("folder_tags")?.rows ?? []).map((row) => [row["id"], row["parent_id"] ?? null]));
  const [above, aboveTarget] = [parents(source), parents(destination)];
  const sameName = new Set(pairs.map((pair) => `${String(pair["source"])} ${String(pair["target"])}`));
  const same = (a: string | null, b: string | null): boolean => {
    if (a === null || b === null) return a === b;
    return sameName.has(`${a} ${b}`) && same(above.get(a) ?? null, aboveTarget.get(b) ?? null);
  };
  return pairs.filter((pair) => same(pair["source"] ?? null, pair["target"] ?? null));
}
