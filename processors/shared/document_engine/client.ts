import { z } from "zod";
import { engineRecord } from "../../../contracts/annotations.ts";
import type { EngineRecord } from "../../../contracts/annotations.ts";
import { PermanentError, RecoverableError } from "../../../contracts/errors.ts";
import { createTransport } from "./http.ts";
import type { Answer, DocumentEngineSettings, Send } from "./http.ts";
import { multipart } from "./multipart.ts";
import type { Body, Part } from "./multipart.ts";

/** An image or another file that an annotation refers to. */
export interface EngineAttachment {
  content: Uint8Array;
  contentType: string;
}

/** An Instant JSON document. */
export interface InstantJson {
  format: "https://pspdfkit.com/instant-json/v1";
  annotations: Record<string, unknown>[];
  /** By the id that annotations refer to: base64 and media type. */
  attachments?: Record<string, { binary: string; contentType: string }>;
}

/** What is done to a PDF, in this order. */
export type BuildAction =
  | { type: "applyInstantJson" }
  | { type: "applyRedactions" }
  /** By ids of the Instant JSON: without them form fields and links are flattened too. */
  | { type: "flatten"; annotationIds: readonly string[] };

/** The calls of Document Engine that processors make; for errors see {@link createTransport}. */
export interface DocumentEngine {
  /** All annotations of a document, however many. @throws RecoverableError STREAM_CUT when the answer ends early */
  annotations: (documentId: string) => Promise<EngineRecord[]>;
  /** The comments of a thread, in order. */
  comments: (documentId: string, rootId: string) => Promise<EngineRecord[]>;
  attachment: (documentId: string, attachmentId: string) => Promise<EngineAttachment>;
  /** The text of each page, line by line. */
  pageTexts: (documentId: string) => Promise<string[]>;
  /** A PDF with annotations made part of it. Nothing is kept on the server. */
  build: (pdf: Uint8Array, annotations: InstantJson, actions: readonly BuildAction[]) => Promise<Uint8Array>;
  /** Stores a PDF, and annotations beside those that live in it, in place of what there was. @throws PermanentError IMPORT_INCOMPLETE */
  upload: (documentId: string, pdf: Uint8Array, annotations?: InstantJson) => Promise<void>;
  /** Adds annotations that name their ids. @throws PermanentError IMPORT_INCOMPLETE when some were not taken */
  addAnnotations: (documentId: string, records: readonly EngineRecord[]) => Promise<void>;
  close: () => Promise<void>;
}

export function createDocumentEngine(settings: DocumentEngineSettings): DocumentEngine {
  const { send, close } = createTransport(settings);
  return {
    annotations: (documentId) => readAnnotations(send, documentId),
    comments: async (documentId, rootId) => {
      const path = `${pathOf(documentId)}/annotations/${encodeURIComponent(rootId)}/comments`;
      const answer = await getJson(send, path, z.object({ data: z.object({ comments: z.array(engineRecord) }) }));
      return answer.data.comments;
    },
    attachment: (documentId, attachmentId) => {
      const path = `${pathOf(documentId)}/attachments/${encodeURIComponent(attachmentId)}`;
      return send({ method: "GET", path, accept: "image/*, application/pdf", repeatable: true }, async (answer) => ({
        content: await answer.body.bytes(),
        contentType: typeOf(answer) ?? "application/octet-stream",
      }));
    },
    pageTexts: async (documentId) => {
      const pages = await getJson(send, `${pathOf(documentId)}/pages/text`, allPages);
      return pages
        .toSorted((one, other) => one.pageIndex - other.pageIndex)
        .map(({ textLines }) => textLines.map(({ contents }) => contents).join("\n"));
    },
    build: (pdf, annotations, actions) =>
      send(
        {
          method: "POST",
          path: "/api/build",
          accept: "application/pdf",
          body: buildBody(pdf, annotations, actions),
          repeatable: true,
        },
        ({ body }) => body.bytes(),
      ),
    upload: (documentId, pdf, annotations) =>
      send(
        {
          method: "POST",
          path: "/api/documents",
          accept: json,
          body: uploadBody(documentId, pdf, annotations),
          repeatable: true,
        },
        async (answer) => {
          const { data } = await parse(answer, "/api/documents", uploaded);
          const [first] = data.errors ?? [];
          if (first) throw incomplete(documentId, first.reason);
        },
      ),
    addAnnotations: (documentId, records) =>
      send(
        {
          method: "POST",
          path: `${pathOf(documentId)}/annotations`,
          accept: json,
          body: {
            contentType: json,
            content: JSON.stringify({
              annotations: records.map(({ id, content, createdBy }) => ({
                id,
                content,
                user_id: createdBy ?? undefined,
              })),
            }),
          },
          repeatable: true,
        },
        async (answer) => {
          const { result, failing_paths: [first] = [] } = await parse(answer, pathOf(documentId), added);
          if (result !== "success") throw incomplete(documentId, first?.error ?? result);
        },
      ),
    close,
  };
}

