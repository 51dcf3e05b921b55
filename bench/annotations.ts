/**
 * `npm run bench:annotations`: documents through the Pre-Uploader's handler, against a bare loop of the same calls to
 * Document Engine with the same concurrency. Lambdas are threads, Document Engine is a process of its own; S3,
 * topic and queues are memory, and take no time from either. The last line of stdout is one JSON object.
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
import { engineDocumentId, type AnnotationChoices } from "../contracts/annotations.ts";
import type { PreUploaderMessage } from "../contracts/messages.ts";
import { reviewLayer, reviewSheet } from "../local/samples/annotations.ts";
import type { ReviewLayer } from "../local/samples/builder.ts";
import { makePdf } from "../local/samples/content/pdf.ts";
import { sampleMoment } from "../local/samples/make.ts";
import { median, tenths } from "../local/load/statistics.ts";
import { display } from "../local/platform/display.ts";
import { connectDocumentEngine, startDocumentEngine } from "../local/platform/services.ts";
import { explain, onInterrupt } from "../local/platform/terminal.ts";
import type { DocumentEngine } from "../processors/shared/document_engine/client.ts";
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
const caseId = 102;
const bucket = "case-files";
const exchange = { exchangeId: randomUUID(), sourceCaseId: 101, caseId, batchId: "bench" };
/** What lies in the bare loop's calls as in the handler's: images and threads are calls of their own. */
const annotations: AnnotationChoices = {
  redactionsAs: "brand_in",
  highlightsAs: "brand_in",
  stickersAs: "brand_in",
  batesAs: "brand_in",
  confidentialityCodesAs: "brand_in",
  comments: true,
};

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

interface Document {
  id: string;
  pdf: Uint8Array;
  layer: ReviewLayer;
  message: PreUploaderMessage;
}

