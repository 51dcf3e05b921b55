import { expect } from "chai";
import fc from "fast-check";
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RecoverableError } from "../../contracts/errors.ts";
import { bytesOf } from "../../local/provider/assets.ts";
import { check } from "../../local/provider/check.ts";
import { parseConfiguration } from "../../local/provider/configuration.ts";
import { diff, type DiffRequest } from "../../local/provider/diff.ts";
import { jsonEqual, policyEqual } from "../../local/provider/equality.ts";
import { policyDocument } from "../../local/provider/policy_document.ts";
import { Retryer, type Clock } from "../../local/provider/retrying.ts";
import { markOutputs } from "../../local/provider/secrecy.ts";
import { queue, queuePolicy } from "../../local/provider/types/sqs.ts";
import { lambdaFunction } from "../../local/provider/types/lambda.ts";
import { secret, unknown, type Bag } from "../../local/provider/values.ts";

const seed = new Uint8Array([1, 2, 3]);
const checked = (news: Bag, olds: Bag = {}, name = "work") => check(queue, { name, olds, news, seed });

describe("the check of the local aws provider", () => {
  it("fills in the official defaults and a name that stays", () => {
    // Act
    const first = checked({});
    const second = checked({}, first.inputs);
    const other = check(queue, { name: "work", olds: {}, news: {}, seed: new Uint8Array([4]) });

    // Assess
    expect(first.faults).to.deep.equal([]);
    expect(first.inputs["name"]).to.match(/^work-[0-9a-f]{7}$/);
    expect({ ...first.inputs, name: "work" }).to.deep.equal({
      __defaults: [
        "contentBasedDeduplication",
        "delaySeconds",
        "fifoQueue",
        "maxMessageSize",
        "messageRetentionSeconds",
        "name",
        "receiveWaitTimeSeconds",
        "visibilityTimeoutSeconds",
      ],
      contentBasedDeduplication: false,
      delaySeconds: 0,
      fifoQueue: false,
      maxMessageSize: 262_144,
      messageRetentionSeconds: 345_600,
      name: "work",
      receiveWaitTimeSeconds: 0,
      visibilityTimeoutSeconds: 30,
    });
    expect(second).to.deep.equal(first);
    expect(other.inputs["name"]).not.to.equal(first.inputs["name"]);
  });

  it("makes a new name when the chosen one is taken out of the program", () => {
    // Prepare
    const chosen = checked({ name: "chosen" });

    // Act
    const { inputs } = checked({}, chosen.inputs);

    // Assess
    expect(inputs["name"]).to.match(/^work-[0-9a-f]{7}$/);
  });

  it("ends the name of a FIFO queue as AWS wants it", () => {
    // Act
    const { inputs, faults } = checked({ fifoQueue: true });

    // Assess
    expect(inputs["name"]).to.match(/^work-[0-9a-f]{7}\.fifo$/);
    expect(faults).to.deep.equal([]);
  });

  it("names every wrong property, the strange, the unsupported, the missing and those of a wrong type", () => {
    // Act
    const faults = [
      ...checked({ colour: "red", namePrefix: "x", arn: "arn", delaySeconds: "soon", tags: { a: 1 } }).faults,
      ...check(queuePolicy, { name: "p", olds: {}, news: { policy: "{" }, seed }).faults,
      ...checked({}, {}, "x".repeat(80)).faults,
    ];

    // Assess
    expect(faults.map(({ property }) => property)).to.deep.equal([
      "colour",
      "namePrefix",
      "arn",
      "delaySeconds",
      "tags.a",
      "queueUrl",
      "policy",
      "name",
    ]);
    expect(faults[0]?.reason).to.equal(`"colour" is not a property of aws.sqs.Queue`);
    expect(faults[1]?.reason).to.equal(
      `"namePrefix" is a property of aws.sqs.Queue that the local provider does not support`,
    );
    expect(faults[5]?.reason).to.equal(`missing required property "queueUrl" of aws.sqs.QueuePolicy`);
    expect(faults[7]?.reason).to.contain("88 characters, allowed are 80");
  });

  it("looks into objects and lists", () => {
    // Act
    const news = { role: "r", environment: { variable: {} }, vpcConfig: { subnetIds: [1] }, code: "zip" };
    const { faults } = check(lambdaFunction, { name: "f", olds: {}, news, seed });

    // Assess
    expect(faults.map(({ property }) => property)).to.deep.equal([
      "environment.variable",
      "vpcConfig.securityGroupIds",
      "vpcConfig.subnetIds[0]",
      "code",
    ]);
  });

  it("lets pass what is not known yet", () => {
    // Act
    const { faults } = checked({ delaySeconds: unknown, redrivePolicy: unknown, tags: { a: unknown } });

    // Assess
    expect(faults).to.deep.equal([]);
  });
});

