import type { MetadataKind } from "../../contracts/request.ts";
import type { AnnotationChoices } from "../../contracts/annotations.ts";
import type { ReviewedDocument } from "../samples/annotations.ts";
import type { CaseRows, Row } from "./case-rows.ts";

/** One exchange, as its caller knows it. */
export interface CheckedExchange {
  exchangeId: string;
  /** The documents of the source case that were selected. */
  documentIds: readonly string[];
  includeNatives: boolean;
  metadata: readonly MetadataKind[];
  /** Where annotations travel. */
  annotated?: Annotated;
}

/** How annotations travel, and what is known of them. */
export interface Annotated {
  choices: AnnotationChoices;
  batchId: string;
  destinationCaseId: number;
  reviewed: readonly ReviewedDocument[];
  /** A folder for pictures of pages before and after. */
  picturesDir?: string;
}

/** What hangs on exhibits, and the kind of metadata that takes it along; `always` where none is asked. */
const onExhibits = {
  attachments: "always",
  bates_stamps: "always",
  comments: "always",
  custodian_exhibits: "custodians",
  confidentiality_logs: "confidentialityCodes",
  relevancy_logs: "relevancy",
  exhibit_labels: "issues",
  folder_taggings: "folders",
  custom_field_values: "customFields",
} as const satisfies Record<string, MetadataKind | "always">;

/** Tables of which an exchange takes what its rows refer to: rows that both cases share by their names. */
export const sharedTables = {
  users: ["email"],
  custodians: ["name"],
  confidentiality_codes: ["name"],
  labels: ["name"],
  label_categories: ["name"],
  folder_tags: ["name"],
  custom_fields: ["name", "field_type"],
} as const;

const known = new Set([
  // The index of a case is of its own documents, and never travels.
  ...["documents", "document_variants", "exhibits", "label_category_labels", "exhibit_texts"],
  ...Object.keys(onExhibits),
  ...Object.keys(sharedTables),
]);

/** Tables with rows that this check has no notion of. */
export function unknownTables({ tables }: CaseRows): string[] {
  return [...tables].filter(([name, { rows }]) => !known.has(name) && rows.length).map(([name]) => name);
}

/** The rows of the source that an exchange must bring, by table. */
export function rowsInScope(source: CaseRows, exchange: CheckedExchange): Map<string, Row[]> {
  const scope = new Map<string, Row[]>();
  const all = (table: string) => source.tables.get(table)?.rows ?? [];
  const take = (table: string, wanted: (row: Row) => boolean) => {
    const rows = all(table).filter(wanted);
    scope.set(table, rows);
    return rows;
  };
  const within = (column: string, ids: ReadonlySet<unknown>) => (row: Row) => ids.has(row[column]);
  const values = (column: string, ...tables: string[]) =>
    new Set(tables.flatMap((table) => (scope.get(table) ?? []).map((row) => row[column])));

  const selected = new Set(exchange.documentIds);
  take("documents", within("id", selected));
  take("document_variants", (row) => {
    if (row["role"] === "native" && !exchange.includeNatives) return false;
    // Texts of pages are made anew of what annotations have made of the pages.
    if (row["role"] === "text" && exchange.annotated) return false;
    return selected.has(String(row["document_id"]));
  });
  const exhibits = take("exhibits", within("document_id", selected));
  const exhibitIds = values("id", "exhibits");
  for (const [table, kind] of Object.entries(onExhibits)) {
    const travels = kind === "always" || exchange.metadata.includes(kind);
    take(table, (row) => travels && exhibitIds.has(row["exhibit_id"]));
  }

  take("users", within("id", values("user_id", "confidentiality_logs", "relevancy_logs", "comments")));
  take("custodians", within("id", values("custodian_id", "custodian_exhibits")));
  take("custom_fields", within("id", values("custom_field_id", "custom_field_values")));
  take("labels", within("id", values("label_id", "exhibit_labels")));
  take("label_category_labels", within("label_id", values("id", "labels")));
  take("label_categories", within("id", values("label_category_id", "label_category_labels")));
  take("folder_tags", within("id", withAncestors(all("folder_tags"), values("folder_tag_id", "folder_taggings"))));

  const logged = values("confidentiality_code_id", "confidentiality_logs");
  const bits = exhibits.reduce((sum, row) => sum | BigInt(row["confidentiality_status"] ?? 0), 0n);
  const coded = exchange.metadata.includes("confidentialityCodes");
  take("confidentiality_codes", (row) => coded && (logged.has(row["id"] ?? null) || hasBit(bits, row)));
  return scope;
}

/** Whether a confidentiality status has a code's bit set. */
export function hasBit(status: bigint, code: Row): boolean {
  return ((status >> BigInt(code["bit_index"] ?? 0)) & 1n) === 1n;
}

function withAncestors(folders: readonly Row[], ids: ReadonlySet<unknown>): Set<unknown> {
  const parents = new Map(folders.map((row) => [row["id"], row["parent_id"]]));
  const found = new Set<unknown>();
  for (const id of ids) {
    for (let at = id as string | null | undefined; at && !found.has(at); at = parents.get(at)) found.add(at);
  }
  return found;
}
