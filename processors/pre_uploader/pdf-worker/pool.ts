import PQueue from "p-queue";
import workerpool from "workerpool";
import { RecoverableError } from "../../../contracts/errors.ts";
import type { Prepared } from "../prepare/prepare.ts";
import type { TermsData } from "../proof/terms.ts";
import type { Redaction } from "../redaction.ts";
import { allowanceOf, defaultBudgets, tooComplex } from "./budgets.ts";
import type { Allowance, Budgets, TaskSize } from "./budgets.ts";
import type { Finished, FinishJob } from "./tasks.ts";
import { errorOf } from "./wire.ts";
import type { Reply } from "./wire.ts";
import type { Progress, WorkerData } from "./worker.ts";

/**
 * What is done to PDFs. Errors are those of the tasks, or PDF_TOO_COMPLEX. Tasks that make a PDF from another take that
 * over: its buffer belongs to the worker afterwards, and must not be read any more.
 */
export interface PdfTasks {
  /** Takes `original` over. */
  prepare: (original: Uint8Array) => Promise<Prepared>;
  terms: (source: Uint8Array, redactions: readonly Redaction[], allowedTexts: readonly string[]) => Promise<TermsData>;
  separate: (source: Uint8Array, pageIndexes: ReadonlySet<number>) => Promise<Uint8Array>;
  /** Takes `source` and `produced` over. */
  finish: (job: FinishJob) => Promise<Finished>;
}

/** The work on PDFs, done by a thread of its own. A task that is called directly is a document of its own. */
export interface PdfWork extends PdfTasks {
  /** The tasks of one document, which have its time together. Waiting for those of other documents does not count. */
  ofDocument: () => PdfTasks;
  close: () => Promise<void>;
}

export interface PdfWorkOptions {
  /** The file of the worker thread: `worker.ts`, or its bundle. */
  script: string;
  /** The file of PDFium's code. */
  wasm: string;
  budgets?: Budgets;
}

/** More than a worker needs to start on a machine that is busy with other things. */
const startMilliseconds = 60_000;

/** A worker that rested longer is asked whether it is there before it gets a task. */
const restMilliseconds = 100;

/** How often the memory of the process is looked at. */
const watchMilliseconds = 50;

/**
 * One worker at a time, made when a task needs it. A task beyond its budget ends with its worker, and the next task gets
 * a new one.
 */
export function createPdfWork({ script, wasm, budgets = defaultBudgets }: PdfWorkOptions): PdfWork {
  const queue = new PQueue({ concurrency: 1 });
  let pool: workerpool.Pool | undefined;

  const start = async () => {
    const started = workerpool.pool(script, {
      ...{ workerType: "thread", maxWorkers: 1 },
      workerThreadOpts: { workerData: { wasm } satisfies WorkerData },
    });
    try {
      await started.exec("start").timeout(startMilliseconds);
      return started;
    } catch (cause) {
      await started.terminate(true);
      const message = `the worker for PDFs does not start from ${script} with ${wasm}`;
      throw new RecoverableError("PDF_WORKER_NOT_STARTED", message, { cause });
    }
  };
  const discard = async () => {
    const spent = pool;
    pool = undefined;
    await spent?.terminate(true);
  };
  let idleSince = -Infinity;
  /** A worker that answers: one may have ended while it had nothing to do, and no file is to blame for that. */
  const ready = async () => {
    if (pool && performance.now() - idleSince < restMilliseconds) return pool;
    if (pool) {
      try {
        await pool.exec("start");
        return pool;
      } catch {
        await discard();
      }
    }
    return (pool = await start());
  };

  const run = <Result>(document: Document, task: Task): Promise<Result> =>
    queue.add(async () => {
      const worker = await ready();
      const watch = new Watch(allowanceOf(budgets, task.size), document);
      const on = ({ pages }: Progress) => {
        watch.allow(pages);
      };
      let reply: Reply<Result>;
      try {
        const transfer = (task.given ?? []).flatMap((file) => (isWholeBuffer(file) ? [file.buffer] : []));
        const options = { transfer: [...new Set(transfer)], on };
        const parameters = [document.pages, ...task.parameters];
        const work = worker.exec(task.method, parameters, options) as unknown as PromiseLike<Reply<Result>>;
        reply = await watch.over(work);
      } catch (thrown) {
        await discard();
        throw thrown;
      } finally {
        idleSince = performance.now();
      }
      if ("error" in reply) {
        if (reply.error.isWorkerSpent) await discard();
        throw errorOf(reply.error);
      }
      if (reply.pdfiumMebibytes > budgets.pdfiumMebibytes) await discard();
      return reply.result;
    });

  const tasksOf = (document: () => Document): PdfTasks => ({
    prepare: async (original) => {
      const of = document();
      const prepared = await run<Prepared>(of, {
        ...{ method: "prepare", parameters: [original], given: [original] },
        size: { bytes: original.length, redactedPages: 0 },
      });
      of.pages = prepared.pages;
      return prepared;
    },
    terms: (source, redactions, allowedTexts) =>
      run(document(), {
        ...{ method: "terms", parameters: [source, redactions, allowedTexts] },
        size: sizeOf(source, redactions),
      }),
    separate: (source, pageIndexes) =>
      run(document(), {
        ...{ method: "separate", parameters: [source, pageIndexes] },
        size: { bytes: source.length, redactedPages: pageIndexes.size },
      }),
    finish: (job) =>
      run(document(), {
        ...{ method: "finish", parameters: [job], given: [job.source, job.produced] },
        size: sizeOf(job.source, job.redactions),
      }),
  });

  return {
    ...tasksOf(() => ({ seconds: 0 })),
    ofDocument: () => {
      const document: Document = { seconds: 0 };
      return tasksOf(() => document);
    },
    close: async () => {
      await queue.onIdle();
      await discard();
    },
  };
}

