/** Results and errors as they cross from the worker thread. */
import { AlreadyDone, InvalidInputError, PermanentError, RecoverableError } from "../../../contracts/errors.ts";
import { ExchangerError } from "../../../contracts/errors.ts";
import type { ErrorKind } from "../../../contracts/errors.ts";
import { tooComplex } from "./budgets.ts";

export type Reply<Result> = { result: Result; pdfiumMebibytes: number } | { error: ReplyError };

interface ReplyError {
  kind: ErrorKind;
  code: string;
  message: string;
  /** Whether the worker may be in a state that the next task must not meet. */
  isWorkerSpent: boolean;
}

const classes = {
  invalid: InvalidInputError,
  recoverable: RecoverableError,
  permanent: PermanentError,
  already_done: AlreadyDone,
} as const;

/** What was thrown in the worker, without anything that the file says. */
export function replyErrorOf(thrown: unknown): ReplyError {
  const known = thrown instanceof ExchangerError ? thrown : permanentErrorOf(thrown);
  const { kind, code, message } = known;
  return { kind, code, message, isWorkerSpent: known !== thrown };
}

export function errorOf({ kind, code, message }: ReplyError): ExchangerError {
  return new classes[kind](code, message);
}

/** The work is a function of the file: what failed once fails again. */
function permanentErrorOf(thrown: unknown): PermanentError {
  const error = thrown instanceof Error ? thrown : new Error(typeof thrown);
  if (error instanceof RangeError && /call stack/i.test(error.message)) return tooComplex("nesting", error);
  if (error instanceof RangeError && /allocation|string length|array length/i.test(error.message)) {
    return tooComplex("memory", error);
  }
  if (error.name === "RuntimeError") return tooComplex("what PDFium can read", error);
  const place = /at (?:async )?([\w.#<>]+) /.exec(error.stack ?? "")?.[1] ?? "an unknown place";
  return new PermanentError(
    "PDF_UNREADABLE",
    `the PDF cannot be worked on (${error.name} in ${place}): print it to a new PDF in the source case`,
    { cause: error },
  );
}
