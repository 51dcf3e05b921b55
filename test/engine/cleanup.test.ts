import { randomBytes, randomUUID } from "node:crypto";
import { CloudWatchLogsClient, CreateLogGroupCommand, DeleteLogGroupCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { ResourceGroupsTaggingAPIClient } from "@aws-sdk/client-resource-groups-tagging-api";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { CreateQueueCommand, DeleteQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { removalKey, type ManifestLine } from "../../contracts/manifest.ts";
import { lambdaName, roleName } from "../../contracts/names.ts";
import { noFacts, type ExchangeRecord } from "../../engine/exchange/record.ts";
import { isThere, readReport } from "../../engine/lifecycle/copy-files.ts";
import { failMissingUnits, payloadFromManifest } from "../../engine/lifecycle/manifest.ts";
import { Sweeper } from "../../engine/lifecycle/sweep.ts";
import type { Registry } from "../../engine/registry/database.ts";
import { addMissing, page, stageCounts } from "../../engine/registry/ledger.ts";
import { sharedCloud } from "../support/cloud.ts";
import { request, testRegistry, type TestRegistry } from "./kit.ts";

const now = new Date("2026-01-01T00:00:00Z");
const trust = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
};
/** The end record of a zip, which is all that an empty one has. */
const emptyZip = Buffer.from(`504b0506${"00".repeat(18)}`, "hex");

describe("sweeper", function () {
  this.timeout(60_000);
  let aws: ConstructorParameters<typeof Sweeper>[0];
  let sweeper: Sweeper;
  let account: string;

  before(async () => {
    const cloud = await sharedCloud();
    const settings = cloud.client("operator");
    account = `${cloud.region}:${cloud.accountId}`;
    aws = {
      iam: new IAMClient(settings),
      lambda: new LambdaClient(settings),
      logs: new CloudWatchLogsClient(settings),
      sns: new SNSClient(settings),
      sqs: new SQSClient(settings),
      tagging: new ResourceGroupsTaggingAPIClient(settings),
    };
    sweeper = new Sweeper(aws);
  });
  after(() => {
    for (const client of Object.values(aws)) client.destroy();
  });

  const name = (kind: string) => `doc_exch_${kind}_${randomBytes(4).toString("hex")}`;
  const queue = async (QueueName: string, exchangeId: string) => {
    const { QueueUrl: url = "" } = await aws.sqs.send(new CreateQueueCommand({ QueueName, tags: { exchangeId } }));
    return { url, arn: `arn:aws:sqs:${account}:${QueueName}` };
  };
  const record = (id: string, outputs: ExchangeRecord["facts"]["outputs"] = null): ExchangeRecord => ({
    id,
    state: "DESTROYING",
    stateSince: now,
    context: { exchangeId: id, sourceCaseId: 1, caseId: 2, batchId: "b1" },
    request: request(),
    selected: 1,
    facts: { ...noFacts, outputs },
    waiting: null,
    createdAt: now,
    updatedAt: now,
  });

  it("finds nothing where nothing is left", async () => {
    expect(await sweeper.find(record(randomUUID()))).to.deep.equal([]);
  });

  it("finds by tag what the stack never knew of, removes it, and leaves what is another's", async () => {
    const [id, other] = [randomUUID(), randomUUID()];
    const [orphan, foreign] = [await queue(name("orphan"), id), await queue(name("other"), other)];

    const found = await sweeper.find(record(id));
    await sweeper.remove(found);

    expect(found).to.deep.equal([orphan.arn]);
    expect(await sweeper.find(record(id))).to.deep.equal([]);
    expect(await sweeper.find(record(other))).to.deep.equal([foreign.arn]);
    await aws.sqs.send(new DeleteQueueCommand({ QueueUrl: foreign.url }));
  });

  it("finds by its name and tag what no index of tags knows, and leaves what is another's", async () => {
    // Prepare: a role, a log group and a mapping of each, of which neither stack knows.
    const [id, other] = [randomUUID(), randomUUID()];
    const made = await Promise.all([orphans(id), orphans(other)]);

    // Act
    const found = await sweeper.find(record(id));
    await sweeper.remove(found);

    // Assess
    expect(found).to.deep.equal(made[0].toSorted());
    expect(await sweeper.find(record(id))).to.deep.equal([]);
    expect(await sweeper.find(record(other))).to.deep.equal(made[1].toSorted());
    await sweeper.remove(made[1]);
  });

  /** What a stack makes for its s3_copy processor, made behind its back; the function is gone again. */
  async function orphans(exchangeId: string): Promise<string[]> {
    const suffix = randomBytes(4).toString("hex");
    const functionName = `${lambdaName("s3_copy", 2, "b1")}-${suffix}`;
    const tags = { exchangeId };
    const { Role: role } = await aws.iam.send(
      new CreateRoleCommand({
        RoleName: `${roleName("s3_copy", 2, "b1")}-${suffix}`,
        AssumeRolePolicyDocument: JSON.stringify(trust),
        Tags: [{ Key: "exchangeId", Value: exchangeId }],
      }),
    );
    const logGroupName = `/aws/lambda/${functionName}`;
    await aws.logs.send(new CreateLogGroupCommand({ logGroupName, tags }));
    const { url, arn: EventSourceArn } = await queue(name("queue"), randomUUID());
    const policy = {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
          Resource: EventSourceArn,
        },
      ],
    };
    await aws.iam.send(
      new PutRolePolicyCommand({
        RoleName: role?.RoleName,
        PolicyName: "p",
        PolicyDocument: JSON.stringify(policy),
      }),
    );
    await aws.lambda.send(
      new CreateFunctionCommand({
        FunctionName: functionName,
        Role: role?.Arn,
        Runtime: "nodejs24.x",
        Handler: "handler.handler",
        Code: { ZipFile: emptyZip },
      }),
    );
    const { UUID: uuid = "" } = await aws.lambda.send(
      new CreateEventSourceMappingCommand({ FunctionName: functionName, EventSourceArn, Enabled: false, Tags: tags }),
    );
    await aws.lambda.send(new DeleteFunctionCommand({ FunctionName: functionName }));
    await aws.sqs.send(new DeleteQueueCommand({ QueueUrl: url }));
    return [
      role?.Arn ?? "",
      `arn:aws:lambda:${account}:event-source-mapping:${uuid}`,
      `arn:aws:logs:${account}:log-group:${logGroupName}`,
    ];
  }

  it("finds by the stack's outputs what lost its tag, and removes it whole", async () => {
    const [untagged, role, logGroup] = [name("queue"), name("role"), `/aws/lambda/${name("lambda")}`];
    const { url, arn } = await queue(untagged, randomUUID());
    const policy = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "sqs:SendMessage", Resource: arn }],
    };
    const made = await aws.iam.send(
      new CreateRoleCommand({ RoleName: role, AssumeRolePolicyDocument: JSON.stringify(trust) }),
    );
    await aws.iam.send(
      new PutRolePolicyCommand({ RoleName: role, PolicyName: "p", PolicyDocument: JSON.stringify(policy) }),
    );
    await aws.logs.send(new CreateLogGroupCommand({ logGroupName: logGroup }));
    const functionArn = `arn:aws:lambda:${account}:function:${name("gone")}`;
    const processor = {
      functionName: "gone",
      functionArn,
      mappingUuid: randomUUID(),
      roleArn: made.Role?.Arn ?? "",
      logGroup,
    };
    const given = record(randomUUID(), {
      queues: { s3_copy: { url, arn } },
      processors: { s3_copy: processor },
    });

    const found = await sweeper.find(given);
    await sweeper.remove(found);

    expect(found).to.deep.equal([arn, `arn:aws:logs:${account}:log-group:${logGroup}`, processor.roleArn].toSorted());
    expect(await sweeper.find(given)).to.deep.equal([]);
  });

  it("takes what is gone meanwhile for removed", async () => {
    const logGroup = `/aws/lambda/${name("lambda")}`;
    await aws.logs.send(new CreateLogGroupCommand({ logGroupName: logGroup }));
    await aws.logs.send(new DeleteLogGroupCommand({ logGroupName: logGroup }));

    await sweeper.remove([`arn:aws:logs:${account}:log-group:${logGroup}`, `arn:aws:sqs:${account}:${name("queue")}`]);
  });

  it("says what it cannot remove", async () => {
    const error = await sweeper.remove([`arn:aws:dynamodb:${account}:table/x`]).catch((thrown: unknown) => thrown);

    expect(error).to.have.property("code", "UNKNOWN_LEFTOVER");
  });
});

