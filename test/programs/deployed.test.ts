import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { GetEventSourceMappingCommand, LambdaClient, ListEventSourceMappingsCommand } from "@aws-sdk/client-lambda";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
  type DescribeExecutionCommandOutput,
} from "@aws-sdk/client-sfn";
import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { z } from "zod";
import { event, type EventType, type ExchangeEvent } from "../../contracts/events.ts";
import type { ExecutionInput } from "../../contracts/execution.ts";
import type { ExchangeContext } from "../../contracts/ids.ts";
import { exchangePrefix, manifestPrefix, type ManifestLine } from "../../contracts/manifest.ts";
import { docUploaderMessage, type S3CopyMessage } from "../../contracts/messages.ts";
import { exchangeStackName } from "../../contracts/names.ts";
import { planOf } from "../../contracts/plan.ts";
import type { Cloud } from "../../local/cloud/cloud.ts";
import type { ExchangeOutputs } from "../../programs/exchange/config.ts";
import { parseGlobalConfig } from "../../programs/global/config.ts";
import { sharedCloud } from "../support/cloud.ts";
import { deployGlobal, globalStack, type Deployment } from "./deployment.ts";
import { inventory } from "./inventory.ts";
import { callAs, callUnder, type Call } from "./probe.ts";

const exchangeOf = (sourceCaseId: number, caseId: number) => ({
  exchange: { exchangeId: randomUUID(), sourceCaseId, caseId, batchId: "b1" },
  plan: planOf({ includeNatives: false }),
});

