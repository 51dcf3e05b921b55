import { createHash } from "node:crypto";
import type { Request, Response, Router } from "express";
import { z } from "zod";
import { jsonOf } from "../build.ts";
import { judgeAnnotation, type AnnotationContent } from "../content.ts";
import type { Library } from "../library.ts";
import { badRequest, notFound, Refusal, unprocessable } from "../refusal.ts";
import type { AnnotationRecord, StoredLayer } from "../store.ts";
import { bodyOf } from "./body.ts";
import { markedFor } from "./faults.ts";
import { layerToRead, layerToWrite, parameter, targetOf, type Target } from "./scope.ts";

/** The JSON list ends here, with a mark that it does. */
export const listLimit = 1000;

const written = z.looseObject({
  id: z.string().min(1).optional(),
  content: z.unknown(),
  user_id: z.string().nullish(),
  group: z.string().nullish(),
});
type Written = z.infer<typeof written>;
const removal = z.looseObject({ annotationIds: z.union([z.literal("all"), z.array(z.string())]) });

/** Annotations of a layer; the router stands below a document or one of its layers. */
export function annotationRoutes(router: Router, library: Library): void {
  router.get("/annotations", (request, response) => {
    const layer = layerToRead(library, targetOf(request));
    sendList(request, response, library.store.annotations(layer));
  });

  router.get("/pages/:pageIndex/annotations", (request, response) => {
    const layer = layerToRead(library, targetOf(request));
    const pageIndex = Number(parameter(request, "pageIndex"));
    const records = library.store.annotations(layer).filter(({ content }) => content.pageIndex === pageIndex);
    sendList(request, response, records);
  });

  router.get("/annotations/:annotationId", (request, response) => {
    const layer = layerToRead(library, targetOf(request));
    response.json(recordOf(knownAnnotation(library, layer, parameter(request, "annotationId"))));
  });

  router.post("/annotations", async (request, response) => {
    const { given, files } = await annotationsOf(request);
    const target = targetOf(request);
    if (Array.isArray(given)) response.json(writeMany(library, target, given, files, "new", markedFor(response)));
    else {
      const write = () => writeOne(library, target, layerToWrite(library, target), given, files, "new");
      response.json({ data: { annotation_id: library.store.transaction(write).id } });
    }
  });

  router.put("/annotations", async (request, response) => {
    const { given, files } = await annotationsOf(request);
    if (!Array.isArray(given)) throw badRequest("INVALID_BODY", "send {annotations: […]}, each with its id");
    response.json(writeMany(library, targetOf(request), given, files, "known", markedFor(response)));
  });

  router.put("/annotations/:annotationId", async (request, response) => {
    const { given, files } = await annotationsOf(request);
    const target = targetOf(request);
    const whole = { ...(given as object), id: parameter(request, "annotationId") };
    library.store.transaction(() => writeOne(library, target, layerToWrite(library, target), whole, files, "known"));
    response.status(200).end();
  });

  router.delete("/annotations/:annotationId", (request, response) => {
    library.store.transaction(() => {
      const layer = layerToWrite(library, targetOf(request));
      library.store.removeRecord(layer, knownAnnotation(library, layer, parameter(request, "annotationId")).id);
    });
    response.status(200).end();
  });

  router.delete("/annotations", async (request, response) => {
    const body = await bodyOf(request);
    const parsed = removal.safeParse(body.kind === "json" ? body.value : undefined);
    if (!parsed.success) throw badRequest("INVALID_BODY", 'send {"annotationIds": […]} or {"annotationIds": "all"}');
    const { annotationIds } = parsed.data;
    library.store.transaction(() => {
      const layer = layerToWrite(library, targetOf(request));
      const ids = annotationIds === "all" ? library.store.annotations(layer).map(({ id }) => id) : annotationIds;
      for (const id of ids) library.store.removeRecord(layer, id);
    });
    response.status(200).end();
  });
}

export function knownAnnotation(library: Library, layer: StoredLayer, id: string): AnnotationRecord {
  const record = library.store.annotation(layer, id);
  if (!record) throw notFound(`annotation '${id}'`);
  return record;
}

export function recordOf({ id, content, createdBy, updatedBy, group }: AnnotationRecord) {
  return { id, content, createdBy, updatedBy, group };
}

/** The engine answers lists only to those who say which of their two forms they want. */
export function listForm(request: Request): "json" | "ndjson" {
  const accept = request.get("accept") ?? "";
  if (accept.includes("application/x-ndjson")) return "ndjson";
  if (accept.includes("application/json")) return "json";
  throw new Refusal(406, "NOT_ACCEPTABLE", "say Accept: application/json or application/x-ndjson");
}

function sendList(request: Request, response: Response, records: readonly AnnotationRecord[]): void {
  if (listForm(request) === "ndjson") {
    response.set("Content-Type", "application/x-ndjson");
    response.send(records.map((record) => `${JSON.stringify(recordOf(record))}\n`).join(""));
    return;
  }
  const limit = markedFor(response).truncateAt ?? listLimit;
  const annotations = records.slice(0, limit).map(recordOf);
  response.json({ data: { annotations, ...(records.length > limit && { truncated: true }) } });
}

