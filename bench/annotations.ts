/**
 * `npm run bench:annotations`: documents through the Pre-Uploader's handler, against a bare loop of the same calls to
 * Document Engine with the same concurrency. S3, topic and queues are the local cloud's. The last line of stdout is one
 * JSON object.
 */
import { readFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { SQSEvent } from "aws-lambda";
import PQueue from "p-queue";
import { pino } from "pino";
import { engineDocumentId, type AnnotationChoices } from "../contracts/annotations.ts";
import type { PreUploaderMessage } from "../contracts/messages.ts";
import { reviewLayer, reviewSheet } from "../local/samples/annotations.ts";
import type { ReviewLayer } from "../local/samples/builder.ts";
import { makePdf } from "../local/samples/content/pdf.ts";
import { sampleMoment } from "../local/samples/make.ts";
import { startCloud, type Cloud } from "../local/cloud/cloud.ts";
import { median, tenths } from "../local/load/statistics.ts";
import { display } from "../local/platform/display.ts";
import { defaultRunDir } from "../local/platform/platform.ts";
import { connectDocumentEngine, startDocumentEngine } from "../local/platform/services.ts";
import { explain, onInterrupt } from "../local/platform/terminal.ts";
import { ensureToolchain } from "../local/toolchain/index.ts";
import { startPdfium } from "../processors/pre_uploader/pdf/pdfium.ts";
import { preUploaderHandler } from "../processors/pre_uploader/process.ts";
import type { DocumentEngine } from "../processors/shared/document_engine/client.ts";

const [documents, rounds, concurrency, batchSize] = [48, 5, 4, 2];
const caseId = 102;
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

try {
  const cloud = await stage("Cloud", async (progress) =>
    startCloud({ runDir: defaultRunDir, toolchain: await ensureToolchain(progress), progress }),
  );
  const server = await startDocumentEngine(cloud);
  const engine = await connectDocumentEngine(cloud);
  try {
    await measure(cloud, engine);
  } finally {
    await engine.close();
    await server.stop();
    await cloud.stop();
  }
} catch (error) {
  process.exitCode = explain(error, interrupt.signal);
}
interrupt.dispose();

interface Document {
  id: string;
  pdf: Uint8Array;
  layer: ReviewLayer;
  message: PreUploaderMessage;
}

async function measure(cloud: Cloud, engine: DocumentEngine): Promise<void> {
  const aws = cloud.client("operator");
  const [s3, sns, sqs] = [new S3Client(aws), new SNSClient(aws), new SQSClient(aws)];
  const all = await stage(`${documents} documents`, () => makeDocuments(cloud, s3, engine));
  const { TopicArn: topicArn = "" } = await sns.send(new CreateTopicCommand({ Name: "doc_exch_bench" }));
  const queue = async (QueueName: string) => (await sqs.send(new CreateQueueCommand({ QueueName }))).QueueUrl ?? "";
  const wasm = new URL(import.meta.resolve("@embedpdf/pdfium/pdfium.wasm"));
  const handle = preUploaderHandler({
    ...{ s3, sns, sqs, engine, topicArn },
    pdfium: await startPdfium(new Uint8Array(await readFile(wasm))),
    log: pino({ level: "silent" }),
    now: () => new Date(),
    uploaderQueueUrl: await queue("doc_exch_bench_uploader"),
    deadLetterQueueUrl: await queue("doc_exch_bench_dead"),
    maxReceiveCount: 3,
    maximumPdfBytes: 150 * 1024 ** 2,
  });
  const ways = {
    handler: async (of: readonly Document[]) => {
      const { batchItemFailures } = await handle(batchOf(of));
      if (batchItemFailures.length > 0) throw new Error(`${batchItemFailures.length} documents failed`);
    },
    bare: async (of: readonly Document[]) => {
      await Promise.all(of.map((document) => bareCalls(engine, document)));
    },
  };
  await requestsSince(cloud);
  const speeds: Record<keyof typeof ways, number[]> = { handler: [], bare: [] };
  let requests = 0;
  // By turns, so that a busy machine is busy for both; the first round only warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const way of ["handler", "bare"] as const) {
      const speed = await stage(`Round ${round}: ${way}`, () => run(all, ways[way]));
      const asked = await requestsSince(cloud);
      if (way === "handler") requests = asked;
      if (round > 0) speeds[way].push(speed);
    }
  }
  for (const client of [s3, sns, sqs]) client.destroy();
  const [documentsPerSecond, bareLoop] = [median(speeds.handler), median(speeds.bare)];
  const result = {
    documentsPerSecond: tenths(documentsPerSecond),
    bareLoop: tenths(bareLoop),
    ratio: Math.round((documentsPerSecond / bareLoop) * 100) / 100,
    requestsPerDocument: tenths(requests / documents),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

/** Documents per second. */
async function run(all: readonly Document[], work: (of: readonly Document[]) => Promise<void>): Promise<number> {
  const lambdas = new PQueue({ concurrency: concurrency / batchSize });
  const batches = Array.from({ length: Math.ceil(all.length / batchSize) }, (_, index) =>
    all.slice(index * batchSize, (index + 1) * batchSize),
  );
  const started = performance.now();
  await lambdas.addAll(batches.map((batch) => () => work(batch)));
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
  await engine.build(pdf, { ...layer, annotations: branded, comments: [] }, [
    "applyInstantJson",
    "applyRedactions",
    "flatten",
  ]);
}

async function makeDocuments(cloud: Cloud, s3: S3Client, engine: DocumentEngine): Promise<Document[]> {
  const making = new PQueue({ concurrency });
  return making.addAll(
    Array.from({ length: documents }, (_, index) => async () => {
      const sheet = reviewSheet(index);
      const text = `Page of document ${index}. ${"Words that stay where they are. ".repeat(30)}`;
      const pages = Array.from({ length: 5 }, () => text);
      const pdf = await makePdf({ title: "", author: "", pages, created: sampleMoment, unicode: false, sheet });
      const layer = reviewLayer({ serial: index, sheet, exhibit: 0, pageIndex: pages.length, now: sampleMoment });
      const [documentId, exhibitId] = [String(index + 1), String(index + 1001)];
      const id = engineDocumentId({ caseId: exchange.sourceCaseId, batchId: "import", documentId, exhibitId });
      const sourceKey = `case_${exchange.sourceCaseId}/${documentId}.pdf`;
      await s3.send(new PutObjectCommand({ Bucket: cloud.caseBucket, Key: sourceKey, Body: pdf }));
      await engine.upload(id, pdf, layer);
      return { id, pdf, layer, message: messageOf(documentId, exhibitId, sourceKey, cloud.caseBucket) };
    }),
  );
}

function messageOf(documentId: string, exhibitId: string, sourceKey: string, bucket: string): PreUploaderMessage {
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

function batchOf(of: readonly Document[]): SQSEvent {
  return {
    Records: of.map(({ message }) => ({
      ...{ messageId: randomUUID(), receiptHandle: "", body: JSON.stringify(message), messageAttributes: {} },
      attributes: {
        ...{ ApproximateReceiveCount: "1", SentTimestamp: "", SenderId: "", ApproximateFirstReceiveTimestamp: "" },
      },
      ...{ md5OfBody: "", eventSource: "aws:sqs", eventSourceARN: "", awsRegion: "us-east-1" },
    })),
  };
}

/** How many requests Document Engine has had since this was last asked. */
async function requestsSince({ documentEngine }: Cloud): Promise<number> {
  const token = await readFile(documentEngine.tokenFile, "utf8");
  const ask = (method: string) =>
    fetch(new URL("/stand-in/requests", documentEngine.url), {
      method,
      headers: { authorization: `Token token="${token}"` },
    });
  const seen = (await (await ask("GET")).json()) as unknown[];
  await ask("DELETE");
  return seen.length;
}
