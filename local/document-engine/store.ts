import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import { z } from "zod";
import { annotationContent, commentContent, type AnnotationContent, type CommentContent } from "./content.ts";
import type { Attachment } from "./pdf/pdf-file.ts";

/** The immutable layer that every other one begins as; no layer of a user can have this name. */
export const baseLayer = "*base";

export interface StoredDocument {
  id: string;
  title: string | null;
  createdAt: string;
  sourceSha256: string;
  byteSize: number;
  passwordProtected: boolean;
}

/** One version of a document's pages and annotations. */
export interface StoredLayer {
  documentId: string;
  name: string;
  /** The PDF with the annotations that it came with. */
  pdfSha256: string;
  /** Whether the annotations of its PDF have become records; those of a protected file wait for its password. */
  extracted: boolean;
  /** Object numbers of the annotations that the PDF came with and that are records. */
  originals: number[];
}

interface Authorship {
  createdBy: string | null;
  updatedBy: string | null;
  group: string | null;
}
export interface AnnotationRecord extends Authorship {
  id: string;
  content: AnnotationContent;
  /** Whether it is as its layer's PDF has it. */
  pristine: boolean;
}
export interface CommentRecord extends Authorship {
  id: string;
  content: CommentContent;
}

const schema = `
  CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, title TEXT, created_at TEXT NOT NULL, source_sha256 TEXT NOT NULL,
    byte_size INTEGER NOT NULL, password_protected INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS layers (
    document_id TEXT NOT NULL REFERENCES documents ON DELETE CASCADE, name TEXT NOT NULL, pdf_sha256 TEXT NOT NULL,
    extracted INTEGER NOT NULL, originals TEXT NOT NULL, PRIMARY KEY (document_id, name)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS records (
    position INTEGER PRIMARY KEY, document_id TEXT NOT NULL, layer TEXT NOT NULL, id TEXT NOT NULL, root_id TEXT,
    content TEXT NOT NULL, pristine INTEGER NOT NULL, created_by TEXT, updated_by TEXT, group_name TEXT,
    UNIQUE (document_id, layer, id),
    FOREIGN KEY (document_id, layer) REFERENCES layers ON DELETE CASCADE
  ) STRICT;
  CREATE TABLE IF NOT EXISTS attachments (
    document_id TEXT NOT NULL REFERENCES documents ON DELETE CASCADE, id TEXT NOT NULL, content_type TEXT NOT NULL,
    bytes BLOB NOT NULL, PRIMARY KEY (document_id, id)
  ) STRICT;
`;

/** Documents, layers and records in SQLite, PDFs as files named by their hash; all of it outlives a restart. */
export class Store {
  readonly #database: DatabaseSync;
  readonly #pdfFolder: string;

  constructor(directory: string) {
    this.#pdfFolder = join(directory, "pdf");
    mkdirSync(this.#pdfFolder, { recursive: true, mode: 0o700 });
    this.#database = new DatabaseSync(join(directory, "index.sqlite"));
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;");
    this.#database.exec(schema);
  }

  close(): void {
    this.#database.close();
  }

  /** All or nothing. */
  transaction<T>(work: () => T): T {
    if (this.#database.isTransaction) return work();
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  document(id: string): StoredDocument | undefined {
    const [row] = this.#all("SELECT * FROM documents WHERE id = ?", id);
    return row && documentOf(row);
  }

  /** Newest first. */
  documents(): StoredDocument[] {
    return this.#all("SELECT * FROM documents ORDER BY created_at DESC, id DESC").map(documentOf);
  }

  addDocument(document: StoredDocument): void {
    const { id, title, createdAt, sourceSha256, byteSize, passwordProtected } = document;
    const values = [id, title, createdAt, sourceSha256, byteSize, passwordProtected ? 1 : 0];
    this.#run("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?)", ...values);
  }

  removeDocument(id: string): boolean {
    const hashes = this.#all("SELECT pdf_sha256 AS hash FROM layers WHERE document_id = ?", id);
    const source = this.document(id)?.sourceSha256;
    const removed = this.#run("DELETE FROM documents WHERE id = ?", id) > 0;
    for (const hash of new Set([...hashes.map((row) => String(row["hash"])), ...(source ? [source] : [])])) {
      this.#forgetPdf(hash);
    }
    return removed;
  }

  copyDocument(from: string, to: StoredDocument): void {
    this.addDocument(to);
    this.#run(
      "INSERT INTO layers SELECT ?, name, pdf_sha256, extracted, originals FROM layers WHERE document_id = ?",
      to.id,
      from,
    );
    this.#run(
      `INSERT INTO records (document_id, layer, id, root_id, content, pristine, created_by, updated_by, group_name)
       SELECT ?, layer, id, root_id, content, pristine, created_by, updated_by, group_name
       FROM records WHERE document_id = ? ORDER BY position`,
      to.id,
      from,
    );
    this.#run(
      "INSERT INTO attachments SELECT ?, id, content_type, bytes FROM attachments WHERE document_id = ?",
      to.id,
      from,
    );
  }