/** The annotation or annotations of a body, and the files that came with them, by name. */
async function annotationsOf(request: Request): Promise<{ given: unknown; files: Map<string, Uint8Array> }> {
  const body = await bodyOf(request);
  if (body.kind === "json") return { given: listOrOne(body.value), files: new Map() };
  if (body.kind !== "parts") throw badRequest("INVALID_BODY", "send JSON, or a form with a part 'annotation'");
  const { parts: files } = body;
  const sent = files.get("annotations") ?? files.get("annotation");
  if (!sent) throw badRequest("INVALID_BODY", "the form has no part 'annotation'");
  files.delete("annotations");
  files.delete("annotation");
  return { given: listOrOne(jsonOf(sent)), files };
}

function listOrOne(value: unknown): unknown {
  if (Array.isArray(value)) return value;
  const { annotations } = (value ?? {}) as { annotations?: unknown };
  return annotations ?? value;
}

function writeOne(
  library: Library,
  { password }: Target,
  layer: StoredLayer,
  given: unknown,
  files: ReadonlyMap<string, Uint8Array>,
  which: "new" | "known",
  pageCount = library.pageCount(layer, password),
): AnnotationRecord {
  const parsed = written.safeParse(given);
  if (!parsed.success) throw invalidAnnotation("the annotation is not wrapped as {content: …}");
  const { id = library.newId() } = parsed.data;
  const old = library.store.annotation(layer, id);
  if (which === "known" && !old) throw notFound(`annotation '${id}'`);
  if (which === "new" && library.store.has(layer, id)) throw invalidAnnotation(`the id '${id}' is taken`);
  const record = { ...recordFrom(library, layer, parsed.data, files, pageCount, old), id };
  library.store.put(layer, record);
  return record;
}

function recordFrom(
  library: Library,
  { documentId }: StoredLayer,
  { content, user_id, group }: Written,
  files: ReadonlyMap<string, Uint8Array>,
  pageCount: number,
  old: AnnotationRecord | undefined,
): Omit<AnnotationRecord, "id"> {
  const stored = (id: string) => library.store.attachment(documentId, id) !== undefined;
  const judged = judgeAnnotation(content, {
    pageCount,
    hasAttachment: (id) => files.has(id) || stored(id),
    judge: "api",
  });
  if ("problem" in judged) throw invalidAnnotation(judged.problem);
  keepAttachment(library, documentId, judged.content, files);
  const user = user_id ?? null;
  return {
    content: judged.content,
    pristine: false,
    createdBy: old ? old.createdBy : user,
    updatedBy: user,
    group: group ?? old?.group ?? null,
  };
}

function keepAttachment(
  library: Library,
  documentId: string,
  content: AnnotationContent,
  files: ReadonlyMap<string, Uint8Array>,
): void {
  const id = content.imageAttachmentId ?? "";
  const bytes = files.get(id);
  if (!bytes) return;
  if (createHash("sha256").update(bytes).digest("hex") !== id) {
    throw invalidAnnotation(`the attachment '${id}' is not named by the SHA-256 of its bytes`);
  }
  const declared = content["contentType"];
  library.store.putAttachment(documentId, id, {
    contentType: typeof declared === "string" ? declared : "application/octet-stream",
    bytes,
  });
}

/** Each for itself: those that are wrong are named in an answer that is a success all the same. */
function writeMany(
  library: Library,
  target: Target,
  given: readonly unknown[],
  files: ReadonlyMap<string, Uint8Array>,
  which: "new" | "known",
  { failLast = false }: { failLast?: boolean },
) {
  const failing: { path: string; error: string; details: string }[] = [];
  const written = library.store.transaction(() => {
    const layer = layerToWrite(library, target);
    const pageCount = library.pageCount(layer, target.password);
    return given.flatMap((item, index) => {
      try {
        if (failLast && index === given.length - 1) throw invalidAnnotation("this one fails, as asked");
        return [writeOne(library, target, layer, item, files, which, pageCount)];
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        failing.push({ path: `$.annotations[${index}]`, error: error.message, details: error.message });
        return [];
      }
    });
  });
  const result = failing.length === 0 ? "success" : written.length ? "partial_failure" : "failure";
  return {
    details: failing.length
      ? `${failing.length} of ${given.length} annotations failed`
      : "All annotations were written",
    request_id: library.newId(),
    result,
    status: 200,
    data: written.map(({ id, content, createdBy, updatedBy, group }) => ({
      id,
      content,
      user_id: createdBy,
      group,
      updatedBy,
    })),
    failing_paths: failing,
  };
}

function invalidAnnotation(problem: string) {
  return unprocessable("INVALID_ANNOTATION", problem);
}
