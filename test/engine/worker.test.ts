import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CreateQueueCommand, DeleteQueueCommand } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { exchangeStates } from "../../contracts/states.ts";
import { awsClients, destroyClients, type AwsClients } from "../../engine/aws/clients.ts";
import { Deployer } from "../../engine/deployer/deployer.ts";
import { defaultDeadlineMinutes } from "../../engine/exchange/deadlines.ts";
import { OperationRunner } from "../../engine/lifecycle/operation-runner.ts";
import { Sweeper } from "../../engine/lifecycle/sweep.ts";
import { Worker } from "../../engine/lifecycle/worker.ts";
import type { Registry } from "../../engine/registry/database.ts";
import { admit } from "../../engine/registry/admission.ts";
import { find, history, requestEnd } from "../../engine/registry/exchanges.ts";
import { intend, markRunning, operationsOf } from "../../engine/registry/operations.ts";
import { takeDue } from "../../engine/registry/outbox.ts";
import { UploaderCoordinator } from "../../engine/uploader/coordinator.ts";
import type { GlobalOutputs } from "../../programs/global/outputs.ts";
import { ensureToolchain } from "../../local/toolchain/index.ts";
import { sharedCloud } from "../support/cloud.ts";
import { acceptedExchange, silent, testRegistry, type TestRegistry } from "./kit.ts";

const global = {
  stateMachineArn: "arn:aws:states:us-east-1:000000000000:stateMachine:doc_exch_none",
  glueJobName: "doc_exch_none",
  dataBucket: "doc-exch-none",
} as GlobalOutputs;