async function measure(documentEngine: LambdaData["documentEngine"], engine: DocumentEngine): Promise<void> {
  const objects = new Map<string, Uint8Array>();
  const all = await stage(`${documents} documents`, () => makeDocuments(objects, engine));
  const lambdas = await startLambdas({ documentEngine, objects });
  const ways = {
    handler: async (of: readonly Document[]) => {
      const lambda = lambdas.pop();
      if (!lambda) throw new Error("more batches are under way than there are Lambdas");
      lambda.postMessage(of.map(({ message }) => message));
      const [failures] = (await once(lambda, "message")) as [number];
      lambdas.push(lambda);
      if (failures > 0) throw new Error(`${failures} documents failed`);
    },
    bare: async (of: readonly Document[]) => {
      await Promise.all(of.map((document) => bareCalls(engine, document)));
    },
  };
  await requestsSince(documentEngine);
  const speeds: Record<keyof typeof ways, number[]> = { handler: [], bare: [] };
  let requests = 0;
  // By turns, so that a busy machine is busy for both.
  for (let round = 1 - warmUps; round <= rounds; round++) {
    for (const way of ["handler", "bare"] as const) {
      const speed = await stage(`${round > 0 ? `Round ${round}` : "Warming up"}: ${way}`, () => run(all, ways[way]));
      const asked = await requestsSince(documentEngine);
      if (way === "handler") requests = asked;
      if (round > 0) speeds[way].push(speed);
    }
  }
  await Promise.all(lambdas.map((lambda) => lambda.terminate()));
  // Of each round by itself: what else the machine does changes from one to the next.
  const ratios = speeds.handler.map((speed, round) => speed / (speeds.bare[round] ?? NaN));
  const result = {
    documentsPerSecond: tenths(median(speeds.handler)),
    bareLoop: tenths(median(speeds.bare)),
    ratio: Math.round(median(ratios) * 100) / 100,
    requestsPerDocument: tenths(requests / documents),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

/** As many as have batches at once, each a thread of its own. */
function startLambdas(data: LambdaData): Promise<Worker[]> {
  return Promise.all(
    Array.from({ length: concurrency / batchSize }, async () => {
      const lambda = new Worker(new URL("annotations-lambda.ts", import.meta.url), { workerData: data });
      await once(lambda, "message");
      return lambda;
    }),
  );
}

/** Documents per second. */
async function run(all: readonly Document[], work: (of: readonly Document[]) => Promise<void>): Promise<number> {
  const queue = new PQueue({ concurrency: concurrency / batchSize });
  const batches = Array.from({ length: Math.ceil(all.length / batchSize) }, (_, index) =>
    all.slice(index * batchSize, (index + 1) * batchSize),
  );
  const started = performance.now();
  await queue.addAll(batches.map((batch) => () => work(batch)));
  return all.length / ((performance.now() - started) / 1000);
}

/** The calls that the handler makes about a document, and nothing else. */
async function bareCalls(engine: DocumentEngine, { id, pdf, layer }: Document): Promise<void> {
  const records = await engine.annotations(id);
  const images = Object.keys(layer.attachments ?? {});
  const roots = records.filter(({ content }) => content["isCommentThreadRoot"] === true);
  await Promise.all([
    ...images.map((image) => engine.attachment(id, image)),
    ...roots.map((root) => engine.comments(id, root.id)),
  ]);
  const types = new Set(["pspdfkit/note"]);
  const branded = layer.annotations.filter(
    ({ type, isCommentThreadRoot }) => !types.has(String(type)) && isCommentThreadRoot !== true,
  );
  const flattened = branded.filter(({ type }) => type !== "pspdfkit/markup/redaction");
  await engine.build(pdf, { format: layer.format, annotations: branded, attachments: layer.attachments ?? {} }, [
    { type: "applyInstantJson" },
    { type: "applyRedactions" },
    { type: "flatten", annotationIds: flattened.map((annotation) => String(annotation["id"])) },
  ]);
}

async function makeDocuments(objects: Map<string, Uint8Array>, engine: DocumentEngine): Promise<Document[]> {
  const making = new PQueue({ concurrency });
  return making.addAll(
    Array.from({ length: documents }, (_, index) => async () => {
      const sheet = reviewSheet(index);
      const text = `Page of document ${index}. ${"Words that stay where they are. ".repeat(30)}`;
      // As many pages as documents of the sample case have.
      const pages = Array.from({ length: 1 + (index % 3) }, () => text);
      const pdf = await makePdf({ title: "", author: "", pages, created: sampleMoment, unicode: false, sheet });
      const layer = reviewLayer({ serial: index, sheet, exhibit: 0, pageIndex: pages.length, now: sampleMoment });
      const [documentId, exhibitId] = [String(index + 1), String(index + 1001)];
      const id = engineDocumentId({ caseId: exchange.sourceCaseId, batchId: "import", documentId, exhibitId });
      const sourceKey = `case_${exchange.sourceCaseId}/${documentId}.pdf`;
      objects.set(`/${bucket}/${sourceKey}`, pdf);
      await engine.upload(id, pdf, layer);
      return { id, pdf, layer, message: messageOf(documentId, exhibitId, sourceKey) };
    }),
  );
}

function messageOf(documentId: string, exhibitId: string, sourceKey: string): PreUploaderMessage {
  return {
    kind: "pre_uploader",
    ...{ exchange, documentId, destinationDocumentId: documentId, exhibitIds: [exhibitId], bucket, annotations },
    exhibits: [{ sourceExhibitId: exhibitId, exhibitId }],
    sourceBatchId: "import",
    file: {
      ...{ fileId: documentId, destinationFileId: documentId, role: "document", sourceKey, size: 1, sha256: null },
      destinationKey: `case_${caseId}/processed-files/bench/document/${documentId}.pdf`,
    },
  };
}

/** How many requests Document Engine has had since this was last asked. */
async function requestsSince({ url, tokenFile }: { url: string; tokenFile: string }): Promise<number> {
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
