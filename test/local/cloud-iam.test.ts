import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { IAMClient, CreateUserCommand } from "@aws-sdk/client-iam";
import {
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { GetObjectCommand, ListBucketsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { expect } from "chai";
import { execa } from "execa";
import yazl from "yazl";
import type { Cloud } from "../../local/cloud/cloud.ts";
import { sharedCloud } from "../support/cloud.ts";
import { allow, createBucket, createMachine, createRole, executionEnd, startExecution, unique } from "./cloud-kit.ts";

/** What became of a call: "done", or the name of its error. */
const outcome = (call: Promise<unknown>) =>
  call.then(
    () => "done",
    (error: unknown) => (error as Error).name,
  );

/** Run a program that uses the AWS SDK with nothing but the environment of a profile. */
async function asProfile(env: Record<string, string>, program: string): Promise<string> {
  const options = { env: { PATH: process.env["PATH"], HOME: "/nonexistent", ...env }, extendEnv: false, reject: false };
  const { stdout, stderr } = await execa("node", ["--input-type=module", "--eval", program], options);
  return stdout.trim() || stderr;
}

const whoAmI = `
  import { STSClient, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
  console.log((await new STSClient({}).send(new GetCallerIdentityCommand({}))).Arn);
`;

/** A function that puts an object to S3 and says under which endpoint and version of Node it ran. */
const putting = `
  const { createRequire } = require("node:module");
  const { S3Client, PutObjectCommand } = createRequire(${JSON.stringify(import.meta.filename)})("@aws-sdk/client-s3");
  exports.handler = async ({ bucket }) => {
    console.log("putting to " + bucket);
    await new S3Client({}).send(new PutObjectCommand({ Bucket: bucket, Key: "of-lambda", Body: "x" }));
    return { node: process.versions.node, endpoint: process.env.AWS_ENDPOINT_URL };
  };
`;

async function zipped(code: string): Promise<Buffer> {
  const zip = new yazl.ZipFile();
  zip.addBuffer(Buffer.from(code), "index.js");
  zip.end();
  return buffer(zip.outputStream);
}

describe("the users of the local cloud", function () {
  this.timeout(60_000);
  let cloud: Cloud;
  let config: string;
  before(async () => {
    cloud = await sharedCloud();
    config = await readFile(join(cloud.runDir, "aws", "config"), "utf8");
  });
  // The engine's role belongs to whoever granted it first.
  afterEach(() => writeFile(join(cloud.runDir, "aws", "config"), config));

  it("have no root among them: neither the emulator's own keys nor account ids are anybody", async () => {
    for (const accessKeyId of ["test", "000000000000", "123456789012", "AKIAIOSFODNN7EXAMPLE"]) {
      const stranger = {
        endpoint: cloud.endpoint,
        region: cloud.region,
        credentials: { accessKeyId, secretAccessKey: "test" },
      };
      expect(await outcome(new S3Client(stranger).send(new ListBucketsCommand({}))), accessKeyId).not.to.equal("done");
      expect(await outcome(new IAMClient(stranger).send(new CreateUserCommand({ UserName: "x" })))).not.to.equal(
        "done",
      );
    }
  });

  it("must sign with their own secret", async () => {
    const { credentials, ...where } = cloud.client("operator");
    const forged = { ...where, credentials: { ...credentials, secretAccessKey: "guessed" } };
    expect(await outcome(new S3Client(forged).send(new ListBucketsCommand({})))).to.equal("SignatureDoesNotMatch");
  });

  it("may do what their part needs and nothing more", async () => {
    // Prepare
    const s3 = (profile: "platform" | "auditor" | "uploader") => new S3Client(cloud.client(profile));
    const object = { Bucket: cloud.caseBucket, Key: "case_1/a file.pdf" };

    // Act
    const outcomes = {
      platformPuts: await outcome(s3("platform").send(new PutObjectCommand({ ...object, Body: "x" }))),
      uploaderReads: await outcome(s3("uploader").send(new GetObjectCommand(object))),
      uploaderPuts: await outcome(s3("uploader").send(new PutObjectCommand({ ...object, Body: "y" }))),
      auditorLists: await outcome(s3("auditor").send(new ListBucketsCommand({}))),
      auditorPuts: await outcome(s3("auditor").send(new PutObjectCommand({ ...object, Body: "y" }))),
      operatorMakesUsers: await outcome(
        new IAMClient(cloud.client("operator")).send(new CreateUserCommand({ UserName: unique("user") })),
      ),
      platformMakesQueues: await outcome(
        new SQSClient(cloud.client("platform")).send(new CreateQueueCommand({ QueueName: unique("q") })),
      ),
    };

    // Assess
    expect(outcomes).to.deep.equal({
      platformPuts: "done",
      uploaderReads: "done",
      uploaderPuts: "AccessDenied",
      auditorLists: "done",
      auditorPuts: "AccessDenied",
      operatorMakesUsers: "AccessDenied",
      platformMakesQueues: "AccessDenied",
    });
  });

  it("get their keys from profile files that only their owner can read", async () => {
    expect(await asProfile(cloud.env("operator"), whoAmI)).to.equal("arn:aws:iam::000000000000:user/operator");
    for (const name of ["config", "credentials"]) {
      const { mode } = await stat(join(cloud.runDir, "aws", name));
      expect((mode & 0o777).toString(8), name).to.equal("600");
    }
    expect(Object.keys(cloud.env("operator"))).not.to.include.members(["AWS_ACCESS_KEY_ID"]);
  });

  it("let the engine act as its role alone", async () => {
    // Prepare
    const bucket = await createBucket(cloud);
    const roleArn = await createRole(
      cloud,
      { AWS: cloud.engineUserArn },
      [{ Effect: "Allow", Action: "s3:ListBucket", Resource: `arn:aws:s3:::${bucket}` }],
      unique("doc_exch_engine"),
    );
    const list = (name: string) => `
      import { S3Client, ListObjectsV2Command } from "@aws-sdk/client-s3";
      const call = new S3Client({}).send(new ListObjectsV2Command({ Bucket: "${name}" }));
      console.log(await call.then(() => "done", (error) => error.name));
    `;

    // Act
    await cloud.grantEngineRole(roleArn);
    const who = await asProfile(cloud.env("engine"), whoAmI);
    const allowed = await asProfile(cloud.env("engine"), list(bucket));
    const denied = await asProfile(cloud.env("engine"), list(cloud.caseBucket));
    const asUser = await asProfile({ ...cloud.env("engine"), AWS_PROFILE: "engine-user" }, list(bucket));
    const stranger = await outcome(
      new STSClient(cloud.client("platform")).send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: "x" })),
    );

    // Assess
    expect({ who, allowed, denied, asUser, stranger }).to.deep.equal({
      who: `arn:aws:sts::000000000000:assumed-role/${roleArn.split("/").at(-1)!}/engine`,
      allowed: "done",
      denied: "AccessDenied",
      asUser: "AccessDenied",
      stranger: "AccessDenied",
    });
  });

  it("let the Pulumi CLI keep its state on S3, as the operator and as the engine's role", async () => {
    // Prepare
    const roleArn = await createRole(
      cloud,
      { AWS: cloud.engineUserArn },
      [
        {
          Effect: "Allow",
          Action: "s3:*",
          Resource: [cloud.stateBucket, `${cloud.stateBucket}/*`].map((to) => `arn:aws:s3:::${to}`),
        },
      ],
      unique("doc_exch_engine"),
    );
    await cloud.grantEngineRole(roleArn);
    const pulumi = (profile: "operator" | "engine", ...args: string[]) =>
      execa("pulumi", [...args, "--non-interactive"], {
        env: { HOME: process.env["HOME"], ...cloud.pulumiEnv(profile) },
        extendEnv: false,
      });
    const stack = `organization/documentexchanger/${unique("try")}`;

    // Act
    await pulumi("engine", "stack", "init", stack);
    const { stdout } = await pulumi("operator", "stack", "ls", "--json");
    await pulumi("engine", "stack", "rm", stack, "--yes");

    // Assess
    const names = (JSON.parse(stdout) as { name: string }[]).map((each) => each.name);
    expect(names).to.include(stack.split("/").at(-1));
  });
});

