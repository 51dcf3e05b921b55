import { expect } from "chai";
import { InvalidInputError } from "../../contracts/errors.ts";
import { exchangeOutputs } from "../../programs/exchange/config.ts";
import { exchangeProgram } from "../../programs/exchange/program.ts";
import { processorStatements } from "../../programs/exchange/policies.ts";
import { exchangeConfig, outputs as global } from "./fixtures.ts";
import { account, inputsOf, record } from "./recording.ts";

const queueArn = (kind: string) => `arn:aws:sqs:us-east-1:${account}:doc_exch_${kind}_queue_22_b1-1a2b3c4`;
const queueUrl = (kind: string) =>
  `https://sqs.us-east-1.amazonaws.com/${account}/doc_exch_${kind}_queue_22_b1-1a2b3c4`;
const lambda = "doc_exch_s3_copy_lambda_22_b1";
const role = "doc_exch_s3_copy_role_22_b1";
const onlyTls = (resource: string) => ({
  Sid: "OnlyOverTls",
  Effect: "Deny",
  Principal: "*",
  Action: "sqs:*",
  Resource: resource,
  Condition: { Bool: { "aws:SecureTransport": "false" } },
});
const policy = (...Statement: unknown[]) => ({ Version: "2012-10-17", Statement });

const run = (config = exchangeConfig) => record(() => exchangeProgram(config));