  layer(documentId: string, name: string): StoredLayer | undefined {
    const [row] = this.#all("SELECT * FROM layers WHERE document_id = ? AND name = ?", documentId, name);
    return row && layerOf(row);
  }

  layerNames(documentId: string): string[] {
    const rows = this.#all("SELECT name FROM layers WHERE document_id = ? ORDER BY rowid", documentId);
    return rows.map((row) => String(row["name"])).filter((name) => name !== baseLayer && name !== "");
  }

  /** Adds a layer, or changes its row. */
  putLayer({ documentId, name, pdfSha256, extracted, originals }: StoredLayer): void {
    this.#run(
      `INSERT INTO layers VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
       SET pdf_sha256 = excluded.pdf_sha256, extracted = excluded.extracted, originals = excluded.originals`,
      ...[documentId, name, pdfSha256, extracted ? 1 : 0, JSON.stringify(originals)],
    );
  }

  removeLayer(documentId: string, name: string): void {
    const old = this.layer(documentId, name);
    this.#run("DELETE FROM layers WHERE document_id = ? AND name = ?", documentId, name);
    if (old) this.#forgetPdf(old.pdfSha256);
  }

  copyRecords(documentId: string, from: string, to: string): void {
    this.#run(
      `INSERT INTO records (document_id, layer, id, root_id, content, pristine, created_by, updated_by, group_name)
       SELECT document_id, ?, id, root_id, content, pristine, created_by, updated_by, group_name
       FROM records WHERE document_id = ? AND layer = ? ORDER BY position`,
      ...[to, documentId, from],
    );
  }

  annotations({ documentId, name }: StoredLayer): AnnotationRecord[] {
    return this.#all(
      "SELECT * FROM records WHERE document_id = ? AND layer = ? AND root_id IS NULL ORDER BY position",
      documentId,
      name,
    ).map(annotationOf);
  }

  annotation({ documentId, name }: StoredLayer, id: string): AnnotationRecord | undefined {
    const [row] = this.#all(
      "SELECT * FROM records WHERE document_id = ? AND layer = ? AND id = ? AND root_id IS NULL",
      ...[documentId, name, id],
    );
    return row && annotationOf(row);
  }

  /** The comments of one thread, or of all threads, each in the order in which they were written. */
  comments({ documentId, name }: StoredLayer, rootId?: string): CommentRecord[] {
    return this.#all(
      `SELECT * FROM records WHERE document_id = ? AND layer = ? AND root_id IS NOT NULL AND root_id = coalesce(?, root_id)
       ORDER BY position`,
      ...[documentId, name, rootId ?? null],
    ).map(commentOf);
  }

  /** Adds a record, or replaces the one with its id, which then keeps its place. */
  put(layer: StoredLayer, record: AnnotationRecord | CommentRecord): void {
    const { id, content, createdBy, updatedBy, group } = record;
    const rootId = "pristine" in record ? null : record.content.rootId;
    const pristine = "pristine" in record && record.pristine ? 1 : 0;
    this.#run(
      `INSERT INTO records (document_id, layer, id, root_id, content, pristine, created_by, updated_by, group_name)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (document_id, layer, id) DO UPDATE SET content = excluded.content, pristine = excluded.pristine,
         updated_by = excluded.updated_by, group_name = excluded.group_name, root_id = excluded.root_id`,
      ...[layer.documentId, layer.name, id, rootId, JSON.stringify(content), pristine, createdBy, updatedBy, group],
    );
  }

  has({ documentId, name }: StoredLayer, id: string): boolean {
    const sql = "SELECT 1 FROM records WHERE document_id = ? AND layer = ? AND id = ?";
    return this.#all(sql, documentId, name, id).length > 0;
  }

  /** Removes an annotation with its thread, or a comment. */
  removeRecord({ documentId, name }: StoredLayer, id: string): boolean {
    const sql = "DELETE FROM records WHERE document_id = ? AND layer = ? AND (id = ? OR root_id = ?)";
    return this.#run(sql, documentId, name, id, id) > 0;
  }

  putAttachment(documentId: string, id: string, { contentType, bytes }: Attachment): void {
    this.#run(
      "INSERT OR IGNORE INTO attachments VALUES (?, ?, ?, ?)",
      documentId,
      id,
      contentType,
      Uint8Array.from(bytes),
    );
  }

  attachment(documentId: string, id: string): Attachment | undefined {
    const [row] = this.#all("SELECT * FROM attachments WHERE document_id = ? AND id = ?", documentId, id);
    return row && { contentType: String(row["content_type"]), bytes: z.instanceof(Uint8Array).parse(row["bytes"]) };
  }

  /** Keeps a PDF and returns its SHA-256 in hex. */
  keepPdf(bytes: Uint8Array): string {
    const hash = createHash("sha256").update(bytes).digest("hex");
    const file = this.#pdfFile(hash);
    writeFileSync(`${file}.part`, bytes);
    renameSync(`${file}.part`, file);
    return hash;
  }

  pdf(hash: string): Uint8Array {
    return readFileSync(this.#pdfFile(hash));
  }

  #pdfFile(hash: string): string {
    return join(this.#pdfFolder, `${hash}.pdf`);
  }

  /** Removes a PDF that nobody names any more. */
  #forgetPdf(hash: string): void {
    const sql = "SELECT 1 FROM layers WHERE pdf_sha256 = ? UNION SELECT 1 FROM documents WHERE source_sha256 = ?";
    if (!this.#all(sql, hash, hash).length) rmSync(this.#pdfFile(hash), { force: true });
  }

  #all(sql: string, ...values: SQLOutputValue[]): Record<string, SQLOutputValue>[] {
    return this.#database.prepare(sql).all(...values);
  }

  #run(sql: string, ...values: SQLOutputValue[]): number {
    return Number(this.#database.prepare(sql).run(...values).changes);
  }
}