describe("the diff of the local aws provider", () => {
  const { inputs } = checked({ tags: { own: "1" } });
  const state: Bag = { ...inputs, region: "eu-west-1", policy: "", tagsAll: { own: "1", service: "x" } };
  const request: DiffRequest = {
    state,
    inputs,
    oldInputs: inputs,
    ignoreChanges: [],
    defaultTags: { service: "x" },
    region: "eu-west-1",
  };
  const paths = (news: Bag, more: Partial<DiffRequest> = {}) =>
    diff(queue, { ...request, inputs: { ...inputs, ...news }, ...more }).changes.map(
      ({ path, kind }) => `${kind} ${path}`,
    );

  it("sees nothing where nothing is", () => {
    // Act and assess
    expect(paths({})).to.deep.equal([]);
    expect(paths({ contentBasedDeduplication: undefined })).to.deep.equal([]);
  });

  it("holds the program against the state, so that drift is a change", () => {
    // Act
    const changes = paths({}, { state: { ...state, visibilityTimeoutSeconds: 77, kmsMasterKeyId: "k" } });

    // Assess
    expect(changes).to.deep.equal(["delete kmsMasterKeyId", "update visibilityTimeoutSeconds"]);
  });

  it("leaves alone what AWS may choose, until the program says otherwise", () => {
    // Act and assess
    expect(paths({}, { state: { ...state, policy: "{}" } })).to.deep.equal([]);
    expect(paths({ policy: `{"Statement":[]}` })).to.deep.equal(["update policy"]);
  });

  it("shows tags one by one, those of the provider apart", () => {
    // Act
    const changes = paths(
      { tags: { own: "2", "new one": "3" } },
      { defaultTags: { service: "y" }, state: { ...state, tagsAll: { own: "1", service: "x", stray: "z" } } },
    );

    // Assess
    expect(changes).to.deep.equal([
      `add tags["new one"]`,
      "update tags.own",
      "update tagsAll.service",
      "delete tags.stray",
    ]);
  });

  it("replaces when the name, or the region, changes", () => {
    // Act
    const named = diff(queue, { ...request, inputs: { ...inputs, name: "other", __defaults: [] } });
    const moved = diff(queue, { ...request, state: { ...state, region: "us-east-1" } });

    // Assess
    expect([named.replaces, named.deleteBeforeReplace]).to.deep.equal([["name"], false]);
    expect([moved.replaces, moved.deleteBeforeReplace]).to.deep.equal([["region"], false]);
  });

  it("takes an unknown value for a change", () => {
    // Act and assess
    expect(paths({ delaySeconds: unknown, tags: unknown })).to.deep.equal(["update delaySeconds", "update tags"]);
  });

  it("ignores what it is told to ignore, with everything under it", () => {
    // Act
    const changes = paths({ delaySeconds: 3, tags: { own: "2" } }, { ignoreChanges: ["tags"] });

    // Assess
    expect(changes).to.deep.equal(["update delaySeconds"]);
  });
});

