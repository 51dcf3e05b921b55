/** A pre-uploader with a topic, queues, a bucket and a Document Engine of its own. */
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { engineDocumentId } from "../../contracts/annotations.ts";
import type { AnnotationChoices, EngineRecord } from "../../contracts/annotations.ts";
import type { ExchangeContext } from "../../contracts/ids.ts";
import type { PreUploaderMessage } from "../../contracts/messages.ts";
import type { PreUploaderDependencies } from "../../processors/pre_uploader/dependencies.ts";
import { openEngine, pdfWork } from "./engine_bench.ts";
import type { EngineBench } from "./engine_bench.ts";
import { connect, newExchange, now, required, silent } from "./support.ts";
import type { Aws } from "./support.ts";

/** Everything becomes part of the page. */
export const allBranded: AnnotationChoices = {
  redactionsAs: "brand_in",
  highlightsAs: "brand_in",
  notesAs: "brand_in",
  stickersAs: "brand_in",
  batesAs: "brand_in",
  confidentialityCodesAs: "brand_in",
  comments: true,
};

export interface AnnotationBench {
  aws: Aws;
  engine: EngineBench;
  to: PreUploaderDependencies;
  heard: string;
  /** A document of a new exchange with its PDF on S3 and, per exhibit, its annotations in Document Engine. */
  place: (
    pdf: Uint8Array,
    exhibits: readonly EngineRecord[][],
    choices?: AnnotationChoices,
  ) => Promise<PreUploaderMessage>;
  bytes: (key: string) => Promise<Uint8Array>;
  json: (key: string) => Promise<Record<string, unknown>>;
  /** Keys in the destination case of an exchange. */
  keys: (exchange: ExchangeContext) => Promise<string[]>;
  close: () => Promise<void>;
}

export async function openAnnotationBench(): Promise<AnnotationBench> {
  const [aws, engine, pdf] = [await connect(), await openEngine(), await pdfWork()];
  const bucket = aws.cloud.caseBucket;
  const { topicArn, heard } = await aws.topic();
  const bytes = async (key: string) => {
    const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return required(Body).transformToByteArray();
  };
  return {
    aws,
    engine,
    heard,
    to: {
      ...{ s3: aws.s3, sqs: aws.sqs, sns: aws.sns, engine: engine.engine, pdf },
      log: silent,
      now: () => now,
      topicArn,
      uploaderQueueUrl: await aws.queue(),
      feed: await aws.feed(),
      maximumPdfBytes: 10_000_000,
    },
    place: async (content, exhibits, choices = allBranded) => {
      const message = preUploaderMessage(newExchange(), bucket, exhibits.length, choices);
      await aws.s3.send(new PutObjectCommand({ Bucket: bucket, Key: message.file.sourceKey, Body: content }));
      for (const [index, records] of exhibits.entries()) {
        const documentId = sourceDocumentId(message, index);
        await engine.engine.upload(documentId, content);
        if (records.length > 0) await engine.engine.addAnnotations(documentId, records);
      }
      await engine.requests();
      return message;
    },
    bytes,
    json: async (key) => JSON.parse(Buffer.from(await bytes(key)).toString()) as Record<string, unknown>,
    keys: async ({ caseId }) => {
      const listing = new ListObjectsV2Command({ Bucket: bucket, Prefix: `case_${caseId}/` });
      return ((await aws.s3.send(listing)).Contents ?? []).flatMap(({ Key }) => Key ?? []).sort();
    },
    close: async () => {
      aws.destroy();
      await engine.stop();
    },
  };
}

export function sourceDocumentId({ exchange, documentId, exhibits }: PreUploaderMessage, index = 0): string {
  const exhibitId = required(exhibits[index]).sourceExhibitId;
  return engineDocumentId({ caseId: exchange.sourceCaseId, batchId: "import-1", documentId, exhibitId });
}

export function preUploaderMessage(
  exchange: ExchangeContext,
  bucket: string,
  exhibits: number,
  annotations: AnnotationChoices,
): PreUploaderMessage {
  const pairs = Array.from({ length: exhibits }, (_, index) => ({
    sourceExhibitId: String(50 + index),
    exhibitId: String(700 + index),
  }));
  return {
    kind: "pre_uploader",
    exchange,
    documentId: "7",
    destinationDocumentId: "70",
    exhibitIds: pairs.map(({ exhibitId }) => exhibitId),
    exhibits: pairs,
    sourceBatchId: "import-1",
    bucket,
    file: {
      fileId: "11",
      destinationFileId: "110",
      role: "document",
      sourceKey: `case_${exchange.sourceCaseId}/files/11.pdf`,
      destinationKey: `case_${exchange.caseId}/processed-files/b1/document/70/110.pdf`,
      size: 5,
      sha256: null,
    },
    annotations,
  };
}
