import { expect } from "chai";
import { classify } from "../../engine/deployer/errors.ts";
import { backOffSeconds } from "../../engine/exchange/operate.ts";
import { noFacts, type ExchangeRecord, type Operation } from "../../engine/exchange/record.ts";
import { dedupeKey, requestHash } from "../../engine/http/keys.ts";
import { failureOf, interpret } from "../../engine/inbox/interpret.ts";
import { eventMessage, recheckMessage } from "../../engine/lifecycle/events.ts";
import { executionArn, executionInput } from "../../engine/lifecycle/execution.ts";
import { isAbandoned, isDeadHere } from "../../engine/lifecycle/liveness.ts";
import { event, type ExchangeEvent } from "../../contracts/events.ts";
import type { GlobalOutputs } from "../../programs/global/outputs.ts";
import { request } from "./kit.ts";

const id = "6f0c2f60-6d3e-4d62-9f5b-2f7a1b1f5f10";
const now = new Date("2026-01-01T12:00:00.000Z");
const record: ExchangeRecord = {
  id,
  state: "STARTING",
  stateSince: now,
  context: { exchangeId: id, sourceCaseId: 1, caseId: 2, batchId: "b1" },
  request: request(),
  selected: 3,
  facts: { ...noFacts, outputs: { queues: { s3_copy: { url: "http://q", arn: "arn:q" } }, processors: {} } },
  waiting: null,
  createdAt: now,
  updatedAt: now,
};

describe("errors of a Pulumi operation", () => {
  const texts: [text: string, code: string, retryable: boolean][] = [
    ["error: the stack is currently locked by 1 lock(s).", "STACK_LOCKED", true],
    ["error: [409] Conflict: Another update is currently in progress.", "STACK_LOCKED", true],
    ["getting secrets manager: incorrect passphrase", "WRONG_PASSPHRASE", false],
    ["no resource plugin 'pulumi-resource-aws' found", "PROVIDER_MISSING", false],
    ["AWS.SimpleQueueService.QueueDeletedRecently: You must wait 60 seconds", "QUEUE_DELETED_RECENTLY", true],
    [
      "InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda.",
      "ROLE_NOT_READY",
      true,
    ],
    ["The provided execution role does not have permissions to call ReceiveMessage on SQS", "ROLE_NOT_READY", true],
    ["TooManyRequestsException: Rate exceeded", "THROTTLED", true],
    ["ThrottlingException: Rate exceeded", "THROTTLED", true],
    ["ResourceInUseException: Cannot delete the event source mapping", "RESOURCE_IN_USE", true],
    ["LimitExceeded: Cannot exceed quota for RolesPerAccount: 1000", "QUOTA_EXCEEDED", true],
    ["ExpiredToken: The security token included in the request is expired", "CREDENTIALS_INVALID", true],
    ["AccessDenied: User is not authorized to perform: iam:CreateRole", "ACCESS_DENIED", false],
    ["api error ServiceUnavailable: please try again", "AWS_UNAVAILABLE", true],
    ["dial tcp 127.0.0.1:1: connect: connection refused", "AWS_UNAVAILABLE", true],
    ["EntityAlreadyExists: Role with name x already exists.", "ALREADY_EXISTS", true],
    ["Running program failed with an unhandled exception: TypeError", "PROGRAM_FAILED", false],
    ["something that nobody has seen before", "PULUMI_FAILED", true],
  ];
  for (const [text, code, retryable] of texts) {
    it(`are named by their text: ${text.slice(0, 48)}`, () => {
      expect(classify([{ urn: null, message: text }], new Error("ignored"))).to.deep.equal({
        code,
        message: text,
        retryable,
      });
    });
  }

  it("say which resource they are about", () => {
    const urn = "urn:pulumi:exchange-1::documentexchanger::aws:sqs/queue:Queue::s3_copy";

    expect(classify([{ urn, message: "no" }], null).message).to.equal("aws:sqs/queue:Queue::s3_copy: no");
  });

  it("are taken from stderr where there is no diagnostic", () => {
    const thrown = new Error(
      "code: -2\n stdout: \n stderr: Command failed with exit code 1: pulumi up\nerror: no luck\n err?: Error: x",
    );

    expect(classify([], thrown).message).to.equal("error: no luck");
  });

  it("are cut to a length that fits a record", () => {
    expect(classify([{ urn: null, message: "x".repeat(9000) }], null).message.length).to.equal(2001);
  });

  it("are tried again after ever longer times, up to five minutes", () => {
    expect([1, 2, 3, 8, 9, 60].map(backOffSeconds)).to.deep.equal([2, 4, 8, 256, 300, 300]);
  });
});

