import { CaseBuilder, objectKey, sqlTime } from "./builder.ts";
import { fileTree, type FoundFile } from "./file-tree.ts";
import { inTurn } from "./in-turn.ts";
import { sampleMoment } from "./make.ts";
import { createSchema, insertRows, type CaseStore } from "./store.ts";
import { inspectFile, uploadFile } from "./upload-file.ts";

export interface FilesOptions extends CaseStore {
  caseId: number;
  /** Every file in it and in its sub-folders becomes a document. */
  directory: string;
  now?: Date;
}

export interface FilesKnowledge {
  caseId: number;
  documentIds: string[];
  /** Bytes of all files. */
  bytes: number;
  /** What was left out or is not as it seems, for the user to read. */
  notes: string[];
}

const filesAtOnce = 4;

/**
 * Makes a source case of the user's own files: each a document with its native; a PDF that can be read is its own
 * rendition as well. Folders become folder tags. Files of any size are streamed.
 * @throws InvalidInputError that names the file or folder which cannot be read
 */
export async function makeCaseFromFiles(options: FilesOptions): Promise<FilesKnowledge> {
  const { files, skipped } = await fileTree(options.directory);
  const notes = skipped.map((name) => `'${name}' is left out: it is a link that leads elsewhere, or no regular file`);
  const making: Making = {
    builder: new CaseBuilder(options.caseId, 1001),
    createdAt: sqlTime(options.now ?? sampleMoment),
    folders: new Map(),
  };
  const { builder } = making;
  const pathField = builder.add("custom_fields", { name: "Path", field_type: "text", choices: null });
  // Numbered in the order of the tree, whichever upload ends first.
  const documents = files.map((file) => ({ file, documentId: addDocument(making, file, pathField) }));
  const stored = await inTurn(documents, filesAtOnce, async ({ file, documentId }) => {
    const inspection = await inspectFile(file);
    const key = objectKey(builder.caseId, documentId, "native", nameOf(file));
    const target = { Bucket: options.caseBucket, Key: key, ContentType: inspection.mimeType };
    return { file, documentId, key, inspection, ...(await uploadFile(options.s3, file, target)) };
  });
  for (const { file, documentId, key, inspection, size, sha256 } of stored) {
    const { mimeType, pages, rendition, note } = inspection;
    builder.change("documents", documentId, { size, page_count: pages, mime_type: mimeType });
    const row = { document_id: documentId, s3_key: key, size, sha256, created_at: making.createdAt };
    // One object serves both: what was collected is what reviewers see.
    if (rendition) builder.add("document_variants", { ...row, role: "document" });
    builder.add("document_variants", { ...row, role: "native" });
    if (note) notes.push(`'${file.names.join("/")}' ${note}`);
  }
  const connection = await createSchema(options, options.caseId);
  try {
    await insertRows(connection, builder);
  } finally {
    await connection.end();
  }
  return {
    caseId: options.caseId,
    documentIds: documents.map(({ documentId }) => String(documentId)),
    bytes: stored.reduce((sum, { size }) => sum + size, 0),
    notes,
  };
}

interface Making {
  builder: CaseBuilder;
  createdAt: string;
  /** Ids of folder tags by path. */
  folders: Map<string, number>;
}

const nameOf = (file: FoundFile) => file.names.at(-1) ?? "";

function addDocument(making: Making, file: FoundFile, pathField: number): number {
  const { builder, createdAt } = making;
  const times = { created_at: createdAt, updated_at: createdAt };
  const document = { file_name: nameOf(file), mime_type: "", size: file.size, page_count: null };
  const document_id = builder.add("documents", { ...document, ...times });
  const exhibit_id = builder.add("exhibits", { document_id, title: nameOf(file), ...times });
  builder.add("custom_field_values", { custom_field_id: pathField, exhibit_id, value: file.names.join("/") });
  const folder_tag_id = folderTag(making, file.names.slice(0, -1));
  if (folder_tag_id !== null) {
    builder.link("folder_taggings", { folder_tag_id, exhibit_id, created_at: createdAt });
  }
  return document_id;
}

/** The folder tag of a path, made with all above it when first asked for; null at the top. */
function folderTag(making: Making, names: readonly string[]): number | null {
  const name = names.at(-1);
  if (name === undefined) return null;
  const path = names.join("/");
  const known = making.folders.get(path);
  if (known !== undefined) return known;
  const parent_id = folderTag(making, names.slice(0, -1));
  const id = making.builder.add("folder_tags", { parent_id, name, created_at: making.createdAt });
  making.folders.set(path, id);
  return id;
}