const json = "application/json";

const allPages = z.array(
  z.object({ pageIndex: z.int().nonnegative(), textLines: z.array(z.object({ contents: z.string() })) }),
);
const uploaded = z.object({ data: z.object({ errors: z.array(z.object({ reason: z.string() })).optional() }) });
const added = z.object({
  result: z.enum(["success", "partial_failure", "failure"]),
  failing_paths: z.array(z.object({ error: z.string() })).optional(),
});

function pathOf(documentId: string): string {
  return `/api/documents/${encodeURIComponent(documentId)}`;
}

/** JSON lines, because a JSON list stops at a thousand. */
function readAnnotations(send: Send, documentId: string): Promise<EngineRecord[]> {
  const path = `${pathOf(documentId)}/annotations`;
  return send({ method: "GET", path, accept: "application/x-ndjson", repeatable: true }, async (answer) => {
    if (typeOf(answer)?.startsWith(json)) {
      throw new PermanentError(
        "ANNOTATIONS_TRUNCATED",
        `Document Engine answered ${path} with a list that may be cut at a thousand, not with JSON lines`,
      );
    }
    const lines = (await answer.body.text()).split("\n");
    return lines.filter((line) => line.trim() !== "").map((line, index) => recordOf(line, path, index + 1));
  });
}

function recordOf(line: string, path: string, number: number): EngineRecord {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new RecoverableError("STREAM_CUT", `the answer to ${path} was cut within line ${number}`, { cause });
  }
  const parsed = engineRecord.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new PermanentError("UNEXPECTED_ANSWER", `line ${number} of ${path} is no annotation`, { cause: parsed.error });
}

async function getJson<Result>(send: Send, path: string, schema: z.ZodType<Result>): Promise<Result> {
  return send({ method: "GET", path, accept: json, repeatable: true }, (answer) => parse(answer, path, schema));
}

async function parse<Result>({ body }: Answer, path: string, schema: z.ZodType<Result>): Promise<Result> {
  const parsed = schema.safeParse(await body.json());
  if (parsed.success) return parsed.data;
  throw new PermanentError("UNEXPECTED_ANSWER", `Document Engine's answer to ${path} has another shape`, {
    cause: parsed.error,
  });
}

function typeOf({ headers }: Answer): string | undefined {
  return [headers["content-type"] ?? []].flat()[0];
}

function incomplete(documentId: string, reason: string): PermanentError {
  return new PermanentError("IMPORT_INCOMPLETE", `Document Engine did not take all of ${documentId}: ${reason}`);
}

function buildBody(pdf: Uint8Array, annotations: InstantJson, actions: readonly BuildAction[]): Body {
  const instructions = {
    parts: [
      {
        file: "document",
        actions: actions.map((action) =>
          action.type === "applyInstantJson" ? { ...action, file: "annotations" } : action,
        ),
      },
    ],
    output: { type: "pdf" },
  };
  return multipart([
    jsonPart("instructions", "instructions.json", instructions),
    pdfPart("document", pdf),
    ...(actions.some(({ type }) => type === "applyInstantJson")
      ? [jsonPart("annotations", "annotations.json", annotations)]
      : []),
  ]);
}

function uploadBody(documentId: string, pdf: Uint8Array, annotations: InstantJson | undefined): Body {
  return multipart([
    { name: "document_id", content: documentId },
    { name: "overwrite_existing_document", content: "true" },
    pdfPart("file", pdf),
    // What lives in the PDF itself is not among the annotations and shall stay.
    ...(annotations
      ? [jsonPart("attachment", "instant.json", annotations), { name: "keep_current_annotations", content: "true" }]
      : []),
  ]);
}

function jsonPart(name: string, fileName: string, value: object): Part {
  return { name, content: JSON.stringify(value), file: { name: fileName, contentType: json } };
}

function pdfPart(name: string, content: Uint8Array): Part {
  return { name, content, file: { name: "document.pdf", contentType: "application/pdf" } };
}