describe("messages of the orchestration queue", () => {
  const told = (eventType: ExchangeEvent["eventType"], detail: object): string =>
    JSON.stringify({
      eventId: `${id}:x`,
      source: "state_machine",
      eventType,
      status: "SUCCESS",
      jobId: id,
      caseId: 2,
      sourceCaseId: 1,
      batchId: "b1",
      timestamp: now.toISOString(),
      detail,
    });
  const payload = { parts: [{ part: "p", documents: 1, copy: 2, upload: 1 }] };

  for (const [eventType, detail, fact] of [
    ["DB_COPY_FINISHED", {}, { kind: "copy_finished" }],
    ["PAYLOAD_CONSTRUCTION_FINISHED", payload, { kind: "payload", payload }],
    ["EXCHANGER_DELETE_INITIATED", {}, { kind: "none" }],
    [
      "PAYLOAD_CONSTRUCTION_FAILED",
      { error: "E", cause: "why" },
      { kind: "failure", failure: { code: "PAYLOAD_CONSTRUCTION_FAILED", message: "E: why" } },
    ],
  ] as const) {
    it(`tell a fact: ${eventType}`, () => {
      const expected = { kind: "event", heard: { eventId: `${id}:x`, eventType, exchangeId: id, fact } };

      expect(interpret(told(eventType, detail))).to.deep.equal(expected);
    });
  }

  it("may be re-checks", () => {
    const body = JSON.stringify({ kind: "recheck", exchangeId: id });

    expect(interpret(body)).to.deep.equal({ kind: "recheck", exchangeId: id });
  });

  for (const body of ["", "{", "{}", '"x"', told("PAYLOAD_CONSTRUCTION_FINISHED", { parts: 7 })]) {
    it(`are refused when they are none: ${body.slice(0, 12)}`, () => {
      expect(() => interpret(body))
        .to.throw("is not understood")
        .with.property("code", "INVALID_MESSAGE");
    });
  }

  it("show the error message of a failed Glue run, with its end when it is long", () => {
    const cause = JSON.stringify({ JobRunState: "FAILED", ErrorMessage: `${"x".repeat(3000)} no free bit` });

    const { code, message } = failureOf("GLUE_JOB_FAILED", { error: "States.TaskFailed", cause });

    expect(code).to.equal("GLUE_JOB_FAILED");
    expect(message)
      .to.match(/^States\.TaskFailed: …x+ no free bit$/)
      .and.to.have.length(2020);
  });
});

describe("messages of the engine", () => {
  it("are events with an id that never changes", () => {
    const message = eventMessage(record, "EXCHANGER_INITIATED", now);

    expect(event.parse(message.body)).to.deep.equal(message.body);
    expect([message.messageId, message.channel]).to.deep.equal([`${id}:initiated`, "topic"]);
  });

  it("carry the cause of a failure", () => {
    const failure = { code: "GLUE_JOB_FAILED", message: "no free bit" };

    const facts = { ...record.facts, failure, records: { fate: "removed" } as const };
    const { body } = eventMessage({ ...record, facts }, "EXCHANGER_FAILED", now);

    const detail = { error: failure, selection: "all", records: "removed" };
    expect(body).to.deep.include({ status: "ERROR", detail });
  });

  it("make the engine look again after the drain delay", () => {
    expect(recheckMessage(record, 90)).to.deep.equal({
      messageId: `${id}:recheck`,
      exchangeId: id,
      channel: "orchestration",
      body: { kind: "recheck", exchangeId: id },
      delaySeconds: 90,
    });
  });
});

describe("execution input", () => {
  const global = { dataBucket: "data", caseBucket: "cases" } as GlobalOutputs;

  it("holds the request in the arguments of the Glue job", () => {
    const { glueArguments, ...rest } = executionInput(record, global, null);

    expect(rest).to.deep.equal({
      exchange: record.context,
      dataBucket: "data",
      manifestPrefix: `exchanges/${id}/manifest/`,
      caseBucket: "cases",
      annotations: null,
      queues: { s3_copy: "http://q" },
    });
    expect(glueArguments).to.deep.equal({
      "--exchange_id": id,
      "--source_case_id": "1",
      "--destination_case_id": "2",
      "--batch_id": "b1",
      "--include_natives": "false",
      "--annotated": "false",
      "--exclude_privileged": "false",
      "--metadata": JSON.stringify(record.request.metadata),
      "--manifest_prefix": `exchanges/${id}/manifest/`,
      "--report_key": `exchanges/${id}/report.json`,
      "--selection": '{"by":"all"}',
    });
  });

  it("names the object of a long selection instead", () => {
    const { glueArguments } = executionInput(record, global, "exchanges/x/selection.json");

    expect([glueArguments["--selection"], glueArguments["--selection_key"]]).to.deep.equal([
      undefined,
      "exchanges/x/selection.json",
    ]);
  });

  it("leads to an execution that carries the exchange's id", () => {
    const machine = "arn:aws:states:us-east-1:1:stateMachine:copy-1a2b";

    expect(executionArn(machine, id)).to.equal(`arn:aws:states:us-east-1:1:execution:copy-1a2b:${id}`);
  });
});

