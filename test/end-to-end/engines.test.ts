/** Engines as processes: several on one registry, killed, paused, stopped and started again, while exchanges run. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import { GetEventSourceMappingCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { manifestLine, manifestPrefix } from "../../contracts/manifest.ts";
import type { S3CopyMessage } from "../../contracts/messages.ts";
import { fromJson } from "../../engine/registry/database.ts";
import { exchangeOutputs } from "../../programs/exchange/config.ts";
import { createClient, type Client, type ExchangeView } from "../../local/platform/client.ts";
import { caseSchemaPrefix, startPlatform, type Platform } from "../../local/platform/platform.ts";
import { startEngine, type Service } from "../../local/platform/services.ts";
import { quietly } from "../../local/platform/stage.ts";
import { makeDestinationCase } from "../../local/samples/make.ts";

interface Operation {
  readonly owner: string;
  readonly state: string;
  readonly attempt: number;
}

const settings = { EXCHANGER_LEASE_SECONDS: "4", EXCHANGER_SETTLING_SECONDS: "4" };

describe("engines as processes", function () {
  this.timeout(420_000);

  let platform: Platform;
  let registry: Connection;
  let s3: S3Client;
  const engines: (Service & { url: string })[] = [];

  before(async () => {
    platform = await startPlatform({ stage: quietly, engineSettings: settings });
    registry = await platform.cloud.database.admin();
    await registry.changeUser({ database: "documentexchanger" });
    s3 = new S3Client({ ...platform.cloud.client("operator"), forcePathStyle: true });
    for (const caseId of [401, 402]) {
      await makeDestinationCase(
        { database: platform.cloud.database, s3, caseBucket: platform.cloud.caseBucket, caseSchemaPrefix },
        caseId,
      );
    }
  });
  after(async () => {
    await Promise.all(engines.map((engine) => engine.stop()));
    await platform.stop();
    await registry.end();
    s3.destroy();
  });

  async function clientOf(url: string): Promise<Client> {
    const scopes = ["exchange:read", "exchange:write"];
    return createClient(url, await platform.issuer.token({ subject: "suite", scopes, cases: "*" }));
  }
  async function anotherEngine(): Promise<string> {
    const engine = await startEngine(platform.cloud, platform.issuer, settings);
    engines.push(engine);
    return engine.url;
  }
  const body = (destinationCaseId: number, batchId: string) => ({
    sourceCaseId: platform.cases.sourceCaseId,
    destinationCaseId,
    batchId,
    selection: platform.cases.selection,
    includeNatives: true,
  });
  async function operations(id: string, purpose: string): Promise<Operation[]> {
    const [rows] = await registry.query<RowDataPacket[]>(
      "SELECT owner, state, attempt FROM operations WHERE exchange_id = ? AND purpose = ? ORDER BY attempt",
      [id, purpose],
    );
    return rows as (RowDataPacket & Operation)[];
  }
  /** Waits until the exchange's operation has a process, and returns the process of the engine that owns it. */
  async function ownerOf(id: string, purpose: string): Promise<number> {
    const running = await eventually(id, async () =>
      (await operations(id, purpose)).find(({ state }) => state === "running"),
    );
    return pidOf(running.owner);
  }
  const pidOf = (owner: string) => Number(owner.split("/")[1]);
  async function gone(pid: number): Promise<void> {
    while (isAlive(pid)) await delay(50);
  }
  /** Waits until the exchange has come to that state, which it may have left again at once. */
  async function reached(id: string, state: string): Promise<void> {
    await eventually(id, async () => {
      const query = "SELECT 1 FROM transitions WHERE exchange_id = ? AND to_state = ?";
      const [[found]] = await registry.query<RowDataPacket[]>(query, [id, state]);
      return found;
    });
  }
  /** What is looked for, once it is there; an exchange that stands still is shown. */
  async function eventually<Found>(id: string, look: () => Promise<Found | undefined>): Promise<Found> {
    const until = Date.now() + 200_000;
    while (Date.now() < until) {
      const found = await look();
      if (found !== undefined) return found;
      await delay(50);
    }
    const [exchange] = await registry.query<RowDataPacket[]>("SELECT *, UTC_TIMESTAMP(3) FROM exchanges WHERE id = ?", [
      id,
    ]);
    const [tried] = await registry.query<RowDataPacket[]>("SELECT * FROM operations WHERE exchange_id = ?", [id]);
    const [sessions] = await registry.query<RowDataPacket[]>("SELECT * FROM information_schema.innodb_trx");
    throw new Error(`it stands still: ${JSON.stringify({ exchange, tried, sessions }, null, 2)}`);
  }
  const statesOf = (view: ExchangeView) => view.stateHistory.map(({ state }) => state);

  it("share the work: one takes over from another that is killed, and again from one that is paused", async () => {
    // Prepare
    const [first, second] = [await clientOf(await anotherEngine()), await clientOf(await anotherEngine())];
    const wanted = { body: body(401, "engines") };
    const answers = await Promise.all(
      [first, second, first, second].map((each) => each.request("POST", "/exchanges", wanted)),
    );
    const { exchangeId: id } = answers[0]?.body as { exchangeId: string };

    // Act
    const killed = await ownerOf(id, "provision");
    process.kill(killed, "SIGKILL");
    await gone(killed);
    const third = await clientOf(await anotherEngine());
    const paused = await ownerOf(id, "drain:1");
    process.kill(paused, "SIGSTOP");
    await reached(id, "FINISHED");
    process.kill(paused, "SIGCONT");
    const view = await third.follow(id);

    // Assess
    const ids = answers.map(({ status, body }) => [status, (body as { exchangeId: string }).exchangeId]);
    expect(ids).to.deep.equal(answers.map(() => [202, id]));
    const [provisions, drains] = [await operations(id, "provision"), await operations(id, "drain:1")];
    expect([provisions, drains].map((all) => all.map(({ state }) => state))).to.deep.equal([
      ["aborted", "succeeded"],
      ["aborted", "succeeded"],
    ]);
    expect(pidOf(provisions[1]!.owner)).to.not.equal(killed);
    expect(pidOf(drains[1]!.owner)).to.not.equal(paused);
    expect(statesOf(view)).to.deep.equal([
      "ACCEPTED",
      "PROVISIONING",
      "STARTING",
      "COPYING_RECORDS",
      "CONSTRUCTING_PAYLOAD",
      "PROCESSING",
      "DRAINING",
      "DESTROYING",
      "FINISHED",
    ]);
    expect(view.documents.copied).to.equal(platform.cases.expectedDocumentIds.length - 1);
  });

  it("let an operation end at the first signal, stop it at the second, and look at everything before they take a request", async () => {
    // Prepare
    for (const each of [platform.engineUrl, ...engines.map(({ url }) => url)]) {
      const pid = pidOf(await instanceOf(each));
      if (isAlive(pid)) process.kill(pid, "SIGTERM");
      await gone(pid);
    }
    const answer = await (
      await clientOf(await anotherEngine())
    ).request("POST", "/exchanges", { body: body(402, "signals") });
    const { exchangeId: id } = answer.body as { exchangeId: string };

    // Act
    const polite = await ownerOf(id, "provision");
    process.kill(polite, "SIGTERM");
    await gone(polite);
    const afterFirst = await operations(id, "provision");
    await anotherEngine();
    const message = await slowMessage(id);
    const forced = await ownerOf(id, "drain:1");
    // Two of one kind at once would count as one.
    process.kill(forced, "SIGTERM");
    process.kill(forced, "SIGINT");
    await gone(forced);
    const afterSecond = await operations(id, "drain:1");
    const lastUrl = await anotherEngine();
    const last = await clientOf(lastUrl);
    const [logged, instance] = [await log(), await instanceOf(lastUrl)];
    await message.sendWhenDisabled();
    const view = await last.follow(id);

    // Assess
    expect(afterFirst.map(({ state }) => state)).to.deep.equal(["succeeded"]);
    expect(afterSecond.map(({ state }) => state)).to.deep.equal(["cancelled"]);
    const own = logged.filter((entry) => entry.instance === instance);
    expect(own.findIndex(({ exchangeId }) => exchangeId === id)).to.be.within(
      0,
      own.findIndex(({ msg }) => msg === "engine is ready"),
    );
    expect(view.state).to.equal("FINISHED");
    expect(statesOf(view).filter((state) => state === "DRAINING").length, "it ran again for a late message").to.equal(
      2,
    );
    expect(await message.wasProcessed()).to.equal(true);
  });

  /** What the engines have logged, in order. */
  async function log(): Promise<{ instance: string; msg: string; url?: string; exchangeId?: string }[]> {
    const text = await readFile(join(platform.cloud.logDir, "engine.log"), "utf8");
    return text
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Awaited<ReturnType<typeof log>>[number]);
  }
  async function instanceOf(url: string): Promise<string> {
    return (await log()).findLast((entry) => entry.msg === "engine is ready" && entry.url === url)!.instance;
  }

  /** A copy message for a file that has vanished from the destination: it arrives when nobody consumes any more. */
  async function slowMessage(id: string) {
    await reached(id, "CONSTRUCTING_PAYLOAD");
    const { dataBucket, caseBucket } = platform.outputs;
    const [rows] = await registry.query<RowDataPacket[]>("SELECT outputs FROM exchanges WHERE id = ?", [id]);
    const outputs = fromJson(exchangeOutputs, rows[0]?.["outputs"]);
    const { Contents: parts = [] } = await s3.send(
      new ListObjectsV2Command({ Bucket: dataBucket, Prefix: manifestPrefix(id) }),
    );
    const part = await s3.send(new GetObjectCommand({ Bucket: dataBucket, Key: parts[0]?.Key }));
    const lines = (await part.Body?.transformToString())?.trim().split("\n") ?? [];
    const line = lines.map((text) => manifestLine.parse(JSON.parse(text))).find(({ files }) => files.length > 1)!;
    const file = line.files.find(({ role }) => role === "native")!;
    const destination = { Bucket: caseBucket, Key: file.destinationKey };
    const copy: S3CopyMessage = {
      kind: "s3_copy",
      exchange: { exchangeId: id, sourceCaseId: platform.cases.sourceCaseId, caseId: 402, batchId: "signals" },
      documentId: line.documentId,
      destinationDocumentId: line.destinationDocumentId,
      exhibitIds: line.exhibits.map(({ exhibitId }) => exhibitId),
      exhibits: [],
      sourceBatchId: line.sourceBatchId,
      bucket: caseBucket,
      file,
    };
    return {
      async sendWhenDisabled() {
        const lambda = new LambdaClient(platform.cloud.client("operator"));
        const sqs = new SQSClient(platform.cloud.client("operator"));
        const UUID = outputs.processors.s3_copy?.mappingUuid;
        while ((await lambda.send(new GetEventSourceMappingCommand({ UUID }))).State !== "Disabled") await delay(50);
        await s3.send(new DeleteObjectCommand(destination));
        await sqs.send(
          new SendMessageCommand({ QueueUrl: outputs.queues.s3_copy?.url, MessageBody: JSON.stringify(copy) }),
        );
        lambda.destroy();
        sqs.destroy();
      },
      wasProcessed: () =>
        s3.send(new HeadObjectCommand(destination)).then(
          () => true,
          () => false,
        ),
    };
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
