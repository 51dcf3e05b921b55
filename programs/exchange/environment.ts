import type { Input } from "@pulumi/pulumi";
import { InvalidInputError } from "../../contracts/errors.ts";
import type { ProcessorKind, QueueKind } from "../../contracts/plan.ts";
import type { ExchangeStackConfig } from "./config.ts";

/** The queue that each processor hands on to. */
export const nextQueue: Readonly<Record<ProcessorKind, QueueKind | undefined>> = {
  s3_copy: "doc_uploader",
  pre_uploader: "doc_uploader",
  re_ocr: "search_text",
  search_text: undefined,
};

/**
 * Whether a processor calls Document Engine. S3 Copy counts what redactions are left behind, and does so only where no
 * Pre-Uploader accounts for them.
 */
export function callsDocumentEngine(
  kind: ProcessorKind,
  { plan, global }: Pick<ExchangeStackConfig, "plan" | "global">,
): boolean {
  if (!global.documentEngine) return false;
  if (kind === "s3_copy") return !plan.processors.includes("pre_uploader");
  return kind === "pre_uploader" || kind === "re_ocr";
}

/** Whether a processor reaches what lies in the operator's own network: Document Engine or the databases. */
export function usesVpc(kind: ProcessorKind, config: Pick<ExchangeStackConfig, "plan" | "global">): boolean {
  return kind === "search_text" || callsDocumentEngine(kind, config);
}

/** The variables that a processor of an exchange needs. */
export function environmentOf(
  kind: ProcessorKind,
  config: Pick<ExchangeStackConfig, "exchange" | "plan" | "global">,
  urlOf: (queue: QueueKind) => Input<string> | undefined,
): Record<string, Input<string>> {
  const { exchange, global } = config;
  const { exchangeId, caseId } = exchange;
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
  const engine: Record<string, string> =
    global.documentEngine && callsDocumentEngine(kind, config)
      ? {
          DOCUMENT_ENGINE_URL: global.documentEngine.url,
          DOCUMENT_ENGINE_SECRET_ARN: global.documentEngine.secretArn,
        }
      : {};
  switch (kind) {
    case "s3_copy":
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
