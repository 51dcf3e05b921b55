import type { Request, Router } from "express";
import { z } from "zod";
import { build, jsonOf } from "../build.ts";
import { writeInstantJson } from "../instant-json.ts";
import type { Library } from "../library.ts";
import { findRedactions } from "../redaction-search.ts";
import { badRequest, Refusal } from "../refusal.ts";
import { baseLayer, type AnnotationRecord } from "../store.ts";
import { bodyOf } from "./body.ts";
import { recordOf } from "./annotations.ts";
import { properties } from "./documents.ts";
import { layerToRead, layerToWrite, parameter, queryFlag, queryText, targetOf } from "./scope.ts";

/** What a layer is as a whole: its text, its PDF, its Instant JSON, its redaction. */
export function layerRoutes(router: Router, library: Library): void {
  router.get("/pages/text", (request, response) => {
    const target = targetOf(request);
    const file = library.open(layerToRead(library, target), target.password);
    const pages = library.using(file, () =>
      Array.from({ length: file.pageCount }, (_, pageIndex) => ({ pageIndex, textLines: file.text(pageIndex) })),
    );
    response.json(pages);
  });

  router.get("/pages/:pageIndex/text", (request, response) => {
    const target = targetOf(request);
    const file = library.open(layerToRead(library, target), target.password);
    const pageIndex = Number(parameter(request, "pageIndex"));
    const textLines = library.using(file, () => {
      if (Number.isInteger(pageIndex) && pageIndex >= 0 && pageIndex < file.pageCount) return file.text(pageIndex);
      throw new Refusal(
        404,
        "NO_SUCH_PAGE",
        "the page is out of bounds",
        "Parameter 'page_index' is invalid or out of bounds.",
      );
    });
    response.json({ textLines });
  });

  router.get("/document_info", (request, response) => {
    const target = targetOf(request);
    const { title } = library.document(target.documentId);
    const file = library.open(layerToRead(library, target), target.password);
    const data = library.using(file, () => ({
      title,
      pageCount: file.pageCount,
      hasXFA: false,
      metadata: {
        title: file.metadata("Title"),
        author: file.metadata("Author"),
        subject: file.metadata("Subject"),
        keywords: file.metadata("Keywords"),
        producer: file.metadata("Producer"),
        creator: file.metadata("Creator"),
      },
      pages: Array.from({ length: file.pageCount }, (_, pageIndex) => {
        const { boxes, ...info } = file.pageInfo(pageIndex);
        return { pageIndex, pageLabel: String(pageIndex + 1), ...info, rawPdfBoxes: boxes };
      }),
    }));
    response.json({ data });
  });

  router.get("/pdf", (request, response) => {
    const target = targetOf(request);
    const { sourceSha256 } = library.document(target.documentId);
    const [source, flatten] = [queryFlag(request, "source", false), queryFlag(request, "flatten", false)];
    if (source && flatten) throw badRequest("SOURCE_AND_FLATTEN", "source excludes flatten: ask for one of them");
    if (source) {
      response.type("application/pdf").send(Buffer.from(library.store.pdf(sourceSha256)));
      return;
    }
    const parts = {
      annotations: queryFlag(request, "annotations", true),
      comments: queryFlag(request, "comments", true),
    };
    const { file } = library.render(layerToRead(library, target), target.password, parts);
    const bytes = library.using(file, () => {
      if (flatten) {
        file.flatten("all");
        file.loseCatalogKeys();
      }
      return file.save();
    });
    response.type("application/pdf").send(Buffer.from(bytes));
  });

  router.get("/document.json", (request, response) => {
    const layer = layerToRead(library, targetOf(request));
    const records = { annotations: library.store.annotations(layer), comments: library.store.comments(layer) };
    const attachment = (id: string) => library.store.attachment(layer.documentId, id);
    const version = queryText(request, "annotation_version") === "1" ? 1 : 2;
    response.json(writeInstantJson(layer, records, attachment, version));
  });

  router.post("/apply_instant_json", async (request, response) => {
    const { documentId, layer, password } = targetOf(request);
    library.document(documentId);
    library.applyInstantJson(documentId, layer, await instantJsonOf(request), password);
    response.json({});
  });

  router.post("/redactions", async (request, response) => {
    const body = await bodyOf(request);
    const given = body.kind === "json" ? body.value : undefined;
    const { user_id } = z.looseObject({ user_id: z.string().nullish() }).catch({}).parse(given);
    const target = targetOf(request);
    const records = library.store.transaction(() => {
      const layer = layerToWrite(library, target);
      const found = library.using(library.open(layer, target.password), (file) => findRedactions(file, given));
      return found.map((content): AnnotationRecord => {
        const user = user_id ?? null;
        const record = { id: library.newId(), content, pristine: false, createdBy: user, updatedBy: user, group: null };
        library.store.put(layer, record);
        return record;
      });
    });
    response.json({ data: { annotations: records.map(recordOf) } });
  });

  router.post("/redact", (request, response) => {
    const { documentId, layer, password } = targetOf(request);
    const document = library.document(documentId);
    library.redact(documentId, layer, password);
    response.json(properties(document));
  });

  router.post("/apply_instructions", async (request, response) => {
    const { documentId, layer } = targetOf(request);
    const document = library.document(documentId);
    const bytes = build(library, { ...(await instructionsOf(request)), self: { id: documentId, layer } });
    library.replaceLayer(documentId, layer || baseLayer, bytes);
    // The default layer mirrors the base again.
    if (layer === "") library.store.removeLayer(documentId, "");
    response.json({ data: properties(document) });
  });
}

/** Build instructions as JSON alone, or as the part of a form whose other parts are the inputs. */
export async function instructionsOf(request: Request) {
  const body = await bodyOf(request);
  if (body.kind === "json") return { instructions: body.value, files: new Map<string, Uint8Array>() };
  const instructions = body.kind === "parts" ? body.parts.get("instructions") : undefined;
  if (body.kind !== "parts" || !instructions) return { instructions: undefined, files: new Map<string, Uint8Array>() };
  return { instructions: jsonOf(instructions), files: body.parts };
}

export async function instantJsonOf(request: Request): Promise<unknown> {
  const body = await bodyOf(request);
  const part = body.kind === "parts" ? body.parts.get("instant.json") : undefined;
  if (!part) throw badRequest("MISSING_PART", "the form has no part 'instant.json'");
  return jsonOf(part);
}
