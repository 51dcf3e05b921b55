/** The worker thread: all work on PDFs, so that a deadline or a memory budget can end it. */
import { readFileSync } from "node:fs";
import { workerData } from "node:worker_threads";
import workerpool from "workerpool";
import { heapOf, startPdfium, withDocument } from "../pdf/pdfium.ts";
import type { Pdfium } from "../pdf/pdfium.ts";
import { finish, prepare, separate, terms } from "./tasks.ts";
import type { FinishJob } from "./tasks.ts";
import type { Redaction } from "../redaction.ts";
import { replyErrorOf } from "./wire.ts";

/** What the thread is started with: the path of PDFium's code. */
export interface WorkerData {
  wasm: string;
}

/** What a task reports before its result, where the main thread does not know it and the task may take long. */
export interface Progress {
  pages: number;
}

const { wasm } = workerData as WorkerData;
const started = startPdfium(new Uint8Array(readFileSync(wasm)));

workerpool.worker({
  start: () => started.then(() => true),
  prepare: (_: PagesKnown, original: Uint8Array) => reply((pdfium) => prepare(pdfium, original, reportPages)),
  terms: (known: PagesKnown, source: Uint8Array, redactions: readonly Redaction[], allowedTexts: readonly string[]) =>
    reply((pdfium) => {
      assurePages(pdfium, known, source);
      return Promise.resolve(terms(pdfium, source, redactions, allowedTexts));
    }),
  separate: (known: PagesKnown, source: Uint8Array, pageIndexes: ReadonlySet<number>) =>
    reply((pdfium) => {
      assurePages(pdfium, known, source);
      return separate(pdfium, source, pageIndexes);
    }),
  finish: (known: PagesKnown, job: FinishJob) =>
    reply((pdfium) => {
      assurePages(pdfium, known, job.source);
      return finish(pdfium, job);
    }),
});

/** The number of pages of a task's file, where the main thread knows it: to open a file only for it costs time. */
type PagesKnown = number | undefined;

function assurePages(pdfium: Pdfium, known: PagesKnown, file: Uint8Array): void {
  if (known === undefined) reportPages(withDocument(pdfium, file, (_, count) => count));
}

function reportPages(pages: number): void {
  workerpool.workerEmit({ pages } satisfies Progress);
}

/** Runs a task; its files are transferred to the main thread and not copied. */
async function reply(task: (pdfium: Pdfium) => Promise<unknown>): Promise<unknown> {
  try {
    const pdfium = await started;
    const result = await task(pdfium);
    const pdfiumMebibytes = heapOf(pdfium).byteLength / 1024 ** 2;
    return new workerpool.Transfer({ result, pdfiumMebibytes }, buffersIn(result));
  } catch (thrown) {
    return { error: replyErrorOf(thrown) };
  }
}

function buffersIn(result: unknown): ArrayBuffer[] {
  const values = result instanceof Uint8Array ? [result] : Object.values(result as object);
  return values.flatMap((value: unknown) => (value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : []));
}
