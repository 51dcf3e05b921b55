import { canBeRoot, redactionType, type AnnotationContent, type CommentContent } from "./content.ts";
import { makeUlid, type IdSource } from "./ids.ts";
import { readInstantJson, type Imported } from "./instant-json.ts";
import { touches } from "./pdf/geometry.ts";
import { PdfFile } from "./pdf/pdf-file.ts";
import { badRequest, notFound, Refusal } from "./refusal.ts";
import { baseLayer, type AnnotationRecord, type Store, type StoredDocument, type StoredLayer } from "./store.ts";

export interface Upload {
  bytes: Uint8Array;
  documentId: string | undefined;
  title: string | undefined;
  overwrite: boolean;
  password: string | undefined;
  /** An Instant JSON document that replaces the PDF's annotations, unless they shall be kept. */
  instantJson: unknown;
  keepAnnotations: boolean;
}

interface Rendered {
  file: PdfFile;
  /** Where each annotation of the layer is in the file. */
  numbers: Map<string, number>;
}

const nobody = { createdBy: null, updatedBy: null, group: null };

/** The documents and their layers: what the engine does with them, apart from HTTP. */
export class Library {
  readonly store: Store;
  readonly ids: IdSource;

  constructor(store: Store, ids: IdSource) {
    this.store = store;
    this.ids = ids;
  }

  newId(): string {
    return makeUlid(this.ids);
  }

  document(id: string): StoredDocument {
    const document = this.store.document(id);
    if (!document) throw notFound(`document '${id}'`);
    return document;
  }

  /** Takes a PDF in. `errors` tells what was wrong with the annotations given along; the document is there anyway. */
  upload(upload: Upload): { document: StoredDocument; errors: { reason: string }[] } {
    const { bytes, password } = upload;
    const passwordProtected = PdfFile.isProtected(bytes);
    const open = passwordProtected && password === undefined ? undefined : PdfFile.open(bytes, password);
    const title = upload.title ?? open?.title ?? null;
    open?.close();
    return this.store.transaction(() => {
      const id = upload.documentId ?? this.newId();
      if (this.store.document(id)) {
        if (!upload.overwrite)
          throw badRequest("DOCUMENT_EXISTS", `document '${id}' exists: overwrite it, or take another id`);
        this.store.removeDocument(id);
      }
      const hash = this.store.keepPdf(bytes);
      const createdAt = this.ids.clock().toISOString();
      const document = { id, title, createdAt, sourceSha256: hash, byteSize: bytes.length, passwordProtected };
      this.store.addDocument(document);
      const base = { documentId: id, name: baseLayer, pdfSha256: hash, extracted: false, originals: [] };
      this.store.putLayer(base);
      if (open) this.#extract(base, password);
      return { document, errors: this.#importAtUpload(upload, id) };
    });
  }

  #importAtUpload({ instantJson, keepAnnotations, password }: Upload, id: string): { reason: string }[] {
    if (instantJson === undefined) return [];
    const base = this.layer(id, baseLayer, password);
    try {
      const imported = this.#readFor(base, instantJson, password);
      if (!keepAnnotations) for (const record of this.store.annotations(base)) this.store.removeRecord(base, record.id);
      this.#apply(base, imported);
      return [];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return [{ reason: error.message }];
    }
  }

  copy(from: string, to: string): StoredDocument {
    const document = this.document(from);
    if (this.store.document(to)) throw badRequest("DOCUMENT_EXISTS", `document '${to}' exists: take another id`);
    const copied = { ...document, id: to, createdAt: this.ids.clock().toISOString() };
    this.store.transaction(() => this.store.copyDocument(from, copied));
    return copied;
  }

  /** A layer to read: a layer that nobody has written is the base. */
  layer(documentId: string, name: string, password?: string): StoredLayer {
    this.document(documentId);
    const layer = this.store.layer(documentId, name) ?? this.store.layer(documentId, baseLayer);
    if (!layer) throw notFound(`the base layer of '${documentId}'`);
    return layer.extracted ? layer : this.#extract(layer, password);
  }

