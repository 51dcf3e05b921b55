/**
 * `npm run bench:annotations`: documents through the Pre-Uploader's handler, against a bare loop of the same calls to
 * Document Engine with the same concurrency: such without redactions, and such with them, which are rebuilt and proven.
 * Lambdas are threads, Document Engine is a process of its own; S3, topic and queues are memory, and take no time from
 * either. The last line of stdout is one JSON object.
 * `-- --documents N --rounds N --warm-ups N` for other sizes than 96, 9 and 12.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import getPort from "get-port";
import PQueue from "p-queue";
import { median, tenths } from "../local/load/statistics.ts";
import { display } from "../local/platform/display.ts";
import { connectDocumentEngine, startDocumentEngine } from "../local/platform/services.ts";
import { explain, onInterrupt } from "../local/platform/terminal.ts";
import type { DocumentEngine } from "../processors/shared/document_engine/client.ts";
import { costPerPage, processorMilliseconds } from "./annotations-cost.ts";
import { bareCalls, makeDocuments, type BenchDocument } from "./annotations-documents.ts";
import type { LambdaData } from "./annotations-lambda.ts";

const [concurrency, batchSize] = [8, 2];
/**
 * A Lambda compiles what it runs, PDFium's code too, while it works, over its first few hundred documents, and has only a
 * part of those of a round: so many rounds (`warm-ups`) are run before those that count.
 */
const { values: sizes } = parseArgs({
  options: {
    documents: { type: "string", default: "96" },
    rounds: { type: "string", default: "9" },
    "warm-ups": { type: "string", default: "12" },
  },
});
const [documents, rounds, warmUps] = [Number(sizes.documents), Number(sizes.rounds), Number(sizes["warm-ups"])];

/** Document Engine takes many times as long for redactions: a part of the rounds says enough, for nothing is wanted of them. */
const partWithRedactions = 1 / 4;

/** Documents through the handler and through the bare loop. */
interface Speeds {
  documentsPerSecond: number;
  bareLoop: number;
  ratio: number;
  requestsPerDocument: number;
  /** What a document takes of this process's processors, without Document Engine. */
  processorMilliseconds: Record<Way, number>;
}

type Way = "handler" | "bare";

const stage = display();
const interrupt = onInterrupt();

const folder = await mkdtemp(join(tmpdir(), "exchanger-bench-"));
try {
  const documentEngine = { ...(await placeOf(folder)), directory: join(folder, "documents") };
  const place = { documentEngine, logDir: folder };
  const server = await startDocumentEngine(place);
  const engine = await connectDocumentEngine(place);
  try {
    await measure(documentEngine, engine);
  } finally {
    await engine.close();
    await server.stop();
  }
} catch (error) {
  process.exitCode = explain(error, interrupt.signal);
}
await rm(folder, { recursive: true, force: true });
interrupt.dispose();

async function placeOf(directory: string) {
  const port = await getPort({ host: "127.0.0.1" });
  const tokenFile = join(directory, "token");
  await writeFile(tokenFile, randomUUID(), { mode: 0o600 });
  return { port, url: `http://127.0.0.1:${port}`, tokenFile };
}

async function measure(documentEngine: LambdaData["documentEngine"], engine: DocumentEngine): Promise<void> {
  const objects = new Map<string, Uint8Array>();
  const make = (first: number, withRedactions: boolean) =>
    makeDocuments(engine, objects, { count: documents, first, withRedactions, concurrency });
  const open = await stage(`${documents} documents without redactions`, () => make(1, false));
  const redacted = await stage(`${documents} documents with redactions`, () => make(documents + 1, true));
  const { without, withRedactions } = await withLambdas({ documentEngine, objects }, async (lambdas) => ({
    without: await compare("without redactions", open, { documentEngine, engine, lambdas, rounds, warmUps }),
    withRedactions: await compare("with redactions", redacted, {
      ...{ documentEngine, engine, lambdas },
      rounds: Math.ceil(rounds * partWithRedactions),
      warmUps: Math.ceil(warmUps * partWithRedactions),
    }),
  }));
  const millisecondsPerPage = await stage("Rebuild and proof, page by page", () => costPerPage(engine, redacted));
  process.stderr.write(
    `Without redactions ${without.ratio} of the bare loop (wanted: at least 0.7). With them, a page costs ` +
      `${millisecondsPerPage.rebuild} ms of a processor to rebuild and ${millisecondsPerPage.proof} ms to prove.\n`,
  );
  process.stdout.write(
    `${JSON.stringify({ ...without, withRedactions: { ...withRedactions, millisecondsPerPage } })}\n`,
  );
}

