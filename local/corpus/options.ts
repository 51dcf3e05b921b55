import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { InvalidInputError } from "../../contracts/errors.ts";

export const usage = `Usage: npm run corpus -- --files DIR [--words FILE] [--out DIR] [--no-redactions] [--concurrency N]

Sends every PDF in DIR and its sub-folders through the local Document Engine and the Pre-Uploader, with a Bates stamp and
redactions that become part of the pages, and has another library judge what comes out.

  --files DIR       the PDFs
  --words FILE      what to redact: one line for each PDF, its path relative to DIR, then texts, with tabs between them; each is
                    redacted wherever it is drawn. A field @page,left,top,width,height is a box: points from the upper left
                    corner of the page, pages counted from 0. A PDF without a line has up to six words redacted
  --out DIR         where the results go; default .local/corpus
  --no-redactions   only the stamp
  --concurrency N   so many PDFs at a time; default 1
  --help            show this text

The last line of stdout is one JSON object; DIR/report.jsonl has a line for each PDF. The exit code is 1 for leaks or crashes.
`;

export interface CorpusOptions {
  files: string;
  words: string | undefined;
  out: string;
  withRedactions: boolean;
  concurrency: number;
}

/** @throws InvalidInputError OPTIONS; undefined where help is asked for */
export function readOptions(args: readonly string[], defaultOut: string): CorpusOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      files: { type: "string" },
      words: { type: "string" },
      out: { type: "string" },
      redactions: { type: "boolean", default: true },
      concurrency: { type: "string", default: "1" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return undefined;
  if (values.files === undefined)
    throw new InvalidInputError("OPTIONS", "there is no --files DIR: name a folder of PDFs");
  if (values.words !== undefined && !values.redactions) {
    throw new InvalidInputError("OPTIONS", "--words and --no-redactions exclude each other: leave one of them out");
  }
  const concurrency = z.coerce.number().int().min(1).max(64).safeParse(values.concurrency);
  if (!concurrency.success) {
    const message = `--concurrency '${values.concurrency}' is no number from 1 to 64: this machine has ${availableParallelism()} cores`;
    throw new InvalidInputError("OPTIONS", message);
  }
  return {
    files: resolve(values.files),
    words: values.words === undefined ? undefined : resolve(values.words),
    out: resolve(values.out ?? defaultOut),
    withRedactions: values.redactions,
    concurrency: concurrency.data,
  };
}
