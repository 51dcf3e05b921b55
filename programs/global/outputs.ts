import { z } from "zod";
import { processorKinds } from "../../contracts/plan.ts";

const queue = z.object({ url: z.url(), arn: z.string().min(1) });

/** Where a processor's bundle lies; the global stack uploads it once, exchange stacks only refer to it. */
const code = z.object({ bucket: z.string().min(1), key: z.string().min(1), sha256Base64: z.string().min(1) });

/** How a Lambda runs. */
export const functionTuning = z.object({
  architecture: z.enum(["x86_64", "arm64"]),
  memoryMiB: z.int().positive(),
  timeoutSeconds: z.int().positive().max(900),
  /** Further environment variables, e.g. LOG_LEVEL. */
  environment: z.record(z.string(), z.string()),
});

/** How a Lambda runs and works off its queue. */
export const consumerTuning = functionTuning.extend({
  batchSize: z.int().positive().max(10_000),
  batchWindowSeconds: z.int().nonnegative().max(300),
  maximumConcurrency: z.int().min(2).max(1000),
});

/**
 * The outputs of the global stack: the only source of names for the engine and for exchange stacks.
 * Nothing ever rebuilds a name.
 */
export const globalOutputs = z.object({
  environment: z.string().min(1),
  region: z.string().min(1),
  accountId: z.string().min(1),
  topicArn: z.string().min(1),
  orchestrationQueue: queue,
  statusQueue: queue,
  ledgerQueue: queue,
  deadLetterQueue: queue,
  /** Where messages of the global queues end that no consumer could handle; they wait there for an operator. */
  parkedQueue: queue,
  stateMachineArn: z.string().min(1),
  glueJobName: z.string().min(1),
  dataBucket: z.string().min(1),
  caseBucket: z.string().min(1),
  /** The schema of a case is `{caseSchemaPrefix}_{caseId}`. */
  caseSchemaPrefix: z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,31}$/),
  /** SELECT on case schemas, nothing else. Used by the engine to check requests. */
  caseReaderSecretArn: z.string().min(1),
  /** Rows: read the source case, write the destination case. Used by the Glue job. */
  caseDatabaseSecretArn: z.string().min(1),
  /** The engine's own schema. */
  registrySecretArn: z.string().min(1),
  /** The ledger and status tables only. Used by Lambdas. */
  ledgerSecretArn: z.string().min(1),
  /** Every role of an exchange is made under this permissions boundary. */
  boundaryArn: z.string().min(1),
  engineRoleArn: z.string().min(1),
  /** The uploader module: its command queue, and who may consume our `doc_uploader` queues. */
  uploader: z.object({
    queueUrl: z.url(),
    queueArn: z.string().min(1),
    principalArn: z.string().min(1),
    /** How long the uploader may take over one message of a `doc_uploader` queue. */
    visibilityTimeoutSeconds: z.int().positive().max(43_200),
  }),
  /** Deny anything but TLS on queues. Off only where there is no TLS at all. */
  requireTls: z.boolean(),
  maxReceiveCount: z.int().min(2),
  /** A message that an exchange's processor failed at for the first time comes again so soon. */
  retrySeconds: z.int().nonnegative(),
  logRetentionDays: z.int().positive(),
  /** Absent where there is none: then no exchange has annotations. */
  documentEngine: z.object({ url: z.url(), secretArn: z.string().min(1) }).optional(),
  /** The full-text tables of cases. Used by the Lambdas of exchanges. */
  searchTextSecretArn: z.string().min(1),
  /** Where the databases and Document Engine are reached from. */
  vpc: z.object({ subnetIds: z.array(z.string()), securityGroupIds: z.array(z.string()) }).optional(),
  processors: z.record(z.enum(processorKinds), z.object({ code, tuning: consumerTuning })),
});
export type GlobalOutputs = z.infer<typeof globalOutputs>;
