import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { execa } from "execa";
import { buildArtifacts } from "../build.ts";
import type { Artifact } from "../build.ts";
import { createPdfWork } from "../processors/pre_uploader/pdf-worker/pool.ts";
import { makePdf } from "./processors/engine_bench.ts";
import { connect, drain, newExchange, required, startCloudFirst } from "./processors/support.ts";
import type { Aws } from "./processors/support.ts";

const root = join(import.meta.dirname, "..");

/** What the build reads. */
const sources = ["build.ts", "contracts", "processors", "glue", "package.json", "tsconfig.json"];

const names = [
  "glue/documentexchanger_glue.zip",
  "glue/script.py",
  "lambdas/dead_letter.zip",
  "lambdas/ledger.zip",
  "lambdas/payload.zip",
  "lambdas/pre_uploader.zip",
  "lambdas/re_ocr.zip",
  "lambdas/s3_copy.zip",
  "lambdas/search_text.zip",
  "lambdas/status_update.zip",
];

describe("the build", () => {
  startCloudFirst();

  let folder: string;
  let built: Artifact[];
  let aws: Aws;

  before(async function () {
    this.timeout(60_000);
    folder = await mkdtemp(join(tmpdir(), "exchanger-build-"));
    built = await buildArtifacts({ outputFolder: join(folder, "here") });
    aws = await connect();
  });
  after(async () => {
    aws.destroy();
    await rm(folder, { recursive: true, force: true });
  });

  const hashes = async (output: string) =>
    Object.fromEntries(
      await Promise.all(
        names.map(async (name) => {
          const content = await readFile(join(output, name));
          return [name, createHash("sha256").update(content).digest("hex")] as const;
        }),
      ),
    );
  const textOf = (name: string) => readFile(join(folder, "here", name), "latin1");

  it("makes a bundle of every Lambda, the Glue package and the Glue script, and nothing else", async () => {
    // Act
    const files = await readdir(join(folder, "here"), { recursive: true, withFileTypes: true });

    // Assess
    expect(built.map(({ path }) => path).sort()).to.deep.equal(names);
    expect(files.filter((entry) => entry.isFile())).to.have.length(names.length);
    for (const { path, bytes } of built) expect((await readFile(join(folder, "here", path))).length).to.equal(bytes);
  });

  it("gives the same bytes in another folder, another time zone and the second time", async function () {
    this.timeout(60_000);
    // Prepare
    const elsewhere = join(folder, "else", "where");
    for (const source of sources) await cp(join(root, source), join(elsewhere, source), { recursive: true });
    await symlink(join(root, "node_modules"), join(elsewhere, "node_modules"));
    await writeFile(join(elsewhere, "glue", "documentexchanger_glue", "left.pyc"), "");

    // Act
    await execa(process.execPath, ["build.ts"], { cwd: elsewhere, env: { TZ: "Pacific/Auckland" } });
    await buildArtifacts({ outputFolder: join(folder, "again") });

    // Assess
    const expected = await hashes(join(folder, "here"));
    expect(await hashes(join(elsewhere, "dist"))).to.deep.equal(expected);
    expect(await hashes(join(folder, "again"))).to.deep.equal(expected);
  });

  it("builds into one folder twice at once, and removes what an earlier build left there", async function () {
    this.timeout(60_000);
    // Prepare
    const output = join(folder, "shared");
    await mkdir(join(output, "lambdas"), { recursive: true });
    await writeFile(join(output, "lambdas", "former.zip"), "");

    // Act
    await Promise.all([buildArtifacts({ outputFolder: output }), buildArtifacts({ outputFolder: output })]);

    // Assess
    expect(await hashes(output)).to.deep.equal(await hashes(join(folder, "here")));
    const files = await readdir(output, { recursive: true, withFileTypes: true });
    expect(files.filter((entry) => entry.isFile())).to.have.length(names.length);
  });

  it("puts no path of this machine and no test into what is uploaded", async () => {
    for (const name of names) {
      const text = await textOf(name);
      expect(text).not.to.contain(root);
      expect(text).not.to.match(/__pycache__|test_\w+\.py|glue\/tests/);
    }
  });

  it("fails and names it when a source is missing", async () => {
    // Prepare
    const broken = join(folder, "broken");
    for (const source of ["contracts", "processors"]) {
      await cp(join(root, source), join(broken, source), { recursive: true });
    }
    await symlink(join(root, "node_modules"), join(broken, "node_modules"));

    // Act
    const error: unknown = await buildArtifacts({ root: broken }).catch((thrown: unknown) => thrown);

    // Assess
    expect(String(error)).to.contain("glue");
  });

  describe("of a Lambda", () => {
    let lambda: LambdaClient;
    let role: string;

    before(async () => {
      lambda = new LambdaClient(aws.cloud.client("operator"));
      const iam = new IAMClient(aws.cloud.client("operator"));
      const RoleName = `doc_exch_test_${newExchange().exchangeId}`;
      const trust = { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" };
      const rights = { Effect: "Allow", Action: ["s3:GetObject", "sqs:SendMessage"], Resource: "*" };
      const document = (Statement: object) => JSON.stringify({ Version: "2012-10-17", Statement: [Statement] });
      const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: document(trust) }));
      await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "all", PolicyDocument: document(rights) }));
      iam.destroy();
      role = required(Role?.Arn);
    });
    after(() => {
      lambda.destroy();
    });

    /** Deploys a bundle, invokes it once and removes it. */
    const invoke = async (name: string, payload: unknown, Variables: Record<string, string> = {}) => {
      const FunctionName = `doc_exch_test_${name}_${newExchange().exchangeId}`;
      const ZipFile = await readFile(join(folder, "here", "lambdas", `${name}.zip`));
      await lambda.send(
        new CreateFunctionCommand({
          FunctionName,
          Role: role,
          Runtime: "nodejs24.x",
          Handler: "handler.handler",
          Code: { ZipFile },
          Timeout: 30,
          Environment: { Variables },
        }),
      );
      await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 30 }, { FunctionName });
      const answer = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(payload) }));
      await lambda.send(new DeleteFunctionCommand({ FunctionName }));
      return JSON.parse(Buffer.from(answer.Payload ?? []).toString()) as unknown;
    };

    it("runs as it is, without anything beside it", async function () {
      this.timeout(60_000);
      // Prepare
      const exchange = newExchange();
      const queueUrl = await aws.queue();
      const partKey = `exchanges/${exchange.exchangeId}/manifest/part-00000.jsonl`;
      const line = { documentId: "1", destinationDocumentId: "2", sourceBatchId: null, exhibits: [], files: [] };
      const Body = Buffer.from(JSON.stringify(line));
      await aws.s3.send(new PutObjectCommand({ Bucket: aws.cloud.caseBucket, Key: partKey, Body }));
      const input = {
        exchange,
        dataBucket: aws.cloud.caseBucket,
        partKey,
        caseBucket: "c",
        annotations: null,
        queues: { s3_copy: queueUrl },
      };

      // Act
      const result = await invoke("payload", input, { TOPIC_ARN: "arn:aws:sns:us-east-1:000000000000:none" });

      // Assess
      const none = { copy: 0, pre_upload: 0, upload: 0, re_ocr: 0, search: 0 };
      expect(result).to.deep.equal({ part: partKey, documents: 1, ...none });
      expect(await drain(aws.sqs, queueUrl)).to.deep.equal([]);
    });

    it("runs as pre_uploader with the PDF library that lies beside its bundle", async function () {
      this.timeout(60_000);
      const url = "http://127.0.0.1:9/";
      const answer = await invoke(
        "pre_uploader",
        { Records: [] },
        {
          TOPIC_ARN: "topic",
          DEAD_LETTER_QUEUE_URL: url,
          MAX_RECEIVE_COUNT: "3",
          RETRY_SECONDS: "60",
          QUEUE_URL: url,
          UPLOADER_QUEUE_URL: url,
          DOCUMENT_ENGINE_URL: url,
          DOCUMENT_ENGINE_SECRET_ARN: "secret",
        },
      );
      expect(answer).to.deep.equal({ batchItemFailures: [] });
    });

    it("has a worker thread for PDFs beside the bundle of pre_uploader", async function () {
      this.timeout(60_000);
      // Prepare
      const output = join(folder, "pre_uploader");
      await execa("python3", ["-m", "zipfile", "-e", join(folder, "here", "lambdas", "pre_uploader.zip"), output]);
      const pdf = createPdfWork({ script: join(output, "pdf-worker.js"), wasm: join(output, "pdfium.wasm") });

      // Act
      const { pages } = await pdf.prepare(await makePdf([{ lines: ["one"] }, { lines: ["two"] }]));
      await pdf.close();

      // Assess
      expect(pages).to.equal(2);
    });

    const needed = {
      s3_copy: /QUEUE_URL .*DEAD_LETTER_QUEUE_URL .*MAX_RECEIVE_COUNT .*RETRY_SECONDS .*TOPIC_ARN .*UPLOADER_QUEUE_URL/,
      pre_uploader: /DEAD_LETTER_QUEUE_URL .*DOCUMENT_ENGINE_URL .*DOCUMENT_ENGINE_SECRET_ARN .*UPLOADER_QUEUE_URL/,
      re_ocr: /DOCUMENT_ENGINE_URL .*SEARCH_QUEUE_URL .*CASE_BUCKET .*EXCHANGE_ID/,
      search_text: /DATABASE_SECRET_ARN .*CASE_SCHEMA .*EXCHANGE_ID/,
      ledger: /DATABASE_SECRET_ARN/,
      status_update: /DATABASE_SECRET_ARN/,
      dead_letter: /TOPIC_ARN/,
      payload: /TOPIC_ARN/,
    };
    for (const [name, variables] of Object.entries(needed)) {
      it(`does not start as ${name} without its variables, and names them`, async function () {
        this.timeout(60_000);
        const answer = await invoke(name, { Records: [] });
        expect(answer).to.have.property("errorMessage").that.matches(variables);
      });
    }
  });
});
