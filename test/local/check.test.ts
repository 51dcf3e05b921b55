import { CreateLogGroupCommand, DeleteLogGroupCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  CreatePolicyCommand,
  CreateRoleCommand,
  DeletePolicyCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  DeleteEventSourceMappingCommand,
  DeleteFunctionCommand,
} from "@aws-sdk/client-lambda";
import {
  AbortMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { SubscribeCommand, UnsubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, DeleteQueueCommand } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { makeZip } from "../../local/samples/content/natives.ts";
import { sharedCloud } from "../support/cloud.ts";
import { checkKit } from "./check-kit.ts";
import { shift } from "./copy-by-hand.ts";

describe("the outsider's check", function () {
  this.timeout(30_000);
  let kit: Awaited<ReturnType<typeof checkKit>>;
  before(async () => {
    kit = await checkKit(await sharedCloud());
  });
  after(() => kit.close());

  /** What the check says while a fault is there. The fault is taken away whatever happens. */
  async function problemsWhile(make: () => Promise<unknown>, mend: () => Promise<unknown>): Promise<string[]> {
    try {
      await make();
      return (await kit.check()).problems;
    } finally {
      await mend();
    }
  }
  const spoil = (make: string, mend: string) =>
    problemsWhile(
      () => kit.run(make),
      () => kit.run(mend),
    );
  async function firstFile() {
    const [file] = await kit.run(`SELECT id, s3_key AS \`key\`, document_id AS documentId FROM
      ${kit.target}.document_variants WHERE id > ${shift} AND role = 'document' ORDER BY id LIMIT 1`);
    const sourceId = Number(file!["id"]) - shift;
    const [original] = await kit.run(`SELECT s3_key FROM ${kit.source}.document_variants WHERE id = ${sourceId}`);
    return { id: sourceId, key: String(file!["key"]), sourceKey: String(original!["s3_key"]) };
  }
  const queueArn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`;

  it("finds nothing wrong with an exchange that was done right, and counts what came", async () => {
    // Act
    const result = await kit.check();

    // Assess
    expect(result.problems).to.deep.equal([]);
    expect(result.leftovers).to.equal(0);
    const selected = kit.documentIds.length;
    expect(result.documents).to.deep.equal({ selected, copied: selected - 1, notFound: 1, failed: 0 });
    expect(result.rows["documents"]).to.deep.equal({ source: selected, target: selected });
    const [counted] = await kit.run(`SELECT COUNT(*) AS n FROM ${kit.target}.comments WHERE id > ${shift}`);
    expect(result.rows["comments"]).to.deep.equal({ source: Number(counted!["n"]), target: Number(counted!["n"]) });
  });

  describe("of files", () => {
    it("says which object is missing", async () => {
      const { id, key, sourceKey } = await firstFile();
      const Object = { Bucket: kit.caseBucket, Key: key };

      // Act
      const found = await problemsWhile(
        () => kit.s3.send(new DeleteObjectCommand(Object)),
        () => restore(key, sourceKey),
      );

      // Assess
      const where = `there is no object at ${key}`;
      expect(found).to.deep.equal([`file ${id} (${sourceKey}) is missing in the destination: ${where}`]);
    });

    it("says which object differs by one byte", async () => {
      const { id, key, sourceKey } = await firstFile();
      const { Body } = await kit.s3.send(new GetObjectCommand({ Bucket: kit.caseBucket, Key: key }));
      const bytes = await Body!.transformToByteArray();
      bytes[bytes.length >> 1]! ^= 1;
      const changed = { Bucket: kit.caseBucket, Key: key, Body: bytes, ContentType: "application/pdf" };

      // Act
      const found = await problemsWhile(
        () => kit.s3.send(new PutObjectCommand(changed)),
        () => restore(key, sourceKey),
      );

      // Assess
      expect(found).to.deep.equal([`file ${id} (${sourceKey}) differs from its source at ${key}`]);
    });

    it("says which object belongs to no file", async () => {
      const Key = `case_${kit.destinationCaseId}/processed-files/b1/stray #1 +%.pdf`;
      const stray = { Bucket: kit.caseBucket, Key };

      // Act
      const found = await problemsWhile(
        () => kit.s3.send(new PutObjectCommand({ ...stray, Body: "stray" })),
        () => kit.s3.send(new DeleteObjectCommand(stray)),
      );

      // Assess
      expect(found).to.deep.equal([`destination object ${Key} belongs to no file`]);
    });

    it("says when an object has come that the source does not have", async () => {
      const [file] = await kit.run(`SELECT s.id, t.s3_key AS \`key\`, s.s3_key AS original
        FROM ${kit.target}.document_variants t JOIN ${kit.source}.document_variants s ON s.id + ${shift} = t.id
        WHERE s.document_id = ${kit.missingDocumentId} AND s.role = 'document'`);
      const invented = { Bucket: kit.caseBucket, Key: String(file!["key"]) };

      // Act
      const found = await problemsWhile(
        () => kit.s3.send(new PutObjectCommand({ ...invented, Body: "%PDF-invented" })),
        () => kit.s3.send(new DeleteObjectCommand(invented)),
      );

      // Assess
      const text = `is missing in the source, yet there is an object at ${invented.Key}`;
      expect(found).to.deep.equal([`file ${String(file!["id"])} (${String(file!["original"])}) ${text}`]);
    });

    async function restore(Key: string, sourceKey: string) {
      const CopySource = `${kit.caseBucket}/${sourceKey.split("/").map(encodeURIComponent).join("/")}`;
      await kit.s3.send(new CopyObjectCommand({ Bucket: kit.caseBucket, Key, CopySource }));
    }
  });

  describe("of rows", () => {
    it("says which row has not arrived", async () => {
      const [stamp] = await kit.run(`SELECT * FROM ${kit.target}.bates_stamps WHERE id > ${shift} LIMIT 1`);
      const values = Object.values(stamp!).map((value) => JSON.stringify(value));

      // Act
      const found = await spoil(
        `DELETE FROM ${kit.target}.bates_stamps WHERE id = ${stamp!["id"]}`,
        `INSERT INTO ${kit.target}.bates_stamps VALUES (${values.join(",")})`,
      );

      // Assess
      const id = Number(stamp!["id"]);
      const missing = `has not arrived: bates_stamps ${id} is not in the destination`;
      expect(found).to.deep.equal([`bates_stamps ${id - shift} of the source ${missing}`]);
    });

    it("says which row came twice, or from a document that was not selected", async () => {
      // Act
      const found = await spoil(
        `INSERT INTO ${kit.target}.bates_stamps SELECT 900001, exhibit_id, position, prefix, number, stamp
           FROM ${kit.target}.bates_stamps WHERE id > ${shift} LIMIT 1`,
        `DELETE FROM ${kit.target}.bates_stamps WHERE id = 900001`,
      );

      // Assess
      const text = "came with no selected row: it is doubled, or belongs to something else";
      expect(found).to.deep.equal([`destination row bates_stamps 900001 ${text}`]);
    });

    it("says which column of which row is not what it was", async () => {
      const exhibit = `FROM ${kit.target}.exhibits WHERE id > ${shift} ORDER BY id LIMIT 1`;
      const [row] = await kit.run(`SELECT id, number, confidentiality_status AS status ${exhibit}`);

      // Act
      const found = await spoil(
        `UPDATE ${kit.target}.exhibits SET number = 3, confidentiality_status = 1, updated_at = updated_at WHERE id = ${row!["id"]}`,
        `UPDATE ${kit.target}.exhibits SET number = ${row!["number"]}, confidentiality_status = ${row!["status"]},
           updated_at = updated_at WHERE id = ${row!["id"]}`,
      );

      // Assess
      const arrived = `exhibits ${row!["number"]} of the source arrived as ${row!["id"]}`;
      expect(found).to.deep.equal([
        `${arrived} with number = "3", not "${row!["number"]}"`,
        `${arrived} with confidentiality_status = "1", not "${row!["status"]}"`,
      ]);
    });

    it("says which key leads nowhere", async () => {
      const [row] = await kit.run(`SELECT CAST(id AS CHAR) AS id, CAST(exhibit_id AS CHAR) AS exhibit
        FROM ${kit.target}.comments WHERE id > ${shift} ORDER BY id DESC LIMIT 1`);
      const [id, exhibit] = [String(row!["id"]), String(row!["exhibit"])];

      // Act
      const found = await spoil(
        `UPDATE ${kit.target}.comments SET exhibit_id = 777, updated_at = updated_at WHERE id = ${id}`,
        `UPDATE ${kit.target}.comments SET exhibit_id = ${exhibit}, updated_at = updated_at WHERE id = ${id}`,
      );

      // Assess
      const sourceId = Number(id) - shift;
      expect(found).to.deep.equal([
        `comments ${sourceId} of the source arrived as ${id} with exhibit_id = "777", not "${exhibit}"`,
        `destination: comments ${id} refers by exhibit_id to exhibits 777, which does not exist`,
      ]);
    });

    it("says which name is there twice although the destination had it", async () => {
      // Act
      const found = await spoil(
        `INSERT INTO ${kit.target}.folder_tags (id, parent_id, name) VALUES (900002, NULL, 'PRODUCTION')`,
        `DELETE FROM ${kit.target}.folder_tags WHERE id = 900002`,
      );

      // Assess
      expect(found).to.deep.equal([
        "folder_tags 1001 of the source is there 2 times in the destination: 1, 900002",
        "destination row folder_tags 900002 came with no selected row: it is doubled, or belongs to something else",
      ]);
    });

    it("says which of the destination's own rows was touched", async () => {
      // Act
      const found = await spoil(
        `UPDATE ${kit.target}.custodians SET email = 'new@example.com' WHERE id = 3`,
        `UPDATE ${kit.target}.custodians SET email = NULL WHERE id = 3`,
      );

      // Assess
      expect(found).to.deep.equal(["destination row custodians 3 has been changed"]);
    });

    it("says what was changed in the source", async () => {
      const Key = `case_${kit.sourceCaseId}/new.txt`;
      const added = { Bucket: kit.caseBucket, Key };

      // Act
      const found = await problemsWhile(
        async () => {
          await kit.run(`UPDATE ${kit.source}.labels SET color = '#000001' WHERE name = 'Cold'`);
          await kit.s3.send(new PutObjectCommand({ ...added, Body: "new" }));
        },
        async () => {
          await kit.run(`UPDATE ${kit.source}.labels SET color = '#0000ff' WHERE name = 'Cold'`);
          await kit.s3.send(new DeleteObjectCommand(added));
        },
      );

      // Assess
      expect(found).to.deep.equal(["source row labels 1002 has been changed", `source object ${Key} is new`]);
    });
  });

  describe("of what is left over", () => {
    const trust = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
    });

    it("names a queue with the prefix, and one that only a tag gives away", async () => {
      const names = [`doc_exch_left_${kit.exchangeId}`, `unnamed_${kit.exchangeId.slice(0, 8)}`];
      const urls: string[] = [];
      const { sqs } = kit.operator;

      // Act
      const found = await problemsWhile(
        async () => {
          for (const [index, QueueName] of names.entries()) {
            const tags = index === 1 ? { exchangeId: kit.exchangeId } : {};
            urls.push((await sqs.send(new CreateQueueCommand({ QueueName, tags }))).QueueUrl!);
          }
        },
        () => Promise.all(urls.map((QueueUrl) => sqs.send(new DeleteQueueCommand({ QueueUrl })))),
      );

      // Assess
      expect(found).to.deep.equal([`left over: queue ${names[0]}`, `left over: resource ${queueArn(names[1]!)}`]);
    });

    it("names a role that only a tag gives away, a policy and a log group", async () => {
      const { iam, logs } = kit.operator;
      const RoleName = `unnamed_${kit.exchangeId.slice(0, 8)}`;
      const PolicyName = `doc_exch_policy_${kit.exchangeId.slice(0, 8)}`;
      const logGroupName = `/aws/lambda/doc_exch_${kit.exchangeId}`;
      const Tags = [{ Key: "exchangeId", Value: kit.exchangeId }];
      const allowed = { Effect: "Allow", Action: "sqs:ListQueues", Resource: "*" };
      const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [allowed] });
      let PolicyArn: string | undefined;

      // Act
      const found = await problemsWhile(
        async () => {
          await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust, Tags }));
          PolicyArn = (await iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument }))).Policy?.Arn;
          await logs.send(new CreateLogGroupCommand({ logGroupName }));
        },
        async () => {
          await iam.send(new DeleteRoleCommand({ RoleName }));
          await iam.send(new DeletePolicyCommand({ PolicyArn }));
          await logs.send(new DeleteLogGroupCommand({ logGroupName }));
        },
      );

      // Assess
      expect(found).to.deep.equal([
        `left over: role ${RoleName}`,
        `left over: policy ${PolicyName}`,
        `left over: log group ${logGroupName}`,
      ]);
    });

    it("names a function, and the mapping that feeds it", async () => {
      const { iam, lambda, sqs } = kit.operator;
      const name = `doc_exch_left_${kit.exchangeId.slice(0, 8)}`;
      const zip = await makeZip({ "index.js": "exports.handler = async () => {}" });
      let mapping: string | undefined;
      let url: string | undefined;

      // Act
      const found = await problemsWhile(
        async () => {
          const Action = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
          const Statement = [{ Effect: "Allow", Action, Resource: queueArn(name) }];
          const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
          url = (await sqs.send(new CreateQueueCommand({ QueueName: name }))).QueueUrl;
          const role = { RoleName: name, AssumeRolePolicyDocument: trust };
          const { Role } = await iam.send(new CreateRoleCommand(role));
          await iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: "receive", PolicyDocument }));
          const code = {
            Role: Role!.Arn,
            Code: { ZipFile: zip },
            Runtime: "nodejs22.x",
            Handler: "index.handler",
          } as const;
          await lambda.send(new CreateFunctionCommand({ FunctionName: name, ...code }));
          const fed = { FunctionName: name, EventSourceArn: queueArn(name), Enabled: false };
          mapping = (await lambda.send(new CreateEventSourceMappingCommand(fed))).UUID;
        },
        async () => {
          if (mapping) await lambda.send(new DeleteEventSourceMappingCommand({ UUID: mapping }));
          await lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
          await iam.send(new DeleteRolePolicyCommand({ RoleName: name, PolicyName: "receive" }));
          await iam.send(new DeleteRoleCommand({ RoleName: name }));
          await sqs.send(new DeleteQueueCommand({ QueueUrl: url }));
        },
      );

      // Assess
      const left = [`queue ${name}`, `function ${name}`, `event source mapping ${mapping}`, `role ${name}`];
      expect(found).to.deep.equal(left.map((resource) => `left over: ${resource}`));
    });

    it("names a subscription of a topic that stays", async () => {
      const { sns } = kit.operator;
      let subscription: string | undefined;

      // Act
      const found = await problemsWhile(
        async () => {
          const subscribed = { TopicArn: kit.topicArn, Protocol: "sqs", Endpoint: queueArn("elsewhere") };
          subscription = (await sns.send(new SubscribeCommand(subscribed))).SubscriptionArn;
        },
        () => sns.send(new UnsubscribeCommand({ SubscriptionArn: subscription })),
      );

      // Assess
      expect(found).to.deep.equal([`left over: subscription ${subscription}`]);
    });

    it("names the stack's state, and an upload that was begun and not ended", async () => {
      const state = `.pulumi/stacks/documentexchanger/exchange-${kit.exchangeId}.json`;
      const checkpoint = { Bucket: kit.stateBucket, Key: state };
      const begun = { Bucket: kit.caseBucket, Key: `case_${kit.destinationCaseId}/large.bin` };
      let UploadId: string | undefined;

      // Act
      const found = await problemsWhile(
        async () => {
          await kit.operator.s3.send(new PutObjectCommand({ ...checkpoint, Body: "{}" }));
          UploadId = (await kit.s3.send(new CreateMultipartUploadCommand(begun))).UploadId;
        },
        async () => {
          await kit.operator.s3.send(new DeleteObjectCommand(checkpoint));
          await kit.s3.send(new AbortMultipartUploadCommand({ ...begun, UploadId }));
        },
      );

      // Assess
      const left = [`stack state ${state}`, `multipart upload ${begun.Key} (${UploadId})`];
      expect(found).to.deep.equal(left.map((resource) => `left over: ${resource}`));
    });
  });
});
