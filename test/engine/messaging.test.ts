import { randomBytes, randomUUID } from "node:crypto";
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { CreateTopicCommand, DeleteTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import sinon from "sinon";
import { event, type EventType, type ExchangeEvent } from "../../contracts/events.ts";
import { Inbox } from "../../engine/inbox/inbox.ts";
import { Publisher } from "../../engine/outbox/publisher.ts";
import type { Registry } from "../../engine/registry/database.ts";
import { find } from "../../engine/registry/exchanges.ts";
import { enqueue, takeDue } from "../../engine/registry/outbox.ts";
import { UploaderCoordinator, UploaderUnavailable } from "../../engine/uploader/coordinator.ts";
import { sharedCloud } from "../support/cloud.ts";
import { acceptedExchange, silent, testRegistry, type TestRegistry } from "./kit.ts";

describe("messaging", function () {
  this.timeout(60_000);
  let registry: TestRegistry;
  let db: Registry;
  let sqs: SQSClient;
  let sns: SNSClient;
  let queueUrl: string;

  before(async () => {
    const cloud = await sharedCloud();
    sqs = new SQSClient(cloud.client("operator"));
    sns = new SNSClient(cloud.client("operator"));
    registry = await testRegistry();
    ({ db } = registry);
  });
  after(async () => {
    await registry.drop();
    sqs.destroy();
    sns.destroy();
  });
  beforeEach(async () => {
    queueUrl = await createQueue(uniqueName());
  });
  afterEach(() => sqs.send(new DeleteQueueCommand({ QueueUrl: queueUrl })));

  const uniqueName = () => `doc_exch_test_${randomBytes(4).toString("hex")}`;
  async function createQueue(QueueName: string): Promise<string> {
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName }));
    if (QueueUrl === undefined) throw new Error("no queue");
    return QueueUrl;
  }
  const send = (body: unknown) =>
    sqs.send(
      new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: typeof body === "string" ? body : JSON.stringify(body),
      }),
    );
  async function received(): Promise<unknown[]> {
    const { Messages: messages } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 5 }),
    );
    return (messages ?? []).map(({ Body: body }): unknown => JSON.parse(body ?? ""));
  }
  /** How many messages the queue holds, taken or not. */
  async function held(): Promise<number> {
    const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
    const { Attributes: values } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] }),
    );
    return names.reduce((sum, name) => sum + Number(values?.[name] ?? 0), 0);
  }
  /** A message is deleted only after its facts are noted. */
  async function untilHeld(count: number): Promise<void> {
    while ((await held()) !== count) await delay(50);
  }
  const told = (jobId: string, eventType: EventType, detail = {}): ExchangeEvent => ({
    eventId: `${jobId}:${eventType}`,
    source: "state_machine",
    eventType,
    status: "SUCCESS",
    jobId,
    caseId: 2,
    sourceCaseId: 1,
    batchId: "b1",
    timestamp: "2026-01-01T00:00:00.000Z",
    detail,
  });
  const payload = { parts: [{ part: "p", documents: 1, copy: 2, upload: 1 }] };

  describe("inbox", () => {
    let inbox: Inbox;
    let heard: () => Promise<void>;

    beforeEach(() => {
      const waiting: (() => void)[] = [];
      let count = 0;
      heard = () =>
        new Promise((resolve) => {
          if (count > 0) {
            count -= 1;
            resolve();
          } else waiting.push(resolve);
        });
      const options = { db, sqs, queueUrl, log: silent };
      inbox = new Inbox({
        ...options,
        heard: () => {
          const next = waiting.shift();
          if (next) next();
          else count += 1;
        },
      });
    });
    afterEach(() => inbox.stop());

    it("notes the facts of events and deletes their messages", async () => {
      const id = await acceptedExchange(db);
      await send(told(id, "PAYLOAD_CONSTRUCTION_FINISHED", payload));

      inbox.start();
      await heard();
      await untilHeld(0);

      expect((await find(db, id))?.facts.payload).to.deep.equal(payload);
    });

    it("notes an event once that comes twice", async () => {
      const id = await acceptedExchange(db);
      const body = JSON.stringify(told(id, "DB_COPY_FINISHED"));

      await inbox.take({ Body: body });
      const first = await find(db, id);
      await inbox.take({ Body: body });
      const second = await find(db, id);

      expect(first?.facts.copyFinishedAt).to.be.instanceOf(Date);
      expect(second?.facts).to.deep.equal(first?.facts);
      expect((await db.selectFrom("inbox").selectAll().where("exchange_id", "=", id).execute()).length).to.equal(1);
    });

    it("leaves to the queue what it does not understand or what belongs to nobody, and takes the rest", async () => {
      const id = await acceptedExchange(db);
      await send("not an event");
      await send(told(randomUUID(), "DB_COPY_FINISHED"));
      await send(told(id, "PAYLOAD_CONSTRUCTION_FINISHED", payload));

      inbox.start();
      await heard();
      await untilHeld(2);

      expect((await find(db, id))?.facts.payload).to.deep.equal(payload);
    });

    it("wakes the exchange of a re-check, and takes one of an unknown exchange for done", async () => {
      const id = await acceptedExchange(db);
      await db.updateTable("exchanges").set({ state: "PROCESSING", signals: 0 }).where("id", "=", id).execute();

      for (const exchangeId of [id, randomUUID()]) {
        await inbox.take({ Body: JSON.stringify({ kind: "recheck", exchangeId }) });
      }

      const row = await db.selectFrom("exchanges").select("signals").where("id", "=", id).executeTakeFirstOrThrow();
      expect(row.signals).to.equal(1);
    });
  });

  describe("publisher", () => {
    let topicArn: string;
    let publisher: Publisher;

    beforeEach(async () => {
      await db.deleteFrom("outbox").execute();
      topicArn = (await sns.send(new CreateTopicCommand({ Name: uniqueName() }))).TopicArn ?? "";
      const { Attributes: values } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ["QueueArn"] }),
      );
      const queueArn = values?.["QueueArn"] ?? "";
      await sqs.send(
        new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes: { Policy: deliveryPolicy(queueArn) } }),
      );
      await sns.send(
        new SubscribeCommand({
          TopicArn: topicArn,
          Protocol: "sqs",
          Endpoint: queueArn,
          Attributes: {
            RawMessageDelivery: "true",
            FilterPolicy: JSON.stringify({ eventType: ["EXCHANGER_INITIATED"], caseId: ["2"] }),
          },
        }),
      );
      publisher = publisherTo(topicArn);
    });
    afterEach(() => sns.send(new DeleteTopicCommand({ TopicArn: topicArn })));

    const publisherTo = (TopicArn: string) =>
      new Publisher({
        db,
        sns,
        sqs,
        topicArn: TopicArn,
        orchestrationQueueUrl: queueUrl,
        pollSeconds: 60,
        leaseSeconds: 30,
        log: silent,
      });
    const write = (body: ExchangeEvent) =>
      db
        .transaction()
        .execute((transaction) =>
          enqueue(transaction, [{ messageId: body.eventId, exchangeId: body.jobId, channel: "topic", body }]),
        );
    const unpublished = () => db.selectFrom("outbox").select("message_id").where("published_at", "is", null).execute();

    it("sends an event with the attributes that filters need", async () => {
      const initiated = told(randomUUID(), "EXCHANGER_INITIATED");
      await write(initiated);
      await write(told(randomUUID(), "EXCHANGER_FINISHED"));

      publisher.start();
      await publisher.stop();

      expect((await received()).map((body) => event.parse(body))).to.deep.equal([initiated]);
      expect(await unpublished()).to.deep.equal([]);
    });

    it("sends a message once that was written twice", async () => {
      const initiated = told(randomUUID(), "EXCHANGER_INITIATED");
      await write(initiated);
      await write(initiated);

      await publisher.publishDue();
      await publisher.publishDue();

      expect((await received()).length).to.equal(1);
    });

    it("is shared by several engines without sending anything twice", async () => {
      const ids = Array.from({ length: 6 }, () => randomUUID());
      for (const id of ids) await write(told(id, "EXCHANGER_INITIATED"));

      const sent = await Promise.all([publisher.publishDue(), publisherTo(topicArn).publishDue()]);

      expect(sent[0] + sent[1]).to.equal(6);
      expect((await received()).map((body) => event.parse(body).jobId).toSorted()).to.deep.equal(ids.toSorted());
    });

    it("sends what a dead engine had taken as soon as that one's lease is over, and no sooner", async () => {
      const [over, running] = [randomUUID(), randomUUID()];
      await write(told(over, "EXCHANGER_INITIATED"));
      await takeDue(db, 1, 0);
      await write(told(running, "EXCHANGER_INITIATED"));
      await takeDue(db, 2, 60);
      await db
        .updateTable("outbox")
        .set({ next_at: new Date(0) })
        .where("exchange_id", "=", over)
        .execute();

      await publisher.publishDue();

      expect((await received()).map((body) => event.parse(body).jobId)).to.deep.equal([over]);
    });

    it("keeps what could not be sent, and sends the rest of the batch", async () => {
      const id = randomUUID();
      await write(told(id, "EXCHANGER_INITIATED"));
      const nobody = publisherTo(`${topicArn}-that-is-not-there`);
      await db
        .transaction()
        .execute((transaction) =>
          enqueue(transaction, [
            { messageId: "r", exchangeId: id, channel: "orchestration", body: { kind: "recheck" } },
          ]),
        );

      await nobody.publishDue();
      const kept = await unpublished();
      await db
        .updateTable("outbox")
        .set({ next_at: new Date(0) })
        .execute();
      await publisher.publishDue();

      expect(kept.map(({ message_id: name }) => name)).to.deep.equal([`${id}:EXCHANGER_INITIATED`]);
      expect(await unpublished()).to.deep.equal([]);
    });
  });

  describe("uploader coordinator", () => {
    const exchange = { exchangeId: randomUUID(), sourceCaseId: 1, caseId: 2, batchId: "b1" };
    const release = { kind: "release", exchange } as const;
    let clock: sinon.SinonFakeTimers;

    beforeEach(() => {
      clock = sinon.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    });
    afterEach(() => {
      clock.restore();
    });

    it("sends a command as it is", async () => {
      await new UploaderCoordinator(sqs, queueUrl).send(release);

      expect(await received()).to.deep.equal([release]);
    });

    it("opens after five failures, sends nothing for thirty seconds, and closes after one success", async () => {
      const name = uniqueName();
      const missing = queueUrl.replace(/[^/]+$/, name);
      const coordinator = new UploaderCoordinator(sqs, missing);
      const attempt = async () => {
        try {
          await coordinator.send(release);
          return `sent, ${coordinator.state}`;
        } catch (error) {
          expect(error).to.be.instanceOf(UploaderUnavailable);
          return (error as Error).message.includes("none is tried") ? "not tried" : `failed, ${coordinator.state}`;
        }
      };

      const seen: string[] = [];
      for (let count = 0; count < 5; count++) seen.push(await attempt());
      const made = await createQueue(name);
      seen.push(await attempt());
      clock.tick(29_000);
      seen.push(await attempt());
      clock.tick(1_001);
      seen.push(await attempt(), await attempt());
      await sqs.send(new DeleteQueueCommand({ QueueUrl: made }));

      expect(seen).to.deep.equal([
        ...Array.from({ length: 4 }, () => "failed, closed"),
        "failed, open",
        "not tried",
        "not tried",
        "sent, closed",
        "sent, closed",
      ]);
    });

    it("opens again when the one trial fails", async () => {
      const coordinator = new UploaderCoordinator(sqs, queueUrl.replace(/[^/]+$/, uniqueName()));
      for (let count = 0; count < 5; count++) await coordinator.send(release).catch(() => undefined);
      clock.tick(30_001);

      await coordinator.send(release).catch(() => undefined);

      expect(coordinator.state).to.equal("open");
    });
  });
});

function deliveryPolicy(queueArn: string): string {
  const statement = {
    Effect: "Allow",
    Principal: { Service: "sns.amazonaws.com" },
    Action: "sqs:SendMessage",
    Resource: queueArn,
  };
  return JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
}
