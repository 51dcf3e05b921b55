import type { ExchangeStackConfig } from "../../programs/exchange/config.ts";
import type { Artifacts } from "../../programs/global/artifacts.ts";
import type { GlobalOutputs } from "../../programs/global/outputs.ts";
import { account } from "./recording.ts";

const queue = (name: string) => ({
  url: `https://sqs.us-east-1.amazonaws.com/${account}/${name}`,
  arn: `arn:aws:sqs:us-east-1:${account}:${name}`,
});
const secret = (name: string) => `arn:aws:secretsmanager:us-east-1:${account}:secret:${name}`;

const processor = (name: string): GlobalOutputs["processors"]["s3_copy"] => ({
  code: { bucket: "doc-exch-data", key: `artifacts/lambdas/${name}.zip`, sha256Base64: "c2hh" },
  tuning: {
    architecture: "x86_64",
    memoryMiB: 512,
    timeoutSeconds: 100,
    environment: { LOG_LEVEL: "debug" },
    batchSize: 10,
    batchWindowSeconds: 5,
    maximumConcurrency: 50,
  },
});

export const outputs: GlobalOutputs = {
  environment: "test",
  region: "us-east-1",
  accountId: account,
  topicArn: `arn:aws:sns:us-east-1:${account}:doc_exch_events`,
  orchestrationQueue: queue("doc_exch_orch"),
  statusQueue: queue("doc_exch_status"),
  ledgerQueue: queue("doc_exch_ledger"),
  deadLetterQueue: queue("doc_exch_dlq"),
  parkedQueue: queue("doc_exch_parked"),
  stateMachineArn: `arn:aws:states:us-east-1:${account}:stateMachine:doc_exch_record_copy`,
  glueJobName: "doc_exch_record_copy",
  dataBucket: "doc-exch-data",
  caseBucket: "case-files",
  caseSchemaPrefix: "case",
  caseReaderSecretArn: secret("doc_exch_case_reader"),
  caseDatabaseSecretArn: secret("doc_exch_case_database"),
  registrySecretArn: secret("doc_exch_registry"),
  ledgerSecretArn: secret("doc_exch_ledger"),
  documentEngine: { url: "https://engine.example.com", secretArn: secret("doc_exch_document_engine") },
  searchTextSecretArn: secret("doc_exch_search_text"),
  boundaryArn: `arn:aws:iam::${account}:policy/doc_exch_boundary`,
  engineRoleArn: `arn:aws:iam::${account}:role/doc_exch_engine`,
  uploader: {
    ...{ queueUrl: queue("uploader").url, queueArn: queue("uploader").arn },
    principalArn: `arn:aws:iam::${account}:role/uploader`,
    visibilityTimeoutSeconds: 900,
  },
  requireTls: true,
  maxReceiveCount: 3,
  retrySeconds: 60,
  logRetentionDays: 30,
  processors: {
    s3_copy: processor("s3_copy"),
    pre_uploader: processor("pre_uploader"),
    re_ocr: processor("re_ocr"),
    search_text: processor("search_text"),
  },
};

export const exchangeConfig: ExchangeStackConfig = {
  exchange: {
    exchangeId: "0d7a1c1e-7c0e-4c0e-9d3e-0a5b1c2d3e4f",
    sourceCaseId: 11,
    caseId: 22,
    batchId: "b1",
  },
  plan: { queues: ["s3_copy", "doc_uploader"], processors: ["s3_copy"] },
  phase: "running",
  global: outputs,
};

const artifact = (name: string) => ({ path: `/dist/${name}`, sha256Base64: `sha of ${name}` });

export const artifacts: Artifacts = {
  bundles: {
    s3_copy: artifact("s3_copy.zip"),
    pre_uploader: artifact("pre_uploader.zip"),
    re_ocr: artifact("re_ocr.zip"),
    search_text: artifact("search_text.zip"),
    payload: artifact("payload.zip"),
    status_update: artifact("status_update.zip"),
    ledger: artifact("ledger.zip"),
    dead_letter: artifact("dead_letter.zip"),
  },
  glueScript: artifact("script.py"),
  gluePackage: artifact("documentexchanger_glue.zip"),
};

/** What a stack's configuration must say; all else has defaults. */
export const globalSettings = {
  environment: "test",
  region: "us-east-1",
  caseBucket: "case-files",
  caseSchemaPrefix: "case",
  stateBucket: "pulumi-state",
  uploader: {
    queueUrl: queue("uploader").url,
    queueArn: queue("uploader").arn,
    principalArn: `arn:aws:iam::${account}:role/uploader`,
  },
  engine: { principalArns: [`arn:aws:iam::${account}:role/engine-service`] },
};
