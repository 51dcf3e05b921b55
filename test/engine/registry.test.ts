import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { admit } from "../../engine/registry/admission.ts";
import { nowPlus, type Registry } from "../../engine/registry/database.ts";
import {
  accept,
  find,
  findByKey,
  history,
  list,
  requestEnd,
  TooManyWaiting,
  wake,
} from "../../engine/registry/exchanges.ts";
import { hear, type Heard } from "../../engine/registry/inbox.ts";
import { type Claim, claimDue, type Lease, LeaseLost } from "../../engine/registry/lease.ts";
import { addMissing, documentCounts, page, stageCounts } from "../../engine/registry/ledger.ts";
import { migrate } from "../../engine/registry/migrations/index.ts";
import { beat, end, intend, markRunning, operationsOf, requestCancel } from "../../engine/registry/operations.ts";
import { markPublished, putOff, takeDue } from "../../engine/registry/outbox.ts";
import type { LedgerEntry } from "../../contracts/ledger.ts";
import { acceptedExchange, request, testRegistry, type TestRegistry } from "./kit.ts";

describe("registry", function () {
  this.timeout(60_000);
  let db: Registry;
  let registry: TestRegistry;

  before(async () => {
    registry = await testRegistry();
    ({ db } = registry);
  });
  after(() => registry.drop());
  beforeEach(async () => {
    for (const table of ["exchanges", "transitions", "operations", "outbox", "inbox", "exchange_documents"] as const) {
      await db.deleteFrom(table).execute();
    }
  });

  const claim = (seconds = 30, isDead: Claim["isDead"] = () => false) =>
    claimDue(db, { instance: "host/1/a", seconds, limit: 10, isDead });
  async function admitted(): Promise<string> {
    const id = await acceptedExchange(db);
    await admit(db, 100);
    return id;
  }
  async function leased(seconds = 30) {
    const id = await admitted();
    const [lease] = await claim(seconds);
    if (!lease) throw new Error("nothing was due");
    return { id, lease };
  }
  const message = (exchangeId: string, name: string) => ({
    messageId: `${exchangeId}:${name}`,
    exchangeId,
    channel: "topic" as const,
    body: { name },
  });

  it("can be migrated again and by several engines at once", async () => {
    await Promise.all([migrate(db), migrate(db)]);
  });

  describe("acceptance", () => {
    const acceptance = (more: object = {}) => ({
      id: randomUUID(),
      subject: "s",
      dedupeKey: "k".repeat(64),
      natural: true,
      requestHash: "h".repeat(64),
      request: request(),
      selected: 3,
      ...more,
    });

    it("makes one exchange of many identical requests at once", async () => {
      const results = await Promise.all(Array.from({ length: 10 }, () => accept(db, acceptance(), 60)));

      expect(new Set(results.map(({ record }) => record.id)).size).to.equal(1);
      expect(results.filter(({ created }) => created).length).to.equal(1);
      const { id } = results[0]!.record;
      expect((await history(db, id)).map(({ state, reason }) => [state, reason])).to.deep.equal([
        ["ACCEPTED", "requested"],
      ]);
    });

    for (const state of ["FAILED", "CANCELLED"] as const) {
      it(`lets a natural key begin anew once its exchange is ${state}`, async () => {
        const first = await accept(db, acceptance(), 60);
        await db.updateTable("exchanges").set({ state }).execute();

        const known = await findByKey(db, "k".repeat(64), true);
        const second = await accept(db, acceptance(), 60);

        expect(known).to.equal(null);
        expect([second.created, second.record.id === first.record.id]).to.deep.equal([true, false]);
      });

      it(`keeps a caller's own key with its exchange although it is ${state}`, async () => {
        const first = await accept(db, acceptance({ natural: false }), 60);
        await db.updateTable("exchanges").set({ state }).execute();

        const second = await accept(db, acceptance({ natural: false }), 60);

        expect([second.created, second.record.id]).to.deep.equal([false, first.record.id]);
      });
    }

    it("reads back what was written", async () => {
      const { record } = await accept(db, acceptance(), 60);

      expect((await find(db, record.id))?.request).to.deep.equal(request());
      expect(Math.abs(record.createdAt.getTime() - Date.now())).to.be.lessThan(60_000);
    });

    it("lists only exchanges of which the caller may see both cases, newest first, page by page", async () => {
      const ids: string[] = [];
      for (const destinationCaseId of [2, 3, 2, 2]) {
        ids.push(await acceptedExchange(db, { request: request({ destinationCaseId }) }));
      }
      const wanted = { cases: [1, 2], state: undefined, limit: 2 };

      const first = await list(db, { ...wanted, before: undefined });
      const second = await list(db, { ...wanted, before: first.next ?? undefined });
      const none = await list(db, { ...wanted, cases: [], before: undefined });

      expect(first.records.map(({ id }) => id)).to.deep.equal([ids[3], ids[2]]);
      expect(second.records.map(({ id }) => id)).to.deep.equal([ids[0]]);
      expect([second.next, none.records]).to.deep.equal([null, []]);
    });
  });

  describe("admission", () => {
    it("lets the oldest in, as many as there are places, however many engines decide at once", async () => {
      const ids: string[] = [];
      for (let count = 0; count < 5; count++) ids.push(await acceptedExchange(db));

      const lists = await Promise.all([admit(db, 3), admit(db, 3), admit(db, 3)]);

      expect(lists.flat().toSorted()).to.deep.equal(ids.slice(0, 3).toSorted());
      expect((await list(db, { cases: "*", state: "ACCEPTED", before: undefined, limit: 9 })).records.length).to.equal(
        2,
      );
    });

    it("lets the next in when one has ended", async () => {
      const [first, second] = [await acceptedExchange(db), await acceptedExchange(db)];
      await admit(db, 1);
      await db.updateTable("exchanges").set({ state: "FINISHED" }).where("id", "=", first).execute();

      expect(await admit(db, 1)).to.deep.equal([second]);
    });
  });

  describe("the request for an end", () => {
    it("keeps a waiting exchange from being admitted, and makes it due", async () => {
      const [first, second] = [await acceptedExchange(db), await acceptedExchange(db)];

      const requested = await requestEnd(db, first, false);

      expect([requested, await admit(db, 1)]).to.deep.equal([true, [second]]);
      expect((await claim()).map(({ exchangeId }) => exchangeId).toSorted()).to.deep.equal([first, second].toSorted());
    });

    it("is noted once", async () => {
      const id = await admitted();

      await requestEnd(db, id, false);
      const first = (await find(db, id))?.facts;
      await delay(20);
      await requestEnd(db, id, false);

      expect((await find(db, id))?.facts).to.deep.equal(first);
    });

    for (const to of ["FINISHED", "FAILED"] as const) {
      it(`is not overtaken by an end as ${to} that was decided before it`, async () => {
        const { id, lease } = await leased();
        await db.updateTable("exchanges").set({ state: "DESTROYING" }).execute();
        await lease.read();
        await requestEnd(db, id, false);

        const error = await lease.move({ from: "DESTROYING", to, reason: "r" }).catch((thrown: unknown) => thrown);
        await lease.move({ from: "DESTROYING", to: "CANCELLED", reason: "r" });

        expect(error).to.have.property("code", "CANCELLED_MEANWHILE");
        expect([(await find(db, id))?.state, await requestEnd(db, id, false)]).to.deep.equal(["CANCELLED", false]);
      });
    }
  });

  describe("the bound of waiting exchanges", () => {
    const next = (key: string) => ({
      id: randomUUID(),
      subject: "s",
      dedupeKey: key.repeat(64),
      natural: false,
      requestHash: "h".repeat(64),
      request: request(),
      selected: 3,
    });

    it("holds, however many ask at once", async () => {
      const results = await Promise.allSettled(["a", "b", "c", "d", "e"].map((key) => accept(db, next(key), 60, 2)));

      expect(results.filter(({ status }) => status === "fulfilled").length).to.equal(2);
      for (const result of results) {
        if (result.status === "rejected") expect(result.reason).to.be.instanceOf(TooManyWaiting);
      }
    });

    it("gives the last place to all who ask for the same", async () => {
      const results = await Promise.all(Array.from({ length: 5 }, () => accept(db, next("a"), 60, 1)));

      expect(new Set(results.map(({ record }) => record.id)).size).to.equal(1);
    });
  });

  describe("leases", () => {
    it("are given once, however many workers ask at the same time", async () => {
      await admitted();

      const leases = await Promise.all([claim(), claim(), claim(), claim()]);

      expect(leases.flat().length).to.equal(1);
    });

    it("pass to another engine when they ran out, and are void for the first", async () => {
      const { id, lease } = await leased(0.2);
      await delay(300);

      const [taken] = await claim();
      const error = await lease.record({ waiting: "late" }).catch((thrown: unknown) => thrown);

      expect(taken?.exchangeId).to.equal(id);
      expect(error).to.be.instanceOf(LeaseLost);
      expect(() => {
        lease.assertHeld();
      }).to.throw(LeaseLost);
    });

    it("pass at once from a holder that is known to be dead", async () => {
      const { id, lease } = await leased();

      const [taken] = await claim(30, (holder) => holder.startsWith("host/1/a/"));
      const error = await lease.record({ waiting: "late" }).catch((thrown: unknown) => thrown);

      expect(taken?.exchangeId).to.equal(id);
      expect(error).to.be.instanceOf(LeaseLost);
    });

    it("are not kept from the others by an engine that was paused in the middle of a transaction", async () => {
      const id = await admitted();
      const paused = await db.startTransaction().execute();
      await paused.selectFrom("exchanges").select("id").where("id", "=", id).forUpdate().execute();
      const meanwhile = await claim();

      let taken: Lease | undefined;
      while (!taken) {
        await delay(500);
        [taken] = await claim();
      }
      const resumed = await paused
        .commit()
        .execute()
        .catch((thrown: unknown) => thrown);

      expect(meanwhile).to.deep.equal([]);
      expect(taken.exchangeId).to.equal(id);
      expect(resumed).to.be.instanceOf(Error);
    });

    it("last while they are prolonged", async () => {
      const { lease } = await leased(0.5);
      await delay(300);
      await lease.prolong();
      await delay(300);

      expect(await claim()).to.deep.equal([]);
      lease.assertHeld();
    });

    it("come due again at the time that was asked for, not before", async () => {
      const { id, lease } = await leased();
      await lease.read();
      await lease.release(3600, "waits");

      const record = await find(db, id);

      expect(await claim()).to.deep.equal([]);
      expect(record?.waiting).to.equal("waits");
    });

    it("come due at once when something became known meanwhile", async () => {
      const { id, lease } = await leased();
      await lease.read();
      await wake(db, id);
      await lease.release(3600, "waits");

      expect((await claim()).map(({ exchangeId }) => exchangeId)).to.deep.equal([id]);
    });

    it("guard a transition, which is written with its history and its messages or not at all", async () => {
      const { id, lease } = await leased();
      const move = {
        from: "PROVISIONING",
        to: "STARTING",
        reason: "the stack is up",
        messages: [message(id, "a")],
      } as const;

      await lease.move(move);
      const again = await lease.move(move).catch((thrown: unknown) => thrown);

      expect(again).to.be.instanceOf(LeaseLost);
      expect((await history(db, id)).map(({ state }) => state)).to.deep.equal(["ACCEPTED", "PROVISIONING", "STARTING"]);
      expect((await takeDue(db, 10, 30)).map(({ messageId }) => messageId)).to.deep.equal([`${id}:a`]);
    });
  });

  describe("operations", () => {
    const operation = (exchangeId: string) => ({
      id: randomUUID(),
      exchangeId,
      kind: "up" as const,
      purpose: "provision",
      attempt: 1,
      owner: "host/1/a",
    });

    it("are intended once for each attempt", async () => {
      const id = await admitted();

      const results = await Promise.all([intend(db, operation(id)), intend(db, operation(id))]);

      expect(results.toSorted()).to.deep.equal([false, true]);
    });

    it("end once, wake their exchange and leave the outputs on it", async () => {
      const { id, lease } = await leased();
      await lease.read();
      await lease.release(3600, null);
      const begun = operation(id);
      await intend(db, begun);
      await markRunning(db, begun.id, 42);

      const outputs = { queues: { s3_copy: { url: "http://q", arn: "arn:q" } }, processors: {} };
      await end(db, begun, { state: "succeeded", outputs });
      await end(db, begun, { state: "aborted", error: { code: "OWNER_DIED", message: "late", retryable: true } });

      const [ended] = await operationsOf(db, id);
      expect([ended?.state, ended?.pid, ended?.error]).to.deep.equal(["succeeded", 42, null]);
      expect((await find(db, id))?.facts.outputs).to.deep.equal(outputs);
      expect((await claim()).length).to.equal(1);
    });

    it("never seem to have succeeded without the outputs that they left", async () => {
      const seen = new Set<string>();
      for (let round = 0; round < 100; round++) {
        const { id, lease } = await leased();
        const begun = operation(id);
        await intend(db, begun);
        await markRunning(db, begun.id, 42);
        const look = async () => {
          const { record, operations } = await lease.read();
          seen.add(`${operations[0]?.state ?? "none"}, ${record.facts.outputs ? "outputs" : "no outputs"}`);
        };

        await Promise.all([end(db, begun, { state: "succeeded", outputs: { queues: {}, processors: {} } }), look()]);
        await look();
      }

      expect([...seen].toSorted()).to.deep.equal(["running, no outputs", "succeeded, outputs"]);
    });

    it("are told to stop when they are cancelled or were given up", async () => {
      const id = await admitted();
      const begun = operation(id);
      await intend(db, begun);

      const first = await beat(db, begun.id);
      await requestCancel(db, begun.id);
      const second = await beat(db, begun.id);
      const unknown = await beat(db, randomUUID());

      expect([first, second, unknown]).to.deep.equal(["go on", "stop", "stop"]);
    });
  });

  describe("inbox", () => {
    const heard = (exchangeId: string, fact: Heard["fact"], name = "e"): Heard => ({
      eventId: `${exchangeId}:${name}`,
      eventType: "X",
      exchangeId,
      fact,
    });
    const payload = { parts: [{ part: "p", documents: 1, copy: 2, upload: 1 }] };

    it("notes an event once", async () => {
      const id = await admitted();
      const event = heard(id, { kind: "payload", payload });

      const results = [await hear(db, event), await hear(db, event)];

      expect(results).to.deep.equal(["noted", "heard before"]);
      expect((await find(db, id))?.facts.payload).to.deep.equal(payload);
    });

    it("keeps the facts that came first, in any order of events", async () => {
      const id = await admitted();
      const first = { code: "A", message: "a" };

      await hear(db, heard(id, { kind: "payload", payload }, "1"));
      await hear(db, heard(id, { kind: "copy_finished" }, "2"));
      await hear(db, heard(id, { kind: "failure", failure: first }, "3"));
      await hear(db, heard(id, { kind: "failure", failure: { code: "B", message: "b" } }, "4"));

      const facts = (await find(db, id))?.facts;
      expect([facts?.payload, facts?.copyFinishedAt !== null, facts?.failure]).to.deep.equal([payload, true, first]);
    });

    it("leaves no trace of an event of an unknown exchange", async () => {
      const event = heard(randomUUID(), { kind: "none" });

      const results = [await hear(db, event), await hear(db, event)];

      expect(results).to.deep.equal(["unknown exchange", "unknown exchange"]);
    });

    it("makes the exchange due at once", async () => {
      const { id, lease } = await leased();
      await lease.read();
      await lease.release(3600, null);

      await hear(db, heard(id, { kind: "none" }));

      expect((await claim()).length).to.equal(1);
    });
  });

  describe("outbox", () => {
    it("gives a message to one taker at a time, and again when it was not sent", async () => {
      const { id, lease } = await leased();
      await lease.move({
        from: "PROVISIONING",
        to: "STARTING",
        reason: "r",
        messages: [message(id, "a"), message(id, "a")],
      });

      const [one, other] = await Promise.all([takeDue(db, 10, 30), takeDue(db, 10, 30)]);
      const taken = [...one, ...other];
      await putOff(db, taken[0]!.id, 0);
      const again = await takeDue(db, 10, 30);
      await markPublished(db, again[0]!.id);
      await putOff(db, again[0]!.id, 0);

      expect(taken.map(({ attempts, body }) => [attempts, body])).to.deep.equal([[1, { name: "a" }]]);
      expect(again.map(({ attempts }) => attempts)).to.deep.equal([2]);
      expect(await takeDue(db, 10, 30)).to.deep.equal([]);
    });
  });

  describe("ledger", () => {
    const at = new Date("2026-01-01T00:00:00.123Z");
    const row = (
      stage: "copy" | "upload",
      unitId: string,
      documentId: string,
      state: LedgerEntry["state"],
    ): LedgerEntry => ({
      exchangeId: "x",
      stage,
      unitId,
      documentId,
      state,
      eventId: `e:${stage}:${unitId}`,
      error: state === "failed" ? { code: "C", message: "m" } : null,
      occurredAt: at,
    });

    beforeEach(() =>
      addMissing(db, [
        row("copy", "1", "11", "done"),
        row("copy", "2", "11", "failed"),
        row("copy", "3", "12", "not_found"),
        row("copy", "4", "13", "done"),
        row("upload", "1", "11", "not_found"),
      ]),
    );

    it("counts units by stage and documents by the worst of their units", async () => {
      expect(await stageCounts(db, "x")).to.deep.equal({
        copy: { done: 2, not_found: 1, failed: 1 },
        upload: { done: 0, not_found: 1, failed: 0 },
      });
      expect(await documentCounts(db, "x")).to.deep.equal({ seen: 3, failed: 1, notFound: 1, withheld: 0 });
    });

    it("never overwrites a row that came meanwhile", async () => {
      await addMissing(db, [row("copy", "1", "11", "failed"), row("copy", "9", "14", "failed")]);

      expect((await stageCounts(db, "x")).copy).to.deep.equal({ done: 2, not_found: 1, failed: 2 });
    });

    it("is read page by page", async () => {
      const first = await page(db, "x", { state: undefined, after: undefined, limit: 4 });
      const second = await page(db, "x", { state: undefined, after: first.next ?? undefined, limit: 4 });
      const failed = await page(db, "x", { state: "failed", after: undefined, limit: 4 });

      expect(first.entries.map(({ unitId }) => unitId)).to.deep.equal(["1", "2", "3", "4"]);
      expect([second.entries.length, second.next]).to.deep.equal([1, null]);
      expect(failed.entries).to.deep.equal([
        {
          stage: "copy",
          unitId: "2",
          documentId: "11",
          state: "failed",
          error: { code: "C", message: "m" },
          occurredAt: at,
        },
      ]);
    });
  });

  it("measures time by the database's clock", async () => {
    const { at } = await db.selectNoFrom(nowPlus(1.5).as("at")).executeTakeFirstOrThrow();

    expect(Math.abs(at.getTime() - Date.now() - 1500)).to.be.lessThan(5000);
  });
});