describe("keys of a request", () => {
  it("are the caller's own where it sends one, else what the work is, whoever asks", () => {
    const keys = [
      dedupeKey("a", "k", request()),
      dedupeKey("a", "k", request({ batchId: "other" })),
      dedupeKey("b", "k", request()),
      dedupeKey("a", undefined, request()),
      dedupeKey("b", undefined, request({ includeNatives: true })),
      dedupeKey("a", undefined, request({ batchId: "other" })),
    ];

    expect(keys.map((key) => keys.indexOf(key))).to.deep.equal([0, 0, 2, 3, 3, 5]);
  });

  it("are those of earlier releases where a field that came later is not set", () => {
    const earlier = { ...request(), excludePrivileged: undefined } as never;

    expect(requestHash(request())).to.equal(requestHash(earlier));
  });

  it("take documents as a set and settings as they are", () => {
    const of = (documentIds: string[], includeNatives = false) =>
      requestHash(request({ selection: { by: "documents", documentIds }, includeNatives }));

    expect(of(["1", "2"])).to.equal(of(["2", "1"]));
    expect(of(["1", "2"])).to.not.equal(of(["1", "2"], true));
  });
});

describe("an operation's owner", () => {
  const here = { instance: "here/10/a", leaseSeconds: 30 };
  const table = (commands: Record<number, string>) => ({ commandOf: (pid: number) => commands[pid] });
  const operation = (more: Partial<Operation> = {}): Operation => ({
    id: "op-1",
    kind: "up",
    purpose: "provision",
    attempt: 1,
    state: "running",
    owner: "here/10/a",
    pid: 20,
    heartbeatAt: new Date(now.getTime() - 1000),
    endedAt: null,
    error: null,
    cancelRequested: false,
    ...more,
  });
  const longAgo = new Date(now.getTime() - 61_000);
  const alive = { 10: "node main.ts", 20: "node child.ts op-1" };

  const rows: [title: string, operation: Operation, commands: Record<number, string>, abandoned: boolean][] = [
    ["lives while it shows signs of life", operation(), alive, false],
    ["is dead after two silent leases", operation({ heartbeatAt: longAgo }), { 10: "node main.ts" }, true],
    ["is not taken for dead while the operation's process lives", operation({ heartbeatAt: longAgo }), alive, false],
    [
      "is dead although another process has the operation's old id",
      operation({ heartbeatAt: longAgo }),
      { ...alive, 20: "node child.ts op-2" },
      true,
    ],
    ["is dead at once when its process on this machine is gone", operation({ owner: "here/9/z" }), {}, true],
    ["may still stop its operation's process", operation({ owner: "here/9/z" }), { 20: "node child.ts op-1" }, false],
    ["of another machine is believed for two leases", operation({ owner: "there/9/z" }), {}, false],
    ["of another machine is dead after them", operation({ owner: "there/9/z", heartbeatAt: longAgo }), alive, true],
    ["does not matter once the operation has ended", operation({ state: "failed", heartbeatAt: longAgo }), {}, false],
  ];
  for (const [title, given, commands, abandoned] of rows) {
    it(title, () => {
      expect(isAbandoned(given, now, here, table(commands))).to.equal(abandoned);
    });
  }

  const holders: [title: string, holder: string, dead: boolean][] = [
    ["is alive while its process runs", "here/10/x/lease", false],
    ["is dead when its process is gone", "here/9/z/lease", true],
    ["is dead when this very process has its id after a restart", `here/${process.pid}/before/lease`, true],
    ["is alive when it is this engine", `here/${process.pid}/now/lease`, false],
    ["is not known to be dead on another machine", "there/9/z/lease", false],
  ];
  for (const [title, holder, dead] of holders) {
    it(`that holds a lease ${title}`, () => {
      const processes = table({ ...alive, [process.pid]: "node main.ts" });

      expect(isDeadHere(holder, `here/${process.pid}/now`, processes)).to.equal(dead);
    });
  }

  it("is dead when this very process has its id after a restart", () => {
    const before = operation({ owner: `here/${process.pid}/before` });

    expect(isAbandoned(before, now, { ...here, instance: `here/${process.pid}/after` }, table(alive))).to.equal(false);
    expect(
      isAbandoned({ ...before, pid: 21 }, now, { ...here, instance: `here/${process.pid}/after` }, table({})),
    ).to.equal(true);
  });
});
