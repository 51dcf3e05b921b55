import { setTimeout as delay } from "node:timers/promises";
import { CreateEventSourceMappingCommand, CreateFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { beginMischief, type Mischief } from "../../local/chaos/faults/mischief.ts";
import type { Struck } from "../../local/chaos/scenario.ts";
import type { Cloud } from "../../local/cloud/cloud.ts";
import { makeZip } from "../../local/samples/content/natives.ts";
import { sharedCloud } from "../support/cloud.ts";
import { createRole, unique } from "./cloud-kit.ts";

/** Sends what it received on to a queue; with what is patient it takes its time, and says so. */
const handingOn = `
  const { createRequire } = require("node:module");
  const { SQSClient, SendMessageCommand } = createRequire(${JSON.stringify(import.meta.filename)})("@aws-sdk/client-sqs");
  const send = (MessageBody) => new SQSClient({}).send(new SendMessageCommand({ QueueUrl: process.env.OUT, MessageBody }));
  exports.handler = async ({ Records }) => {
    for (const { body } of Records) {
      if (body === "patient") {
        await send("began");
        await new Promise((resolve) => setTimeout(resolve, 2000));
      }
      await send(body);
    }
  };
`;

describe("the misfortunes that the emulator can be told to have", function () {
  this.timeout(60_000);
  let cloud: Cloud;
  let sqs: SQSClient;
  let mischief: Struck | undefined;
  const queues: string[] = [];
  before(async () => {
    cloud = await sharedCloud();
    sqs = new SQSClient(cloud.client("operator"));
  });
  afterEach(async () => {
    await mischief?.end();
    mischief = undefined;
    for (const QueueUrl of queues.splice(0)) await sqs.send(new DeleteQueueCommand({ QueueUrl }));
  });
  after(() => sqs.destroy());

  const begin = async (what: Mischief) => {
    mischief = await beginMischief(cloud, what);
    return mischief;
  };
  async function queue(Attributes?: Record<string, string>): Promise<string> {
    const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: unique("mischief"), Attributes }));
    queues.push(QueueUrl);
    return QueueUrl;
  }
  const send = (QueueUrl: string, MessageBody: string) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  /** Receives and deletes what is there, for `rounds` receives; the bodies. */
  async function drain(QueueUrl: string, rounds: number): Promise<string[]> {
    const bodies: string[] = [];
    for (let round = 0; round < rounds; round++) {
      const receiving = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 };
      for (const { Body = "", ReceiptHandle } of (await sqs.send(new ReceiveMessageCommand(receiving))).Messages ??
        []) {
        bodies.push(Body);
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
    return bodies;
  }
  /** Receives until so many messages have come. */
  async function take(QueueUrl: string, count: number): Promise<string[]> {
    const bodies: string[] = [];
    while (bodies.length < count) {
      bodies.push(...(await drain(QueueUrl, 1)));
      await delay(20);
    }
    return bodies;
  }

  it("are none unless they are asked for", async () => {
    const url = await queue();
    await send(url, "one");

    expect(await drain(url, 3)).to.deep.equal(["one"]);
  });

  it("deliver every message once more after its deletion, and no oftener", async () => {
    const url = await queue();
    const { struck } = await begin({ duplicates: true });
    await send(url, "one");

    const bodies = await drain(url, 4);

    expect([bodies, struck()]).to.deep.equal([["one", "one"], true]);
  });

  it("deliver in another order, and everything", async () => {
    const url = await queue();
    const { struck } = await begin({ reorder: 3 });
    const sent = Array.from({ length: 12 }, (_, index) => String(index));
    for (const body of sent) await send(url, body);

    const received = await drain(url, 4);

    expect(received).to.not.deep.equal(sent);
    expect(received.toSorted((a, b) => Number(a) - Number(b))).to.deep.equal(sent);
    expect(struck()).to.equal(true);
  });

  it("show depths of a while ago, and then the true ones", async () => {
    const url = await queue();
    const { struck } = await begin({ counterLagSeconds: 0.3 });
    await send(url, "one");
    const depth = async () => {
      const asking = { QueueUrl: url, AttributeNames: ["ApproximateNumberOfMessages" as const] };
      return (await sqs.send(new GetQueueAttributesCommand(asking))).Attributes?.["ApproximateNumberOfMessages"];
    };

    const first = await depth();
    while ((await depth()) !== "1") await delay(50);

    expect([first, struck()]).to.deep.equal(["0", true]);
  });

  it("refuse entries of a batch once", async () => {
    const url = await queue();
    await begin({ refusedEntries: 2 });
    const batch = (ids: readonly string[]) =>
      sqs.send(
        new SendMessageBatchCommand({ QueueUrl: url, Entries: ids.map((Id) => ({ Id, MessageBody: `of ${Id}` })) }),
      );

    const { Successful, Failed } = await batch(["a", "b", "c"]);
    const again = await batch(["a", "b"]);

    expect(Successful?.map(({ Id }) => Id)).to.deep.equal(["c"]);
    expect(Failed?.map(({ Id, SenderFault }) => [Id, SenderFault])).to.deep.equal([
      ["a", false],
      ["b", false],
    ]);
    expect(again.Failed ?? []).to.deep.equal([]);
    expect((await drain(url, 2)).sort()).to.deep.equal(["of a", "of b", "of c"]);
  });

  describe("strike a function at one of its calls", () => {
    /** A function that hands on what it takes from a queue; the two queues, and the beginning of its name. */
    async function handOn(): Promise<{ from: string; to: string; prefix: string }> {
      const [from, to] = [await queue({ VisibilityTimeout: "600" }), await queue()];
      const arn = (url: string) => `arn:aws:sqs:${cloud.region}:${cloud.accountId}:${String(url.split("/").at(-1))}`;
      const reading = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
      const Role = await createRole(cloud, { Service: "lambda.amazonaws.com" }, [
        { Effect: "Allow", Action: reading, Resource: arn(from) },
        { Effect: "Allow", Action: "sqs:SendMessage", Resource: arn(to) },
      ]);
      const FunctionName = unique("mischief-function");
      const lambda = new LambdaClient(cloud.client("operator"));
      await lambda.send(
        new CreateFunctionCommand({
          ...{ FunctionName, Role, Runtime: "nodejs22.x", Handler: "index.handler", Timeout: 30 },
          Code: { ZipFile: await makeZip({ "index.js": handingOn }) },
          Environment: { Variables: { OUT: to } },
        }),
      );
      await lambda.send(new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn: arn(from), BatchSize: 1 }));
      lambda.destroy();
      return { from, to, prefix: FunctionName };
    }

    it("which takes effect, and the function dies and is given its message again", async () => {
      const { from, to, prefix } = await handOn();
      await begin({ function: { prefix, call: "sqs:SendMessage", occurrence: 1, does: "die" } });

      await send(from, "one");

      expect(await take(to, 2)).to.deep.equal(["one", "one"]);
    });

    it("and no other of its environments", async () => {
      const { from, to, prefix } = await handOn();
      await begin({ function: { prefix, call: "sqs:SendMessage", occurrence: 2, does: "die" } });

      await send(from, "patient");
      const first = await take(to, 1);
      await send(from, "one");

      expect([first, (await take(to, 3)).sort()]).to.deep.equal([["began"], ["one", "one", "patient"]]);
    });

    it("when all is done, and its answer is lost", async () => {
      const { from, to, prefix } = await handOn();
      const { struck } = await begin({ function: { prefix, call: "answer", occurrence: 2, does: "die" } });

      await send(from, "one");
      const first = await take(to, 1);
      await send(from, "two");

      expect([first, await take(to, 2), struck()]).to.deep.equal([["one"], ["two", "two"], true]);
    });

    it("which is denied once", async () => {
      const { from, to, prefix } = await handOn();
      const { struck } = await begin({ function: { prefix, call: "sqs:SendMessage", occurrence: 1, does: "refused" } });

      await send(from, "one");

      expect([await take(to, 1), await drain(to, 3), struck()]).to.deep.equal([["one"], [], true]);
    });

    it("after which it stands still for a while, and then goes on", async () => {
      const { from, to, prefix } = await handOn();
      const { struck } = await begin({
        function: { prefix, call: "sqs:SendMessage", occurrence: 1, does: "pause", seconds: 0.5 },
      });

      await send(from, "one");
      const first = await take(to, 1);
      await send(from, "two");

      expect([first, await take(to, 1), struck()]).to.deep.equal([["one"], ["two"], true]);
    });
  });
});
