/** A stand-in of Document Engine in a folder of its own, PDFs to give it, and short ways to ask it. */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { degrees, PDFDocument, StandardFonts, type PDFPage } from "@cantoo/pdf-lib";
import type { Fault, FaultPlan } from "../../local/document-engine/http/faults.ts";
import { startDocumentEngine, type DocumentEngine } from "../../local/document-engine/server.ts";

export const token = "a token of the tests";

export interface Answer {
  status: number;
  type: string;
  /** Parsed JSON, or text; for PDFs and images use `bytes`. */
  body: unknown;
  bytes: Buffer;
}

export interface Ask {
  body?: unknown;
  form?: Record<string, string | Uint8Array | object>;
  accept?: string;
  headers?: Record<string, string>;
}

/** Starts an engine whose clock stands still until a test moves it. */
export async function engineKit() {
  const directory = await mkdtemp(join(tmpdir(), "document-engine-"));
  let counter = 0;
  const ids = {
    clock: () => new Date("2026-05-06T07:08:09.000Z"),
    random: (count: number) => {
      counter++;
      return Uint8Array.from({ length: count }, (_, at) => (at === count - 1 ? counter % 32 : counter >> (count - at)));
    },
  };
  let engine: DocumentEngine = await startDocumentEngine({ directory, token, ids });
  let documents = 0;

  async function ask(method: string, path: string, { body, form, accept, headers }: Ask = {}): Promise<Answer> {
    const answer = await fetch(engine.url + path, {
      method,
      headers: {
        authorization: `Token token="${token}"`,
        accept: accept ?? "application/json",
        ...(body !== undefined && !(body instanceof Uint8Array) && { "content-type": "application/json" }),
        ...headers,
      },
      ...(form && { body: formOf(form) }),
      ...(body !== undefined && { body: body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body) }),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const type = answer.headers.get("content-type")?.split(";")[0] ?? "";
    const parsed: unknown = type === "application/json" ? JSON.parse(bytes.toString("utf8")) : bytes.toString("utf8");
    return { status: answer.status, type, body: parsed, bytes };
  }

  return {
    ask,
    get url() {
      return engine.url;
    },
    /** Uploads a PDF under a new id. Returns the path of the document. */
    async upload(pdf: Uint8Array, options: Record<string, string | Uint8Array | object> = {}): Promise<string> {
      const document_id = `document_${++documents}`;
      const answer = await ask("POST", "/api/documents", { form: { file: pdf, document_id, ...options } });
      if (answer.status !== 200)
        throw new Error(`the upload was answered with ${answer.status}: ${String(answer.bytes)}`);
      return `/api/documents/${document_id}`;
    },
    /** Creates annotations and returns their ids. */
    async annotate(path: string, ...contents: object[]): Promise<string[]> {
      const { body } = await ask("POST", `${path}/annotations`, {
        body: { annotations: contents.map((content) => ({ content })) },
      });
      const { result, data, failing_paths } = body as {
        result: string;
        data: { id: string }[];
        failing_paths: unknown;
      };
      if (result !== "success") throw new Error(JSON.stringify(failing_paths));
      return data.map(({ id }) => id);
    },
    async build(instructions: object, parts: Record<string, Uint8Array | object> = {}): Promise<Answer> {
      return ask("POST", "/api/build", { form: { instructions, ...parts }, accept: "application/pdf" });
    },
    /** Applies annotations to a PDF, then the actions. Returns the PDF that this makes. */
    async work(pdf: Uint8Array, annotations: object[], ...actions: object[]): Promise<Buffer> {
      const json = { format: "https://pspdfkit.com/instant-json/v1", annotations };
      const answer = await ask("POST", "/api/build", {
        form: {
          instructions: {
            parts: [{ file: "file" }],
            actions: [{ type: "applyInstantJson", file: "json" }, ...actions],
          },
          file: pdf,
          json,
        },
        accept: "application/pdf",
      });
      if (answer.status !== 200)
        throw new Error(`the build was answered with ${answer.status}: ${String(answer.bytes)}`);
      return answer.bytes;
    },
    async fail(fault: Fault, plan: Omit<FaultPlan, "fault"> = {}): Promise<void> {
      await ask("PUT", "/stand-in/faults", { body: [{ ...plan, fault }] });
    },
    async restart(): Promise<void> {
      await engine.stop();
      engine = await startDocumentEngine({ directory, token, ids });
    },
    async close(): Promise<void> {
      await engine.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
export type EngineKit = Awaited<ReturnType<typeof engineKit>>;

function formOf(parts: Record<string, string | Uint8Array | object>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(parts)) {
    if (typeof value === "string") form.set(name, value);
    else if (value instanceof Uint8Array) form.set(name, new Blob([Buffer.from(value)]), name);
    else form.set(name, new Blob([JSON.stringify(value)], { type: "application/json" }), `${name}.json`);
  }
  return form;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export interface PageOptions {
  rotate?: number;
  crop?: [number, number, number, number];
}

/** A PDF with lines of text 40 points apart, the first baseline 100 points below the top of an uncropped page. */
export async function pdfWith(pages: readonly string[][], options: PageOptions = {}): Promise<Buffer> {
  return drawnPdf(pages.length, (page, index, font) => {
    for (const [line, text] of (pages[index] ?? []).entries()) {
      page.drawText(text, { x: 60, y: 742 - line * 40, size: 20, font });
    }
    if (options.rotate !== undefined) page.setRotation(degrees(options.rotate));
    if (options.crop) page.setCropBox(...options.crop);
  });
}

export type Font = Awaited<ReturnType<PDFDocument["embedFont"]>>;

export async function drawnPdf(
  pages: number,
  draw: (page: PDFPage, index: number, font: Font, pdf: PDFDocument) => void | Promise<void>,
): Promise<Buffer> {
  const pdf = await PDFDocument.create({ updateMetadata: false });
  const font = await pdf.embedFont(StandardFonts.Helvetica);
  for (let index = 0; index < pages; index++) await draw(pdf.addPage([595, 842]), index, font, pdf);
  return Buffer.from(await pdf.save({ useObjectStreams: false }));
}

type Box = [number, number, number, number];
const common = { v: 2, pageIndex: 0, opacity: 1 };

/** Annotations in their smallest valid form. */
export const annotation = {
  redaction: (rects: Box[], more: object = {}) => ({
    ...common,
    type: "pspdfkit/markup/redaction",
    bbox: rects[0],
    rects,
    ...more,
  }),
  highlight: (rect: Box, more: object = {}) => ({
    ...common,
    type: "pspdfkit/markup/highlight",
    bbox: rect,
    rects: [rect],
    color: "#FFFF00",
    ...more,
  }),
  note: (bbox: Box, text: string, more: object = {}) => ({
    ...common,
    type: "pspdfkit/note",
    bbox,
    text: { format: "plain", value: text },
    icon: "note",
    ...more,
  }),
  text: (bbox: Box, text: string, more: object = {}) => ({
    ...common,
    type: "pspdfkit/text",
    bbox,
    text: { format: "plain", value: text },
    fontSize: 12,
    horizontalAlign: "left",
    verticalAlign: "top",
    ...more,
  }),
  image: (bbox: Box, imageAttachmentId: string, contentType: string, more: object = {}) => ({
    ...common,
    type: "pspdfkit/image",
    bbox,
    imageAttachmentId,
    contentType,
    ...more,
  }),
};

/** The contents of every line of a page, from top to bottom. */
export function contentsOf(answer: Answer): string[] {
  const { textLines } = answer.body as { textLines: { contents: string; top: number }[] };
  return textLines.map(({ contents }) => contents.trim());
}
