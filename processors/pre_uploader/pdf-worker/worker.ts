/** The worker thread: all work on PDFs, so that a deadline or a memory budget can end it. */
import { readFileSync } from "node:fs";
import { workerData } from "node:worker_threads";
import workerpool from "workerpool";
import { release } from "../pdf/memory.ts";
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

/** What a task reports before its result. */
export interface Progress {
  pages: number;
}

const { wasm } = workerData as WorkerData;
const started = startPdfium(new Uint8Array(readFileSync(wasm)));

/** Each task is given the number of pages of its file, where the main thread knows it: to open a file only for it costs time. */
workerpool.worker({
  start: () => started.then(() => true),
  prepare: (_: PagesKnown, original: Uint8Array) => reply((pdfium) => prepare(pdfium, original, reportPages), original),
  terms: (known: PagesKnown, source: Uint8Array, redactions: readonly Redaction[], allowedTexts: readonly string[]) =>
    reply((pdfium) => {
      ensurePages(pdfium, known, source);
      return Promise.resolve(terms(pdfium, source, redactions, allowedTexts));
    }, source),
  separate: (known: PagesKnown, source: Uint8Array, pageIndexes: ReadonlySet<number>) =>
    reply((pdfium) => {
      ensurePages(pdfium, known, source);
      return separate(pdfium, source, pageIndexes);
    }, source),
  finish: (known: PagesKnown, job: FinishJob) =>
    reply((pdfium) => {
      ensurePages(pdfium, known, job.source);
      const rebuilt = () => {
        release(job.produced);
      };
      return finish(pdfium, job, rebuilt);
    }, job.source),
});

type PagesKnown = number | undefined;

function ensurePages(pdfium: Pdfium, known: PagesKnown, file: Uint8Array): void {
  if (known === undefined) reportPages(withDocument(pdfium, file, (_, count) => count));
}

function reportPages(pages: number): void {
  workerpool.workerEmit({ pages } satisfies Progress);
}

/** Runs a task; what it makes is transferred to the main thread and not copied, and what it was given is no more. */
async function reply(task: (pdfium: Pdfium) => Promise<unknown>, file: Uint8Array): Promise<unknown> {
  let made: ArrayBuffer[] = [];
  try {
    const pdfium = await started;
    const result = await task(pdfium);
    const pdfiumMebibytes = heapOf(pdfium).byteLength / 1024 ** 2;
    made = buffersIn(result);
    return new workerpool.Transfer({ result, pdfiumMebibytes }, made);
  } catch (thrown) {
    return { error: replyErrorOf(thrown) };
  } finally {
    if (!made.includes(file.buffer as ArrayBuffer)) release(file);
  }
}

function buffersIn(result: unknown): ArrayBuffer[] {
  const values = result instanceof Uint8Array ? [result] : Object.values(result as object);
  return values.flatMap((value: unknown) => (value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : []));
}