interface Task {
  method: string;
  parameters: unknown[];
  size: TaskSize;
  /** Files that the worker takes over. */
  given?: readonly Uint8Array[];
}

/** What is known of a document whose tasks are done. */
interface Document {
  /** The time that its tasks took so far. */
  seconds: number;
  /** Its number of pages, once that is known. */
  pages?: number;
}

function sizeOf(source: Uint8Array, redactions: readonly Redaction[]): TaskSize {
  return { bytes: source.length, redactedPages: new Set(redactions.map(({ pageIndex }) => pageIndex)).size };
}

/** Whether a file is all that its buffer holds: a small one may lie in a buffer that others use too. */
function isWholeBuffer(file: Uint8Array): file is Uint8Array<ArrayBuffer> {
  return file.buffer instanceof ArrayBuffer && file.byteLength === file.buffer.byteLength;
}

/** Watches time and memory while a task runs. */
class Watch {
  readonly #allowance: Allowance;
  readonly #exceeded = Promise.withResolvers<never>();
  readonly #began = performance.now();
  readonly #mebibytes = residentMebibytesOfLate();
  readonly #document: Document;
  #deadline: NodeJS.Timeout | undefined;

  constructor(allowance: Allowance, document: Document) {
    this.#allowance = allowance;
    this.#document = document;
    this.#exceeded.promise.catch(() => undefined);
    this.allow(document.pages ?? 0);
  }

  /** The file has so many pages. */
  allow(pages: number): void {
    clearTimeout(this.#deadline);
    const seconds = this.#allowance.seconds(pages);
    this.#deadline = setTimeout(
      () => {
        this.#exceeded.reject(tooComplex(`${Math.ceil(seconds)} s`));
      },
      Math.max(0, seconds - this.#document.seconds - this.#seconds()) * 1000,
    );
  }

  #seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  /** @throws PermanentError PDF_TOO_COMPLEX when time or memory run out, or the worker ends by itself */
  async over<Result>(work: PromiseLike<Result>): Promise<Result> {
    const { mebibytes } = this.#allowance;
    const memory = setInterval(() => {
      if (residentMebibytes() - this.#mebibytes > mebibytes) {
        this.#exceeded.reject(tooComplex(`${mebibytes} MiB of memory`));
      }
    }, watchMilliseconds);
    const ended = Promise.resolve(work).catch((cause: unknown) => {
      throw tooComplex("what one worker can do", cause);
    });
    try {
      return await Promise.race([ended, this.#exceeded.promise]);
    } finally {
      this.#document.seconds += this.#seconds();
      clearTimeout(this.#deadline);
      clearInterval(memory);
      ended.catch(() => undefined);
    }
  }
}

/** The process's memory when it was last looked at, which was not long ago: to look takes as long as a small task. */
function residentMebibytesOfLate(): number {
  return performance.now() - seen.at > 20 * watchMilliseconds ? residentMebibytes() : seen.mebibytes;
}

let seen = { at: -Infinity, mebibytes: 0 };

function residentMebibytes(): number {
  seen = { at: performance.now(), mebibytes: process.memoryUsage.rss() / 1024 ** 2 };
  return seen.mebibytes;
}
