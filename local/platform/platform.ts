import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { buildArtifacts } from "../../build.ts";
import type { GlobalOutputs } from "../../programs/global/outputs.ts";
import { startCloud, type Cloud } from "../cloud/cloud.ts";
import { makeCaseFromFiles } from "../samples/from-files.ts";
import { allEnded } from "../samples/in-turn.ts";
import { makeDestinationCase, makeSampleCases } from "../samples/make.ts";
import { ensureToolchain, type Progress, type Toolchain } from "../toolchain/index.ts";
import { fillSecrets, makeLogins } from "./databases.ts";
import { deployGlobalStack } from "./global-stack.ts";
import { createIssuer, type Issuer } from "./issuer.ts";
import { connectDocumentEngine, startDocumentEngine, startEngine, startUploader, type Service } from "./services.ts";
import type { ReviewedDocument } from "../samples/annotations.ts";
import type { Stage } from "./stage.ts";

/** The folder of a clone's own cloud; two clones do not meet. */
export const defaultRunDir = process.env["EXCHANGER_RUN_DIR"] ?? join(import.meta.dirname, "..", "..", ".local");

export const sourceCaseId = 101;
export const destinationCaseId = 102;
/** The schema prefix of cases on the local database server. */
export const caseSchemaPrefix = "case";

/** The cases that are there to be exchanged, and what their maker knows of them. */
export interface Cases {
  readonly sourceCaseId: number;
  readonly destinationCaseId: number;
  /** What the demo asks for, in the API's words, and the documents that this means. */
  readonly selection: Readonly<Record<string, unknown>>;
  readonly expectedDocumentIds: readonly string[];
  /** The one of them whose PDF is missing on S3, where there is one. */
  readonly missingDocumentId?: string;
  /** Documents with annotations, and what these hide. */
  readonly reviewed: readonly ReviewedDocument[];
  /** What the user should know of his own files. */
  readonly notes: readonly string[];
}

/** Everything, running: the cloud, the global stack, two cases, the uploader and the engine. */
export interface Platform {
  readonly cloud: Cloud;
  readonly outputs: GlobalOutputs;
  readonly cases: Cases;
  readonly issuer: Issuer;
  readonly engineUrl: string;
  stop(): Promise<void>;
}

export interface PlatformOptions {
  readonly stage: Stage;
  /** Holds all files of this run. */
  readonly runDir?: string;
  /** A folder of the user's own files to make the source case of, instead of the sample. */
  readonly files?: string;
  /** A cloud that runs already; whoever started it stops it. */
  readonly cloud?: Cloud;
  /** Further settings of the engine. */
  readonly engineSettings?: Readonly<Record<string, string>>;
  /** Starts another engine than the usual one. */
  readonly startEngine?: (ground: {
    cloud: Cloud;
    outputs: GlobalOutputs;
    issuer: Issuer;
  }) => Promise<Service & { url: string }>;
  /** Aborted when the user wants to leave: what has been started is stopped. */
  readonly signal?: AbortSignal;
}

export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { stage, signal } = options;
  const started = new AsyncDisposableStack();
  const step: Stage = (title, work) => {
    signal?.throwIfAborted();
    return stage(title, work);
  };
  try {
    const toolchain = await step("Tools", ensureToolchain);
    const cloud = await step("Cloud: AWS with enforced IAM, and MariaDB", async (progress) => {
      progress("bundling the Lambdas and the Glue job meanwhile");
      const [running] = await allEnded([cloudOf(options, toolchain, progress, started), buildArtifacts()]);
      return running;
    });
    const [outputs, cases, logins] = await step("Global stack and two cases", async (progress) => {
      const documentEngine = await startDocumentEngine(cloud);
      started.defer(() => documentEngine.stop());
      return allEnded([
        deployGlobalStack(cloud, progress),
        makeCases(cloud, options.files, progress),
        makeLogins(cloud, caseSchemaPrefix),
      ]);
    });
    return await step("Engine and uploader", async (progress) => {
      progress("filling the secrets, starting both under their own identities");
      const issuer = await createIssuer(cloud.runDir);
      await Promise.all([fillSecrets(cloud, outputs, logins), cloud.grantEngineRole(outputs.engineRoleArn)]);
      const engine =
        options.startEngine?.({ cloud, outputs, issuer }) ?? startEngine(cloud, issuer, options.engineSettings);
      const starting = [startUploader(cloud), engine] as const;
      for (const service of starting) {
        started.defer(() =>
          service.then(
            (running) => running.stop(),
            () => undefined,
          ),
        );
      }
      const [, { url }] = await Promise.all(starting);
      return { cloud, outputs, cases, issuer, engineUrl: url, stop: () => started.disposeAsync() };
    });
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

/** The given cloud, or a new one that ends with what has been started. */
async function cloudOf(
  { cloud, runDir = defaultRunDir }: PlatformOptions,
  toolchain: Toolchain,
  progress: Progress,
  started: AsyncDisposableStack,
): Promise<Cloud> {
  if (cloud) return cloud;
  const fresh = await startCloud({ runDir, toolchain, progress });
  started.defer(() => fresh.stop());
  return fresh;
}

async function makeCases(cloud: Cloud, files: string | undefined, progress: Progress): Promise<Cases> {
  const s3 = new S3Client(cloud.client("platform"));
  const documentEngine = await connectDocumentEngine(cloud);
  const store = { database: cloud.database, s3, caseBucket: cloud.caseBucket, caseSchemaPrefix, documentEngine };
  try {
    if (files === undefined) {
      progress("making two sample cases");
      const made = await makeSampleCases({ ...store, sourceCaseId, destinationCaseId });
      return {
        sourceCaseId,
        destinationCaseId,
        selection: { labelId: made.hot.labelId },
        expectedDocumentIds: made.hot.documentIds,
        missingDocumentId: made.missingDocumentId,
        reviewed: made.reviewed,
        notes: [],
      };
    }
    progress(`making a case of the files in ${files}`);
    const [made] = await allEnded([
      makeCaseFromFiles({ ...store, caseId: sourceCaseId, directory: files }),
      makeDestinationCase(store, destinationCaseId),
    ]);
    return {
      sourceCaseId,
      destinationCaseId,
      selection: { all: true },
      expectedDocumentIds: made.documentIds,
      reviewed: [],
      notes: made.notes,
    };
  } finally {
    s3.destroy();
    await documentEngine.close();
  }
}
