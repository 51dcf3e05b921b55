import type { Request, Router } from "express";
import { z } from "zod";
import { build, jsonOf } from "../build.ts";
import type { Library, Upload } from "../library.ts";
import { badRequest, notFound } from "../refusal.ts";
import type { StoredDocument } from "../store.ts";
import { bodyOf, textPart } from "./body.ts";
import { markedFor } from "./faults.ts";
import { parameter, passwordOf, queryText } from "./scope.ts";

const documentId = z.string().regex(/^[A-Za-z0-9._~-]{1,256}$/);
const copyBody = z.looseObject({ document_id: z.string().min(1), new_document_id: documentId.optional() });

/** Documents as wholes: upload, copy, list, properties, delete. */
export function documentRoutes(router: Router, library: Library): void {
  router.post("/documents", async (request, response) => {
    const upload = await uploadOf(library, request);
    const { document, errors } = library.upload(upload);
    const { importError } = markedFor(response);
    response.json({
      data: {
        document_id: document.id,
        errors: importError === undefined ? errors : [...errors, { reason: importError }],
        password_protected: document.passwordProtected,
        sourcePdfSha256: document.sourceSha256,
        title: document.title,
        createdAt: document.createdAt,
      },
    });
  });

  router.get("/documents", (request, response) => {
    const size = z.coerce.number().int().positive().max(1000).catch(10).parse(request.query["page_size"]);
    const title = queryText(request, "title");
    const all = library.store.documents().filter((document) => title === undefined || document.title === title);
    const cursor = queryText(request, "cursor");
    const start = cursor === undefined ? 0 : all.findIndex(({ id }) => id === cursor) + 1;
    const page = all.slice(start, start + size);
    const last = page.at(-1);
    response.json({
      data: page.map((document) => ({ id: document.id, ...properties(document) })),
      next_cursor: last && start + size < all.length ? last.id : null,
      prev_cursor: start > 0 ? (all[Math.max(0, start - size) - 1]?.id ?? null) : null,
      document_count: all.length,
    });
  });

  router.post("/copy_document", async (request, response) => {
    const body = await bodyOf(request);
    const parsed = copyBody.safeParse(body.kind === "json" ? body.value : undefined);
    if (!parsed.success) throw badRequest("INVALID_BODY", "document_id is needed, and new_document_id must be an id");
    const copied = library.copy(parsed.data.document_id, parsed.data.new_document_id ?? library.newId());
    response.json({ data: { document_id: copied.id } });
  });

  router.get("/documents/:documentId/properties", (request, response) => {
    response.json({ data: properties(library.document(parameter(request, "documentId"))) });
  });

  router.get("/documents/:documentId/attachments/:attachmentId", (request, response) => {
    const { id } = library.document(parameter(request, "documentId"));
    const attachment = library.store.attachment(id, parameter(request, "attachmentId"));
    if (!attachment) throw notFound(`attachment '${parameter(request, "attachmentId")}'`);
    const spelt = attachment.contentType === "image/jpeg" ? "image/jpg" : attachment.contentType;
    response.set("Content-Type", spelt).send(Buffer.from(attachment.bytes));
  });

  router.delete("/documents/:documentId", (request, response) => {
    const { id } = library.document(parameter(request, "documentId"));
    library.store.transaction(() => library.store.removeDocument(id));
    response.status(200).end();
  });
}

export function properties(document: StoredDocument) {
  return {
    title: document.title,
    passwordProtected: document.passwordProtected,
    sourcePdfSha256: document.sourceSha256,
    byteSize: document.byteSize,
    createdAt: document.createdAt,
    storage: { type: "built-in" },
  };
}

/** A PDF as the body, or a form with the PDF or Build instructions and the options. */
async function uploadOf(library: Library, request: Request): Promise<Upload> {
  const body = await bodyOf(request);
  const plain = {
    documentId: undefined,
    title: undefined,
    overwrite: false,
    password: passwordOf(request),
    instantJson: undefined,
    keepAnnotations: false,
  };
  if (body.kind === "bytes") return { ...plain, bytes: body.bytes };
  if (body.kind !== "parts") throw badRequest("UNSUPPORTED_UPLOAD", "send a PDF, or a form with a part 'file'");
  const { parts } = body;
  const bytes = builtOrSent(library, parts);
  const attachment = parts.get("attachment");
  const id = documentId.optional().safeParse(textPart(parts, "document_id"));
  if (!id.success)
    throw badRequest("INVALID_DOCUMENT_ID", "a document's id has letters, digits, '.', '_', '~' and '-' only");
  return {
    ...plain,
    bytes,
    documentId: id.data,
    title: textPart(parts, "title"),
    overwrite: textPart(parts, "overwrite_existing_document") === "true",
    instantJson: attachment && jsonOf(attachment),
    keepAnnotations: textPart(parts, "keep_current_annotations") === "true",
  };
}

function builtOrSent(library: Library, parts: Map<string, Uint8Array>): Uint8Array {
  const instructions = parts.get("instructions");
  if (instructions) return build(library, { instructions: jsonOf(instructions), files: parts });
  const file = parts.get("file");
  if (!file) throw badRequest("MISSING_FILE", "the form has no part 'file': send the PDF under that name");
  return file;
}