describe("policies and documents", () => {
  const statement = {
    Sid: "",
    Effect: "Allow",
    Action: "s3:GetObject",
    Resource: ["b", "a"],
    Principal: { AWS: "123456789012" },
  };
  const document = (one: object) => JSON.stringify({ Version: "2012-10-17", Statement: one });

  it("are equal when they mean the same", () => {
    // Act and assess
    const same = [
      {
        Resource: ["a", "b"],
        Action: ["s3:GetObject"],
        Effect: "Allow",
        Principal: { AWS: ["arn:aws:iam::123456789012:root"] },
      },
    ];
    expect(policyEqual(document(statement), document(same))).to.equal(true);
    expect(jsonEqual(`{"maxReceiveCount": "5"}`, `{"maxReceiveCount":5}`)).to.equal(true);
    expect(policyEqual(document({ Principal: "*" }), document([{ Principal: { AWS: "*" } }]))).to.equal(true);
  });

  it("differ when any action, resource, effect or condition does", () => {
    // Prepare
    const changes = [
      { Action: "s3:PutObject" },
      { Resource: "a" },
      { Effect: "Deny" },
      { Condition: { Bool: { a: "true" } } },
    ];

    // Act
    const equal = changes.map((change) => policyEqual(document(statement), document({ ...statement, ...change })));

    // Assess
    expect(equal).to.deep.equal([false, false, false, false]);
  });

  it("keep their meaning in whatever order statements and values stand", () => {
    const name = fc.string({ minLength: 1, maxLength: 4 });
    const one = fc.record({
      Effect: fc.constantFrom("Allow", "Deny"),
      Action: fc.array(name, { minLength: 1 }),
      Resource: name,
    });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 4 }), (statements) => {
        const turned = statements.map((each) => ({ ...each, Action: each.Action.toReversed() })).toReversed();
        return policyEqual(document(statements), document(turned));
      }),
    );
  });

  it("are built from statements as the official provider builds them", () => {
    // Act
    const { minifiedJson } = policyDocument({
      statements: [
        {
          actions: ["sqs:b", "sqs:a"],
          resources: ["*"],
          principals: [{ type: "AWS", identifiers: ["x"] }],
          conditions: [{ test: "StringEquals", variable: "aws:a", values: ["1"] }],
        },
      ],
    });

    // Assess
    expect(JSON.parse(String(minifiedJson))).to.deep.equal({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Action: ["sqs:a", "sqs:b"],
          Resource: "*",
          Principal: { AWS: "x" },
          Condition: { StringEquals: { "aws:a": "1" } },
        },
      ],
    });
    expect(() => policyDocument({ sourceJson: "{}" })).to.throw("does not support sourceJson");
  });
});

describe("waiting and trying again", () => {
  /** A clock that jumps; `naps` are the pauses that were asked for. */
  function jumpingClock(): Clock & { naps: number[] } {
    let time = 0;
    const naps: number[] = [];
    const sleep = (milliseconds: number, signal: AbortSignal) => {
      naps.push(milliseconds);
      time += milliseconds;
      return signal.aborted ? Promise.reject(new Error("aborted")) : Promise.resolve();
    };
    return { naps, now: () => time, sleep };
  }
  const busy = Object.assign(new Error("busy"), { name: "ResourceInUseException" });
  const rules = [{ name: "ResourceInUseException", reason: "it is in use" }];

  it("goes on while the error passes by itself, with growing pauses", async () => {
    // Prepare
    const clock = jumpingClock();
    let calls = 0;
    const attempt = () => (++calls < 4 ? Promise.reject(busy) : Promise.resolve("done"));

    // Act
    const result = await new Retryer(10_000, new AbortController().signal, clock).retry(rules, attempt);

    // Assess
    expect([result, calls, clock.naps]).to.deep.equal(["done", 4, [25, 50, 100]]);
  });

  it("gives any other error back at once", async () => {
    // Act
    const failure = await new Retryer(10_000, new AbortController().signal, jumpingClock())
      .retry(rules, () => Promise.reject(new Error("no")))
      .catch(String);

    // Assess
    expect(failure).to.equal("Error: no");
  });

  it("ends at the deadline and says what it waited for", async () => {
    // Act
    const failure: unknown = await new Retryer(1_000, new AbortController().signal, jumpingClock())
      .until("the mapping to be Enabled", () => Promise.resolve(undefined))
      .catch((error: unknown) => error);

    // Assess
    expect(failure).to.be.instanceOf(RecoverableError);
    expect(String(failure)).to.contain("timed out; waiting for the mapping to be Enabled");
  });

  it("ends at once when the operation is cancelled", async () => {
    // Prepare
    const cancelled = new AbortController();
    const clock = jumpingClock();
    const ask = () => {
      cancelled.abort();
      return Promise.resolve(undefined);
    };

    // Act
    const failure = await new Retryer(1_000_000, cancelled.signal, clock).until("nothing", ask).catch(String);

    // Assess
    expect(failure).to.contain("cancelled; waiting for nothing");
    expect(clock.naps).to.deep.equal([]);
  });
});