describe("manifest", function () {
  this.timeout(60_000);
  let registry: TestRegistry;
  let db: Registry;
  let s3: S3Client;
  let bucket: string;
  let id: string;

  before(async () => {
    const cloud = await sharedCloud();
    s3 = new S3Client({ ...cloud.client("operator"), forcePathStyle: true });
    registry = await testRegistry();
    ({ db } = registry);
    bucket = `doc-exch-test-${randomBytes(4).toString("hex")}`;
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  });
  after(async () => {
    await registry.drop();
    s3.destroy();
  });
  beforeEach(async () => {
    id = randomUUID();
    await put("manifest/part-00000.jsonl", [line("11", ["1", "document"], ["2", "native"]), line("12")]);
    await put("manifest/part-00001.jsonl", [line("13", ["3", "document"])]);
  });

  const annotated = request({ includeNatives: true, annotations: { redactionsAs: "brand_in" } });
  const file = (fileId: string, role: "document" | "native") => ({
    fileId,
    destinationFileId: fileId,
    role,
    sourceKey: "a",
    destinationKey: "b",
    size: 1,
    sha256: null,
  });
  const line = (documentId: string, ...files: [string, "document" | "native"][]): ManifestLine => ({
    documentId,
    destinationDocumentId: documentId,
    sourceBatchId: null,
    exhibits: [],
    files: files.map(([fileId, role]) => file(fileId, role)),
  });
  const put = (key: string, lines: readonly object[]) =>
    s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: `exchanges/${id}/${key}`,
        Body: lines.map((each) => `${JSON.stringify(each)}\n`).join(""),
      }),
    );

  const parts = (...counts: readonly object[]) => ({
    parts: counts.map((count, index) => ({ part: `exchanges/${id}/manifest/part-0000${index}.jsonl`, ...count })),
  });

  it("says what the payload's event would have said", async () => {
    const none = { pre_upload: 0, re_ocr: 0, search: 0 };
    expect(await payloadFromManifest(s3, bucket, { id, request: request() })).to.deep.equal(
      parts({ documents: 2, copy: 2, upload: 1, ...none }, { documents: 1, copy: 1, upload: 1, ...none }),
    );
  });

  it("says so of an exchange with annotations as well", async () => {
    expect(await payloadFromManifest(s3, bucket, { id, request: annotated })).to.deep.equal(
      parts(
        { documents: 2, copy: 1, pre_upload: 1, upload: 1, re_ocr: 1, search: 1 },
        { documents: 1, copy: 0, pre_upload: 1, upload: 1, re_ocr: 1, search: 1 },
      ),
    );
  });

  it("fails what is missing in every stage of an exchange with annotations", async () => {
    const missing = await failMissingUnits(db, s3, bucket, { id, request: annotated }, now);

    expect(missing).to.equal(9);
    expect(await stageCounts(db, id)).to.deep.equal({
      copy: { done: 0, not_found: 0, failed: 1 },
      pre_upload: { done: 0, not_found: 0, failed: 2 },
      upload: { done: 0, not_found: 0, failed: 2 },
      re_ocr: { done: 0, not_found: 0, failed: 2 },
      search: { done: 0, not_found: 0, failed: 2 },
    });
  });

  it("fails, by name and once, the units of which nothing was heard", async () => {
    await addMissing(db, [
      {
        exchangeId: id,
        stage: "copy",
        unitId: "1",
        documentId: "11",
        state: "done",
        eventId: "e",
        error: null,
        occurredAt: now,
      },
    ]);

    const first = await failMissingUnits(db, s3, bucket, { id, request: request() }, now);
    const second = await failMissingUnits(db, s3, bucket, { id, request: request() }, now);

    const { entries } = await page(db, id, { state: undefined, after: undefined, limit: 50 });
    expect([first, second]).to.deep.equal([4, 0]);
    expect(
      entries.map(({ stage, unitId, documentId, state, error }) => [stage, unitId, documentId, state, error?.code]),
    ).to.deep.equal([
      ["copy", "1", "11", "done", undefined],
      ["copy", "2", "11", "failed", "DEADLINE_EXCEEDED"],
      ["copy", "3", "13", "failed", "DEADLINE_EXCEEDED"],
      ["upload", "1", "11", "failed", "DEADLINE_EXCEEDED"],
      ["upload", "3", "13", "failed", "DEADLINE_EXCEEDED"],
    ]);
  });

  it("has a report, or none", async () => {
    const report = { documents: 3, parts: 2, rows: { documents: { source: 3, target: 3 } }, skipped: [], seconds: 1.5 };
    const before = await readReport(s3, bucket, id);
    await put("report.json", [report]);

    expect([before, await readReport(s3, bucket, id)]).to.deep.equal([
      null,
      { ...report, privileged: null, warnings: [] },
    ]);
  });

  it("tells what is there from what is not", async () => {
    const part = `exchanges/${id}/manifest/part-00000.jsonl`;

    expect([await isThere(s3, bucket, part), await isThere(s3, bucket, removalKey(id))]).to.deep.equal([true, false]);
  });
});