  /** A layer to write: its own copy of the base is made with the first write. */
  writable(documentId: string, name: string, password?: string): StoredLayer {
    return this.store.layer(documentId, name) ?? this.copyLayer(documentId, baseLayer, name, password);
  }

  /** Makes a layer of another one; of the base where the other is unknown. */
  copyLayer(documentId: string, from: string, to: string, password?: string): StoredLayer {
    const source = this.layer(documentId, from, password);
    const copy = { ...source, name: to };
    this.store.removeLayer(documentId, to);
    this.store.putLayer(copy);
    this.store.copyRecords(documentId, source.name, to);
    return copy;
  }

  /** Opens the PDF of a layer, as it came: with its own annotations, without those of the records. */
  open(layer: StoredLayer, password?: string): PdfFile {
    return PdfFile.open(this.store.pdf(layer.pdfSha256), password);
  }

  pageCount(layer: StoredLayer, password?: string): number {
    return this.using(this.open(layer, password), (file) => file.pageCount);
  }

  using<T>(file: PdfFile, work: (file: PdfFile) => T): T {
    try {
      return work(file);
    } finally {
      file.close();
    }
  }

  /** The PDF of a layer with its annotations and threads as live ones. The caller closes it. */
  render(layer: StoredLayer, password?: string, { annotations = true, comments = true } = {}): Rendered {
    const file = this.open(layer, password);
    if (!annotations) {
      file.remove(new Set(layer.originals));
      return { file, numbers: new Map() };
    }
    const records = this.store.annotations(layer);
    const [pristine, changed] = [
      records.filter((record) => record.pristine),
      records.filter((record) => !record.pristine),
    ];
    const numbers = new Map(pristine.map(({ id, content }) => [id, content.pdfObjectId ?? 0]));
    const kept = new Set(numbers.values());
    file.remove(new Set(layer.originals.filter((number) => !kept.has(number))));
    const attachment = (id: string) => this.store.attachment(layer.documentId, id);
    const added = file.add(
      changed.map(({ content }) => content),
      attachment,
    );
    const threads = comments
      ? Map.groupBy(this.store.comments(layer), ({ content }) => content.rootId)
      : new Map<string, never[]>();
    for (const [index, { id, content }] of changed.entries()) {
      const number = added[index] ?? 0;
      numbers.set(id, number);
      const thread = threads.get(id)?.map((comment) => comment.content) ?? [];
      if (thread.length) file.addComments({ number, content }, thread);
    }
    return { file, numbers };
  }

  /** Applies all redactions of a layer: its PDF is rewritten, and what touches a redaction goes with it. */
  redact(documentId: string, name: string, password?: string): void {
    this.store.transaction(() => {
      const layer = this.writable(documentId, name, password);
      const records = this.store.annotations(layer);
      const redactions = records.filter(({ content }) => content.type === redactionType);
      if (!redactions.length) return;
      const pages = Map.groupBy(
        redactions.flatMap(({ content }) =>
          (content.rects ?? [content.bbox]).map((box) => ({ page: content.pageIndex, box })),
        ),
        ({ page }) => page,
      );
      const touched = (record: AnnotationRecord) =>
        pages.get(record.content.pageIndex)?.some(({ box }) => touches(box, record.content.bbox)) === true;
      const file = this.open(layer, password);
      this.using(file, () => {
        // The file's own redactions are applied as they are: what answers them may stay.
        const isRedaction = ({ content }: AnnotationRecord) => content.type === redactionType;
        const pristine = records.filter((record) => record.pristine && (isRedaction(record) || !touched(record)));
        const kept = new Set(pristine.flatMap(({ content }) => content.pdfObjectId ?? []));
        file.remove(new Set(layer.originals.filter((number) => !kept.has(number))));
        file.add(
          redactions.filter((record) => !record.pristine).map(({ content }) => content),
          () => undefined,
        );
        file.applyRedactions();
        file.loseCatalogKeys();
        const alive = file.objectNumbers();
        for (const record of records) {
          const { pdfObjectId, ...content } = record.content;
          const gone = record.content.type === redactionType || touched(record);
          if (gone || (record.pristine && !alive.has(pdfObjectId ?? 0))) this.store.removeRecord(layer, record.id);
          else if (!record.pristine && pdfObjectId !== undefined) this.store.put(layer, { ...record, content });
        }
        const originals = [...kept].filter((number) => alive.has(number));
        this.store.putLayer({ ...layer, pdfSha256: this.store.keepPdf(file.save({ keepNumbers: true })), originals });
      });
    });
  }

