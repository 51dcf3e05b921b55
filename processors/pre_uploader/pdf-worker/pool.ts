import PQueue from "p-queue";
import workerpool from "workerpool";
import { RecoverableError } from "../../../contracts/errors.ts";
import type { Prepared } from "../prepare/prepare.ts";
import type { TermsData } from "../proof/terms.ts";
import type { Redaction } from "../redaction.ts";
import { allowanceOf, defaultBudgets, tooComplex } from "./budgets.ts";
import type { Allowance, Budgets } from "./budgets.ts";
import type { Finished, FinishJob } from "./tasks.ts";
import { errorOf } from "./wire.ts";
import type { Reply } from "./wire.ts";
import type { WorkerData } from "./worker.ts";

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

  const run = <Result>(method: string, parameters: unknown[], size: Size, transfer: ArrayBuffer[] = []) =>
    queue.add(async () => {
      const allowance = allowanceOf(budgets, size.bytes, size.redactedPages ?? 0);
      pool ??= await start();
      const work = pool.exec(method, parameters, { transfer }) as unknown as PromiseLike<Reply<Result>>;
      let reply: Reply<Result>;
      try {
        reply = await withinAllowance(work, allowance);
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
    prepare: (original) => run("prepare", [original], { bytes: original.length }),
    terms: (source, redactions, allowedTexts) =>
      run("terms", [source, redactions, allowedTexts], sizeOf(source, redactions)),
    separate: (source, pageIndexes) =>
      run("separate", [source, pageIndexes], { bytes: source.length, redactedPages: pageIndexes.size }),
    finish: (job) => {
      const { source, produced, redactions } = job;
      const isGiven = isWholeBuffer(produced) && produced.buffer !== source.buffer;
      return run("finish", [job], sizeOf(source, redactions), isGiven ? [produced.buffer] : []);
    },
    close: async () => {
      await queue.onIdle();
      await discard();
    },
  };
}

interface Size {
  bytes: number;
  redactedPages?: number;
}

function sizeOf(source: Uint8Array, redactions: readonly Redaction[]): Size {
  return { bytes: source.length, redactedPages: new Set(redactions.map(({ pageIndex }) => pageIndex)).size };
}

/** Whether a file is all that its buffer holds: a small one may lie in a buffer that others use too. */
function isWholeBuffer(file: Uint8Array): file is Uint8Array<ArrayBuffer> {
  return file.buffer instanceof ArrayBuffer && file.byteLength === file.buffer.byteLength;
}

/** @throws PermanentError PDF_TOO_COMPLEX when time or memory run out, or the worker ends by itself */
async function withinAllowance<Result>(work: PromiseLike<Result>, { seconds, mebibytes }: Allowance): Promise<Result> {
  const exceeded = Promise.withResolvers<never>();
  const begin = residentMebibytes();
  const deadline = setTimeout(() => {
    exceeded.reject(tooComplex(`${Math.round(seconds)} s`));
  }, seconds * 1000);
  const watch = setInterval(() => {
    if (residentMebibytes() - begin > mebibytes) exceeded.reject(tooComplex(`${mebibytes} MiB of memory`));
  }, watchMilliseconds);
  const ended = Promise.resolve(work).catch((cause: unknown) => {
    throw tooComplex("what one worker can do", cause);
  });
  try {
    return await Promise.race([ended, exceeded.promise]);
  } finally {
    clearTimeout(deadline);
    clearInterval(watch);
    ended.catch(() => undefined);
  }
}

function residentMebibytes(): number {
  return process.memoryUsage.rss() / 1024 ** 2;
}