describe("secrets on their way through the local aws provider", () => {
  it("stay secret in every output that repeats them, and nothing else becomes secret", () => {
    // Prepare
    const inputs = {
      environment: { variables: { A: "a", B: secret("b") } },
      tags: { x: secret("y") },
      list: ["a", secret("b")],
    };
    const outputs = {
      environment: { variables: { A: "a", B: "b" } },
      tags: { x: "y" },
      tagsAll: { x: "y" },
      list: ["a", "b"],
      arn: "arn",
    };

    // Act
    const marked = markOutputs(outputs, inputs);

    // Assess
    expect(marked).to.deep.equal({
      environment: { variables: { A: "a", B: secret("b") } },
      tags: { x: secret("y") },
      tagsAll: secret({ x: "y" }),
      list: secret(["a", "b"]),
      arn: "arn",
    });
  });
});

describe("archives", () => {
  const signature = "4dabf18193072939515e22adb298388d";

  it("of the same files are the same bytes, whenever and from wherever they are made", async () => {
    // Prepare
    const folders = await Promise.all([1, 2].map(() => mkdtemp(join(tmpdir(), "exchanger-archive-"))));
    for (const [index, folder] of folders.entries()) {
      await writeFile(join(folder, "index.js"), "exports.handler = 1;");
      await utimes(join(folder, "index.js"), 1_000_000 * index, 1_000_000 * index);
    }

    // Act
    const [first, second] = await Promise.all(
      folders.map((path) => bytesOf({ [signature]: "0def7320c3a5731c473e5ecbe6d01bc7", path })),
    );
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));

    // Assess
    expect(Buffer.from(first!).equals(second!)).to.equal(true);
    expect(Buffer.from(first!).subarray(0, 2).toString()).to.equal("PK");
  });
});

describe("the configuration of the local aws provider", () => {
  it("is read from the provider's arguments and the environment", () => {
    // Act
    const configuration = parseConfiguration(
      {
        profile: "deployer",
        defaultTags: `{"tags":{"service":"x"}}`,
        endpoints: `[{"sqs":"http://127.0.0.1:1"}]`,
        skipRequestingAccountId: "true",
        version: "7.48.0",
      },
      { AWS_REGION: "eu-west-1", AWS_ENDPOINT_URL: "http://localhost:2" },
    );

    // Assess
    expect(configuration).to.deep.equal({
      region: "eu-west-1",
      profile: "deployer",
      credentials: undefined,
      endpoints: { sqs: "http://127.0.0.1:1" },
      s3UsePathStyle: true,
      maxAttempts: 7,
      defaultTags: { service: "x" },
    });
  });

  it("is refused with the argument's name when it asks for what is not built", () => {
    // Act and assess
    const unsupported = () => parseConfiguration({ assumeRoles: "[]" }, {});
    const strange = () => parseConfiguration({ colour: "red" }, {});
    expect(unsupported).to.throw(
      `"assumeRoles" is an argument of aws.Provider that the local provider does not support`,
    );
    expect(strange).to.throw(`"colour" is not an argument of aws.Provider`);
  });
});
