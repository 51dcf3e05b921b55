import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { IAM } from "@aws-sdk/client-iam";
import { SQS } from "@aws-sdk/client-sqs";
import { execa } from "execa";
import { ProviderBench, recorded } from "./provider-kit.ts";

const trust = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

/** What an operation is refused with; empty when it is not. */
const refusalOf = (operation: Promise<unknown>): Promise<string> => operation.then(() => "", String);

const queueType = "aws:sqs/queue:Queue";
const roleType = "aws:iam/role:Role";

describe("a resource of the local aws provider", function () {
  this.timeout(60_000);
  let bench: ProviderBench;
  let sqs: SQS;

  before(async () => {
    bench = await ProviderBench.open();
    sqs = new SQS(bench.cloud.client("operator"));
  });
  after(() => bench.close());

  it("that was changed behind our back shows as drift, and the next update mends it", async () => {
    // Prepare
    const stack = await bench.stack(() => ({ url: new aws.sqs.Queue("drift", { tags: { owner: "us" } }).url }));
    const { outputs } = await stack.up();
    const QueueUrl = String(outputs["url"]?.value);
    await sqs.setQueueAttributes({ QueueUrl, Attributes: { VisibilityTimeout: "77" } });
    await sqs.tagQueue({ QueueUrl, Tags: { owner: "them", stray: "yes" } });

    // Act
    const seen = await stack.previewRefresh();
    const planned = await stack.preview({ refresh: true, diff: true });
    await stack.up({ refresh: true });
    const { Attributes } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["VisibilityTimeout"] });
    const { Tags } = await sqs.listQueueTags({ QueueUrl });

    // Assess
    expect(seen.changeSummary.update).to.equal(1);
    expect(planned.stdout).to.contain("visibilityTimeoutSeconds").and.contain("stray");
    expect(Attributes).to.deep.equal({ VisibilityTimeout: "30" });
    expect(Tags).to.deep.equal({ owner: "us" });
  });

  it("that is gone is forgotten by a refresh and made anew by the next update", async () => {
    // Prepare
    const stack = await bench.stack(() => ({ url: new aws.sqs.Queue("gone", {}).url }));
    const first = await stack.up();
    await sqs.deleteQueue({ QueueUrl: String(first.outputs["url"]?.value) });

    // Act
    await stack.refresh();
    const left = await recorded(stack);
    const second = await stack.up();

    // Assess
    expect(left.has(queueType)).to.equal(false);
    expect(second.summary.resourceChanges).to.deep.include({ create: 1 });
  });

  it("is replaced after its successor exists when its name is ours to choose, and before when it is not", async () => {
    // Prepare
    let path = "/";
    const stack = await bench.stack(() => {
      new aws.iam.Role("automatic", { assumeRolePolicy: trust, path });
      new aws.iam.Role("chosen", { name: "provider-test-chosen", assumeRolePolicy: trust, path });
      return {};
    });
    await stack.up();
    path = "/other/";
    const order: string[] = [];

    // Act
    await stack.up({
      onEvent: ({ resourcePreEvent: event }) => {
        if (event?.metadata.type === roleType)
          order.push(`${event.metadata.op} ${event.metadata.urn.split("::").at(-1) ?? ""}`);
      },
    });

    // Assess
    const steps = (name: string) => order.filter((step) => step.endsWith(name)).map((step) => step.split(" ")[0]);
    expect(steps("automatic")).to.deep.equal(["create-replacement", "replace", "delete-replaced"]);
    expect(steps("chosen")).to.deep.equal(["delete-replaced", "replace", "create-replacement"]);
  });

  it("that exists although its creation failed is known, and the next update ends what was begun", async () => {
    // Prepare
    let retentionInDays = 8;
    const stack = await bench.stack(() => ({ name: new aws.cloudwatch.LogGroup("half", { retentionInDays }).name }));

    // Act
    const failure = await refusalOf(stack.up());
    const half = (await recorded(stack)).get("aws:cloudwatch/logGroup:LogGroup");
    retentionInDays = 7;
    const { outputs } = await stack.up();

    // Assess
    expect(failure).to.contain("cannot create aws.cloudwatch.LogGroup: InvalidParameterException");
    expect(half?.id).to.match(/^half-[0-9a-f]{7}$/);
    expect(outputs["name"]?.value).to.equal(half?.id);
  });

  it("that exists already is not taken over", async () => {
    // Prepare
    const iam = new IAM(bench.cloud.client("operator"));
    await iam.createRole({ RoleName: "provider-test-theirs", AssumeRolePolicyDocument: trust });
    const stack = await bench.stack(() => {
      new aws.iam.Role("theirs", { name: "provider-test-theirs", assumeRolePolicy: trust });
      return {};
    });

    // Act
    const failure = await refusalOf(stack.up());
    const left = await recorded(stack);
    await iam.deleteRole({ RoleName: "provider-test-theirs" });

    // Assess
    expect(failure).to.contain("EntityAlreadyExists");
    expect(left.has(roleType)).to.equal(false);
  });

  it("is named with its type and property when the program asks for what is not there", async () => {
    // Prepare
    const refusal = async (args: object) => {
      const stack = await bench.stack(() => {
        new aws.sqs.Queue("odd", args);
        return {};
      });
      return refusalOf(stack.preview());
    };
    const strangeType = await bench.stack(() => {
      new aws.dynamodb.Table("odd", { attributes: [] });
      return {};
    });

    // Act
    const unknown = await refusal({ colour: "red" });
    const unsupported = await refusal({ namePrefix: "x" });
    const wrong = await refusal({ delaySeconds: "soon" });
    const type = await refusalOf(strangeType.preview());

    // Assess
    expect(unknown, "the typed class drops what it does not know").to.equal("");
    expect(unsupported).to.contain(
      `"namePrefix" is a property of aws.sqs.Queue that the local provider does not support`,
    );
    expect(wrong).to.contain(`"delaySeconds" of aws.sqs.Queue must be a number, not a string`);
    expect(type).to.contain("aws:dynamodb/table:Table");
  });

  it("can be imported, and a program that describes it sees no change", async () => {
    // Prepare
    const { QueueUrl = "" } = await sqs.createQueue({
      QueueName: "provider-test-imported",
      Attributes: { VisibilityTimeout: "45", MaximumMessageSize: "262144" },
      tags: { owner: "somebody" },
    });
    const args = { name: "provider-test-imported", visibilityTimeoutSeconds: 45, tags: { owner: "somebody" } };
    const stack = await bench.stack(() => {
      new aws.sqs.Queue("imported", args, { protect: true });
      return {};
    });

    // Act
    await stack.import({ resources: [{ type: queueType, name: "imported", id: QueueUrl }], generateCode: false });
    const preview = await stack.preview();
    const absent = { type: queueType, name: "absent", id: `${QueueUrl}-absent` };
    const wrong = await refusalOf(stack.import({ resources: [absent], generateCode: false }));
    await bench.unprotect(stack);

    // Assess
    expect(Object.keys(preview.changeSummary).sort(), preview.stdout).to.deep.equal(["same"]);
    expect(wrong).to.contain("does not exist");
  });

  it("carries the provider's default tags under its own, and follows their change", async () => {
    // Prepare
    let tags: Record<string, string> = { service: "x", owner: "default" };
    const stack = await bench.stack(() => {
      const provider = new aws.Provider("tagging", { defaultTags: { tags } });
      return { url: new aws.sqs.Queue("tagged", { tags: { owner: "own" } }, { provider }).url };
    });
    const { outputs } = await stack.up();
    const QueueUrl = String(outputs["url"]?.value);

    // Act
    const before = await sqs.listQueueTags({ QueueUrl });
    tags = { service: "y", stage: "test" };
    const { summary } = await stack.up();
    const after = await sqs.listQueueTags({ QueueUrl });

    // Assess
    expect(before.Tags).to.deep.equal({ service: "x", owner: "own" });
    expect(summary.resourceChanges).to.deep.include({ update: 2 });
    expect(after.Tags).to.deep.equal({ service: "y", stage: "test", owner: "own" });
  });

  it("with a secret tag keeps it secret in all tags too", async () => {
    // Prepare
    const stack = await bench.stack(() => {
      new aws.sqs.Queue("tagged", { tags: { code: pulumi.secret("swordfish"), open: "to see" } });
      return {};
    });

    // Act
    await stack.up();
    const state = await bench.rawState(stack);

    // Assess
    expect(state).to.contain("to see").and.not.contain("swordfish");
  });
});

describe("the plugin's process", () => {
  it("ends when Pulumi does, even when Pulumi is killed", async () => {
    // Prepare
    const plugin = execa("local/provider/bin/pulumi-resource-aws", ["127.0.0.1:1"], { stdin: "pipe" });
    await new Promise((resolve) => plugin.stdout.once("data", resolve));

    // Act
    plugin.stdin.end();
    const { exitCode } = await plugin;

    // Assess
    expect(exitCode).to.equal(0);
  });
});
