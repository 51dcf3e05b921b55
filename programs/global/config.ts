import { z } from "zod";
import { InvalidInputError } from "../../contracts/errors.ts";
import { consumerTuning, functionTuning } from "./outputs.ts";

const arn = z.string().regex(/^arn:aws[a-z-]*:/, "must be an ARN");
const bucketName = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be the name of a bucket");
const positive = z.int().positive();

/** How often and after how long a step of the state machine is tried again. */
const retry = z.strictObject({
  attempts: z.int().nonnegative().max(1000),
  intervalSeconds: positive,
  backoffRate: z.number().min(1),
  maxDelaySeconds: positive.max(86_400).optional(),
});
export type Retry = z.infer<typeof retry>;

const run = functionTuning.shape;
const consume = consumerTuning.shape;

/** How a Lambda runs, with defaults. */
const runs = (defaults: { memoryMiB: number; timeoutSeconds: number }) => ({
  architecture: run.architecture.default("x86_64"),
  memoryMiB: run.memoryMiB.default(defaults.memoryMiB),
  timeoutSeconds: run.timeoutSeconds.default(defaults.timeoutSeconds),
  environment: run.environment.default({}),
});

/** How a Lambda runs and works off its queue, with defaults. */
const consumes = (
  defaults: { memoryMiB: number; timeoutSeconds: number; maximumConcurrency: number },
  batch = { size: 10, windowSeconds: 0 },
) =>
  z
    .strictObject({
      ...runs(defaults),
      batchSize: consume.batchSize.default(batch.size),
      batchWindowSeconds: consume.batchWindowSeconds.default(batch.windowSeconds),
      maximumConcurrency: consume.maximumConcurrency.default(defaults.maximumConcurrency),
    })
    .refine((tuning) => tuning.batchSize <= 10 || tuning.batchWindowSeconds > 0, {
      path: ["batchWindowSeconds"],
      message: "must be at least 1 when batchSize is above 10",
    })
    .prefault({});

