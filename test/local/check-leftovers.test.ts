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
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { SubscribeCommand, UnsubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, DeleteQueueCommand } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { makeZip } from "../../local/samples/content/natives.ts";
import { sharedCloud } from "../support/cloud.ts";
import { checkKit } from "./check-kit.ts";

describe("the outsider's check of what is left over", function () {
  this.timeout(30_000);
  let kit: Awaited<ReturnType<typeof checkKit>>;
  before(async () => {
    kit = await checkKit(await sharedCloud());
  });
  after(() => kit.close());
  const queueArn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`;
  const trust = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
  });

  it("names a queue with the prefix, and one that only a tag gives away", async () => {
    const names = [`doc_exch_left_${kit.exchangeId}`, `unnamed_${kit.exchangeId.slice(0, 8)}`];
    const urls: string[] = [];
    const { sqs } = kit.operator;

    // Act
    const found = await kit.problemsWhile(
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
    const found = await kit.problemsWhile(
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
    const found = await kit.problemsWhile(
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
    const found = await kit.problemsWhile(
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
    const found = await kit.problemsWhile(
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