async function compare(
  what: string,
  all: readonly BenchDocument[],
  on: {
    documentEngine: LambdaData["documentEngine"];
    engine: DocumentEngine;
    lambdas: Worker[];
    rounds: number;
    warmUps: number;
  },
): Promise<Speeds> {
  const ways: Record<Way, (of: readonly BenchDocument[]) => Promise<void>> = {
    handler: (of) => throughLambda(on.lambdas, of),
    bare: async (of) => {
      await Promise.all(of.map((document) => bareCalls(on.engine, document)));
    },
  };
  await requestsSince(on.documentEngine);
  const speeds: Record<Way, number[]> = { handler: [], bare: [] };
  const processors: Record<Way, number[]> = { handler: [], bare: [] };
  let requests = 0;
  // By turns, so that a busy machine is busy for both.
  for (let round = 1 - on.warmUps; round <= on.rounds; round++) {
    for (const way of ["handler", "bare"] as const) {
      const title = `${round > 0 ? `Round ${round}` : "Warming up"} ${what}: ${way}`;
      const before = process.cpuUsage();
      const speed = await stage(title, () => run(all, ways[way]));
      const took = processorMilliseconds(before) / all.length;
      const asked = await requestsSince(on.documentEngine);
      if (way === "handler") requests = asked;
      if (round <= 0) continue;
      speeds[way].push(speed);
      processors[way].push(took);
    }
  }
  // Of each round by itself: what else the machine does changes from one to the next.
  const ratios = speeds.handler.map((speed, round) => speed / (speeds.bare[round] ?? NaN));
  return {
    documentsPerSecond: tenths(median(speeds.handler)),
    bareLoop: tenths(median(speeds.bare)),
    ratio: Math.round(median(ratios) * 100) / 100,
    requestsPerDocument: tenths(requests / all.length),
    processorMilliseconds: { handler: tenths(median(processors.handler)), bare: tenths(median(processors.bare)) },
  };
}

async function throughLambda(lambdas: Worker[], documentsOfBatch: readonly BenchDocument[]): Promise<void> {
  const lambda = lambdas.pop();
  if (!lambda) throw new Error("more batches are under way than there are Lambdas");
  lambda.postMessage(documentsOfBatch.map(({ message }) => message));
  const [failures] = (await once(lambda, "message")) as [string[]];
  lambdas.push(lambda);
  // A document that is refused early is fast, and no measurement.
  if (failures.length > 0) throw new Error(failures.join("; "));
}

/** As many as have batches at once, each a thread of its own, for as long as `use` runs. */
async function withLambdas<Result>(data: LambdaData, use: (lambdas: Worker[]) => Promise<Result>): Promise<Result> {
  const all = Array.from(
    { length: concurrency / batchSize },
    () => new Worker(new URL("annotations-lambda.ts", import.meta.url), { workerData: data }),
  );
  try {
    await Promise.all(all.map((lambda) => once(lambda, "message")));
    return await use([...all]);
  } finally {
    await Promise.all(all.map((lambda) => lambda.terminate()));
  }
}

/** Documents per second. */
async function run(
  all: readonly BenchDocument[],
  work: (of: readonly BenchDocument[]) => Promise<void>,
): Promise<number> {
  const queue = new PQueue({ concurrency: concurrency / batchSize });
  const batches = Array.from({ length: Math.ceil(all.length / batchSize) }, (_, index) =>
    all.slice(index * batchSize, (index + 1) * batchSize),
  );
  const started = performance.now();
  await queue.addAll(batches.map((batch) => () => work(batch)));
  return all.length / ((performance.now() - started) / 1000);
}

/** How many requests Document Engine has had since this was last asked. */
async function requestsSince({ url, tokenFile }: LambdaData["documentEngine"]): Promise<number> {
  const token = await readFile(tokenFile, "utf8");
  const ask = (method: string) =>
    fetch(new URL("/stand-in/requests", url), {
      method,
      headers: { authorization: `Token token="${token}"` },
    });
  const seen = (await (await ask("GET")).json()) as unknown[];
  await ask("DELETE");
  return seen.length;
}
