/** The stand-in of Document Engine with a client of ours, and PDFs with annotations to put into it. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NoopPolicy } from "cockatiel";
import { degrees, PDFDocument, StandardFonts } from "@cantoo/pdf-lib";
import type { PDFPage } from "@cantoo/pdf-lib";
import type { EngineRecord } from "../../contracts/annotations.ts";
import { startDocumentEngine } from "../../local/document-engine/server.ts";
import type { FaultPlan } from "../../local/document-engine/http/faults.ts";
import { startPdfium } from "../../processors/pre_uploader/pdf/pdfium.ts";
import type { Pdfium } from "../../processors/pre_uploader/pdf/pdfium.ts";
import type { PdfTasks, PdfWork } from "../../processors/pre_uploader/pdf-worker/pool.ts";
import * as tasks from "../../processors/pre_uploader/pdf-worker/tasks.ts";
import { readPdf } from "../../processors/pre_uploader/pdf/reader.ts";
import { createDocumentEngine } from "../../processors/shared/document_engine/client.ts";
import type { DocumentEngine } from "../../processors/shared/document_engine/client.ts";

const token = "a token of the tests";

export interface EngineBench {
  url: string;
  token: string;
  engine: DocumentEngine;
  /** Has the next requests that match fail in the given way. */
  fail: (...plans: FaultPlan[]) => Promise<void>;
  /** The requests since this was last called, as `METHOD path status`. */
  requests: () => Promise<string[]>;
  stop: () => Promise<void>;
}

export async function openEngine(): Promise<EngineBench> {
  const directory = await mkdtemp(join(tmpdir(), "exchanger-engine-"));
  const server = await startDocumentEngine({ directory, token });
  const secret = { read: () => Promise.resolve({ token }), forget: () => undefined };
  const engine = createDocumentEngine({ url: server.url, secret, retries: new NoopPolicy() });
  const admin = (method: string, path: string, body?: unknown) =>
    fetch(new URL(path, server.url), {
      method,
      headers: { Authorization: `Token token="${token}"`, "Content-Type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  return {
    url: server.url,
    token,
    engine,
    fail: async (...plans) => {
      const answer = await admin("PUT", "/stand-in/faults", plans);
      if (!answer.ok) throw new Error(`the stand-in does not take these faults: ${await answer.text()}`);
    },
    requests: async () => {
      const seen = (await (await admin("GET", "/stand-in/requests")).json()) as Record<string, string>[];
      await admin("DELETE", "/stand-in/requests");
      return seen.map(({ method, path, status }) => `${method} ${path} ${status}`);
    },
    stop: async () => {
      await engine.close();
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

let started: Promise<Pdfium> | undefined;

/** One PDFium for all suites of a process, as a Lambda has one. */
export function pdfium(): Promise<Pdfium> {
  const wasm = createRequire(import.meta.url).resolve("@embedpdf/pdfium/pdfium.wasm");
  return (started ??= readFile(wasm).then((bytes) => startPdfium(new Uint8Array(bytes))));
}

/** The work on PDFs in this thread, so that no test waits for a worker to start. */
export async function pdfWork(): Promise<PdfWork> {
  const started = await pdfium();
  const work: PdfTasks = {
    prepare: (original) => tasks.prepare(started, original),
    terms: (...of) => Promise.resolve(tasks.terms(started, ...of)),
    separate: (...of) => tasks.separate(started, ...of),
    finish: (job) => tasks.finish(started, job),
  };
  return { ...work, ofDocument: () => work, close: () => Promise.resolve() };
}

export interface PageShape {
  lines: string[];
  rotation?: number;
  /** Left, bottom, width and height in the page's own coordinates. */
  crop?: [number, number, number, number];
}

/** A PDF of 400 by 300 points a page, a line of text every 20 points. */
export async function makePdf(
  pages: readonly PageShape[],
  change?: (pdf: PDFDocument) => unknown,
): Promise<Uint8Array> {
  const pdf = await PDFDocument.create();
  const font = await pdf.embedFont(StandardFonts.Helvetica);
  for (const { lines, rotation = 0, crop } of pages) {
    const page: PDFPage = pdf.addPage([400, 300]);
    page.setRotation(degrees(rotation));
    if (crop) page.setCropBox(...crop);
    for (const [index, line] of lines.entries()) page.drawText(line, { x: 40, y: 240 - 20 * index, size: 11, font });
  }
  await change?.(pdf);
  return pdf.save();
}

/** Where a word stands on a page as it is shown, as Instant JSON says it. */
export async function boxOfWord(
  pdf: Uint8Array,
  pageIndex: number,
  word: string,
): Promise<[number, number, number, number]> {
  const characters = readPdf(await pdfium(), pdf)[pageIndex]?.characters ?? [];
  const start = characters
    .map(({ text }) => text)
    .join("")
    .indexOf(word);
  const boxes = characters.slice(start, start + word.length).flatMap(({ box }) => box ?? []);
  if (start < 0 || boxes.length === 0) throw new Error(`${word} is not on page ${pageIndex + 1}`);
  const [left, top] = [Math.min(...boxes.map((box) => box.left)), Math.min(...boxes.map((box) => box.top))];
  const [right, bottom] = [Math.max(...boxes.map((box) => box.right)), Math.max(...boxes.map((box) => box.bottom))];
  return [left, top, right - left, bottom - top];
}

type Rect = [number, number, number, number];

const annotation = (id: string, type: string, pageIndex: number, bbox: Rect, more: object): EngineRecord => ({
  id,
  createdBy: "alice",
  content: { v: 2, type, pageIndex, bbox, opacity: 1, ...more },
});
const plain = (value: string) => ({ format: "plain", value });

/** Annotations as reviewers make them. */
export const make = {
  redaction: (id: string, pageIndex: number, bbox: Rect, more: object = {}) =>
    annotation(id, "pspdfkit/markup/redaction", pageIndex, bbox, { rects: [bbox], ...more }),
  highlight: (id: string, pageIndex: number, bbox: Rect, more: object = {}) =>
    annotation(id, "pspdfkit/markup/highlight", pageIndex, bbox, { rects: [bbox], color: "#FFFF00", ...more }),
  note: (id: string, pageIndex: number, bbox: Rect, text: string) =>
    annotation(id, "pspdfkit/note", pageIndex, bbox, { text: plain(text), icon: "note" }),
  text: (id: string, pageIndex: number, bbox: Rect, text: string, more: object = {}) =>
    annotation(id, "pspdfkit/text", pageIndex, bbox, {
      ...{ text: plain(text), fontSize: 9, horizontalAlign: "left", verticalAlign: "top" },
      ...more,
    }),
  bates: (id: string, pageIndex: number, bbox: Rect, text: string) =>
    make.text(id, pageIndex, bbox, text, { customData: { stamp: "bates_stamp" } }),
  confidentiality: (id: string, pageIndex: number, bbox: Rect, text: string) =>
    make.text(id, pageIndex, bbox, text, { customData: { stamp: "confidentiality_stamp" } }),
  sticker: (id: string, pageIndex: number, bbox: Rect, imageAttachmentId: string, contentType: string) =>
    annotation(id, "pspdfkit/image", pageIndex, bbox, { imageAttachmentId, contentType }),
};

/** The characters of each page of a PDF, as one text. */
export async function textsOf(pdf: Uint8Array): Promise<string[]> {
  return readPdf(await pdfium(), pdf).map(({ characters }) => characters.map(({ text }) => text).join(""));
}
