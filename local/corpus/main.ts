/**
 * `npm run corpus`: PDFs from anywhere through Document Engine's stand-in and the Pre-Uploader, judged by another library.
 * Progress goes to stderr; the last line of stdout is one JSON object.
 */
import { join } from "node:path";
import { explain, onInterrupt } from "../platform/terminal.ts";
import { runCorpus } from "./corpus.ts";
import { readOptions, usage } from "./options.ts";
import { progressOn } from "./progress.ts";

const interrupt = onInterrupt();
try {
  const options = readOptions(process.argv.slice(2), join(import.meta.dirname, "..", "..", ".local", "corpus"));
  if (!options) process.stdout.write(usage);
  else {
    const totals = await runCorpus(options, interrupt.signal, progressOn(process.stderr));
    if (interrupt.signal.aborted) process.exitCode = 130;
    else if (totals.leaks + totals.crashes > 0) process.exitCode = 1;
    process.stderr.write(`Results: ${options.out}\n`);
    process.stdout.write(`${JSON.stringify(totals)}\n`);
  }
} catch (error) {
  process.exitCode = explain(error, interrupt.signal);
}
interrupt.dispose();
