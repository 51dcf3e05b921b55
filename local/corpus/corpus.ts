import { createWriteStream } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { once } from "node:events";
import PQueue from "p-queue";
import { InvalidInputError } from "../../contracts/errors.ts";
import { fileTree, type FoundFile } from "../samples/file-tree.ts";
import { sendThrough, type FileReport } from "./one-file.ts";
import type { CorpusOptions } from "./options.ts";
import { openPipeline, type Pipeline, type SentOn } from "./pipeline.ts";
import { totalsOf, type Totals } from "./totals.ts";
import { readWordsFile, type Wanted } from "./words-file.ts";

/** What is called as files are done. */
export type OnFile = (done: FileReport, counts: { done: number; files: number; elapsedSeconds: number }) => void;

/**
 * Sends every PDF of a folder through and writes what comes out: `report.jsonl`, and for each document that is produced its
 * PDF under `produced/` with its layers in a folder of its name beside it.
 *
 * @throws InvalidInputError NO_DIRECTORY, NO_FILES, WORDS_FILE
 */
export async function runCorpus(options: CorpusOptions, signal: AbortSignal, onFile: OnFile): Promise<Totals> {
  const files = await pdfsIn(options.files);
  const wanted = options.words === undefined ? new Map<string, Wanted>() : await readWordsFile(options.words);
  const produced = join(options.out, "produced");
  await rm(produced, { recursive: true, force: true });
  await mkdir(produced, { recursive: true });
  const lines = createWriteStream(join(options.out, "report.jsonl"));
  const pipeline = await openPipeline();
  const reports: FileReport[] = [];
  const started = performance.now();
  const queue = new PQueue({ concurrency: options.concurrency });
  try {
    await queue.addAll(
      files.map(({ path, names }, index) => async () => {
        if (signal.aborted) return;
        const file = names.join("/");
        const { report, sentOn } = await oneFile(pipeline, {
          path,
          file,
          number: index + 1,
          wanted: wanted.get(file),
          options,
        });
        if (sentOn) await write(produced, file, sentOn);
        lines.write(`${JSON.stringify(report)}\n`);
        reports.push(report);
        onFile(report, {
          done: reports.length,
          files: files.length,
          elapsedSeconds: (performance.now() - started) / 1000,
        });
      }),
    );
  } finally {
    await pipeline.close();
    lines.end();
    await once(lines, "close");
  }
  return totalsOf(reports, peakMemoryMiB());
}

async function oneFile(
  pipeline: Pipeline,
  about: { path: Buffer; file: string; number: number; wanted: Wanted | undefined; options: CorpusOptions },
): Promise<{ report: FileReport; sentOn: SentOn | undefined }> {
  const { path, file, number, wanted, options } = about;
  const bytes = new Uint8Array(await readFile(path));
  return sendThrough(pipeline, { file, number, bytes, wanted, withRedactions: options.withRedactions });
}

async function pdfsIn(directory: string): Promise<FoundFile[]> {
  const { files } = await fileTree(directory);
  const pdfs = files.filter(({ names }) => /\.pdf$/i.test(names.at(-1) ?? ""));
  if (pdfs.length > 0) return pdfs;
  throw new InvalidInputError("NO_FILES", `there is no PDF in '${directory}': name a folder that has some`);
}

async function write(folder: string, file: string, { pdf, layers }: SentOn): Promise<void> {
  const target = join(folder, file);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, pdf);
  if (layers.length === 0) return;
  const beside = target.replace(/\.pdf$/i, "");
  await mkdir(beside, { recursive: true });
  for (const { name, content } of layers) await writeFile(join(beside, name), content);
}

/** Of this process with all of its threads. */
function peakMemoryMiB(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}
