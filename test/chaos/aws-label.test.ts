import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { CreateRoleCommand, DeleteRolePolicyCommand, GetRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import {
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  DeleteEventSourceMappingCommand,
  GetFunctionCommand,
  LambdaClient,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";
import { PublishCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { recogniseAws, recogniseAwsAnswer } from "../../local/chaos/wires/aws-label.ts";
import type { HttpRequest } from "../../local/chaos/wires/http-wire.ts";

const id = "0b9c7c1e-5d43-4c59-9d3e-2f1a6f0d7a11";
const orchestration = "http://127.0.0.1:1/000000000000/doc_exch_orch-1a2b3c4";
const copies = "doc_exch_s3_copy_queue_102_first-1a2b3c4";

describe("names of AWS requests on a wire", () => {
  const sent: HttpRequest[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const { method = "", url = "", headers } = request;
      sent.push({ method, url, headers, body });
      response.writeHead(400).end();
    });
  });
  let settings: { endpoint: string; region: string; maxAttempts: number; credentials: Credentials };
  interface Credentials {
    accessKeyId: string;
    secretAccessKey: string;
  }

  before(async () => {
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    settings = {
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      region: "us-east-1",
      maxAttempts: 1,
      credentials: { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "example" },
    };
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  /** The request that the SDK makes of a command. */
  async function requestOf(send: () => Promise<unknown>): Promise<HttpRequest> {
    sent.length = 0;
    await send().catch(() => undefined);
    const [request] = sent;
    if (!request) throw new Error("nothing was sent");
    return request;
  }

  const role = { RoleName: "doc_exch_s3_copy_role_102_first-1a2b3c4" };
  const FunctionName = "doc_exch_s3_copy_lambda_102_first-1a2b3c4";
  const state = { Bucket: "pulumi-state-1a2b3c4d", Key: `.pulumi/stacks/documentexchanger/exchange-${id}.json` };
  const message = JSON.stringify({ kind: "consume", exchange: { exchangeId: id }, queueUrl: orchestration });
  const UUID = "d7f7a6e2-9c39-4d7e-8f0e-1c8a6a9b1c2d";

  const cases: readonly [label: string, mutates: boolean, () => Promise<unknown>][] = [
    ["sqs.CreateQueue(s3_copy_queue)", true, () => sqs().send(new CreateQueueCommand({ QueueName: copies }))],
    [
      "sqs.SendMessage(uploader: consume)",
      true,
      () =>
        sqs().send(
          new SendMessageCommand({ QueueUrl: "http://127.0.0.1:1/0/uploader-commands-1a", MessageBody: message }),
        ),
    ],
    [
      "sqs.DeleteMessage(orch)",
      true,
      () => sqs().send(new DeleteMessageCommand({ QueueUrl: orchestration, ReceiptHandle: "receipt" })),
    ],
    ["sqs.ReceiveMessage(orch)", false, () => sqs().send(new ReceiveMessageCommand({ QueueUrl: orchestration }))],
    [
      "sns.Publish(EXCHANGER_INITIATED)",
      true,
      () =>
        new SNSClient(settings).send(
          new PublishCommand({
            TopicArn: "arn:aws:sns:us-east-1:000000000000:doc_exch_topic-1a2b3c4",
            Message: JSON.stringify({ eventId: `${id}:initiated`, eventType: "EXCHANGER_INITIATED" }),
          }),
        ),
    ],
    [
      "sns.Subscribe(s3_copy_queue)",
      true,
      () =>
        new SNSClient(settings).send(
          new SubscribeCommand({
            Protocol: "sqs",
            Endpoint: `arn:aws:sqs:us-east-1:000000000000:${copies}`,
            TopicArn: "arn:aws:sns:us-east-1:000000000000:events",
          }),
        ),
    ],
    [
      "iam.CreateRole(s3_copy_role)",
      true,
      () => new IAMClient(settings).send(new CreateRoleCommand({ ...role, AssumeRolePolicyDocument: "{}" })),
    ],
    ["iam.GetRole(s3_copy_role)", false, () => new IAMClient(settings).send(new GetRoleCommand(role))],
    [
      "iam.DeleteRolePolicy(s3_copy_role)",
      true,
      () => new IAMClient(settings).send(new DeleteRolePolicyCommand({ ...role, PolicyName: "doc_exch_policy" })),
    ],
    [
      "lambda.CreateFunction(s3_copy_lambda)",
      true,
      () => lambda().send(new CreateFunctionCommand({ FunctionName, Role: "arn:aws:iam::0:role/any", Code: {} })),
    ],
    ["lambda.GetFunction(s3_copy_lambda)", false, () => lambda().send(new GetFunctionCommand({ FunctionName }))],
    [
      "lambda.CreateEventSourceMapping(s3_copy_lambda)",
      true,
      () =>
        lambda().send(
          new CreateEventSourceMappingCommand({
            EventSourceArn: `arn:aws:sqs:us-east-1:000000000000:${copies}`,
            FunctionName,
          }),
        ),
    ],
    [
      "lambda.UpdateEventSourceMapping",
      true,
      () => lambda().send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false })),
    ],
    ["lambda.DeleteEventSourceMapping", true, () => lambda().send(new DeleteEventSourceMappingCommand({ UUID }))],
    ["s3.PutObject(state stacks)", true, () => s3().send(new PutObjectCommand({ ...state, Body: "{}" }))],
    ["s3.DeleteObject(state stacks)", true, () => s3().send(new DeleteObjectCommand(state))],
    ["s3.GetObject(state stacks)", false, () => s3().send(new GetObjectCommand(state))],
    ["s3.HeadObject(state stacks)", false, () => s3().send(new HeadObjectCommand(state))],
    [
      "s3.PutObject(exchanges/*/selection.json)",
      true,
      () => s3().send(new PutObjectCommand({ Bucket: "data", Key: `exchanges/${id}/selection.json`, Body: "{}" })),
    ],
    [
      "states.StartExecution(exchange)",
      true,
      () =>
        new SFNClient(settings).send(
          new StartExecutionCommand({
            stateMachineArn: "arn:aws:states:us-east-1:000000000000:stateMachine:doc_exch_exchange-1a2b3c4",
            name: id,
            input: "{}",
          }),
        ),
    ],
    [
      "states.DescribeExecution(exchange)",
      false,
      () =>
        new SFNClient(settings).send(
          new DescribeExecutionCommand({
            executionArn: `arn:aws:states:us-east-1:000000000000:execution:doc_exch_exchange-1a2b3c4:${id}`,
          }),
        ),
    ],
  ];
  const sqs = () => new SQSClient({ ...settings, useQueueUrlAsEndpoint: false });
  const lambda = () => new LambdaClient(settings);
  const s3 = () => new S3Client({ ...settings, forcePathStyle: true });

  for (const [label, mutates, send] of cases) {
    it(`${label} is what the SDK's request is called, and it ${mutates ? "changes something" : "only reads"}`, async () => {
      // Prepare
      const request = await requestOf(send);

      // Act
      const seen = recogniseAws(request);

      // Assess
      expect(seen).to.deep.equal({ wire: "aws", label, mutates, periodic: false });
    });
  }

  it("a poll that brought messages is an effect, named by what they are", async () => {
    // Prepare
    const request = await requestOf(() => sqs().send(new ReceiveMessageCommand({ QueueUrl: orchestration })));
    const bodies = ["DB_COPY_FINISHED", "PAYLOAD_CONSTRUCTION_FINISHED"].map((eventType) => ({
      Body: JSON.stringify({ eventId: id, eventType }),
    }));

    // Act
    const empty = recogniseAwsAnswer(request, Buffer.from("{}"));
    const full = recogniseAwsAnswer(request, Buffer.from(JSON.stringify({ Messages: bodies })));

    // Assess
    expect({ empty, full }).to.deep.equal({
      empty: undefined,
      full: {
        wire: "aws",
        label: "sqs.ReceiveMessage(orch: DB_COPY_FINISHED PAYLOAD_CONSTRUCTION_FINISHED)",
        mutates: true,
        periodic: false,
      },
    });
  });
});
