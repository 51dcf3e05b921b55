import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { find, history, wake } from "../../engine/registry/exchanges.ts";
import { type Lease, LeaseLost } from "../../engine/registry/lease.ts";
import {
  beat,
  end,
  intend,
  markRunning,
  OperationGivenUp,
  operationsOf,
  requestCancel,
} from "../../engine/registry/operations.ts";
import { takeDue } from "../../engine/registry/outbox.ts";
import { message, RegistryBench } from "./registry-kit.ts";

describe("registry: what an engine does", function () {
  this.timeout(60_000);
  const bench = new RegistryBench();

  describe("leases", () => {
    it("are given once, however many workers ask at the same time", async () => {
      await bench.admitted();

      const leases = await Promise.all([bench.claim(), bench.claim(), bench.claim(), bench.claim()]);

      expect(leases.flat().length).to.equal(1);
    });

    it("pass to another engine when they ran out, and are void for the first", async () => {
      const { id, lease } = await bench.leased(0.2);
      await delay(300);

      const [taken] = await bench.claim();
      const error = await lease.record({ waiting: "late" }).catch((thrown: unknown) => thrown);

      expect(taken?.exchangeId).to.equal(id);
      expect(error).to.be.instanceOf(LeaseLost);
      expect(() => {
        lease.assertHeld();
      }).to.throw(LeaseLost);
    });

    it("pass at once from a holder that is known to be dead", async () => {
      const { id, lease } = await bench.leased();

      const [taken] = await bench.claim(30, (holder) => holder.startsWith("host/1/a/"));
      const error = await lease.record({ waiting: "late" }).catch((thrown: unknown) => thrown);

      expect(taken?.exchangeId).to.equal(id);
      expect(error).to.be.instanceOf(LeaseLost);
    });

    it("are not kept from the others by an engine that was paused in the middle of a transaction", async () => {
      const id = await bench.admitted();
      const paused = await bench.db.startTransaction().execute();
      await paused.selectFrom("exchanges").select("id").where("id", "=", id).forUpdate().execute();
      const meanwhile = await bench.claim();

      let taken: Lease | undefined;
      while (!taken) {
        await delay(500);
        [taken] = await bench.claim();
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
      const { lease } = await bench.leased(0.5);
      await delay(300);
      await lease.prolong();
      await delay(300);

      expect(await bench.claim()).to.deep.equal([]);
      lease.assertHeld();
    });

    it("come due again at the time that was asked for, not before", async () => {
      const { id, lease } = await bench.leased();
      await lease.read();
      await lease.release(3600, "waits");

      const record = await find(bench.db, id);

      expect(await bench.claim()).to.deep.equal([]);
      expect(record?.waiting).to.equal("waits");
    });

    it("come due at once when something became known meanwhile", async () => {
      const { id, lease } = await bench.leased();
      await lease.read();
      await wake(bench.db, id);
      await lease.release(3600, "waits");

      expect((await bench.claim()).map(({ exchangeId }) => exchangeId)).to.deep.equal([id]);
    });

    it("guard a transition, which is written with its history and its messages or not at all", async () => {
      const { id, lease } = await bench.leased();
      const move = {
        from: "PROVISIONING",
        to: "STARTING",
        reason: "the stack is up",
        messages: [message(id, "a")],
      } as const;

      await lease.move(move);
      const again = await lease.move(move).catch((thrown: unknown) => thrown);

      expect(again).to.be.instanceOf(LeaseLost);
      expect((await history(bench.db, id)).map(({ state }) => state)).to.deep.equal([
        "ACCEPTED",
        "PROVISIONING",
        "STARTING",
      ]);
      expect((await takeDue(bench.db, 10, 30)).map(({ messageId }) => messageId)).to.deep.equal([`${id}:a`]);
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
      const id = await bench.admitted();

      const results = await Promise.all([intend(bench.db, operation(id)), intend(bench.db, operation(id))]);

      expect(results.toSorted()).to.deep.equal([false, true]);
    });

    it("end once, wake their exchange and leave the outputs on it", async () => {
      const { id, lease } = await bench.leased();
      await lease.read();
      await lease.release(3600, null);
      const begun = operation(id);
      await intend(bench.db, begun);
      await markRunning(bench.db, begun.id, 42);

      const outputs = { queues: { s3_copy: { url: "http://q", arn: "arn:q" } }, processors: {} };
      await end(bench.db, begun, { state: "succeeded", outputs });
      await end(bench.db, begun, { state: "aborted", error: { code: "OWNER_DIED", message: "late", retryable: true } });

      const [ended] = await operationsOf(bench.db, id);
      expect([ended?.state, ended?.pid, ended?.error]).to.deep.equal(["succeeded", 42, null]);
      expect((await find(bench.db, id))?.facts.outputs).to.deep.equal(outputs);
      expect((await bench.claim()).length).to.equal(1);
    });

    it("never seem to have succeeded without the outputs that they left", async () => {
      const seen = new Set<string>();
      for (let round = 0; round < 100; round++) {
        const { id, lease } = await bench.leased();
        const begun = operation(id);
        await intend(bench.db, begun);
        await markRunning(bench.db, begun.id, 42);
        const look = async () => {
          const { record, operations } = await lease.read();
          seen.add(`${operations[0]?.state ?? "none"}, ${record.facts.outputs ? "outputs" : "no outputs"}`);
        };

        await Promise.all([
          end(bench.db, begun, { state: "succeeded", outputs: { queues: {}, processors: {} } }),
          look(),
        ]);
        await look();
      }

      expect([...seen].toSorted()).to.deep.equal(["running, no outputs", "succeeded, outputs"]);
    });

    it("get no process once they were given up", async () => {
      const begun = operation(await bench.admitted());
      await intend(bench.db, begun);
      await end(bench.db, begun, { state: "aborted", error: { code: "OWNER_DIED", message: "late", retryable: true } });

      const marked = await markRunning(bench.db, begun.id, 42).catch((error: unknown) => error);

      expect(marked).to.be.instanceOf(OperationGivenUp);
    });

    it("are told to stop when they are cancelled or were given up", async () => {
      const id = await bench.admitted();
      const begun = operation(id);
      await intend(bench.db, begun);

      const first = await beat(bench.db, begun.id);
      await requestCancel(bench.db, begun.id);
      const second = await beat(bench.db, begun.id);
      const unknown = await beat(bench.db, randomUUID());

      expect([first, second, unknown]).to.deep.equal(["go on", "stop", "stop"]);
    });
  });
});
