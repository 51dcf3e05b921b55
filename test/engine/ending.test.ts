import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { exchangeStates, finalStates, isFinal } from "../../contracts/states.ts";
import type { Registry } from "../../engine/registry/database.ts";
import { find } from "../../engine/registry/exchanges.ts";
import { intend, markRunning } from "../../engine/registry/operations.ts";
import {
  acceptedExchange,
  maxTestWaiting,
  testApi,
  testCases,
  testRegistry,
  type TestApi,
  type TestCases,
  type TestRegistry,
} from "./kit.ts";

describe("HTTP interface: ending, bound and metrics", function () {
  this.timeout(60_000);
  let db: Registry;
  let cases: TestCases;
  let api: TestApi;
  let registry: TestRegistry;

  before(async () => {
    registry = await testRegistry();
    ({ db } = registry);
    cases = await testCases();
    api = await testApi(db, cases.reader);
  });
  after(async () => {
    await api.stop();
    await cases.drop();
    await registry.drop();
  });
  beforeEach(async () => {
    for (const table of ["exchanges", "transitions", "operations", "outbox"] as const) {
      await db.deleteFrom(table).execute();
    }
    api.due.length = 0;
  });

  const call = async (method: string, path: string, scope: string, more: object = {}) =>
    api.call(method, path, { token: await api.token({ scope, ...more }) });
  const cancel = (id: string, scope = "exchange:write", more = {}) =>
    call("POST", `/exchanges/${id}/cancel`, scope, more);
  const destroy = (id: string, scope = "exchange:operate") => call("DELETE", `/exchanges/${id}`, scope);
  const recordsIn = (state: (typeof exchangeStates)[number]) =>
    state === "ACCEPTED" || state === "PROVISIONING" ? "none" : "undecided";
  async function inState(state: (typeof exchangeStates)[number], outcome: "FINISHED" | null = null): Promise<string> {
    const id = await acceptedExchange(db);
    await db.updateTable("exchanges").set({ state, outcome }).where("id", "=", id).execute();
    return id;
  }

  for (const state of exchangeStates.filter((each) => !isFinal(each))) {
    it(`cancels in ${state}, and answers the same when asked again`, async () => {
      const id = await inState(state);

      const answers = [await cancel(id), await cancel(id)];

      const body = { exchangeId: id, jobId: id, outcome: "CANCELLED", records: recordsIn(state) };
      expect(answers.map((answer) => [answer.status, answer.body])).to.deep.equal([
        [202, body],
        [202, body],
      ]);
      expect(answers[0]?.headers.get("location")).to.equal(`/exchanges/${id}`);
      expect((await find(db, id))?.facts.cancelRequestedAt).to.be.instanceOf(Date);
      expect(api.due.length).to.equal(2);
    });
  }

  for (const state of finalStates) {
    it(`changes nothing of an exchange that has ended as ${state}`, async () => {
      const id = await inState(state);
      await db
        .updateTable("exchanges")
        .set({ cancel_requested_at: state === "CANCELLED" ? new Date() : null })
        .execute();
      const before = await find(db, id);

      const answers = [await cancel(id), await destroy(id)];

      expect(answers.map(({ status }) => status)).to.deep.equal(state === "CANCELLED" ? [202, 202] : [409, 409]);
      if (state !== "CANCELLED") {
        expect(answers[0]?.body).to.deep.include({
          code: "ALREADY_ENDED",
          detail: `exchange ${id} has ended as ${state}`,
        });
      }
      expect(await find(db, id)).to.deep.equal(before);
    });
  }

  it("tells what becomes of the records: kept once the copy had finished, and in the end what was done", async () => {
    const id = await inState("PROCESSING");
    await db
      .updateTable("exchanges")
      .set({ copy_finished_at: new Date(0) })
      .execute();
    const copied = await cancel(id);
    const error = { code: "RECORDS_NOT_REMOVED", message: "no" };
    await db
      .updateTable("exchanges")
      .set({ state: "DESTROYING", records: JSON.stringify({ fate: "partial", error }) })
      .execute();
    const told = await cancel(id);
    const shown = await call("GET", `/exchanges/${id}`, "exchange:read");

    expect([copied, told].map(({ body }) => (body as { records: string }).records)).to.deep.equal(["kept", "partial"]);
    expect(shown.body).to.deep.include({ records: "partial", recordsFailure: error });
  });

  it("lets an operator hurry a destruction without changing what it leads to", async () => {
    const id = await inState("DESTROYING", "FINISHED");

    const answer = await destroy(id);

    const facts = (await find(db, id))?.facts;
    expect([answer.status, (answer.body as { outcome: string }).outcome]).to.deep.equal([202, "FINISHED"]);
    expect([facts?.cancelRequestedAt, facts?.hurriedAt instanceof Date]).to.deep.equal([null, true]);
  });

  it("cancels what an operator destroys before its time", async () => {
    const id = await inState("PROCESSING");

    const answer = await destroy(id);

    expect([answer.status, (answer.body as { outcome: string }).outcome]).to.deep.equal([202, "CANCELLED"]);
  });

  it("asks a cancel for the scope write or operate, and a forced destroy for operate", async () => {
    const id = await inState("PROCESSING");

    const refused = [await cancel(id, "exchange:read"), await destroy(id, "exchange:read exchange:write")];
    const allowed = await cancel(id, "exchange:operate");

    expect([...refused, allowed].map(({ status }) => status)).to.deep.equal([403, 403, 202]);
  });

  it("hides an exchange from a cancel by one who may touch only one of its cases", async () => {
    const id = await inState("PROCESSING");

    const answer = await cancel(id, "exchange:write", { cases: [1] });

    expect([answer.status, (await find(db, id))?.facts.cancelRequestedAt]).to.deep.equal([404, null]);
  });

  it("takes no more requests than may wait, and still answers one that it knows", async () => {
    const token = await api.token();
    const post = (batchId: string) =>
      api.call("POST", "/exchanges", {
        token,
        body: { sourceCaseId: 1, destinationCaseId: 2, batchId, selection: { all: true } },
      });
    const known = await post("known");
    for (let count = 1; count < maxTestWaiting; count++) await acceptedExchange(db);

    const [refused, replayed] = [await post("new"), await post("known")];

    expect([refused.status, (refused.body as { code: string }).code]).to.deep.equal([503, "TOO_MANY_WAITING"]);
    expect(Number(refused.headers.get("retry-after"))).to.be.greaterThan(0);
    expect([replayed.status, replayed.body]).to.deep.equal([202, known.body]);
  });

  it("tells its numbers without a token, and neither id nor name", async () => {
    const id = await inState("PROCESSING");
    await inState("ACCEPTED");
    await inState("FINISHED");
    await db
      .updateTable("exchanges")
      .set({ state_since: new Date(0) })
      .where("id", "=", id)
      .execute();
    const operation = { id: randomUUID(), exchangeId: id, kind: "up", purpose: "provision", attempt: 1 } as const;
    await intend(db, { ...operation, owner: "host/1/a" });
    await markRunning(db, operation.id, 1);
    await db
      .insertInto("outbox")
      .values({
        message_id: "m",
        exchange_id: id,
        channel: "topic",
        body: "{}",
        delay_seconds: 0,
        attempts: 0,
        next_at: new Date(0),
        created_at: new Date(0),
        published_at: null,
      })
      .execute();

    const { status, headers, body } = await api.call("GET", "/metrics");

    const text = String(body);
    expect([status, headers.get("content-type")]).to.deep.equal([200, "text/plain; version=0.0.4; charset=utf-8"]);
    const lines = text.split("\n");
    expect(lines).to.include.members([
      'exchanger_exchanges{state="PROCESSING"} 1',
      'exchanger_exchanges{state="ACCEPTED"} 1',
      'exchanger_exchanges{state="FINISHED"} 1',
      'exchanger_exchanges{state="DRAINING"} 0',
      'exchanger_exchange_oldest_seconds{state="DRAINING"} 0',
      "exchanger_live_exchanges 1",
      "exchanger_live_exchanges_max 7",
      `exchanger_waiting_exchanges_max ${maxTestWaiting}`,
      "exchanger_operations_marked_running 1",
      "exchanger_operations_executing 1",
      "exchanger_operations_queued 2",
      "exchanger_outbox_unpublished 1",
      'exchanger_uploader_breaker{state="open"} 1',
      'exchanger_uploader_breaker{state="closed"} 0',
    ]);
    const value = (name: string) =>
      Number(
        lines
          .find((line) => line.startsWith(`${name} `))
          ?.split(" ")
          .at(-1),
      );
    expect(value('exchanger_exchange_oldest_seconds{state="PROCESSING"}')).to.be.greaterThan(1e9);
    expect(value("exchanger_outbox_oldest_seconds")).to.be.greaterThan(1e9);
    expect(text).to.not.include(id);
  });
});