describe("a Lambda of the local cloud", function () {
  this.timeout(60_000);
  let cloud: Cloud;
  before(async () => {
    cloud = await sharedCloud();
  });

  async function createFunction(role: string, logGroup?: string): Promise<string> {
    const FunctionName = unique("test-function");
    await new LambdaClient(cloud.client("operator")).send(
      new CreateFunctionCommand({
        FunctionName,
        Role: role,
        Runtime: "nodejs22.x",
        Handler: "index.handler",
        Code: { ZipFile: await zipped(putting) },
        ...(logGroup !== undefined && { LoggingConfig: { LogGroup: logGroup } }),
      }),
    );
    return FunctionName;
  }

  async function invoke(FunctionName: string, bucket: string): Promise<Record<string, unknown>> {
    const Payload = JSON.stringify({ bucket });
    const answer = await new LambdaClient(cloud.client("operator")).send(new InvokeCommand({ FunctionName, Payload }));
    return JSON.parse(Buffer.from(answer.Payload!).toString()) as Record<string, unknown>;
  }

  it("runs on our Node under its own role, which denies until it allows, and its output is kept", async () => {
    // Prepare
    const bucket = await createBucket(cloud);
    const role = await createRole(cloud, { Service: "lambda.amazonaws.com" }, []);
    const name = await createFunction(role);

    // Act
    const denied = await invoke(name, bucket);
    await allow(cloud, role, [{ Effect: "Allow", Action: "s3:PutObject", Resource: `arn:aws:s3:::${bucket}/*` }]);
    const allowed = await invoke(name, bucket);

    // Assess
    expect(denied["errorMessage"]).to.contain("not authorized to perform: s3:PutObject");
    expect(allowed).to.deep.equal({ node: process.versions.node, endpoint: cloud.endpoint });
    expect(await readFile(join(cloud.logDir, "lambda", `${name}.log`), "utf8")).to.contain(`putting to ${bucket}`);
  });

  it("does not bring back the log group that it was given and that is gone", async () => {
    // Prepare
    const bucket = await createBucket(cloud);
    const logGroupName = unique("/aws/lambda/test-group");
    const role = await createRole(cloud, { Service: "lambda.amazonaws.com" }, []);
    const name = await createFunction(role, logGroupName);
    const logs = new CloudWatchLogsClient(cloud.client("operator"));
    const found = async () =>
      (await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroupName }))).logGroups?.length;

    // Act
    await invoke(name, bucket);

    // Assess
    expect(await found()).to.equal(0);
  });

  it("reads a queue only where its role may", async () => {
    // Prepare
    const sqs = new SQSClient(cloud.client("operator"));
    const QueueName = unique("test-queue");
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName }));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "{}" }));
    const EventSourceArn = `arn:aws:sqs:us-east-1:000000000000:${QueueName}`;
    const reading = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
    const role = await createRole(cloud, { Service: "lambda.amazonaws.com" }, []);
    const FunctionName = await createFunction(role);
    const map = () =>
      new LambdaClient(cloud.client("operator")).send(
        new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn }),
      );

    // Act
    const denied: unknown = await map().catch((error: unknown) => error);
    await allow(cloud, role, [{ Effect: "Allow", Action: reading, Resource: EventSourceArn }]);
    const allowed = await map();

    // Assess
    expect((denied as Error).name).to.equal("InvalidParameterValueException");
    expect((denied as Error).message).to.contain("does not have permissions to call ReceiveMessage on SQS");
    expect(allowed.EventSourceArn).to.equal(EventSourceArn);
  });
});