describe("the exchange program", () => {
  it("makes two queues and one Lambda with what belongs to it, and nothing else", async () => {
    // Act
    const { resources } = await run();

    // Assess
    expect(resources.map(({ type, name }) => [type, name])).to.deep.equal([
      ["aws:cloudwatch/logGroup:LogGroup", `/aws/lambda/${lambda}`],
      ["aws:iam/role:Role", role],
      ["aws:iam/rolePolicy:RolePolicy", role],
      ["aws:lambda/eventSourceMapping:EventSourceMapping", lambda],
      ["aws:lambda/function:Function", lambda],
      ["aws:sqs/queue:Queue", "doc_exch_doc_uploader_queue_22_b1"],
      ["aws:sqs/queue:Queue", "doc_exch_s3_copy_queue_22_b1"],
      ["aws:sqs/queuePolicy:QueuePolicy", "doc_exch_doc_uploader_queue_22_b1"],
      ["aws:sqs/queuePolicy:QueuePolicy", "doc_exch_s3_copy_queue_22_b1"],
    ]);
  });

  it("gives each queue the shared dead-letter queue and a visibility that outlives its consumer", async () => {
    // Prepare
    const queue = (visibilityTimeoutSeconds: number) => ({
      visibilityTimeoutSeconds,
      messageRetentionSeconds: 1_209_600,
      maxMessageSize: 262_144,
      sqsManagedSseEnabled: true,
      redrivePolicy: { deadLetterTargetArn: global.deadLetterQueue.arn, maxReceiveCount: 3 },
    });

    // Act
    const recording = await run();

    // Assess
    expect(inputsOf(recording, "aws:sqs/queue:Queue")).to.deep.equal({
      doc_exch_doc_uploader_queue_22_b1: queue(900),
      doc_exch_s3_copy_queue_22_b1: queue(605),
    });
  });

  it("lets the uploader consume its queue, and refuses what does not come over TLS", async () => {
    // Act
    const recording = await run();

    // Assess
    expect(inputsOf(recording, "aws:sqs/queuePolicy:QueuePolicy")).to.deep.equal({
      doc_exch_doc_uploader_queue_22_b1: {
        queueUrl: queueUrl("doc_uploader"),
        policy: policy(
          {
            Sid: "UploaderConsumes",
            Effect: "Allow",
            Principal: { AWS: global.uploader.principalArn },
            Action: [
              "sqs:ReceiveMessage",
              "sqs:DeleteMessage",
              "sqs:ChangeMessageVisibility",
              "sqs:GetQueueAttributes",
            ],
            Resource: queueArn("doc_uploader"),
          },
          onlyTls(queueArn("doc_uploader")),
        ),
      },
      doc_exch_s3_copy_queue_22_b1: { queueUrl: queueUrl("s3_copy"), policy: policy(onlyTls(queueArn("s3_copy"))) },
    });
  });

  it("has no policy on a queue that nobody else uses, where there is no TLS", async () => {
    // Act
    const recording = await run({ ...exchangeConfig, global: { ...global, requireTls: false } });

    // Assess
    expect(Object.keys(inputsOf(recording, "aws:sqs/queuePolicy:QueuePolicy"))).to.deep.equal([
      "doc_exch_doc_uploader_queue_22_b1",
    ]);
  });

  it("runs S3 Copy under the boundary, with the rights of this exchange only", async () => {
    // Act
    const recording = await run();

    // Assess
    expect(inputsOf(recording, "aws:iam/role:Role")).to.deep.equal({
      [role]: {
        assumeRolePolicy: {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
        },
        permissionsBoundary: global.boundaryArn,
      },
    });
    expect(inputsOf(recording, "aws:iam/rolePolicy:RolePolicy")).to.deep.equal({
      [role]: {
        role: `${role}-1a2b3c4`,
        policy: policy(
          ...processorStatements.s3_copy({
            caseBucket: "case-files",
            sourceCaseId: 11,
            caseId: 22,
            topicArn: global.topicArn,
            queueArn: queueArn("s3_copy"),
            nextQueueArn: queueArn("doc_uploader"),
            deadLetterQueueArn: global.deadLetterQueue.arn,
            documentEngineSecretArn: global.documentEngine!.secretArn,
            searchTextSecretArn: "",
          }),
          {
            Sid: "ConsumeItsQueue",
            Effect: "Allow",
            Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            Resource: queueArn("s3_copy"),
          },
          {
            Sid: "WriteItsLogs",
            Effect: "Allow",
            Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
            Resource: `arn:aws:logs:us-east-1:${account}:log-group:/aws/lambda/${lambda}-1a2b3c4:*`,
          },
        ),
      },
    });
  });

  it("runs the bundle of the global stack with the tuning of the global stack", async () => {
    // Act
    const recording = await run();

    // Assess
    expect(inputsOf(recording, "aws:lambda/function:Function")).to.deep.equal({
      [lambda]: {
        role: `arn:aws:iam::${account}:role/${role}-1a2b3c4`,
        runtime: "nodejs24.x",
        handler: "handler.handler",
        architectures: ["x86_64"],
        s3Bucket: "doc-exch-data",
        s3Key: "artifacts/lambdas/s3_copy.zip",
        sourceCodeHash: "c2hh",
        memorySize: 512,
        timeout: 100,
        environment: {
          variables: {
            LOG_LEVEL: "debug",
            TOPIC_ARN: global.topicArn,
            DEAD_LETTER_QUEUE_URL: global.deadLetterQueue.url,
            UPLOADER_QUEUE_URL: queueUrl("doc_uploader"),
            MAX_RECEIVE_COUNT: "3",
            RETRY_SECONDS: "60",
            QUEUE_URL: queueUrl("s3_copy"),
            DOCUMENT_ENGINE_URL: "https://engine.example.com",
            DOCUMENT_ENGINE_SECRET_ARN: global.documentEngine!.secretArn,
          },
        },
        loggingConfig: { logFormat: "Text", logGroup: `/aws/lambda/${lambda}-1a2b3c4` },
      },
    });
    expect(inputsOf(recording, "aws:lambda/eventSourceMapping:EventSourceMapping")).to.deep.equal({
      [lambda]: {
        eventSourceArn: queueArn("s3_copy"),
        functionName: `${lambda}-1a2b3c4`,
        batchSize: 10,
        maximumBatchingWindowInSeconds: 5,
        scalingConfig: { maximumConcurrency: 50 },
        functionResponseTypes: ["ReportBatchItemFailures"],
        enabled: true,
      },
    });
    expect(inputsOf(recording, "aws:cloudwatch/logGroup:LogGroup")).to.deep.equal({
      [`/aws/lambda/${lambda}`]: { retentionInDays: 30 },
    });
  });

  it("gives S3 Copy neither address, nor secret, nor network of a Document Engine where there is none", async () => {
    // Prepare
    const vpc = { subnetIds: ["subnet-1"], securityGroupIds: ["sg-1"] };
    const settingsOf = async (documentEngine: typeof global.documentEngine) => {
      const recording = await run({ ...exchangeConfig, global: { ...global, vpc, documentEngine } });
      const [made] = Object.values(inputsOf(recording, "aws:lambda/function:Function")) as Record<string, object>[];
      const [rights] = Object.values(inputsOf(recording, "aws:iam/rolePolicy:RolePolicy"));
      const variables = (made!["environment"] as { variables: object }).variables;
      return {
        variables: Object.keys(variables).filter((name) => name.startsWith("DOCUMENT_ENGINE")),
        vpc: made!["vpcConfig"],
        readsSecret: JSON.stringify(rights).includes("secretsmanager:GetSecretValue"),
      };
    };

    // Act
    const [having, lacking] = [await settingsOf(global.documentEngine), await settingsOf(undefined)];

    // Assess
    const variables = ["DOCUMENT_ENGINE_SECRET_ARN", "DOCUMENT_ENGINE_URL"];
    expect({ ...having, variables: having.variables.sort() }).to.deep.equal({ variables, vpc, readsSecret: true });
    expect(lacking).to.deep.equal({ variables: [], vpc: undefined, readsSecret: false });
  });

  it("tags everything with service, environment and exchange, by its one provider", async () => {
    // Act
    const { providers } = await run();

    // Assess
    const tags = { service: "documentexchanger", environment: "test", exchangeId: exchangeConfig.exchange.exchangeId };
    expect(providers.map(({ name }) => name)).to.deep.equal(["aws"]);
    expect(providers[0]!.inputs).to.include({ region: "us-east-1", defaultTags: JSON.stringify({ tags }) });
  });

  it("changes nothing but the polling when it drains, and gives the same twice", async () => {
    // Act
    const running = await run();
    const again = await run();
    const draining = await run({ ...exchangeConfig, phase: "draining" });

    // Assess
    expect(again).to.deep.equal(running);
    const mapping = running.resources.find(({ type }) => type.endsWith(":EventSourceMapping"))!;
    mapping.inputs["enabled"] = false;
    expect(draining).to.deep.equal(running);
  });

  it("puts out every URL and ARN", async () => {
    // Act
    const { outputs } = await run();

    // Assess
    expect(exchangeOutputs.parse(outputs)).to.deep.equal({
      queues: {
        s3_copy: { url: queueUrl("s3_copy"), arn: queueArn("s3_copy") },
        doc_uploader: { url: queueUrl("doc_uploader"), arn: queueArn("doc_uploader") },
      },
      processors: {
        s3_copy: {
          functionName: `${lambda}-1a2b3c4`,
          functionArn: `arn:aws:lambda:us-east-1:${account}:function:${lambda}-1a2b3c4`,
          mappingUuid: `uuid-of-${lambda}`,
          roleArn: `arn:aws:iam::${account}:role/${role}-1a2b3c4`,
          logGroup: `/aws/lambda/${lambda}-1a2b3c4`,
        },
      },
    });
  });

  describe("with annotations and natives", () => {
    const full = {
      ...exchangeConfig,
      plan: {
        queues: ["s3_copy", "pre_uploader", "re_ocr", "search_text", "doc_uploader"] as const,
        processors: ["s3_copy", "pre_uploader", "re_ocr", "search_text"] as const,
      },
    };
    const subscription = (recording: Awaited<ReturnType<typeof run>>) =>
      inputsOf(recording, "aws:sns/topicSubscription:TopicSubscription");

    it("makes five queues and four Lambdas", async () => {
      const { outputs } = await run(full);
      const made = exchangeOutputs.parse(outputs);
      expect(Object.keys(made.queues)).to.have.members([...full.plan.queues]);
      expect(Object.keys(made.processors)).to.have.members([...full.plan.processors]);
    });

    it("feeds re-OCR with the uploads of this case and batch, and stops that when it drains", async () => {
      // Act
      const [running, draining] = [await run(full), await run({ ...full, phase: "draining" })];

      // Assess
      expect(subscription(running)).to.deep.equal({
        doc_exch_re_ocr_queue_22_b1: {
          topic: global.topicArn,
          protocol: "sqs",
          endpoint: queueArn("re_ocr"),
          rawMessageDelivery: true,
          filterPolicy: { eventType: ["DOCUMENT_UPLOADED"], caseId: ["22"], batchId: ["b1"] },
        },
      });
      expect(subscription(draining)).to.deep.equal({});
    });

    it("tells each Lambda what it needs and no more", async () => {
      // Act
      const functions = inputsOf(await run(full), "aws:lambda/function:Function") as Record<
        string,
        { environment: { variables: Record<string, string> } }
      >;

      // Assess
      const variables = (kind: string) => functions[`doc_exch_${kind}_lambda_22_b1`]!.environment.variables;
      const common = (kind: string) => ({
        QUEUE_URL: queueUrl(kind),
        LOG_LEVEL: "debug",
        TOPIC_ARN: global.topicArn,
        DEAD_LETTER_QUEUE_URL: global.deadLetterQueue.url,
        MAX_RECEIVE_COUNT: "3",
        RETRY_SECONDS: "60",
      });
      const engine = {
        DOCUMENT_ENGINE_URL: "https://engine.example.com",
        DOCUMENT_ENGINE_SECRET_ARN: global.documentEngine!.secretArn,
      };
      const { exchangeId } = exchangeConfig.exchange;
      expect(["s3_copy", "pre_uploader", "re_ocr", "search_text"].map(variables)).to.deep.equal([
        { ...common("s3_copy"), UPLOADER_QUEUE_URL: queueUrl("doc_uploader") },
        { ...common("pre_uploader"), ...engine, UPLOADER_QUEUE_URL: queueUrl("doc_uploader") },
        {
          ...{ ...common("re_ocr"), ...engine, SEARCH_QUEUE_URL: queueUrl("search_text") },
          ...{ CASE_BUCKET: "case-files", EXCHANGE_ID: exchangeId },
        },
        {
          ...{ ...common("search_text"), DATABASE_SECRET_ARN: global.searchTextSecretArn },
          ...{ CASE_SCHEMA: "case_22", EXCHANGE_ID: exchangeId },
        },
      ]);
    });

    it("lets S3 Copy read no secret, since the Pre-Uploader accounts for redactions", async () => {
      const rights = inputsOf(await run(full), "aws:iam/rolePolicy:RolePolicy");

      const reading = Object.entries(rights)
        .filter(([, inputs]) => JSON.stringify(inputs).includes("secretsmanager:GetSecretValue"))
        .map(([name]) => name);
      expect(reading.sort()).to.deep.equal(
        ["pre_uploader", "re_ocr", "search_text"].map((kind) => `doc_exch_${kind}_role_22_b1`),
      );
    });

    it("is refused where there is no Document Engine", () => {
      const without = { ...global, documentEngine: undefined };
      expect(() => exchangeProgram({ ...full, global: without }))
        .to.throw(InvalidInputError, "this environment has no Document Engine")
        .with.property("code", "NO_DOCUMENT_ENGINE");
    });
  });
});
