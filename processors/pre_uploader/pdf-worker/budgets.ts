import { PermanentError } from "../../../contracts/errors.ts";

/** What one document may take: time for all of its tasks together, memory for each. A file is allowed more the larger it is; a page with redactions has to be drawn several times. */
export interface Budgets {
  seconds: { base: number; perMebibyte: number; perPage: number; perRedactedPage: number; most: number };
  /** Growth of the process's resident memory while the task runs. */
  mebibytes: { base: number; perMebibyte: number };
  /** PDFium's memory never shrinks: a worker whose PDFium has grown beyond this is replaced after its task. */
  pdfiumMebibytes: number;
}

/**
 * Real files of a few mebibytes take less than two seconds, and PDFium less than 128 MiB; the Lambda has 3008 MiB and
 * 900 s for two documents.
 */
export const defaultBudgets: Budgets = {
  seconds: { base: 6, perMebibyte: 0.15, perPage: 0.1, perRedactedPage: 0.25, most: 180 },
  mebibytes: { base: 768, perMebibyte: 8 },
  pdfiumMebibytes: 128,
};

/** What is known of a task's file before it is opened. */
export interface TaskSize {
  bytes: number;
  redactedPages: number;
}

export interface Allowance {
  mebibytes: number;
  /** Seconds in all, once it is known how many pages the file has. */
  seconds: (pages: number) => number;
}

const mebibyte = 1024 ** 2;

export function allowanceOf({ seconds, mebibytes }: Budgets, { bytes, redactedPages }: TaskSize): Allowance {
  const size = bytes / mebibyte;
  const { base, perMebibyte, perPage, perRedactedPage, most } = seconds;
  return {
    seconds: (pages) =>
      Math.min(most, base + size * perMebibyte + pages * perPage + Math.min(redactedPages, pages) * perRedactedPage),
    mebibytes: Math.ceil(mebibytes.base + size * mebibytes.perMebibyte),
  };
}

/** @param budget what was exceeded, with its limit: `8 s` */
export function tooComplex(budget: string, cause?: unknown): PermanentError {
  return new PermanentError(
    "PDF_TOO_COMPLEX",
    `the PDF needs more than the budget of ${budget}: simplify it in the source case, or print it to a new PDF`,
    { cause },
  );
}
