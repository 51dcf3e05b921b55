import { expect } from "chai";
import type { Stage } from "../../contracts/ledger.ts";
import { addMissing } from "../../engine/registry/ledger.ts";
import { expectProblem, httpBench } from "./http-kit.ts";
import { acceptedExchange, request } from "./kit.ts";

describe("HTTP interface: GET", function () {
  this.timeout(60_000);
  const bench = httpBench();

  it("shows an exchange with its history and what arrived", async () => {
    const id = await acceptedExchange(bench.db);
    const payload = { parts: [{ part: "p", documents: 3, copy: 4, upload: 1 }] };
    const rows = { documents: { source: 3, target: 3 } };
    await bench.db
      .updateTable("exchanges")
      .set({ payload: JSON.stringify(payload), table_rows: JSON.stringify(rows), waiting: "4 of 4 files" })
      .execute();
    const error = { code: "C", message: "m" };
    await ledger(id, ["copy", "1", "11", "done"], ["copy", "2", "11", "done"], ["copy", "3", "12", "not_found"]);
    await addMissing(bench.db, [
      { ...unit(id, "copy", "4", "13", "failed"), error },
      unit(id, "upload", "1", "11", "done"),
    ]);

    const { body } = await bench.api.call("GET", `/exchanges/${id}`, { token: bench.token });

    const { createdAt, updatedAt, stateHistory, warnings, ...rest } = body as Record<string, unknown> & {
      stateHistory: Record<string, unknown>[];
      warnings: { code: string }[];
    };
    expect(warnings.map(({ code }) => code)).to.deep.equal(["REDACTIONS_NOT_APPLIED"]);
    expect([createdAt, updatedAt, stateHistory[0]?.["at"]]).to.satisfy((times: string[]) =>
      times.every((time) => new Date(time).toISOString() === time),
    );
    expect(stateHistory.map(({ state, reason }) => [state, reason])).to.deep.equal([["ACCEPTED", "requested"]]);
    const { sourceCaseId, destinationCaseId, batchId, selection, includeNatives, metadata } = request();
    expect(rest).to.deep.equal({
      exchangeId: id,
      jobId: id,
      state: "ACCEPTED",
      sourceCaseId,
      destinationCaseId,
      batchId,
      selection,
      includeNatives,
      metadata,
      stack: `exchange-${id}`,
      waiting: "4 of 4 files",
      documents: { selected: 3, copied: 1, notFound: 1, failed: 1 },
      stages: {
        copy: { expected: 4, done: 2, notFound: 1, failed: 1 },
        upload: { expected: 1, done: 1, notFound: 0, failed: 0 },
      },
      rows,
    });
  });

  it("shows how many rows are copied while records are", async () => {
    const id = await acceptedExchange(bench.db);
    const rows = { comments: { done: 500, total: 1200 } };
    bench.api.copying.set(id, { rows });
    const before = await bench.api.call("GET", `/exchanges/${id}`, { token: bench.token });
    await bench.db.updateTable("exchanges").set({ state: "COPYING_RECORDS" }).execute();

    const { body } = await bench.api.call("GET", `/exchanges/${id}`, { token: bench.token });

    expect(before.body).not.to.have.property("copying");
    expect(body).to.have.deep.property("copying", rows);
  });

  it("shows what is pending while documents are on their way", async () => {
    const id = await acceptedExchange(bench.db);
    await ledger(id, ["copy", "1", "11", "done"]);

    const { body } = await bench.api.call("GET", `/exchanges/${id}`, { token: bench.token });

    const { documents, stages } = body as { documents: object; stages: { copy: object } };
    expect(documents).to.deep.equal({ selected: 3, copied: 1, notFound: 0, failed: 0, pending: 2 });
    expect(stages.copy).to.deep.equal({ expected: null, done: 1, notFound: 0, failed: 0 });
  });

  it("shows every stage of an exchange with annotations, and of which documents some did not travel", async () => {
    const id = await acceptedExchange(bench.db, {
      request: request({ annotations: { redactionsAs: "layer", highlightsAs: "brand_in" } }),
    });
    await ledger(id, ["pre_upload", "1", "11", "done"], ["pre_upload", "2", "12", "done"]);
    const error = { code: "ANNOTATIONS_NOT_CARRIED", message: "2 quote" };
    await bench.db
      .updateTable("exchange_documents")
      .set({ error: JSON.stringify(error) })
      .where("unit_id", "=", "2")
      .execute();

    const { body } = await bench.api.call("GET", `/exchanges/${id}`, { token: bench.token });
    const listed = await bench.api.call("GET", `/exchanges/${id}/documents?state=done`, { token: bench.token });

    const { stages, warnings } = body as { stages: object; warnings: { code: string }[] };
    const untouched = { expected: null, done: 0, notFound: 0, failed: 0 };
    expect(stages).to.deep.equal({
      pre_upload: { ...untouched, done: 2 },
      upload: untouched,
      re_ocr: untouched,
      search: untouched,
    });
    expect(warnings.map(({ code }) => code)).to.deep.equal(["ANNOTATIONS_NOT_CARRIED"]);
    const { documents } = listed.body as { documents: { warning?: object; error?: object }[] };
    expect(documents.map(({ warning, error }) => [warning, error])).to.deep.equal([
      [undefined, undefined],
      [error, undefined],
    ]);
  });

  it("shows the cause of a failure", async () => {
    const id = await acceptedExchange(bench.db);
    const failure = { code: "GLUE_JOB_FAILED", message: "no free bit" };
    await bench.db
      .updateTable("exchanges")
      .set({ state: "FAILED", failure: JSON.stringify(failure) })
      .execute();

    const { body } = await bench.api.call("GET", `/exchanges/${id}`, { token: bench.token });

    expect((body as { failure: object }).failure).to.deep.equal(failure);
  });

  it("lists files that did not arrive, with the reason, page by page", async () => {
    const id = await acceptedExchange(bench.db);
    await ledger(id, ["copy", "1", "11", "done"], ["copy", "2", "12", "failed"], ["upload", "2", "12", "failed"]);
    const path = `/exchanges/${id}/documents?state=failed&limit=1`;

    const first = (await bench.api.call("GET", path, { token: bench.token })).body as {
      documents: object[];
      next: string;
    };
    const second = (await bench.api.call("GET", `${path}&after=${first.next}`, { token: bench.token })).body;

    const row = { documentId: "12", fileId: "2", state: "failed", occurredAt: "2026-01-01T00:00:00.000Z" };
    expect(first).to.deep.equal({ documents: [{ ...row, stage: "copy" }], next: "copy:2" });
    expect(second).to.deep.equal({ documents: [{ ...row, stage: "upload" }], next: null });
  });

  it("lists exchanges by state, page by page", async () => {
    const ids = [await acceptedExchange(bench.db), await acceptedExchange(bench.db), await acceptedExchange(bench.db)];
    await bench.db.updateTable("exchanges").set({ state: "FAILED" }).where("id", "=", ids[1]!).execute();
    const list = async (query: string) =>
      (await bench.api.call("GET", `/exchanges?${query}`, { token: bench.token })).body as {
        exchanges: { exchangeId: string }[];
        next: number | null;
      };

    const first = await list("state=ACCEPTED&limit=1");
    const second = await list(`state=ACCEPTED&limit=1&after=${String(first.next)}`);

    expect(first.exchanges.map(({ exchangeId }) => exchangeId)).to.deep.equal([ids[2]]);
    expect([second.exchanges.map(({ exchangeId }) => exchangeId), second.next]).to.deep.equal([[ids[0]], null]);
  });

  for (const query of ["state=DONE", "limit=0", "limit=1000", "after=x", "color=1"]) {
    it(`names the bad parameter of ?${query}`, async () => {
      const answer = await bench.api.call("GET", `/exchanges?${query}`, { token: bench.token });

      const problem = expectProblem(answer, 422, "INVALID_REQUEST");
      expect(problem.errors?.map(({ field }) => field)).to.deep.equal([query.split("=")[0]]);
    });
  }

  it("does not know an exchange whose id is no id", async () => {
    expectProblem(await bench.api.call("GET", "/exchanges/17", { token: bench.token }), 404, "EXCHANGE_NOT_FOUND");
  });

  const unit = (
    exchangeId: string,
    stage: Stage,
    unitId: string,
    documentId: string,
    state: "done" | "failed" | "not_found",
  ) => ({
    exchangeId,
    stage,
    unitId,
    documentId,
    state,
    eventId: `${stage}:${unitId}`,
    error: null,
    occurredAt: new Date("2026-01-01T00:00:00Z"),
  });
  type Row = [Stage, string, string, "done" | "failed" | "not_found"];
  const ledger = (id: string, ...rows: Row[]) =>
    addMissing(
      bench.db,
      rows.map((row) => unit(id, ...row)),
    );
});