describe("the integrations of a state machine", function () {
  this.timeout(60_000);
  let cloud: Cloud;
  before(async () => {
    cloud = await sharedCloud();
  });

  it("are called under its role: a topic that the role does not name gets nothing", async () => {
    // Prepare
    const sns = new SNSClient(cloud.client("operator"));
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: unique("test-topic") }));
    const publish = {
      StartAt: "Publish",
      States: {
        Publish: {
          Type: "Task",
          Resource: "arn:aws:states:::sns:publish",
          Parameters: { TopicArn, "Message.$": "States.JsonToString($)" },
          End: true,
        },
      },
    };
    const rights = (resource: string) => [{ Effect: "Allow" as const, Action: "sns:Publish", Resource: resource }];
    const allowed = await createMachine(cloud, publish, rights(TopicArn!));
    const denied = await createMachine(cloud, publish, rights(`${TopicArn!}-other`));

    // Act
    const ends = await Promise.all(
      [allowed, denied].map(async (machine) => executionEnd(cloud, await startExecution(cloud, machine))),
    );

    // Assess
    expect(ends.map((end) => [end.status, end.error])).to.deep.equal([
      ["SUCCEEDED", undefined],
      ["FAILED", "SNS.AccessDeniedException"],
    ]);
  });

  it("list a manifest's parts and invoke a Lambda for each, where the role allows it", async () => {
    // Prepare
    const bucket = await createBucket(cloud, { "parts/1": "1", "parts/2": "2", "else/3": "3" });
    const role = await createRole(cloud, { Service: "lambda.amazonaws.com" }, [
      { Effect: "Allow", Action: "s3:PutObject", Resource: `arn:aws:s3:::${bucket}/*` },
    ]);
    const FunctionName = unique("test-function");
    const code = "exports.handler = async ({ key }) => ({ part: key });";
    const created = await new LambdaClient(cloud.client("operator")).send(
      new CreateFunctionCommand({
        FunctionName,
        Role: role,
        Runtime: "nodejs22.x",
        Handler: "index.handler",
        Code: { ZipFile: await zipped(code) },
      }),
    );
    const definition = {
      StartAt: "List",
      States: {
        List: {
          Type: "Task",
          Resource: "arn:aws:states:::aws-sdk:s3:listObjectsV2",
          Parameters: { Bucket: bucket, Prefix: "parts/" },
          Next: "Parts",
        },
        Parts: {
          Type: "Map",
          ItemsPath: "$.Contents",
          ItemSelector: { "key.$": "$$.Map.Item.Value.Key" },
          ItemProcessor: {
            StartAt: "Part",
            States: {
              Part: {
                Type: "Task",
                Resource: "arn:aws:states:::lambda:invoke",
                Parameters: { FunctionName: created.FunctionArn, "Payload.$": "$" },
                OutputPath: "$.Payload",
                End: true,
              },
            },
          },
          End: true,
        },
      },
    };
    const listing = { Effect: "Allow" as const, Action: "s3:ListBucket", Resource: `arn:aws:s3:::${bucket}` };
    const invoking = { Effect: "Allow" as const, Action: "lambda:InvokeFunction", Resource: created.FunctionArn! };

    // Act
    const machines = await Promise.all([
      createMachine(cloud, definition, [listing, invoking]),
      createMachine(cloud, definition, [listing]),
      createMachine(cloud, definition, [invoking]),
    ]);
    const ends = await Promise.all(
      machines.map(async (machine) => executionEnd(cloud, await startExecution(cloud, machine))),
    );

    // Assess
    expect(
      ends.map((end) => (end.status === "SUCCEEDED" ? JSON.parse(end.output!) : end.error) as unknown),
    ).to.deep.equal([
      [{ part: "parts/1" }, { part: "parts/2" }],
      "Lambda.AccessDeniedException",
      "S3.AccessDeniedException",
    ]);
  });
});
