import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { admit } from "../../engine/registry/admission.ts";
import { nowPlus } from "../../engine/registry/database.ts";
import { accept, find, findByKey, history, list, requestEnd, TooManyWaiting } from "../../engine/registry/exchanges.ts";
import { migrate } from "../../engine/registry/migrations/index.ts";
import { acceptedExchange, request } from "./kit.ts";
import { RegistryBench } from "./registry-kit.ts";

describe("registry", function () {
  this.timeout(60_000);
  const bench = new RegistryBench();

  it("can be migrated again and by several engines at once", async () => {
    await Promise.all([migrate(bench.db), migrate(bench.db)]);
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
      const results = await Promise.all(Array.from({ length: 10 }, () => accept(bench.db, acceptance(), 60)));

      expect(new Set(results.map(({ record }) => record.id)).size).to.equal(1);
      expect(results.filter(({ created }) => created).length).to.equal(1);
      const { id } = results[0]!.record;
      expect((await history(bench.db, id)).map(({ state, reason }) => [state, reason])).to.deep.equal([
        ["ACCEPTED", "requested"],
      ]);
    });

    for (const state of ["FAILED", "CANCELLED"] as const) {
      it(`lets a natural key begin anew once its exchange is ${state}`, async () => {
        const first = await accept(bench.db, acceptance(), 60);
        await bench.db.updateTable("exchanges").set({ state }).execute();

        const known = await findByKey(bench.db, "k".repeat(64), true);
        const second = await accept(bench.db, acceptance(), 60);

        expect(known).to.equal(null);
        expect([second.created, second.record.id === first.record.id]).to.deep.equal([true, false]);
      });

      it(`keeps a caller's own key with its exchange although it is ${state}`, async () => {
        const first = await accept(bench.db, acceptance({ natural: false }), 60);
        await bench.db.updateTable("exchanges").set({ state }).execute();

        const second = await accept(bench.db, acceptance({ natural: false }), 60);

        expect([second.created, second.record.id]).to.deep.equal([false, first.record.id]);
      });
    }

    it("reads back what was written", async () => {
      const { record } = await accept(bench.db, acceptance(), 60);

      expect((await find(bench.db, record.id))?.request).to.deep.equal(request());
      expect(Math.abs(record.createdAt.getTime() - Date.now())).to.be.lessThan(60_000);
    });

    it("lists only exchanges of which the caller may see both cases, newest first, page by page", async () => {
      const ids: string[] = [];
      for (const destinationCaseId of [2, 3, 2, 2]) {
        ids.push(await acceptedExchange(bench.db, { request: request({ destinationCaseId }) }));
      }
      const wanted = { cases: [1, 2], state: undefined, limit: 2 };

      const first = await list(bench.db, { ...wanted, before: undefined });
      const second = await list(bench.db, { ...wanted, before: first.next ?? undefined });
      const none = await list(bench.db, { ...wanted, cases: [], before: undefined });

      expect(first.records.map(({ id }) => id)).to.deep.equal([ids[3], ids[2]]);
      expect(second.records.map(({ id }) => id)).to.deep.equal([ids[0]]);
      expect([second.next, none.records]).to.deep.equal([null, []]);
    });
  });

  describe("admission", () => {
    it("lets the oldest in, as many as there are places, however many engines decide at once", async () => {
      const ids: string[] = [];
      for (let count = 0; count < 5; count++) ids.push(await acceptedExchange(bench.db));

      const lists = await Promise.all([admit(bench.db, 3), admit(bench.db, 3), admit(bench.db, 3)]);

      expect(lists.flat().toSorted()).to.deep.equal(ids.slice(0, 3).toSorted());
      expect(
        (await list(bench.db, { cases: "*", state: "ACCEPTED", before: undefined, limit: 9 })).records.length,
      ).to.equal(2);
    });

    it("lets the next in when one has ended", async () => {
      const [first, second] = [await acceptedExchange(bench.db), await acceptedExchange(bench.db)];
      await admit(bench.db, 1);
      await bench.db.updateTable("exchanges").set({ state: "FINISHED" }).where("id", "=", first).execute();

      expect(await admit(bench.db, 1)).to.deep.equal([second]);
    });
  });

  describe("the request for an end", () => {
    it("keeps a waiting exchange from being admitted, and makes it due", async () => {
      const [first, second] = [await acceptedExchange(bench.db), await acceptedExchange(bench.db)];

      const requested = await requestEnd(bench.db, first, false);

      expect([requested, await admit(bench.db, 1)]).to.deep.equal([true, [second]]);
      expect((await bench.claim()).map(({ exchangeId }) => exchangeId).toSorted()).to.deep.equal(
        [first, second].toSorted(),
      );
    });

    it("is noted once", async () => {
      const id = await bench.admitted();

      await requestEnd(bench.db, id, false);
      const first = (await find(bench.db, id))?.facts;
      await delay(20);
      await requestEnd(bench.db, id, false);

      expect((await find(bench.db, id))?.facts).to.deep.equal(first);
    });

    for (const to of ["FINISHED", "FAILED"] as const) {
      it(`is not overtaken by an end as ${to} that was decided before it`, async () => {
        const { id, lease } = await bench.leased();
        await bench.db.updateTable("exchanges").set({ state: "DESTROYING" }).execute();
        await lease.read();
        await requestEnd(bench.db, id, false);

        const error = await lease.move({ from: "DESTROYING", to, reason: "r" }).catch((thrown: unknown) => thrown);
        await lease.move({ from: "DESTROYING", to: "CANCELLED", reason: "r" });

        expect(error).to.have.property("code", "CANCELLED_MEANWHILE");
        expect([(await find(bench.db, id))?.state, await requestEnd(bench.db, id, false)]).to.deep.equal([
          "CANCELLED",
          false,
        ]);
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
      const results = await Promise.allSettled(
        ["a", "b", "c", "d", "e"].map((key) => accept(bench.db, next(key), 60, 2)),
      );

      expect(results.filter(({ status }) => status === "fulfilled").length).to.equal(2);
      for (const result of results) {
        if (result.status === "rejected") expect(result.reason).to.be.instanceOf(TooManyWaiting);
      }
    });

    it("gives the last place to all who ask for the same", async () => {
      const results = await Promise.all(Array.from({ length: 5 }, () => accept(bench.db, next("a"), 60, 1)));

      expect(new Set(results.map(({ record }) => record.id)).size).to.equal(1);
    });
  });

  it("measures time by the database's clock", async () => {
    const { at } = await bench.db.selectNoFrom(nowPlus(1.5).as("at")).executeTakeFirstOrThrow();

    expect(Math.abs(at.getTime() - Date.now() - 1500)).to.be.lessThan(5000);
  });
});
