import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NoopPolicy } from "cockatiel";
import getPort from "get-port";
import { pino } from "pino";
import { engineDocumentId, type AnnotationChoices, type EngineRecord } from "../../contracts/annotations.ts";
import type { PreUploaderMessage } from "../../contracts/messages.ts";
import { createPdfWork } from "../../processors/pre_uploader/pdf-worker/pool.ts";
import { workerFilesOfSources } from "../../processors/pre_uploader/pdf-worker/worker-files.ts";
import { preUpload } from "../../processors/pre_uploader/process.ts";
import { createDocumentEngine } from "../../processors/shared/document_engine/client.ts";
import { awsInMemory } from "../platform/aws-in-memory.ts";
import { startDocumentEngine } from "../platform/services.ts";

/** What is sent on of one document. */
export interface SentOn {
  pdf: Uint8Array;
  /** Layers and comment threads, by the last part of their keys. */
  layers: { name: string; content: string }[];
  /** What the Pre-Uploader took out of the document, and how many of each. */
  removed: Record<string, number>;
}

/** The Pre-Uploader in this process, and Document Engine in one of its own: what it needs of memory is not ours. */
export interface Pipeline {
  /** Puts a document with its annotations into Document Engine. @returns all annotations that it has of it then */
  place: (number: number, pdf: Uint8Array, records: readonly EngineRecord[]) => Promise<EngineRecord[]>;
  /** Has the Pre-Uploader work on a document that was placed. @throws what the Pre-Uploader throws */
  preUpload: (number: number, pdf: Uint8Array, choices: AnnotationChoices) => Promise<SentOn>;
  close: () => Promise<void>;
}

const bucket = "case-files";
const exchange = { exchangeId: randomUUID(), sourceCaseId: 101, caseId: 102, batchId: "corpus" };
const maximumPdfBytes = 128 * 1024 ** 2;

export async function openPipeline(): Promise<Pipeline> {
  const directory = await mkdtemp(join(tmpdir(), "exchanger-corpus-"));
  const port = await getPort({ host: "127.0.0.1" });
  const [token, tokenFile, url] = [randomUUID(), join(directory, "token"), `http://127.0.0.1:${port}`];
  await writeFile(tokenFile, token, { mode: 0o600 });
  const documentEngine = { port, url, directory: join(directory, "documents"), tokenFile };
  const server = await startDocumentEngine({ documentEngine, logDir: directory });
  const secret = { read: () => Promise.resolve({ token }), forget: () => undefined };
  const engine = createDocumentEngine({ url, secret, retries: new NoopPolicy() });
  const pdf = createPdfWork(workerFilesOfSources());
  const to = {
    ...{ engine, pdf, maximumPdfBytes },
    log: pino({ level: "silent" }),
    now: () => new Date(),
    topicArn: "arn:aws:sns:us-east-1:000000000000:corpus",
    uploaderQueueUrl: "https://sqs.us-east-1.amazonaws.com/000000000000/uploader",
    feed: {
      queueUrl: "https://sqs.us-east-1.amazonaws.com/000000000000/pre_uploader",
      deadLetterQueueUrl: "https://sqs.us-east-1.amazonaws.com/000000000000/dead",
      ...{ maxReceiveCount: 3, retrySeconds: 60 },
    },
  };
  return {
    place: async (number, pdf, records) => {
      const documentId = sourceIdOf(number);
      await engine.upload(documentId, pdf);
      if (records.length > 0) await engine.addAnnotations(documentId, records);
      return engine.annotations(documentId);
    },
    preUpload: async (number, pdf, choices) => {
      const message = messageOf(number, choices);
      const objects = new Map([[`/${bucket}/${message.file.sourceKey}`, pdf]]);
      const events: string[] = [];
      const { s3, sns, sqs } = awsInMemory(objects, (event) => events.push(event));
      try {
        await preUpload({ ...to, s3, sns, sqs }, message);
      } finally {
        for (const client of [s3, sns, sqs]) client.destroy();
      }
      return sentOn(objects, message, events);
    },
    close: async () => {
      await pdf.close();
      await engine.close();
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function sourceIdOf(number: number): string {
  const { sourceCaseId: caseId } = exchange;
  return engineDocumentId({ caseId, batchId: "import", documentId: String(number), exhibitId: String(number) });
}

function messageOf(number: number, annotations: AnnotationChoices): PreUploaderMessage {
  const id = String(number);
  return {
    kind: "pre_uploader",
    ...{ exchange, documentId: id, destinationDocumentId: id, exhibitIds: [id], bucket, annotations },
    exhibits: [{ sourceExhibitId: id, exhibitId: id }],
    sourceBatchId: "import",
    file: {
      ...{ fileId: id, destinationFileId: id, role: "document", size: 1, sha256: null },
      sourceKey: `case_${exchange.sourceCaseId}/${id}.pdf`,
      destinationKey: `case_${exchange.caseId}/processed-files/corpus/document/${id}.pdf`,
    },
  };
}

function sentOn(objects: Map<string, Uint8Array>, { file }: PreUploaderMessage, events: readonly string[]): SentOn {
  const pdf = objects.get(`/${bucket}/${file.destinationKey}`);
  if (!pdf) throw new Error("the Pre-Uploader reported success and wrote no PDF");
  const layers = [...objects]
    .filter(([key]) => key.endsWith(".json"))
    .map(([key, content]) => ({ name: key.split("/").at(-1) ?? key, content: Buffer.from(content).toString() }));
  return { pdf, layers, removed: removedOf(events) };
}

/** The counts in the event about the document. */
function removedOf(events: readonly string[]): Record<string, number> {
  const removed: Record<string, number> = {};
  for (const event of events) {
    const { detail } = JSON.parse(event) as { detail?: { exhibits?: { removed?: Record<string, number> }[] } };
    for (const exhibit of detail?.exhibits ?? []) {
      for (const [what, count] of Object.entries(exhibit.removed ?? {})) removed[what] = (removed[what] ?? 0) + count;
    }
  }
  return removed;
}