describe("the deployed programs", function () {
  this.timeout(180_000);
  const { exchange, plan } = exchangeOf(711, 722);
  const pdf = "case_711/files/report.pdf";
  let cloud: Cloud;
  let atFirst: string[];
  let deployment: Deployment;
  let outputs: ExchangeOutputs;

  before("deploys the global stack and one exchange", async () => {
    cloud = await sharedCloud();
    atFirst = await inventory(cloud);
    deployment = await deployGlobal(cloud);
    outputs = await deployment.deployExchange({ exchange, plan, phase: "running" });
    await put(pdf, "%PDF-1.7 report");
  });

  after("a destroy of both leaves nothing behind", async () => {
    await deployment.destroy("engine", exchangeStackName(exchange.exchangeId));
    await deployment.destroy("operator", globalStack);
    await deployment.removeFiles();
    const atLast = await inventory(cloud);
    const left = atLast.filter((name) => !atFirst.includes(name));
    expect(left).to.deep.equal([]);
    expect(atLast).to.deep.equal(atFirst);
  });

  it("a preview right after shows no change, to the operator and to the engine", async () => {
    const preview = (profile: "operator" | "engine", stack: string) =>
      deployment.pulumi(profile, "preview", "--expect-no-changes", "-s", stack);

    expect(await preview("operator", globalStack)).to.match(/\d+ unchanged/);
    expect(await preview("engine", exchangeStackName(exchange.exchangeId))).to.match(/13 unchanged/);
  });

  it("the engine is refused whatever reaches beyond its exchanges", async () => {
    // Prepare
    const { global } = deployment;
    const trust = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
    });
    const everything = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
    });
    const newRole = (RoleName: string, PermissionsBoundary?: string) =>
      ["iam", "CreateRole", { RoleName, AssumeRolePolicyDocument: trust, PermissionsBoundary }] as const;
    const nameOf = (arn: string) => arn.slice(arn.lastIndexOf("/") + 1);
    const copy = outputs.processors.s3_copy!;
    const ledger = await mappingOf(global.ledgerQueue.arn);
    const code = { S3Bucket: global.dataBucket, S3Key: global.processors.s3_copy.code.key };
    const calls: Call[] = [
      newRole("doc_exch_s3_copy_role_1_b"),
      newRole("doc_exch_s3_copy_role_1_b", "arn:aws:iam::aws:policy/AdministratorAccess"),
      newRole("anybody", global.boundaryArn),
      ["iam", "PutRolePolicy", { RoleName: nameOf(global.engineRoleArn), PolicyName: "p", PolicyDocument: everything }],
      ["iam", "DeleteRolePermissionsBoundary", { RoleName: nameOf(copy.roleArn) }],
      [
        "lambda",
        "CreateFunction",
        {
          ...{ FunctionName: "doc_exch_s3_copy_lambda_1_b", Role: global.engineRoleArn, Code: code },
          ...{ Runtime: "nodejs24.x", Handler: "handler.handler" },
        },
      ],
      ["lambda", "UpdateEventSourceMapping", { UUID: ledger, Enabled: false }],
      ["lambda", "Invoke", { FunctionName: copy.functionName }],
      ["sqs", "DeleteQueue", { QueueUrl: global.orchestrationQueue.url }],
      ["sqs", "ReceiveMessage", { QueueUrl: global.ledgerQueue.url }],
      ["sqs", "ReceiveMessage", { QueueUrl: outputs.queues.s3_copy!.url }],
      ["secretsmanager", "GetSecretValue", { SecretId: global.caseDatabaseSecretArn }],
      ["s3", "GetObject", { Bucket: cloud.caseBucket, Key: pdf }],
      ["s3", "PutObject", { Bucket: global.dataBucket, Key: "artifacts/lambdas/s3_copy.zip", Body: "" }],
    ];

    // Act
    const answers = await callAs(cloud.env("engine"), calls);

    // Assess
    expect(told(calls, answers)).to.deep.equal(calls.map(([, command]) => `${command}: denied`));
  });

  it("the engine may do what an exchange needs", async () => {
    // Prepare
    const { global } = deployment;
    const calls: Call[] = [
      ["lambda", "GetEventSourceMapping", { UUID: outputs.processors.s3_copy!.mappingUuid }],
      ["lambda", "ListFunctions", {}],
      ["sqs", "GetQueueAttributes", { QueueUrl: outputs.queues.s3_copy!.url }],
      ["sqs", "GetQueueAttributes", { QueueUrl: global.orchestrationQueue.url }],
      [
        "s3",
        "PutObject",
        { Bucket: global.dataBucket, Key: `${exchangePrefix(randomUUID())}selection.json`, Body: "[]" },
      ],
      ["s3", "ListObjectsV2", { Bucket: global.dataBucket, Prefix: exchangePrefix(exchange.exchangeId) }],
    ];

    // Act
    const answers = await callAs(cloud.env("engine"), calls);

    // Assess
    expect(told(calls, answers)).to.deep.equal(calls.map(([, command]) => `${command}: allowed`));
  });

  it("the S3 Copy Lambda of an exchange reads its source case, writes its destination case, and reaches no other", async () => {
    // Prepare
    await put("case_733/files/other.pdf", "%PDF-1.7 other");
    await put("case_7110/files/similar.pdf", "%PDF-1.7 similar");
    const { global } = deployment;
    const Bucket = cloud.caseBucket;
    const hide = (QueueUrl: string): Call => [
      ...(["sqs", "ChangeMessageVisibility"] as const),
      { QueueUrl, ReceiptHandle: "none", VisibilityTimeout: 0 },
    ];
    const calls: Call[] = [
      ["s3", "GetObject", { Bucket, Key: pdf }],
      ["s3", "PutObject", { Bucket, Key: "case_722/probe", Body: "x" }],
      ["s3", "ListObjectsV2", { Bucket, Prefix: "case_711/" }],
      ["sns", "Publish", { TopicArn: global.topicArn, Message: "{}" }],
      hide(outputs.queues.s3_copy!.url),
      hide(outputs.queues.doc_uploader!.url),
      ["s3", "PutObject", { Bucket, Key: "case_711/probe", Body: "x" }],
      ["s3", "DeleteObject", { Bucket, Key: "case_722/probe" }],
      ["s3", "GetObject", { Bucket, Key: "case_733/files/other.pdf" }],
      ["s3", "GetObject", { Bucket, Key: "case_7110/files/similar.pdf" }],
      ["s3", "ListObjectsV2", { Bucket, Prefix: "case_733/" }],
      ["s3", "ListObjectsV2", { Bucket }],
      ["sqs", "ReceiveMessage", { QueueUrl: outputs.queues.doc_uploader!.url }],
      ["sqs", "SendMessage", { QueueUrl: outputs.queues.s3_copy!.url, MessageBody: "{}" }],
      ["sqs", "SendMessage", { QueueUrl: global.orchestrationQueue.url, MessageBody: "{}" }],
      ["secretsmanager", "GetSecretValue", { SecretId: global.caseDatabaseSecretArn }],
      ["secretsmanager", "GetSecretValue", { SecretId: global.searchTextSecretArn }],
      ["iam", "ListRoles", {}],
    ];

    // Act
    const answers = await callUnder(cloud, outputs.processors.s3_copy!.roleArn, calls);

    // Assess
    const expected = calls.map(([, command], index) => `${command}: ${index < 4 ? "allowed" : "denied"}`);
    expected[4] = "ChangeMessageVisibility: ReceiptHandleIsInvalid";
    expect(told(calls, answers)).to.deep.equal(expected);
  });

  it("a message that the S3 Copy Lambda fails at in passing comes again long before its queue would show it", async () => {
    // Prepare
    const message: S3CopyMessage = {
      ...{ kind: "s3_copy", exchange, documentId: "2", destinationDocumentId: "102", exhibitIds: ["202"] },
      ...{ exhibits: [], sourceBatchId: null },
      bucket: cloud.caseBucket,
      file: {
        ...{ fileId: "6", destinationFileId: "106", role: "document", size: 14 },
        sha256: createHash("sha256").update("%PDF-1.7 ready").digest("hex"),
        ...{ sourceKey: "case_711/files/late.pdf", destinationKey: "case_722/files/late.pdf" },
      },
    };
    await put(message.file.sourceKey, "%PDF-1.7 early");
    const sqs = new SQSClient(cloud.client("operator"));
    await sqs.send(
      new SendMessageCommand({ QueueUrl: outputs.queues.s3_copy!.url, MessageBody: JSON.stringify(message) }),
    );
    sqs.destroy();
    await logged(outputs.processors.s3_copy!.logGroup, "will come again");

    // Act
    await put(message.file.sourceKey, "%PDF-1.7 ready");
    const uploaded = await receive(outputs.queues.doc_uploader!.url, "uploader");

    // Assess
    expect(docUploaderMessage.parse(uploaded).fileId).to.equal("6");
  });

  it("records copied become messages, files and events, by nothing but the roles of the programs", async () => {
    // Prepare
    const line: ManifestLine = {
      documentId: "1",
      destinationDocumentId: "101",
      sourceBatchId: null,
      exhibits: [{ sourceExhibitId: "101", exhibitId: "201" }],
      files: [
        {
          ...{ fileId: "5", destinationFileId: "105", role: "document", size: 15, sha256: null },
          ...{ sourceKey: pdf, destinationKey: "case_722/files/report.pdf" },
        },
      ],
    };

    // Act
    const { execution, events } = await runMachine([[line]], exchange, "PAYLOAD_CONSTRUCTION_FINISHED");
    const uploaded = await receive(outputs.queues.doc_uploader!.url, "uploader");

    // Assess
    expect(execution.status).to.equal("SUCCEEDED");
    const part = `${manifestPrefix(exchange.exchangeId)}part-00000.jsonl`;
    expect(events.map(({ eventId, eventType, detail }) => ({ eventId, eventType, detail }))).to.deep.equal([
      {
        eventId: `${exchange.exchangeId}:db-copy-finished`,
        eventType: "DB_COPY_FINISHED",
        detail: { manifestPrefix: manifestPrefix(exchange.exchangeId) },
      },
      {
        eventId: `${exchange.exchangeId}:payload-construction-finished`,
        eventType: "PAYLOAD_CONSTRUCTION_FINISHED",
        detail: { parts: [{ part, documents: 1, copy: 1, pre_upload: 0, upload: 1, re_ocr: 0, search: 0 }] },
      },
    ]);
    expect(docUploaderMessage.parse(uploaded)).to.deep.equal({
      kind: "doc_uploader",
      exchange,
      documentId: "1",
      destinationDocumentId: "101",
      exhibitIds: ["201"],
      bucket: cloud.caseBucket,
      key: "case_722/files/report.pdf",
      fileId: "5",
      size: 15,
    });
  });

  it("a record copy that fails is tried again, then reported with its reason", async () => {
    // Act
    const { execution, events } = await runMachine("fail", exchangeOf(711, 722).exchange, "GLUE_JOB_FAILED");

    // Assess
    expect(events.map(({ eventType, status }) => [eventType, status])).to.deep.equal([["GLUE_JOB_FAILED", "ERROR"]]);
    expect(events[0]!.detail["error"]).to.equal("States.TaskFailed");
    expect(events[0]!.detail["cause"]).to.contain("label 7 does not exist");
    expect([execution.status, execution.error]).to.deep.equal(["FAILED", "States.TaskFailed"]);
  });

  it("a manifest without parts is reported as a failed payload", async () => {
    // Act
    const { execution, events } = await runMachine([], exchangeOf(711, 722).exchange, "PAYLOAD_CONSTRUCTION_FAILED");

    // Assess
    expect(events.map(({ eventType }) => eventType)).to.deep.equal(["DB_COPY_FINISHED", "PAYLOAD_CONSTRUCTION_FAILED"]);
    expect(events[1]!.detail).to.deep.equal({
      error: "MANIFEST_EMPTY",
      cause: "the record copy wrote no part of the manifest: no document was found",
    });
    expect([execution.status, execution.error]).to.deep.equal(["FAILED", "MANIFEST_EMPTY"]);
  });

  it("an exchange drains by its phase, and its destroy leaves nothing", async () => {
    // Prepare
    const other = exchangeOf(744, 755);
    const untouched = await inventory(cloud);
    await deployment.deployExchange({ ...other, phase: "running" });

    // Act
    const drained = await deployment.deployExchange({ ...other, phase: "draining" });
    const lambda = new LambdaClient(cloud.client("auditor"));
    const UUID = drained.processors.s3_copy!.mappingUuid;
    const mapping = await lambda.send(new GetEventSourceMappingCommand({ UUID }));
    await deployment.destroy("engine", exchangeStackName(other.exchange.exchangeId));

    // Assess
    expect(mapping.State).to.equal("Disabled");
    expect(await inventory(cloud)).to.deep.equal(untouched);
  });

  it("an exchange without its configuration says who deploys it", async () => {
    // Prepare
    const stack = exchangeStackName(randomUUID());
    await deployment.pulumi("operator", "stack", "init", stack);

    // Act
    const told = await deployment.pulumi("operator", "preview", "-s", stack).catch((error: unknown) => String(error));
    await deployment.pulumi("operator", "stack", "rm", "--yes", stack);

    // Assess
    expect(told).to.contain(`${stack} is deployed by the engine and has no configuration here`);
  });

  for (const stack of ["global-local", "global-dev-c2", "global-prod-c2", "global-prod-c4", "global-prod-c5"]) {
    it(`the configuration of ${stack} is complete`, async () => {
      // Prepare
      const environment = {
        ...cloud.pulumiEnv("operator"),
        ...{ AWS_ACCOUNT_ID: "111122223333", EXCHANGER_SUBNET_A: "subnet-a", EXCHANGER_SUBNET_B: "subnet-b" },
        EXCHANGER_SECURITY_GROUP: "sg-1",
      };
      const file = join(cloud.projectDir, "stacks", `Pulumi.${stack}.yaml`);

      // Act
      const read = await deployment.pulumi("operator", "config", "--json", "--config-file", file, "-s", globalStack);

      // Assess
      const settings = z
        .object({ "documentexchanger:global": z.object({ objectValue: z.unknown() }) })
        .parse(JSON.parse(read));
      const config = parseGlobalConfig(settings["documentexchanger:global"].objectValue, environment);
      expect(stack.startsWith(`global-${config.environment}`)).to.equal(true);
      expect(JSON.stringify(config)).not.to.contain("${");
    });
  }

  async function put(Key: string, Body: string): Promise<void> {
    // Without a checksum of the client's, so that the one in the records counts.
    const s3 = new S3Client({
      ...{ ...cloud.client("platform"), forcePathStyle: true },
      requestChecksumCalculation: "WHEN_REQUIRED",
    });
    await s3.send(new PutObjectCommand({ Bucket: cloud.caseBucket, Key, Body }));
    s3.destroy();
  }

  /** Waits until a function has logged a line with these words. */
  async function logged(logGroupName: string, words: string): Promise<void> {
    const logs = new CloudWatchLogsClient(cloud.client("operator"));
    const find = async () =>
      (await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern: `"${words}"` }))).events ?? [];
    while ((await find()).length === 0) await delay(100);
    logs.destroy();
  }

  async function mappingOf(queueArn: string): Promise<string> {
    const lambda = new LambdaClient(cloud.client("auditor"));
    const { EventSourceMappings } = await lambda.send(new ListEventSourceMappingsCommand({ EventSourceArn: queueArn }));
    lambda.destroy();
    return EventSourceMappings!.find(({ EventSourceArn }) => EventSourceArn === queueArn)!.UUID!;
  }

  /** The next message of a queue, taken from it as `profile`. */
  async function receive(QueueUrl: string, profile: "operator" | "uploader"): Promise<unknown> {
    const sqs = new SQSClient(cloud.client(profile));
    for (const until = Date.now() + 60_000; Date.now() < until;) {
      const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
      const [message] = Messages ?? [];
      if (!message) continue;
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
      sqs.destroy();
      return JSON.parse(message.Body!);
    }
    throw new Error(`no message came to ${QueueUrl} for a minute`);
  }

  /** Runs the state machine for an exchange to its end; the events are those that reached the engine's queue. */
  async function runMachine(
    manifest: ManifestLine[][] | "fail",
    context: ExchangeContext,
    last: EventType,
  ): Promise<{ execution: DescribeExecutionCommandOutput; events: ExchangeEvent[] }> {
    const sfn = new SFNClient(cloud.client("operator"));
    const input: ExecutionInput = {
      exchange: context,
      glueArguments: {
        "--selection": JSON.stringify(manifest),
        "--manifest_prefix": manifestPrefix(context.exchangeId),
      },
      dataBucket: deployment.global.dataBucket,
      manifestPrefix: manifestPrefix(context.exchangeId),
      caseBucket: cloud.caseBucket,
      annotations: null,
      queues: { s3_copy: outputs.queues.s3_copy!.url },
    };
    const { executionArn } = await sfn.send(
      new StartExecutionCommand({
        stateMachineArn: deployment.global.stateMachineArn,
        name: context.exchangeId,
        input: JSON.stringify(input),
      }),
    );
    let execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    for (const until = Date.now() + 90_000; execution.status === "RUNNING" && Date.now() < until;) {
      await delay(200);
      execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    }
    const events: ExchangeEvent[] = [];
    while (execution.status !== "RUNNING" && events.at(-1)?.eventType !== last) {
      const received = event.parse(await receive(deployment.global.orchestrationQueue.url, "operator"));
      if (received.jobId === context.exchangeId) events.push(received);
    }
    sfn.destroy();
    return { execution, events };
  }
});

/** What became of each call, by its name; AWS words a refusal differently in each service. */
function told(calls: readonly Call[], answers: readonly string[]): string[] {
  return answers.map((answer, index) => {
    const outcome = answer.startsWith("AccessDenied") ? "denied" : answer;
    return `${calls[index]![1]}: ${outcome}`;
  });
}
