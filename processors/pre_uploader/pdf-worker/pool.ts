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

/** The work on PDFs, done by a thread of its own. Errors are those of the tasks, or PDF_TOO_COMPLEX. */
export interface PdfWork {
  prepare: (original: Uint8Array) => Promise<Prepared>;
  terms: (source: Uint8Array, redactions: readonly Redaction[], allowedTexts: readonly string[]) => Promise<TermsData>;
  separate: (source: Uint8Array, pageIndexes: ReadonlySet<number>) => Promise<Uint8Array>;
  /** Takes `produced` over: its buffer belongs to the worker afterwards, and must not be read any more. */
  finish: (job: FinishJob) => Promise<Finished>;
  close: () => Promise<void>;
}

export interface PdfWorkOptions {
  /** The file of the worker thread: `worker.ts`, or its bundle. */
  script: string;
  /** The file of PDFium's code. */
  wasm: string;
  budgets?: Budgets;
}

/** How often the memory of the process is looked at. */
const watchMilliseconds = 50;

/**
 * One worker at a time, made when a task needs it. A task beyond its budget ends with its worker, and the next task gets
 * a new one.
 */
export function createPdfWork({ script, wasm, budgets = defaultBudgets }: PdfWorkOptions): PdfWork {
  const queue = new PQueue({ concurrency: 1 });
  let pool: workerpool.Pool | undefined;
  /** The number of pages of files that tasks returned. */
  const pagesOf = new WeakMap<Uint8Array, number>();

  const start = async () => {
    const started = workerpool.pool(script, {
      ...{ workerType: "thread", maxWorkers: 1 },
      workerThreadOpts: { workerData: { wasm } satisfies WorkerData },
    });
    try {
      await started.exec("start");
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

  const run = <Result>(
    method: string,
    pages: number | undefined,
    parameters: unknown[],
    size: TaskSize,
    transfer: ArrayBuffer[] = [],
  ) =>
    queue.add(async () => {
      pool ??= await start();
      const watch = new Watch(allowanceOf(budgets, size), pages);
      const on = (progress: Progress) => {
        watch.allow(progress.pages);
      };
      let reply: Reply<Result>;
      try {
        const work = pool.exec(method, [pages, ...parameters], { transfer, on }) as unknown as PromiseLike<
          Reply<Result>
        >;
        reply = await watch.over(work);
      } catch (thrown) {
        await discard();
        throw thrown;
      }
      if ("error" in reply) {
        if (reply.error.isWorkerSpent) await discard();
        throw errorOf(reply.error);
      }
      if (reply.pdfiumMebibytes > budgets.pdfiumMebibytes) await discard();
      return reply.result;
    });

  return {
    prepare: async (original) => {
      const size = { bytes: original.length, redactedPages: 0 };
      const prepared = await run<Prepared>("prepare", undefined, [original], size);
      pagesOf.set(prepared.bytes, prepared.pages);
      return prepared;
    },
    terms: (source, redactions, allowedTexts) => {
      const size = sizeOf(source, redactions);
      return run("terms", pagesOf.get(source), [source, redactions, allowedTexts], size);
    },
    separate: async (source, pageIndexes) => {
      const [pages, size] = [pagesOf.get(source), { bytes: source.length, redactedPages: pageIndexes.size }];
      const separated = await run<Uint8Array>("separate", pages, [source, pageIndexes], size);
      if (pages !== undefined) pagesOf.set(separated, pages);
      return separated;
    },
    finish: (job) => {
      const { source, produced, redactions } = job;
      const isGiven = isWholeBuffer(produced) && produced.buffer !== source.buffer;
      return run("finish", pagesOf.get(source), [job], sizeOf(source, redactions), isGiven ? [produced.buffer] : []);
    },
    close: async () => {
      await queue.onIdle();
      await discard();
    },
  };
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
  #deadline: NodeJS.Timeout | undefined;

  constructor(allowance: Allowance, pages = 0) {
    this.#allowance = allowance;
    this.#exceeded.promise.catch(() => undefined);
    this.allow(pages);
  }

  /** The file has so many pages. */
  allow(pages: number): void {
    clearTimeout(this.#deadline);
    const seconds = this.#allowance.seconds(pages);
    this.#deadline = setTimeout(
      () => {
        this.#exceeded.reject(tooComplex(`${Math.ceil(seconds)} s`));
      },
      seconds * 1000 - (performance.now() - this.#began),
    );
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
