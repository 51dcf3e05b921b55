import type { Input } from "@pulumi/pulumi";
import { InvalidInputError } from "../../contracts/errors.ts";
import type { ExchangeContext } from "../../contracts/ids.ts";
import type { ProcessorKind, QueueKind } from "../../contracts/plan.ts";
import type { GlobalOutputs } from "../global/outputs.ts";

/** The queue that each processor hands on to. */
export const nextQueue: Readonly<Record<ProcessorKind, QueueKind | undefined>> = {
  s3_copy: "doc_uploader",
  pre_uploader: "doc_uploader",
  re_ocr: "search_text",
  search_text: undefined,
};

/** The processors that reach what lies in the operator's own network. */
export const usesVpc: ReadonlySet<ProcessorKind> = new Set(["pre_uploader", "re_ocr", "search_text"]);

/** The variables that a processor of an exchange needs. */
export function environmentOf(
  kind: ProcessorKind,
  { exchangeId, caseId }: ExchangeContext,
  global: GlobalOutputs,
  urlOf: (queue: QueueKind) => Input<string> | undefined,
): Record<string, Input<string>> {
  const queueUrl = (queue: QueueKind): Input<string> => {
    const url = urlOf(queue);
    if (url !== undefined) return url;
    throw new InvalidInputError("PLAN_INVALID", `the plan has a processor ${kind} and no queue ${queue} after it`);
  };
  const common = {
    QUEUE_URL: queueUrl(kind),
    TOPIC_ARN: global.topicArn,
    DEAD_LETTER_QUEUE_URL: global.deadLetterQueue.url,
    MAX_RECEIVE_COUNT: String(global.maxReceiveCount),
    RETRY_SECONDS: String(global.retrySeconds),
  };
  const engine = {
    DOCUMENT_ENGINE_URL: global.documentEngine?.url ?? "",
    DOCUMENT_ENGINE_SECRET_ARN: global.documentEngine?.secretArn ?? "",
  };
  switch (kind) {
    case "s3_copy":
      return { ...common, UPLOADER_QUEUE_URL: queueUrl("doc_uploader") };
    case "pre_uploader":
      return { ...common, ...engine, UPLOADER_QUEUE_URL: queueUrl("doc_uploader") };
    case "re_ocr":
      return {
        ...common,
        ...engine,
        SEARCH_QUEUE_URL: queueUrl("search_text"),
        CASE_BUCKET: global.caseBucket,
        EXCHANGE_ID: exchangeId,
      };
    case "search_text":
      return {
        ...common,
        DATABASE_SECRET_ARN: global.searchTextSecretArn,
        CASE_SCHEMA: `${global.caseSchemaPrefix}_${caseId}`,
        EXCHANGE_ID: exchangeId,
      };
  }
}
