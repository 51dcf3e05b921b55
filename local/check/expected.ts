import type { CaseRows, ForeignKey, Row } from "./case-rows.ts";
import type { Counterparts } from "./counterparts.ts";
import { pageTextKey, textPrefix } from "../../contracts/names.ts";
import { hasBit, type Annotated, type CheckedExchange } from "./scope.ts";

/** What is known when a row of the source is carried over in thought. */
export interface Carrying {
  exchange: CheckedExchange;
  source: CaseRows;
  destination: CaseRows;
  scope: ReadonlyMap<string, readonly Row[]>;
  counterparts: Counterparts;
  sourceCaseId: number;
}

/** What the copy chooses by itself: where files lie, and the batch in which documents arrive. */
const ownChoice = new Set(["document_variants.s3_key", "documents.batch_id"]);

/** The target that stands for a row: the oldest where there are several, which is a problem of its own. */
export function targetOf({ counterparts }: Carrying, table: string, sourceId: string): string | undefined {
  return counterparts.get(table)?.get(sourceId)?.[0];
}

/**
 * What a source row must look like in the destination, in the columns that both cases have.
 */
export function expectedRow(carrying: Carrying, table: string, row: Row): Row {
  const columns = carrying.destination.tables.get(table)?.columns ?? [];
  const references = new Map(
    carrying.source.foreignKeys
      .filter((foreignKey) => foreignKey.table === table && foreignKey.columns.length === 1)
      .map((foreignKey) => [foreignKey.columns[0], foreignKey]),
  );
  const expected: Record<string, string | null> = {};
  for (const [column, value] of Object.entries(row)) {
    if (!columns.includes(column) || ownChoice.has(`${table}.${column}`)) continue;
    const reference = references.get(column);
    if (column === "id") expected[column] = targetOf(carrying, table, String(value)) ?? null;
    else if (reference) expected[column] = carriedReference(carrying, reference, value);
    else expected[column] = carriedValue(carrying, table, column, row);
  }
  return expected;
}

/** A reference to a row that does not travel becomes empty. */
function carriedReference(carrying: Carrying, reference: ForeignKey, value: string | null): string | null {
  const parents = carrying.scope.get(reference.referencedTable) ?? [];
  if (value === null || !indexed(parents, "id").has(value)) return null;
  return targetOf(carrying, reference.referencedTable, value) ?? null;
}

function carriedValue(carrying: Carrying, table: string, column: string, row: Row): string | null {
  const value = row[column] ?? null;
  const { metadata } = carrying.exchange;
  switch (`${table}.${column}`) {
    case "exhibits.number":
      return row["id"] ?? null;
    case "exhibits.document_properties":
      return null;
    case "exhibits.relevancy":
      return metadata.includes("relevancy") ? value : null;
    case "exhibits.confidentiality_status":
      return metadata.includes("confidentialityCodes") ? carriedStatus(carrying, BigInt(value ?? 0)) : "0";
    case "attachments.text_key":
      return carrying.exchange.annotated
        ? freshKey(carrying, carrying.exchange.annotated, row)
        : carriedKey(carrying, value);
    case "document_variants.sha256":
      return carrying.exchange.annotated && row["role"] === "document" ? null : value;
    default:
      return value;
  }
}

/** The same code names, under the bits that they have in the destination. */
function carriedStatus(carrying: Carrying, status: bigint): string {
  const codes = carrying.source.tables.get("confidentiality_codes")?.rows ?? [];
  const targets = carrying.destination.tables.get("confidentiality_codes")?.rows ?? [];
  let carried = 0n;
  for (const code of codes.filter((code) => hasBit(status, code))) {
    const target = targetOf(carrying, "confidentiality_codes", String(code["id"]));
    const bit = targets.find((row) => row["id"] === target)?.["bit_index"];
    if (bit != null) carried |= 1n << BigInt(bit);
  }
  return carried.toString();
}

/** Where a file of the source lies in the destination. */
function carriedKey(carrying: Carrying, key: string | null): string | null {
  const file = indexed(carrying.scope.get("document_variants") ?? [], "s3_key").get(key);
  const target = file && targetOf(carrying, "document_variants", String(file["id"]));
  const rows = carrying.destination.tables.get("document_variants")?.rows ?? [];
  return indexed(rows, "id").get(target ?? null)?.["s3_key"] ?? null;
}

/** Where the text of a page lies that was read anew. */
function freshKey(carrying: Carrying, { destinationCaseId: caseId, batchId }: Annotated, row: Row): string | null {
  const { documentId, exhibitIds } = placeOf(carrying, String(row["exhibit_id"]));
  const exhibitId = targetOf(carrying, "exhibits", String(row["exhibit_id"]));
  const furtherExhibitId = exhibitId === exhibitIds[0] ? undefined : exhibitId;
  return pageTextKey(textPrefix({ caseId, batchId, documentId, furtherExhibitId }), Number(row["position"]));
}

/** The document in the destination that a source exhibit belongs to, and all exhibits of it, smallest first. */
export function placeOf(carrying: Carrying, sourceExhibitId: string): { documentId: string; exhibitIds: string[] } {
  const exhibits = carrying.scope.get("exhibits") ?? [];
  const sourceId = indexed(exhibits, "id").get(sourceExhibitId)?.["document_id"];
  const ids = exhibits
    .filter((exhibit) => exhibit["document_id"] === sourceId)
    .flatMap((exhibit) => targetOf(carrying, "exhibits", String(exhibit["id"])) ?? []);
  const exhibitIds = ids.sort((one, other) => Number(BigInt(one) - BigInt(other)));
  return { documentId: targetOf(carrying, "documents", String(sourceId)) ?? "", exhibitIds };
}

const indexes = new WeakMap<readonly Row[], Map<string, Map<string | null, Row>>>();

/** The rows by the value of a column; made once for each list of rows. */
function indexed(rows: readonly Row[], column: string): Map<string | null, Row> {
  const known = indexes.get(rows) ?? new Map<string, Map<string | null, Row>>();
  indexes.set(rows, known);
  const index = known.get(column) ?? new Map(rows.map((row) => [row[column] ?? null, row]));
  known.set(column, index);
  return index;
}