/** The configuration of a global stack: `documentexchanger:global` in `stacks/Pulumi.global-….yaml`. */
export const globalConfig = z.strictObject({
  environment: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, "must be lower-case letters, digits and '-'"),
  region: z.string().min(1),
  /** For S3-compatible stores that know no bucket host names. */
  s3UsePathStyle: z.boolean().default(false),

  /** The existing bucket with the files of all cases. */
  caseBucket: bucketName,
  /** The schema of a case is `{caseSchemaPrefix}_{caseId}`. */
  caseSchemaPrefix: z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,31}$/),
  /** The bucket with Pulumi's state. */
  stateBucket: bucketName,

  /** The uploader module: its command queue, who it is, and how long it may take over one message. */
  uploader: z.strictObject({
    queueUrl: z.url(),
    queueArn: arn,
    principalArn: arn,
    visibilityTimeoutSeconds: positive.max(43_200).default(900),
  }),
  /** Without one, exchanges with annotations are refused, and redactions that others leave behind are not counted. */
  documentEngine: z.strictObject({ url: z.url() }).optional(),
  engine: z.strictObject({
    /** Who may act as the engine. */
    principalArns: z.array(arn).min(1),
    /** How long the engine may take over one event. */
    visibilityTimeoutSeconds: positive.max(43_200).default(60),
  }),

  requireTls: z.boolean().default(true),
  /** Where Document Engine and the databases are reached from; absent where they are reachable anyway. */
  vpc: z
    .strictObject({ subnetIds: z.array(z.string()).min(1), securityGroupIds: z.array(z.string()).min(1) })
    .optional(),

  maxReceiveCount: z.int().min(2).default(3),
  /** A message that an exchange's processor failed at for the first time comes again so soon. */
  retrySeconds: z.int().nonnegative().max(900).default(60),
  logRetentionDays: positive.default(90),
  /** Manifests and reports are kept so long. */
  dataRetentionDays: positive.default(90),
  /** Whether a destroy may delete a data bucket that is not empty. */
  dataMayBeDestroyed: z.boolean().default(false),
  /** A deleted secret can be restored so long; 0 deletes at once. */
  secretRecoveryDays: z.int().nonnegative().max(30).default(30),

  glue: z
    .strictObject({
      version: z.enum(["5.0", "5.1"]).default("5.1"),
      workerType: z.string().default("G.1X"),
      workers: z.int().min(2).default(4),
      timeoutMinutes: positive.max(10_080).default(480),
      maxConcurrentRuns: positive.default(20),
      /** What the job needs beyond Glue's own modules, pinned. */
      pythonModules: z
        .array(z.string().regex(/^[A-Za-z0-9._-]+==[A-Za-z0-9.]+$/, "must be name==version"))
        .default(["PyMySQL==1.2.4", "cryptography==50.0.2"]),
      /** Names of existing network connections, where the databases are reached through a VPC. */
      connections: z.array(z.string()).default([]),
      /** Documents in one part of the manifest; with `payload.maximumParts` it bounds an exchange. */
      manifestPartSize: positive.default(2000),
    })
    .prefault({}),
  recordCopy: z
    .strictObject({
      retry: retry.default({ attempts: 3, intervalSeconds: 30, backoffRate: 2 }),
      /** While more than `glue.maxConcurrentRuns` exchanges copy records. */
      queueRetry: retry.default({ attempts: 100, intervalSeconds: 30, backoffRate: 1.5, maxDelaySeconds: 300 }),
    })
    .prefault({}),
  payload: z
    .strictObject({
      retry: retry.default({ attempts: 5, intervalSeconds: 2, backoffRate: 2 }),
      concurrency: positive.max(40).default(10),
      /** A listing of more parts does not fit into a state (256 KiB). */
      maximumParts: positive.max(750).default(750),
    })
    .prefault({}),

  lambdas: z
    .strictObject({
      payload: z.strictObject(runs({ memoryMiB: 512, timeoutSeconds: 300 })).prefault({}),
      status_update: consumes({ memoryMiB: 256, timeoutSeconds: 30, maximumConcurrency: 2 }),
      ledger: consumes({ memoryMiB: 256, timeoutSeconds: 60, maximumConcurrency: 4 }, { size: 500, windowSeconds: 1 }),
      dead_letter: consumes({ memoryMiB: 256, timeoutSeconds: 60, maximumConcurrency: 2 }),
    })
    .prefault({}),
  /** The Lambdas of exchanges. */
  processors: z
    .strictObject({
      s3_copy: consumes({ memoryMiB: 512, timeoutSeconds: 900, maximumConcurrency: 50 }),
      // A PDF is held several times over while it is given its annotations.
      pre_uploader: consumes(
        { memoryMiB: 3008, timeoutSeconds: 900, maximumConcurrency: 20 },
        { size: 2, windowSeconds: 0 },
      ),
      re_ocr: consumes({ memoryMiB: 512, timeoutSeconds: 900, maximumConcurrency: 10 }),
      // Few statements with many rows.
      search_text: consumes(
        { memoryMiB: 1024, timeoutSeconds: 300, maximumConcurrency: 4 },
        { size: 100, windowSeconds: 2 },
      ),
    })
    .prefault({}),
});
export type GlobalConfig = z.infer<typeof globalConfig>;

/**
 * The configuration of a global stack from what Pulumi read.
 *
 * `${NAME}` in a text stands for an environment variable, for what differs by account or is known only at run time.
 * Throws `CONFIG_INVALID` naming every wrong key, or the first variable that is missing.
 */
export function parseGlobalConfig(
  raw: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): GlobalConfig {
  const parsed = globalConfig.safeParse(withEnvironment(raw, environment, "documentexchanger:global"));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${["documentexchanger:global", ...issue.path].join(".")}: ${issue.message}`,
  );
  throw new InvalidInputError("CONFIG_INVALID", `the stack's configuration is wrong: ${problems.join("; ")}`);
}

function withEnvironment(
  value: unknown,
  environment: Readonly<Record<string, string | undefined>>,
  key: string,
): unknown {
  if (typeof value === "string") {
    return value.replace(/\$\{([A-Z][A-Z0-9_]*)\}/g, (_, name: string) => {
      const found = environment[name];
      if (found !== undefined && found !== "") return found;
      throw new InvalidInputError("CONFIG_INVALID", `${key} needs the environment variable ${name}: set it`);
    });
  }
  if (Array.isArray(value)) return value.map((item, index) => withEnvironment(item, environment, `${key}.${index}`));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, withEnvironment(item, environment, `${key}.${name}`)]),
  );
}
