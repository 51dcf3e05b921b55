import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { InvalidInputError } from "../../contracts/errors.ts";
import { parseGlobalConfig } from "../../programs/global/config.ts";
import { globalSettings } from "./fixtures.ts";

describe("the configuration of a global stack", () => {
  it("needs only what nobody but the operator can know, and shows every default", () => {
    // Act
    const config = parseGlobalConfig(globalSettings, {});

    // Assess
    const runs = { architecture: "x86_64", environment: {} };
    expect(config).to.deep.equal({
      ...globalSettings,
      s3UsePathStyle: false,
      uploader: { ...globalSettings.uploader, visibilityTimeoutSeconds: 900 },
      engine: { ...globalSettings.engine, visibilityTimeoutSeconds: 60 },
      requireTls: true,
      maxReceiveCount: 3,
      retrySeconds: 60,
      logRetentionDays: 90,
      dataRetentionDays: 90,
      dataMayBeDestroyed: false,
      secretRecoveryDays: 30,
      glue: {
        version: "5.1",
        workerType: "G.1X",
        workers: 4,
        timeoutMinutes: 480,
        maxConcurrentRuns: 20,
        pythonModules: ["PyMySQL==1.2.4", "cryptography==50.0.2"],
        connections: [],
        manifestPartSize: 2000,
      },
      recordCopy: {
        retry: { attempts: 3, intervalSeconds: 30, backoffRate: 2 },
        queueRetry: { attempts: 100, intervalSeconds: 30, backoffRate: 1.5, maxDelaySeconds: 300 },
      },
      payload: { retry: { attempts: 5, intervalSeconds: 2, backoffRate: 2 }, concurrency: 10, maximumParts: 750 },
      lambdas: {
        payload: { ...runs, memoryMiB: 512, timeoutSeconds: 300 },
        status_update: {
          ...{ ...runs, memoryMiB: 256, timeoutSeconds: 30 },
          ...{ batchSize: 10, batchWindowSeconds: 0, maximumConcurrency: 2 },
        },
        ledger: {
          ...{ ...runs, memoryMiB: 256, timeoutSeconds: 60 },
          ...{ batchSize: 500, batchWindowSeconds: 1, maximumConcurrency: 4 },
        },
        dead_letter: {
          ...{ ...runs, memoryMiB: 256, timeoutSeconds: 60 },
          ...{ batchSize: 10, batchWindowSeconds: 0, maximumConcurrency: 2 },
        },
      },
      processors: {
        s3_copy: {
          ...{ ...runs, memoryMiB: 512, timeoutSeconds: 900 },
          ...{ batchSize: 10, batchWindowSeconds: 0, maximumConcurrency: 50 },
        },
        pre_uploader: {
          ...{ ...runs, memoryMiB: 3008, timeoutSeconds: 900 },
          ...{ batchSize: 2, batchWindowSeconds: 0, maximumConcurrency: 20 },
        },
        re_ocr: {
          ...{ ...runs, memoryMiB: 512, timeoutSeconds: 900 },
          ...{ batchSize: 10, batchWindowSeconds: 0, maximumConcurrency: 10 },
        },
        search_text: {
          ...{ ...runs, memoryMiB: 1024, timeoutSeconds: 300 },
          ...{ batchSize: 100, batchWindowSeconds: 2, maximumConcurrency: 4 },
        },
      },
    });
  });

  it("gives the Glue job by default what its requirements name", async () => {
    // Prepare
    const requirements = await readFile(join(import.meta.dirname, "..", "..", "glue", "requirements.txt"), "utf8");
    const named = requirements.split("\n").filter((line) => /^\w/.test(line));

    // Act
    const { glue } = parseGlobalConfig(globalSettings, {});

    // Assess
    expect(glue.pythonModules).to.deep.equal(named);
  });

  it("takes environment variables where a text names them", () => {
    // Prepare
    const settings = {
      ...globalSettings,
      caseBucket: "case-files-${STAGE}",
      engine: { principalArns: ["arn:aws:iam::${AWS_ACCOUNT_ID}:role/engine"] },
    };

    // Act
    const config = parseGlobalConfig(settings, { STAGE: "blue", AWS_ACCOUNT_ID: "444455556666" });

    // Assess
    expect([config.caseBucket, config.engine.principalArns]).to.deep.equal([
      "case-files-blue",
      ["arn:aws:iam::444455556666:role/engine"],
    ]);
  });

  it("names the key and the environment variable that is missing", () => {
    // Prepare
    const settings = { ...globalSettings, engine: { principalArns: ["arn:aws:iam::${AWS_ACCOUNT_ID}:role/engine"] } };

    // Act
    const act = () => parseGlobalConfig(settings, { AWS_ACCOUNT_ID: "" });

    // Assess
    expect(act)
      .to.throw(
        InvalidInputError,
        "documentexchanger:global.engine.principalArns.0 needs the environment variable AWS_ACCOUNT_ID: set it",
      )
      .with.property("code", "CONFIG_INVALID");
  });

  it("names every key that is wrong, missing or unknown", () => {
    // Prepare
    const settings = {
      ...globalSettings,
      caseBucket: undefined,
      uploader: { ...globalSettings.uploader, principalArn: "uploader" },
      glue: { workers: 1 },
      retires: 3,
      lambdas: { ledger: { batchSize: 100, batchWindowSeconds: 0 } },
    };

    // Act
    const act = () => parseGlobalConfig(settings, {});

    // Assess
    expect(act).to.throw(
      InvalidInputError,
      [
        "the stack's configuration is wrong: documentexchanger:global.caseBucket: Invalid input: expected string, received undefined",
        "documentexchanger:global.uploader.principalArn: must be an ARN",
        "documentexchanger:global.glue.workers: Too small: expected number to be >=2",
        "documentexchanger:global.lambdas.ledger.batchWindowSeconds: must be at least 1 when batchSize is above 10",
        'documentexchanger:global: Unrecognized key: "retires"',
      ].join("; "),
    );
  });
});
