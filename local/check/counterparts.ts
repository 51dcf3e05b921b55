import { select, type CaseRows, type Reader, type Row } from "./case-rows.ts";
import { sharedTables } from "./scope.ts";

/** Which rows of the destination stand for a row of the source: table → source id → target ids, oldest first. */
export type Counterparts = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** Finds them: copied rows by the exchange's own id map, shared rows by their names as the server compares them. */
export async function findCounterparts(
  connection: Reader,
  source: CaseRows,
  destination: CaseRows,
  exchangeId: string,
): Promise<Counterparts> {
  const found = new Map<string, Map<string, string[]>>();
  const own = (destination.tables.get("exchange_tables")?.rows ?? []).filter(
    (row) => row["exchange_id"] === exchangeId,
  );
  const names = new Map(own.map((row) => [row["table_no"], String(row["table_name"])]));
  const mapped = (destination.tables.get("exchange_id_map")?.rows ?? []).flatMap((row) => {
    const table = names.get(row["table_no"]);
    return table === undefined ? [] : [{ table, source: row["source_id"] ?? "", target: row["target_id"] ?? "" }];
  });
  for (const [table, pairs] of Map.groupBy(mapped, ({ table }) => table)) found.set(table, byFirst(pairs));
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
