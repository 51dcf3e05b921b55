import { credentials } from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import service from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { expect } from "chai";
import { Lambda } from "@aws-sdk/client-lambda";
import { S3 } from "@aws-sdk/client-s3";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { SQS } from "@aws-sdk/client-sqs";
import { nameOf } from "../../local/provider/retrying.ts";
import { serve } from "../../local/provider/server.ts";
import { resourceTypes } from "../../local/provider/types/index.ts";
import { everyType, type AllOptions } from "./provider-all.ts";
import { ProviderBench, recorded } from "./provider-kit.ts";

describe("the local aws provider, attached to by hand", () => {
  it("serves whoever attaches to it, one after the other", async () => {
    // Prepare
    const server = await serve();
    const client = new service.ResourceProviderClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
    const attach = () =>
      new Promise<string | undefined>((resolve) => {
        client.attach(new plugin.PluginAttach(), (error: Error | null) => {
          resolve(error?.message);
        });
      });

    // Act
    const errors = [await attach(), await attach()];

    // Assess
    client.close();
    server.close();
    expect(errors).to.deep.equal([undefined, undefined]);
  });
});

describe("the local aws provider, with every resource type in one stack", function () {
  this.timeout(120_000);
  let bench: ProviderBench;

  before(async () => {
    bench = await ProviderBench.open();
  });
  after(() => bench.close());

  it("creates, reads, updates in place and deletes, and in between sees no change where there is none", async () => {
    // Prepare
    const options: AllOptions = { round: 1 };
    const stack = await bench.stack(() => everyType(options));
    const sqs = new SQS(bench.cloud.client("operator"));
    const s3 = new S3(bench.cloud.client("operator"));
    const lambda = new Lambda(bench.cloud.client("operator"));

    // Act
    const made = await stack.up();
    const again = await stack.preview();
    const refreshed = await stack.refresh();
    const types = new Set([...(await recorded(stack)).keys()].filter((type) => type.startsWith("aws:")));
    options.round = 2;
    options.mapping = "off";
    const updated = await stack.up();
    const afterwards = await stack.preview();
    const outputs = Object.fromEntries(
      Object.entries(updated.outputs).map(([name, { value }]) => [name, String(value)]),
    );
    const object = await s3.getObject({ Bucket: outputs["bucket"], Key: outputs["key"] });
    const text = await object.Body!.transformToString();
    const mapping = await lambda.getEventSourceMapping({ UUID: outputs["mappingUuid"] });
    const answer = await lambda.invoke({ FunctionName: outputs["functionName"] });
    const tags = await sqs.listQueueTags({ QueueUrl: outputs["queueUrl"] });
    await stack.destroy();

    // Assess
    expect(made.summary.resourceChanges).to.deep.equal({ create: resourceTypes.size + 4 });
    expect([...types].sort()).to.deep.equal([...resourceTypes.keys()].sort());
    expect(Object.keys(again.changeSummary)).to.deep.equal(["same"]);
    expect(Object.keys(refreshed.summary.resourceChanges ?? {})).to.deep.equal(["same"]);
    expect(Object.keys(updated.summary.resourceChanges ?? {}).sort()).to.deep.equal(["replace", "same", "update"]);
    expect(updated.summary.resourceChanges?.["replace"], "the secret's version").to.equal(1);
    expect(Object.keys(afterwards.changeSummary)).to.deep.equal(["same"]);
    expect(text).to.equal("round 2");
    expect(mapping.State).to.equal("Disabled");
    expect(JSON.parse(Buffer.from(answer.Payload!).toString())).to.deep.equal({ batchItemFailures: [], round: 2 });
    expect(tags.Tags).to.deep.equal({ round: "2", second: "yes", service: "provider-test", "with space": "a b" });
    expect(await sqs.getQueueUrl({ QueueName: outputs["queueUrl"]!.split("/").at(-1) }).catch(nameOf)).to.equal(
      "QueueDoesNotExist",
    );
  });

  it("keeps secrets out of the state, wherever they show up again", async () => {
    // Prepare
    const stack = await bench.stack(() => everyType({ round: 1 }));

    // Act
    const { outputs } = await stack.up();
    const state = await bench.rawState(stack);
    const lambda = new Lambda(bench.cloud.client("operator"));
    const found = await lambda.getFunctionConfiguration({ FunctionName: String(outputs["functionName"]?.value) });
    const secrets = new SecretsManager(bench.cloud.client("operator"));
    const value = await secrets.getSecretValue({ SecretId: String(outputs["secretArn"]?.value) });

    // Assess
    expect(state).to.contain("ROUND").and.not.contain("open sesame");
    expect(found.Environment?.Variables).to.deep.equal({ ROUND: "1", PASSWORD: "open sesame too" });
    expect(value.SecretString).to.equal("open sesame 1");
  });
});