type Row = Record<string, SQLOutputValue>;

function documentOf(row: Row): StoredDocument {
  return {
    id: String(row["id"]),
    title: textOrNull(row["title"]),
    createdAt: String(row["created_at"]),
    sourceSha256: String(row["source_sha256"]),
    byteSize: Number(row["byte_size"]),
    passwordProtected: row["password_protected"] === 1,
  };
}

function layerOf(row: Row): StoredLayer {
  return {
    documentId: String(row["document_id"]),
    name: String(row["name"]),
    pdfSha256: String(row["pdf_sha256"]),
    extracted: row["extracted"] === 1,
    originals: z.array(z.int()).parse(JSON.parse(String(row["originals"]))),
  };
}

function authorship(row: Row): Authorship {
  return {
    createdBy: textOrNull(row["created_by"]),
    updatedBy: textOrNull(row["updated_by"]),
    group: textOrNull(row["group_name"]),
  };
}

function annotationOf(row: Row): AnnotationRecord {
  const content = annotationContent.parse(JSON.parse(String(row["content"])));
  return { id: String(row["id"]), content, pristine: row["pristine"] === 1, ...authorship(row) };
}

function commentOf(row: Row): CommentRecord {
  const content = commentContent.parse(JSON.parse(String(row["content"])));
  return { id: String(row["id"]), content, ...authorship(row) };
}

function textOrNull(value: SQLOutputValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}
