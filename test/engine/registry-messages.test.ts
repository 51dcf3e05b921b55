import { randomUUID } from "node:crypto";
import { expect } from "chai";
import type { LedgerEntry } from "../../contracts/ledger.ts";
import { find } from "../../engine/registry/exchanges.ts";
import { hear, type Heard } from "../../engine/registry/inbox.ts";
import { addMissing, documentCounts, page, stageCounts } from "../../engine/registry/ledger.ts";
import { markPublished, putOff, takeDue } from "../../engine/registry/outbox.ts";
import { message, RegistryBench } from "./registry-kit.ts";

describe("registry: what is heard and told", function () {
  this.timeout(60_000);
  const bench = new RegistryBench();

  describe("inbox", () => {
    const heard = (exchangeId: string, fact: Heard["fact"], name = "e"): Heard => ({
      eventId: `${exchangeId}:${name}`,
      eventType: "X",
      exchangeId,
      fact,
    });
    const payload = { parts: [{ part: "p", documents: 1, copy: 2, upload: 1 }] };

    it("notes an event once", async () => {
      const id = await bench.admitted();
      const event = heard(id, { kind: "payload", payload });

      const results = [await hear(bench.db, event), await hear(bench.db, event)];

      expect(results).to.deep.equal(["noted", "heard before"]);
      expect((await find(bench.db, id))?.facts.payload).to.deep.equal(payload);
    });

    it("keeps the facts that came first, in any order of events", async () => {
      const id = await bench.admitted();
      const first = { code: "A", message: "a" };

      await hear(bench.db, heard(id, { kind: "payload", payload }, "1"));
      await hear(bench.db, heard(id, { kind: "copy_finished" }, "2"));
      await hear(bench.db, heard(id, { kind: "failure", failure: first }, "3"));
      await hear(bench.db, heard(id, { kind: "failure", failure: { code: "B", message: "b" } }, "4"));

      const facts = (await find(bench.db, id))?.facts;
      expect([facts?.payload, facts?.copyFinishedAt !== null, facts?.failure]).to.deep.equal([payload, true, first]);
    });

    it("leaves no trace of an event of an unknown exchange", async () => {
      const event = heard(randomUUID(), { kind: "none" });

      const results = [await hear(bench.db, event), await hear(bench.db, event)];

      expect(results).to.deep.equal(["unknown exchange", "unknown exchange"]);
    });

    it("makes the exchange due at once", async () => {
      const { id, lease } = await bench.leased();
      await lease.read();
      await lease.release(3600, null);

      await hear(bench.db, heard(id, { kind: "none" }));

      expect((await bench.claim()).length).to.equal(1);
    });
  });

  describe("outbox", () => {
    it("gives a message to one taker at a time, and again when it was not sent", async () => {
      const { id, lease } = await bench.leased();
      await lease.move({
        from: "PROVISIONING",
        to: "STARTING",
        reason: "r",
        messages: [message(id, "a"), message(id, "a")],
      });

      const [one, other] = await Promise.all([takeDue(bench.db, 10, 30), takeDue(bench.db, 10, 30)]);
      const taken = [...one, ...other];
      await putOff(bench.db, taken[0]!.id, 0);
      const again = await takeDue(bench.db, 10, 30);
      await markPublished(bench.db, again[0]!.id);
      await putOff(bench.db, again[0]!.id, 0);

      expect(taken.map(({ attempts, body }) => [attempts, body])).to.deep.equal([[1, { name: "a" }]]);
      expect(again.map(({ attempts }) => attempts)).to.deep.equal([2]);
      expect(await takeDue(bench.db, 10, 30)).to.deep.equal([]);
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
      addMissing(bench.db, [
        row("copy", "1", "11", "done"),
        row("copy", "2", "11", "failed"),
        row("copy", "3", "12", "not_found"),
        row("copy", "4", "13", "done"),
        row("upload", "1", "11", "not_found"),
      ]),
    );

    it("counts units by stage and documents by the worst of their units", async () => {
      expect(await stageCounts(bench.db, "x")).to.deep.equal({
        copy: { done: 2, not_found: 1, failed: 1 },
        upload: { done: 0, not_found: 1, failed: 0 },
      });
      expect(await documentCounts(bench.db, "x")).to.deep.equal({
        ...{ seen: 3, failed: 1, notFound: 1, withheld: 0, excluded: 0 },
      });
    });

    it("never overwrites a row that came meanwhile", async () => {
      await addMissing(bench.db, [row("copy", "1", "11", "failed"), row("copy", "9", "14", "failed")]);

      expect((await stageCounts(bench.db, "x")).copy).to.deep.equal({ done: 2, not_found: 1, failed: 2 });
    });

    it("is read page by page", async () => {
      const first = await page(bench.db, "x", { state: undefined, after: undefined, limit: 4 });
      const second = await page(bench.db, "x", { state: undefined, after: first.next ?? undefined, limit: 4 });
      const failed = await page(bench.db, "x", { state: "failed", after: undefined, limit: 4 });

      expect(first.entries.map(({ unitId }) => unitId)).to.deep.equal(["1", "2", "3", "4"]);
      expect([second.entries.length, second.next]).to.deep.equal([1, null]);
      expect(failed.entries).to.deep.equal([
        {
          stage: "copy",
          unitId: "2",
          documentId: "11",
          state: "failed",
          error: { code: "C", message: "m" },
          redactions: null,
          removed: null,
          occurredAt: at,
        },
      ]);
    });
  });
});
