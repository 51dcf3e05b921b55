import { createHash } from "node:crypto";
import type { InstantJson } from "../../processors/shared/document_engine/client.ts";

/** The tables of a case, parents before children: the order in which rows can be written. */
export const tables = [
  "users",
  "documents",
  "document_variants",
  "exhibits",
  "attachments",
  "custodians",
  "custodian_exhibits",
  "confidentiality_codes",
  "confidentiality_logs",
  "relevancy_logs",
  "label_categories",
  "labels",
  "label_category_labels",
  "exhibit_labels",
  "folder_tags",
  "folder_taggings",
  "custom_fields",
  "custom_field_values",
  "bates_stamps",
  "comments",
  "exhibit_texts",
] as const;
export type Table = (typeof tables)[number];

export type Value = string | number | bigint | null;
export type Row = Readonly<Record<string, Value>>;

/** An object of the case on S3. */
export interface StoredObject {
  key: string;
  body: Buffer;
  contentType: string;
}

/** A document of the case in Document Engine: a PDF of the case with what reviewers have drawn on it. */
export interface EngineDocument {
  id: string;
  /** Key of the PDF. */
  key: string;
  annotations: ReviewLayer | undefined;
}

/** Instant JSON, comments included. */
export type ReviewLayer = InstantJson & { comments: Record<string, unknown>[] };

export type Role = "document" | "native" | "text";

/** A case in the making: rows by table, objects by key. Nothing is written anywhere yet. */
export class CaseBuilder {
  readonly caseId: number;
  readonly rows = new Map<Table, Row[]>(tables.map((table) => [table, []]));
  readonly objects = new Map<string, StoredObject>();
  readonly engineDocuments: EngineDocument[] = [];
  readonly #nextIds = new Map<Table, number>();
  readonly #firstId: number;

  /** Ids count from `firstId`, so that equal ids of two cases do not hide a mix-up. */
  constructor(caseId: number, firstId: number) {
    this.caseId = caseId;
    this.#firstId = firstId;
  }

  /** Adds a row with an id of its own, which is returned. */
  add(table: Table, row: Row): number {
    const id = this.#nextIds.get(table) ?? this.#firstId;
    this.#nextIds.set(table, id + 1);
    this.link(table, { id, ...row });
    return id;
  }

  /** Adds a row of a table without ids. */
  link(table: Table, row: Row): void {
    this.of(table).push(row);
  }

  /** Changes columns of a row that was added. */
  change(table: Table, id: number, columns: Row): void {
    const rows = this.of(table);
    const index = id - this.#firstId;
    rows[index] = { ...rows[index], ...columns };
  }

  of(table: Table): Row[] {
    return this.rows.get(table) ?? [];
  }

  /** Adds a file of a document; `stored: false` makes the row without the object. Returns the object's key. */
  addFile(file: {
    documentId: number;
    role: Role;
    name: string;
    body: Buffer;
    contentType: string;
    createdAt: string;
    stored?: boolean;
    hashed?: boolean;
  }): string {
    const key = objectKey(this.caseId, file.documentId, file.role, file.name);
    if (file.stored !== false) this.objects.set(key, { key, body: file.body, contentType: file.contentType });
    this.add("document_variants", {
      document_id: file.documentId,
      role: file.role,
      s3_key: key,
      size: file.body.length,
      sha256: file.hashed === false ? null : createHash("sha256").update(file.body).digest("hex"),
      created_at: file.createdAt,
    });
    return key;
  }
}

const longestKey = 1024;

/**
 * Where a source case keeps a file: under the file's own name, however odd, as far as S3 takes it. Control characters
 * cannot be listed (they are no XML), and a key has at most 1024 bytes.
 */
export function objectKey(caseId: number, documentId: number, role: Role, name: string): string {
  const folder = `case_${caseId}/files/${documentId}/${role}/`;
  const fits = !/[\p{Cc}\p{Cs}\p{Cn}\ufffd]/u.test(name) && Buffer.byteLength(folder + name) <= longestKey;
  return folder + (fits ? name : "file");
}

/** A moment as MySQL writes it, in UTC, with microseconds. */
export function sqlTime(moment: Date, microseconds = 0): string {
  return moment.toISOString().replace("T", " ").replace("Z", String(microseconds).padStart(3, "0"));
}