  /** Changes a layer as an Instant JSON document says. */
  applyInstantJson(documentId: string, name: string, given: unknown, password?: string): void {
    this.store.transaction(() => {
      const layer = this.writable(documentId, name, password);
      this.#apply(layer, this.#readFor(layer, given, password));
    });
  }

  /** Puts another PDF in a layer's place, with the annotations that it comes with. */
  replaceLayer(documentId: string, name: string, bytes: Uint8Array): void {
    this.store.transaction(() => {
      const pdfSha256 = this.store.keepPdf(bytes);
      this.store.removeLayer(documentId, name);
      const layer = { documentId, name, pdfSha256, extracted: false, originals: [] };
      this.store.putLayer(layer);
      this.#extract(layer);
    });
  }

  #readFor(layer: StoredLayer, given: unknown, password?: string): Imported {
    return readInstantJson(given, {
      pageCount: this.pageCount(layer, password),
      hasAttachment: (id) => this.store.attachment(layer.documentId, id) !== undefined,
      hasRoot: (id) => canBeRoot(this.store.annotation(layer, id)?.content.type ?? ""),
    });
  }

  #apply(layer: StoredLayer, { annotations, comments, attachments, skipped }: Imported): void {
    for (const [id, attachment] of attachments) this.store.putAttachment(layer.documentId, id, attachment);
    const originals = new Map(
      this.store
        .annotations(layer)
        .flatMap(({ id, content }) => (content.pdfObjectId ? [[content.pdfObjectId, id]] : [])),
    );
    const changed = new Set(annotations.map(({ content }) => content.pdfObjectId));
    for (const number of skipped) {
      const id = originals.get(number);
      if (id !== undefined && !changed.has(number)) this.store.removeRecord(layer, id);
    }
    const roots = new Set(comments.map(({ content }) => content.rootId));
    const recordIds = new Map<string, string>();
    for (const { id, content } of annotations) {
      const known = content.pdfObjectId === undefined ? undefined : originals.get(content.pdfObjectId);
      const recordId = known ?? id ?? this.newId();
      const isRoot = id !== undefined && roots.has(id);
      if (id !== undefined) recordIds.set(id, recordId);
      const whole: AnnotationContent = { ...content, ...(isRoot && { isCommentThreadRoot: true }) };
      this.store.put(layer, { id: recordId, content: whole, pristine: false, ...nobody });
    }
    for (const { id, content } of comments) {
      const rootId = recordIds.get(content.rootId) ?? content.rootId;
      this.store.put(layer, { id: id ?? this.newId(), content: { ...content, rootId }, ...nobody });
    }
  }

  /** Makes records of the annotations that a layer's PDF came with. */
  #extract(layer: StoredLayer, password?: string): StoredLayer {
    return this.store.transaction(() => {
      const extracted = this.using(this.open(layer, password), (file) => file.annotations());
      const read = { ...layer, extracted: true, originals: extracted.map(({ content }) => content.pdfObjectId) };
      this.store.putLayer(read);
      for (const { content, attachments, comments } of extracted) {
        const id = this.newId();
        this.store.put(read, { id, content, pristine: true, ...nobody });
        for (const [attachmentId, attachment] of attachments) {
          this.store.putAttachment(layer.documentId, attachmentId, attachment);
        }
        for (const comment of comments) {
          const whole = { ...comment, rootId: id } as CommentContent;
          this.store.put(read, { id: this.newId(), content: whole, ...nobody });
        }
      }
      return read;
    });
  }
}