describe("worker", function () {
  this.timeout(120_000);
  let registry: TestRegistry;
  let db: Registry;
  let aws: AwsClients;
  let folder: string;
  let environment: Record<string, string>;
  const started: { worker: Worker; operations: OperationRunner }[] = [];

  before(async () => {
    const cloud = await sharedCloud();
    const settings = cloud.client("operator");
    aws = awsClients(settings);
    const { path } = await ensureToolchain(() => undefined);
    folder = await mkdtemp(join(tmpdir(), "worker-"));
    environment = {
      ...(process.env as Record<string, string>),
      PATH: [...path, process.env["PATH"]].join(delimiter),
      PULUMI_HOME: join(folder, "home"),
      PULUMI_BACKEND_URL: `file://${folder}`,
      PULUMI_CONFIG_PASSPHRASE: "only for this test",
    };
  });
  after(async () => {
    destroyClients(aws);
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    registry = await testRegistry();
    ({ db } = registry);
  });
  afterEach(async () => {
    await Promise.all(started.map(({ worker }) => worker.stop()));
    await Promise.all(started.splice(0).map(({ operations }) => operations.settle(0)));
    await registry.drop();
  });

  /** An engine's worker without HTTP, inbox and outbox, on the shared registry. */
  function workerOf(name: string, program: string, seen: Pick<AwsClients, keyof AwsClients> = aws): Worker {
    const instance = `${name}/${process.pid}/${name}`;
    const sweeper = new Sweeper(aws);
    const operations = new OperationRunner({
      db,
      deployer: new Deployer({
        maxOperations: 1,
        operationMiB: 100,
        operationsPerMinute: 6000,
        workDir: join(folder, name),
        environment,
        stopGraceSeconds: 20,
      }),
      global,
      program: new URL(`programs/${program}.ts`, import.meta.url).href,
      secretsProvider: undefined,
      instance,
      heartbeatSeconds: 1,
      log: silent,
      ended: () => {
        worker.nudge();
      },
    });
    const uploader = new UploaderCoordinator(aws.sqs, "http://127.0.0.1:1/nobody");
    const worker: Worker = new Worker({
      eyes: { db, aws: seen, sweeper, global, instance, leaseSeconds: 10 },
      hands: { db, aws: seen, global, operations, uploader, sweeper, drainDelaySeconds: 1, log: silent },
      settings: { deadlineMinutes: defaultDeadlineMinutes, pollSeconds: 0.2, settlingSeconds: 0, releaseSeconds: 60 },
      maxLiveExchanges: 10,
      moved: () => undefined,
      log: silent,
    });
    started.push({ worker, operations });
    return worker;
  }

  async function until(id: string, state: (typeof exchangeStates)[number]): Promise<void> {
    while ((await find(db, id))?.state !== state) await delay(100);
  }

  it("drives an exchange that cannot be provisioned to its one end, however many engines there are", async () => {
    const id = await acceptedExchange(db);
    for (const name of ["one", "two", "three"]) workerOf(name, "failing").start();

    await until(id, "FAILED");

    const record = await find(db, id);
    expect((await history(db, id)).map(({ state }) => state)).to.deep.equal([
      "ACCEPTED",
      "PROVISIONING",
      "FAILING",
      "DESTROYING",
      "FAILED",
    ]);
    expect((await operationsOf(db, id)).map(({ purpose, attempt, state }) => [purpose, attempt, state])).to.deep.equal([
      ["provision", 1, "failed"],
      ["destroy", 1, "succeeded"],
    ]);
    expect((await takeDue(db, 10, 1)).map(({ messageId }) => messageId)).to.deep.equal([`${id}:failed`]);
    expect([record?.facts.failure?.code, record?.waiting]).to.deep.equal(["ACCESS_DENIED", null]);
  });

  it("waits for an uploader that cannot be reached, and does not fail the exchange", async () => {
    const id = await acceptedExchange(db);
    const outputs = {
      queues: { doc_uploader: { url: "http://127.0.0.1:1/q", arn: "arn:aws:sqs:us-east-1:000000000000:q" } },
      processors: {},
    };
    await db
      .updateTable("exchanges")
      .set({ state: "STARTING", outputs: JSON.stringify(outputs), wake_at: new Date(0) })
      .execute();

    workerOf("one", "small").start();
    while (!(await find(db, id))?.waiting?.startsWith("UPLOADER_UNAVAILABLE")) await delay(50);

    expect((await find(db, id))?.state).to.equal("STARTING");
  });

  /** Clients of an account that refuses everything. */
  function refusing(): AwsClients {
    const client = { send: () => Promise.reject(new Error("User is not authorized")) };
    return Object.fromEntries(Object.keys(aws).map((name) => [name, client])) as unknown as AwsClients;
  }

  const stuck: [state: (typeof exchangeStates)[number], path: string[], facts: object][] = [
    ["COPYING_RECORDS", ["FAILING", "DESTROYING", "FAILED"], {}],
    ["CONSTRUCTING_PAYLOAD", ["FAILING", "DESTROYING", "FAILED"], {}],
    ["PROCESSING", ["FAILING", "DESTROYING", "FAILED"], {}],
    ["DRAINING", ["FAILING", "DESTROYING", "FAILED"], {}],
    ["FAILING", ["DESTROYING", "FAILED"], {}],
    ["CANCELLING", ["DESTROYING", "CANCELLED"], { cancel_requested_at: new Date() }],
  ];
  for (const [state, path, facts] of stuck) {
    it(`ends an exchange in ${state} of which nothing can be observed, once its deadline has passed`, async () => {
      const id = await acceptedExchange(db);
      const queue = { url: "http://127.0.0.1:1/q", arn: "arn:aws:sqs:us-east-1:000000000000:q" };
      const change = {
        outputs: JSON.stringify({ queues: { doc_uploader: queue }, processors: {} }),
        uploader_released_at: new Date(),
        ...facts,
      };
      await db
        .updateTable("exchanges")
        .set({ state, ...change, state_since: new Date("2020-01-01"), wake_at: new Date(0) })
        .execute();

      workerOf("one", "small", refusing()).start();
      // In FAILING the deadline begins anew: it is let pass as well.
      for (const next of path) {
        await until(id, next as typeof state);
        await db
          .updateTable("exchanges")
          .set({ state_since: new Date("2020-01-01"), wake_at: new Date(0) })
          .execute();
      }

      const { facts: known } = (await find(db, id)) ?? {};
      expect((await history(db, id)).map(({ state }) => state)).to.deep.equal(["ACCEPTED", ...path]);
      expect(known?.records).to.have.nested.property("error.code", "RECORDS_NOT_REMOVED");
      if (path.includes("FAILING")) expect(known?.failure?.code).to.equal("DEADLINE_EXCEEDED");
    });
  }

  it("ends a waiting exchange that is cancelled without making anything", async () => {
    const id = await acceptedExchange(db);
    await requestEnd(db, id, false);

    workerOf("one", "failing").start();
    await until(id, "CANCELLED");

    expect([await operationsOf(db, id), (await history(db, id)).map(({ state }) => state)]).to.deep.equal([
      [],
      ["ACCEPTED", "CANCELLED"],
    ]);
    expect((await takeDue(db, 10, 1)).map(({ messageId }) => messageId)).to.deep.equal([`${id}:cancelled`]);
  });

  it("stops the process of an operation when its exchange is cancelled, and destroys what it made", async () => {
    const id = await acceptedExchange(db);
    const worker = workerOf("one", "endless");
    worker.start();
    while ((await operationsOf(db, id))[0]?.state !== "running") await delay(100);

    await requestEnd(db, id, false);
    worker.nudge();
    await until(id, "CANCELLED");

    const operations = await operationsOf(db, id);
    expect(operations.map(({ purpose, state }) => [purpose, state])).to.deep.equal([
      ["provision", "cancelled"],
      ["destroy", "succeeded"],
    ]);
    expect(() => process.kill(operations[0]?.pid ?? 0, 0)).to.throw("ESRCH");
    expect((await history(db, id)).map(({ state }) => state)).to.deep.equal([
      "ACCEPTED",
      "PROVISIONING",
      "CANCELLING",
      "DESTROYING",
      "CANCELLED",
    ]);
    expect((await takeDue(db, 10, 1)).map(({ messageId }) => messageId)).to.deep.equal([`${id}:cancelled`]);
  });

  it("fails an exchange whose stack an operator destroyed, with that reason and not with its consequence", async () => {
    const id = await acceptedExchange(db);
    const { QueueUrl: url = "" } = await aws.sqs.send(new CreateQueueCommand({ QueueName: `doc_exch_gone_${id}` }));
    await aws.sqs.send(new DeleteQueueCommand({ QueueUrl: url }));
    const arn = `arn:aws:sqs:us-east-1:000000000000:doc_exch_gone_${id}`;
    await db
      .updateTable("exchanges")
      .set({
        state: "PROCESSING",
        outputs: JSON.stringify({ queues: { s3_copy: { url, arn } }, processors: {} }),
        failure: JSON.stringify({ code: "PAYLOAD_CONSTRUCTION_FAILED", message: "no queue" }),
        uploader_released_at: new Date(0),
        wake_at: new Date(0),
      })
      .execute();

    workerOf("one", "small").start();
    await until(id, "FAILED");

    expect((await find(db, id))?.facts.failure).to.deep.equal({
      code: "STACK_DESTROYED_OUTSIDE",
      message: "the stack was destroyed by somebody else while the exchange needed it: queue s3_copy is gone",
    });
  });

  it("gives up the operation of an engine that died, and recovers the stack under its own", async () => {
    const id = await acceptedExchange(db);
    await admit(db, 1);
    const begun = { id: randomUUID(), exchangeId: id, kind: "up", purpose: "provision", attempt: 1 } as const;
    await intend(db, { ...begun, owner: "elsewhere/1/x" });
    await markRunning(db, begun.id, 1);
    await db
      .updateTable("operations")
      .set({ heartbeat_at: new Date(0) })
      .execute();

    workerOf("one", "failing").start();
    await until(id, "FAILED");

    expect((await operationsOf(db, id)).map(({ purpose, attempt, state }) => [purpose, attempt, state])).to.deep.equal([
      ["provision", 1, "aborted"],
      ["provision", 2, "failed"],
      ["destroy", 1, "succeeded"],
    ]);
  });
});
