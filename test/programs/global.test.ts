import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { documentEvents, orchestrationEvents, statusEvents } from "../../contracts/events.ts";
import { InvalidInputError } from "../../contracts/errors.ts";
import { readArtifacts } from "../../programs/global/artifacts.ts";
import { parseGlobalConfig } from "../../programs/global/config.ts";
import { globalOutputs } from "../../programs/global/outputs.ts";
import { globalProgram } from "../../programs/global/program.ts";
import { artifacts, globalSettings } from "./fixtures.ts";
import { account, inputsOf, record } from "./recording.ts";

const run = (settings: object = {}) =>
  record(() => globalProgram(parseGlobalConfig({ ...globalSettings, ...settings }, {}), artifacts));
const arn = (service: string, name: string) => `arn:aws:${service}:us-east-1:${account}:${name}-1a2b3c4`;
const statementsOf = (policy: unknown) => (policy as { policy: { Statement: { Sid: string }[] } }).policy.Statement;

describe("the global program", () => {
  it("puts out what the engine and exchange stacks need, in the agreed shape", async () => {
    // Act
    const { outputs } = await run();

    // Assess
    const parsed = globalOutputs.parse(outputs);
    expect(parsed).to.deep.equal(outputs);
    expect(parsed.topicArn).to.equal(arn("sns", "doc_exch_events"));
    expect(parsed.processors.s3_copy.code).to.deep.equal({
      bucket: "doc-exch-data-1a2b3c4",
      key: "artifacts/lambdas/s3_copy.zip",
      sha256Base64: "sha of s3_copy.zip",
    });
  });

  it("gives the same twice", async () => {
    // As text, because an asset holds a promise of its path, and no two promises are equal.
    expect(JSON.stringify(await run())).to.equal(JSON.stringify(await run()));
  });

  it("tags everything with service and environment, by its one provider", async () => {
    // Act
    const { providers } = await run();

    // Assess
    const tags = { service: "documentexchanger", environment: "test" };
    expect(providers.map(({ name }) => name)).to.deep.equal(["aws"]);
    expect(providers[0]!.inputs).to.include({ region: "us-east-1", defaultTags: JSON.stringify({ tags }) });
  });

  it("names everything so that it is recognised, and nothing so that the engine could take it for an exchange's", async () => {
    // Act
    const { resources } = await run();

    // Assess
    const named = resources.filter(({ type }) =>
      /Queue|Role|Function|Topic|Secret|StateMachine|Job|:Policy$/.test(type),
    );
    expect(named.filter(({ name }) => !name.startsWith("doc_exch_"))).to.deep.equal([]);
    expect(named.filter(({ name }) => /_(queue|role|lambda)_/.test(name))).to.deep.equal([]);
  });

  it("delivers to each queue the events that its consumer lives by, raw", async () => {
    // Prepare
    const subscription = (name: string, eventType: readonly string[]) => ({
      topic: arn("sns", "doc_exch_events"),
      protocol: "sqs",
      endpoint: arn("sqs", name),
      rawMessageDelivery: true,
      filterPolicy: { eventType },
    });

    // Act
    const recording = await run();

    // Assess
    expect(inputsOf(recording, "aws:sns/topicSubscription:TopicSubscription")).to.deep.equal({
      doc_exch_ledger: subscription("doc_exch_ledger", documentEvents),
      doc_exch_orch: subscription("doc_exch_orch", orchestrationEvents),
      doc_exch_status: subscription("doc_exch_status", statusEvents),
    });
  });

  it("parks what no consumer could handle, and never feeds the dead-letter Lambda with it", async () => {
    // Prepare
    const queue = (visibilityTimeoutSeconds: number, maxReceiveCount?: number) => ({
      visibilityTimeoutSeconds,
      messageRetentionSeconds: 1_209_600,
      maxMessageSize: 262_144,
      sqsManagedSseEnabled: true,
      ...(maxReceiveCount && {
        redrivePolicy: { deadLetterTargetArn: arn("sqs", "doc_exch_parked"), maxReceiveCount },
      }),
    });

    // Act
    const recording = await run();

    // Assess
    expect(inputsOf(recording, "aws:sqs/queue:Queue")).to.deep.equal({
      // What was received three times in another queue may go on being counted here.
      doc_exch_dlq: queue(360, 6),
      doc_exch_ledger: queue(361, 3),
      doc_exch_orch: queue(60, 3),
      doc_exch_parked: queue(30),
      doc_exch_status: queue(180, 3),
    });
  });

  it("lets only the topic send to the queues of events, and all of it only over TLS", async () => {
    // Act
    const recording = await run();

    // Assess
    const policies = inputsOf(recording, "aws:sqs/queuePolicy:QueuePolicy");
    expect(statementsOf(policies["doc_exch_orch"])).to.deep.equal([
      {
        Sid: "TopicDelivers",
        Effect: "Allow",
        Principal: { Service: "sns.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: arn("sqs", "doc_exch_orch"),
        Condition: { ArnEquals: { "aws:SourceArn": arn("sns", "doc_exch_events") } },
      },
      {
        Sid: "OnlyOverTls",
        Effect: "Deny",
        Principal: "*",
        Action: "sqs:*",
        Resource: arn("sqs", "doc_exch_orch"),
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ]);
    const sids = Object.fromEntries(
      Object.entries(policies).map(([name, policy]) => [name, statementsOf(policy).map(({ Sid }) => Sid)]),
    );
    expect(sids).to.deep.equal({
      doc_exch_dlq: ["OnlyOverTls"],
      doc_exch_ledger: ["TopicDelivers", "OnlyOverTls"],
      doc_exch_orch: ["TopicDelivers", "OnlyOverTls"],
      doc_exch_parked: ["OnlyOverTls"],
      doc_exch_status: ["TopicDelivers", "OnlyOverTls"],
    });
  });

  it("keeps the data bucket private, encrypted, versioned, over TLS and tidy", async () => {
    // Act
    const { resources } = await run();

    // Assess
    const bucket = "doc-exch-data-1a2b3c4";
    const found = resources.filter(({ type, name }) => type.startsWith("aws:s3/") && name === "doc-exch-data");
    expect(found.map(({ type, inputs }) => [type.split(":")[2], inputs])).to.deep.equal([
      ["Bucket", { forceDestroy: false }],
      [
        "BucketLifecycleConfiguration",
        {
          bucket,
          rules: [
            {
              id: "old-exchanges",
              status: "Enabled",
              filter: { prefix: "exchanges/" },
              expiration: { days: 90 },
              noncurrentVersionExpiration: { noncurrentDays: 90 },
              abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
            },
          ],
        },
      ],
      [
        "BucketPolicy",
        {
          bucket,
          policy: JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              {
                Sid: "OnlyOverTls",
                Effect: "Deny",
                Principal: "*",
                Action: "s3:*",
                Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
                Condition: { Bool: { "aws:SecureTransport": "false" } },
              },
            ],
          }),
        },
      ],
      [
        "BucketPublicAccessBlock",
        { bucket, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
      ],
      [
        "BucketServerSideEncryptionConfiguration",
        { bucket, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] },
      ],
      ["BucketVersioning", { bucket, versioningConfiguration: { status: "Enabled" } }],
    ]);
  });

  it("makes secrets without values", async () => {
    // Act
    const recording = await run();

    // Assess
    const names = Object.keys(inputsOf(recording, "aws:secretsmanager/secret:Secret"));
    expect(names).to.deep.equal([
      "doc_exch_case_database",
      "doc_exch_case_reader",
      "doc_exch_document_engine",
      "doc_exch_ledger",
      "doc_exch_registry",
      "doc_exch_search_text",
    ]);
    expect(Object.keys(inputsOf(recording, "aws:secretsmanager/secretVersion:SecretVersion"))).to.deep.equal([]);
  });

  it("lets the Glue job run for several exchanges at once and try nothing again by itself", async () => {
    // Act
    const recording = await run({ glue: { connections: ["cases"], workers: 8 } });

    // Assess
    expect(inputsOf(recording, "aws:glue/job:Job")).to.deep.equal({
      doc_exch_record_copy: {
        description: "Copies the database records of one exchange and writes its manifest",
        roleArn: `arn:aws:iam::${account}:role/doc_exch_glue-1a2b3c4`,
        glueVersion: "5.1",
        workerType: "G.1X",
        numberOfWorkers: 8,
        timeout: 480,
        maxRetries: 0,
        executionProperty: { maxConcurrentRuns: 20 },
        connections: ["cases"],
        command: {
          name: "glueetl",
          pythonVersion: "3",
          scriptLocation: "s3://doc-exch-data-1a2b3c4/artifacts/glue/script.py",
        },
        defaultArguments: {
          "--job-language": "python",
          "--job-bookmark-option": "job-bookmark-disable",
          "--enable-metrics": "true",
          "--enable-continuous-cloudwatch-log": "true",
          "--additional-python-modules": "PyMySQL==1.2.4,cryptography==50.0.2",
          "--extra-py-files": "s3://doc-exch-data-1a2b3c4/artifacts/glue/documentexchanger_glue.zip",
          "--data_bucket": "doc-exch-data-1a2b3c4",
          "--case_schema_prefix": "case",
          "--database_secret_id": arn("secretsmanager", "secret:doc_exch_case_database"),
          "--manifest_part_size": "2000",
        },
      },
    });
  });

  it("tells each Lambda only what it needs, and puts into the VPC only those that reach the database", async () => {
    // Prepare
    const vpc = { subnetIds: ["subnet-1"], securityGroupIds: ["sg-1"] };

    // Act
    const recording = await run({ vpc });

    // Assess
    const functions = inputsOf(recording, "aws:lambda/function:Function") as Record<
      string,
      { environment: { variables: object }; vpcConfig?: object }
    >;
    const told = Object.entries(functions).map(([name, { environment, vpcConfig }]) => [
      name,
      { ...environment.variables, vpcConfig },
    ]);
    const DATABASE_SECRET_ARN = arn("secretsmanager", "secret:doc_exch_ledger");
    expect(Object.fromEntries(told)).to.deep.equal({
      doc_exch_dead_letter: { TOPIC_ARN: arn("sns", "doc_exch_events"), vpcConfig: undefined },
      doc_exch_ledger: { DATABASE_SECRET_ARN, vpcConfig: vpc },
      doc_exch_payload: { TOPIC_ARN: arn("sns", "doc_exch_events"), vpcConfig: undefined },
      doc_exch_status_update: { DATABASE_SECRET_ARN, vpcConfig: vpc },
    });
  });

  it("lets only the given principals act as the engine", async () => {
    // Act
    const recording = await run();

    // Assess
    expect(inputsOf(recording, "aws:iam/role:Role")["doc_exch_engine"]).to.deep.equal({
      description: "Runs exchanges: makes and removes their stacks, starts record copies, follows events",
      assumeRolePolicy: {
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { AWS: globalSettings.engine.principalArns }, Action: "sts:AssumeRole" },
        ],
      },
    });
  });
});

describe("the artifacts of a global stack", () => {
  it("are never built by it: one that is missing is named, with the command that makes it", async () => {
    // Prepare
    const folder = await mkdtemp(join(tmpdir(), "artifacts-"));
    await mkdir(join(folder, "lambdas"));
    await writeFile(join(folder, "lambdas", "s3_copy.zip"), "zip");

    // Act
    const act = () => readArtifacts(folder);

    // Assess
    expect(act)
      .to.throw(
        InvalidInputError,
        `${join(folder, "lambdas", "pre_uploader.zip")} cannot be read: run \`npm run build\` first`,
      )
      .with.property("code", "NOT_BUILT");
    await rm(folder, { recursive: true });
  });
});
