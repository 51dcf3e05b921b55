import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { generateKeyPair, SignJWT } from "jose";
import type { Registry } from "../../engine/registry/database.ts";
import { addMissing } from "../../engine/registry/ledger.ts";
import {
  acceptedExchange,
  request,
  testApi,
  testCases,
  testRegistry,
  type TestApi,
  type TestCases,
  type TestRegistry,
} from "./kit.ts";

interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  errors?: { field: string; message: string }[];
}

const good = {
  sourceCaseId: 1,
  destinationCaseId: 2,
  batchId: "b1",
  selection: { documentIds: [11, "12"] },
};

describe("HTTP interface", function () {
  this.timeout(60_000);
  let db: Registry;
  let cases: TestCases;
  let api: TestApi;
  let token: string;
  let registry: TestRegistry;

  before(async () => {
    registry = await testRegistry();
    ({ db } = registry);
    cases = await testCases();
    api = await testApi(db, cases.reader);
    token = await api.token();
  });
  after(async () => {
    await api.stop();
    await cases.drop();
    await registry.drop();
  });
  beforeEach(async () => {
    for (const table of ["exchanges", "transitions", "exchange_documents"] as const)
      await db.deleteFrom(table).execute();
    api.accepted.length = 0;
  });

  const post = (body: unknown, options: { token?: string; headers?: object } = {}) =>
    api.call("POST", "/exchanges", { token, body, ...options });

  function expectProblem(answer: { status: number; headers: Headers; body: unknown }, status: number, code: string) {
    const problem = answer.body as ProblemBody;
    expect([answer.status, problem.status, problem.code]).to.deep.equal([status, status, code]);
    expect(answer.headers.get("content-type")).to.match(/^application\/problem\+json/);
    expect(problem.type).to.equal("about:blank");
    expect([problem.title, problem.detail]).to.satisfy((texts: string[]) => texts.every((text) => text.length > 0));
    return problem;
  }

  describe("POST /exchanges", () => {
    for (const path of ["/exchanges", "/exchange"]) {
      it(`accepts an exchange at ${path} and says where it is`, async () => {
        const answer = await api.call("POST", path, { token, body: good });

        const [id] = api.accepted;
        expect(answer.status).to.equal(202);
        expect(answer.headers.get("location")).to.equal(`/exchanges/${String(id)}`);
        expect(answer.body).to.deep.equal({ exchangeId: id, jobId: id, state: "ACCEPTED" });
      });
    }

    it("makes one exchange of identical requests at once", async () => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => post(good)));

      expect(api.accepted.length).to.equal(1);
      expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).to.equal(1);
    });

    it("answers a repeated request with the same exchange, also when defaults are written out", async () => {
      const first = await post(good);
      const second = await post({ ...good, includeNatives: false, selection: { documentIds: ["12", 11, 11] } });

      expect(second.body).to.deep.equal(first.body);
    });

    it("answers a repeated request with the same exchange after it has ended", async () => {
      const key = { headers: { "Idempotency-Key": "order-6" } };
      const first = await post(good, key);
      await db.updateTable("exchanges").set({ state: "FINISHED" }).execute();

      const second = await post(good, key);

      expect(second.body).to.deep.equal({ ...(first.body as object), state: "FINISHED" });
    });

    it("begins anew after a failed exchange when no key is sent", async () => {
      const first = await post(good);
      await db.updateTable("exchanges").set({ state: "FAILED" }).execute();
      const second = await post(good);

      expect(second.status).to.equal(202);
      expect((second.body as { exchangeId: string }).exchangeId).to.not.equal(
        (first.body as { exchangeId: string }).exchangeId,
      );
    });

    it("refuses another body under the same Idempotency-Key", async () => {
      const headers = { "Idempotency-Key": "order-7" };
      await post(good, { headers });

      const answer = await post({ ...good, batchId: "b2" }, { headers });

      expectProblem(answer, 422, "IDEMPOTENCY_KEY_REUSED");
    });

    it("refuses other settings for the same selection when no key is sent, and says what to do", async () => {
      await post(good);

      const problem = expectProblem(await post({ ...good, includeNatives: true }), 422, "IDEMPOTENCY_KEY_REUSED");

      expect(problem.detail).to.include("another batchId");
    });

    it("keeps the keys of different callers apart", async () => {
      const headers = { "Idempotency-Key": "1" };
      await post(good, { headers });
      const other = await api.token({ sub: "somebody else" });

      const answer = await post({ ...good, batchId: "b2" }, { token: other, headers });

      expect([answer.status, api.accepted.length]).to.deep.equal([202, 2]);
    });

    const badBodies: [title: string, body: unknown, fields: string[]][] = [
      ["every field that is missing", {}, ["sourceCaseId", "destinationCaseId", "batchId", "selection"]],
      [
        "every field of a wrong type",
        {
          sourceCaseId: "1",
          destinationCaseId: 1.5,
          batchId: 7,
          selection: [],
          includeNatives: "yes",
          metadata: ["x"],
        },
        ["sourceCaseId", "destinationCaseId", "batchId", "selection", "includeNatives", "metadata.0"],
      ],
      ["fields that nobody knows", { ...good, includeNative: true, color: 1 }, ["includeNative", "color"]],
      ["equal cases", { ...good, destinationCaseId: 1 }, ["destinationCaseId"]],
      ["two selections", { ...good, selection: { all: true, labelId: 1 } }, ["selection"]],
      ["no selection", { ...good, selection: {} }, ["selection"]],
      ["an empty list of documents", { ...good, selection: { documentIds: [] } }, ["selection.documentIds"]],
      [
        "a document id that is no number",
        { ...good, selection: { documentIds: [11, "x"] } },
        ["selection.documentIds.1"],
      ],
      ["a body that is no object", [], [""]],
      ["a body that is null", "null", [""]],
      ["a batch that is too long for a name", { ...good, batchId: "b".repeat(17) }, ["batchId"]],
      ["unknown cases", { ...good, sourceCaseId: 98, destinationCaseId: 99 }, ["sourceCaseId", "destinationCaseId"]],
      ["unknown documents", { ...good, selection: { documentIds: [11, 77, 78] } }, ["selection.documentIds"]],
      ["a label without documents", { ...good, selection: { labelId: 32 } }, ["selection"]],
      ["an unknown folder", { ...good, selection: { folderTagId: 99 } }, ["selection"]],
      ["an empty case", { ...good, sourceCaseId: 2, destinationCaseId: 1, selection: { all: true } }, ["selection"]],
    ];
    for (const [title, body, fields] of badBodies) {
      it(`names ${title}`, async () => {
        const problem = expectProblem(await post(body), 422, "INVALID_REQUEST");

        expect(problem.errors?.map(({ field }) => field)).to.have.members(fields);
        expect(api.accepted).to.deep.equal([]);
      });
    }

    it("names the documents that the source case lacks", async () => {
      const { errors } = (await post({ ...good, selection: { documentIds: [11, 77, 78] } })).body as ProblemBody;

      expect(errors).to.deep.equal([
        { field: "selection.documentIds", message: "has documents that the source case lacks: 77, 78" },
      ]);
    });

    it("refuses annotations clearly, since they are not supported yet", async () => {
      const answer = await post({ ...good, annotations: { redactionsAs: "brand_in" } });

      const problem = expectProblem(answer, 422, "NOT_SUPPORTED");
      expect(problem.errors).to.deep.equal([{ field: "annotations", message: "is not supported yet" }]);
    });

    const selections: [title: string, selection: object, documents: number][] = [
      ["a label", { labelId: "31" }, 1],
      ["a folder with all below it", { folderTagId: 41 }, 2],
      ["a folder in the middle", { folderTagId: 42 }, 1],
      ["documents", { documentIds: [11, 12, 13] }, 3],
      ["everything", { all: true }, 3],
    ];
    for (const [title, selection, documents] of selections) {
      it(`counts the documents selected by ${title}`, async () => {
        await post({ ...good, selection });

        const { selected } = await db.selectFrom("exchanges").select("selected").executeTakeFirstOrThrow();
        expect(selected).to.equal(documents);
      });
    }

    it("refuses malformed JSON", async () => {
      expectProblem(await post('{"sourceCaseId": 1,'), 400, "MALFORMED_JSON");
    });

    it("refuses a body beyond the limit", async () => {
      expectProblem(await post({ ...good, batchId: "x".repeat(2 * 1024 * 1024) }), 413, "BODY_TOO_LARGE");
    });

    for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
      it(`refuses a body of type ${type}`, async () => {
        const answer = await post(JSON.stringify(good), { headers: { "content-type": type } });

        expectProblem(answer, 415, "UNSUPPORTED_MEDIA_TYPE");
      });
    }

    for (const key of ["", " ", "with space", "x".repeat(201)]) {
      it(`refuses the Idempotency-Key ${JSON.stringify(key.slice(0, 12))} of ${key.length} characters`, async () => {
        const problem = expectProblem(
          await post(good, { headers: { "Idempotency-Key": key } }),
          422,
          "INVALID_REQUEST",
        );

        expect(problem.errors?.[0]?.field).to.equal("Idempotency-Key");
      });
    }
  });

  describe("authorization", () => {
    const anywhere: [method: string, path: string][] = [
      ["POST", "/exchanges"],
      ["GET", "/exchanges"],
      ["GET", "/exchanges/0b0d9a37-2f3a-4d2b-9a30-b0d3d0d1c5aa"],
      ["GET", "/exchanges/0b0d9a37-2f3a-4d2b-9a30-b0d3d0d1c5aa/documents"],
      ["POST", "/exchanges/0b0d9a37-2f3a-4d2b-9a30-b0d3d0d1c5aa/cancel"],
      ["DELETE", "/exchanges/0b0d9a37-2f3a-4d2b-9a30-b0d3d0d1c5aa"],
    ];
    for (const [method, path] of anywhere) {
      it(`asks for a token at ${method} ${path}`, async () => {
        const answer = await api.call(method, path);

        expectProblem(answer, 401, "UNAUTHORIZED");
        expect(answer.headers.get("www-authenticate")).to.equal("Bearer");
      });
    }

    const now = () => Math.floor(Date.now() / 1000);
    const badTokens: [title: string, token: () => Promise<string>][] = [
      ["rubbish", () => Promise.resolve("abc.def.ghi")],
      ["an expired token", () => api.token({}, "-1 minute")],
      ["a token for somebody else's service", () => api.token({ aud: "other" })],
      ["a token of another issuer", () => api.token({ iss: "https://other" })],
      ["a token that is not valid yet", () => api.token({ nbf: now() + 600 })],
      ["a token without a subject", () => api.token({ sub: undefined })],
      ["a token whose cases are no list of cases", () => api.token({ cases: ["1; DROP TABLE"] })],
      ["a token that an unknown key signed", () => foreign("ES256")],
      ["a token signed with a shared secret", () => shared()],
      ["a token without a signature", () => Promise.resolve(unsigned())],
    ];
    async function foreign(alg: string): Promise<string> {
      const { privateKey } = await generateKeyPair(alg);
      return claims().setProtectedHeader({ alg }).sign(privateKey);
    }
    const shared = () =>
      claims()
        .setProtectedHeader({ alg: "HS256" })
        .sign(new TextEncoder().encode("k".repeat(32)));
    const claims = () =>
      new SignJWT({
        iss: "https://issuer.test",
        aud: "exchanger",
        sub: "x",
        scope: "exchange:write",
        cases: "*",
      }).setExpirationTime("5 minutes");
    function unsigned(): string {
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
      const payload = {
        iss: "https://issuer.test",
        aud: "exchanger",
        sub: "x",
        scope: "exchange:write",
        exp: now() + 60,
      };
      return `${part({ alg: "none" })}.${part({ ...payload, cases: "*" })}.`;
    }
    for (const [title, make] of badTokens) {
      it(`refuses ${title}`, async () => {
        const answer = await post(good, { token: await make() });

        expectProblem(answer, 401, "UNAUTHORIZED");
        expect(answer.headers.get("www-authenticate")).to.equal('Bearer error="invalid_token"');
      });
    }

    it("refuses to write with a token that may only read", async () => {
      const answer = await post(good, { token: await api.token({ scope: "exchange:read" }) });

      expectProblem(answer, 403, "INSUFFICIENT_SCOPE");
      expect(answer.headers.get("www-authenticate")).to.include('scope="exchange:write"');
    });

    it("refuses to read with a token that may only write", async () => {
      const answer = await api.call("GET", "/exchanges", { token: await api.token({ scope: "exchange:write" }) });

      expectProblem(answer, 403, "INSUFFICIENT_SCOPE");
    });

    it("tells a case that is not permitted from an unknown one in nothing but its number", async () => {
      const limited = await api.token({ cases: [1] });

      const [existing, unknown] = await Promise.all([
        post({ ...good, destinationCaseId: 2 }, { token: limited }),
        post({ ...good, destinationCaseId: 99 }, { token: limited }),
      ]);

      expectProblem(existing, 403, "CASE_NOT_PERMITTED");
      expect(existing.body).to.deep.equal(unknown.body);
    });

    it("hides an exchange of cases that the token does not permit, as if it did not exist", async () => {
      const id = await acceptedExchange(db);
      const limited = await api.token({ cases: [1, 3] });
      const missing = "0b0d9a37-2f3a-4d2b-9a30-b0d3d0d1c5aa";

      for (const path of ["", "/documents"]) {
        const hidden = await api.call("GET", `/exchanges/${id}${path}`, { token: limited });
        const unknown = await api.call("GET", `/exchanges/${missing}${path}`, { token: limited });

        const problem = expectProblem(hidden, 404, "EXCHANGE_NOT_FOUND");
        expect({ ...problem, detail: problem.detail.replace(id, missing) }).to.deep.equal(unknown.body);
      }
    });

    it("grants no case to a token without the claim", async () => {
      const none = await api.token({ cases: undefined });
      await acceptedExchange(db);

      expectProblem(await post(good, { token: none }), 403, "CASE_NOT_PERMITTED");
      expect((await api.call("GET", "/exchanges", { token: none })).body).to.deep.equal({ exchanges: [], next: null });
    });
  });

  describe("GET", () => {
    it("shows an exchange with its history and what arrived", async () => {
      const id = await acceptedExchange(db);
      const payload = { parts: [{ part: "p", documents: 3, copy: 4, upload: 1 }] };
      const rows = { documents: { source: 3, target: 3 } };
      await db
        .updateTable("exchanges")
        .set({ payload: JSON.stringify(payload), table_rows: JSON.stringify(rows), waiting: "4 of 4 files" })
        .execute();
      const error = { code: "C", message: "m" };
      await ledger(id, ["copy", "1", "11", "done"], ["copy", "2", "11", "done"], ["copy", "3", "12", "not_found"]);
      await addMissing(db, [
        { ...unit(id, "copy", "4", "13", "failed"), error },
        unit(id, "upload", "1", "11", "done"),
      ]);

      const { body } = await api.call("GET", `/exchanges/${id}`, { token });

      const { createdAt, updatedAt, stateHistory, ...rest } = body as Record<string, unknown> & {
        stateHistory: Record<string, unknown>[];
      };
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
      const id = await acceptedExchange(db);
      const rows = { comments: { done: 500, total: 1200 } };
      api.copying.set(id, { rows });
      const before = await api.call("GET", `/exchanges/${id}`, { token });
      await db.updateTable("exchanges").set({ state: "COPYING_RECORDS" }).execute();

      const { body } = await api.call("GET", `/exchanges/${id}`, { token });

      expect(before.body).not.to.have.property("copying");
      expect(body).to.have.deep.property("copying", rows);
    });

    it("shows what is pending while documents are on their way", async () => {
      const id = await acceptedExchange(db);
      await ledger(id, ["copy", "1", "11", "done"]);

      const { body } = await api.call("GET", `/exchanges/${id}`, { token });

      const { documents, stages } = body as { documents: object; stages: { copy: object } };
      expect(documents).to.deep.equal({ selected: 3, copied: 1, notFound: 0, failed: 0, pending: 2 });
      expect(stages.copy).to.deep.equal({ expected: null, done: 1, notFound: 0, failed: 0 });
    });

    it("shows the cause of a failure", async () => {
      const id = await acceptedExchange(db);
      const failure = { code: "GLUE_JOB_FAILED", message: "no free bit" };
      await db
        .updateTable("exchanges")
        .set({ state: "FAILED", failure: JSON.stringify(failure) })
        .execute();

      const { body } = await api.call("GET", `/exchanges/${id}`, { token });

      expect((body as { failure: object }).failure).to.deep.equal(failure);
    });

    it("lists files that did not arrive, with the reason, page by page", async () => {
      const id = await acceptedExchange(db);
      await ledger(id, ["copy", "1", "11", "done"], ["copy", "2", "12", "failed"], ["upload", "2", "12", "failed"]);
      const path = `/exchanges/${id}/documents?state=failed&limit=1`;

      const first = (await api.call("GET", path, { token })).body as { documents: object[]; next: string };
      const second = (await api.call("GET", `${path}&after=${first.next}`, { token })).body;

      const row = { documentId: "12", fileId: "2", state: "failed", occurredAt: "2026-01-01T00:00:00.000Z" };
      expect(first).to.deep.equal({ documents: [{ ...row, stage: "copy" }], next: "copy:2" });
      expect(second).to.deep.equal({ documents: [{ ...row, stage: "upload" }], next: null });
    });

    it("lists exchanges by state, page by page", async () => {
      const ids = [await acceptedExchange(db), await acceptedExchange(db), await acceptedExchange(db)];
      await db.updateTable("exchanges").set({ state: "FAILED" }).where("id", "=", ids[1]!).execute();
      const list = async (query: string) =>
        (await api.call("GET", `/exchanges?${query}`, { token })).body as {
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
        const answer = await api.call("GET", `/exchanges?${query}`, { token });

        const problem = expectProblem(answer, 422, "INVALID_REQUEST");
        expect(problem.errors?.map(({ field }) => field)).to.deep.equal([query.split("=")[0]]);
      });
    }

    it("does not know an exchange whose id is no id", async () => {
      expectProblem(await api.call("GET", "/exchanges/17", { token }), 404, "EXCHANGE_NOT_FOUND");
    });

    const unit = (
      exchangeId: string,
      stage: "copy" | "upload",
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
    type Row = ["copy" | "upload", string, string, "done" | "failed" | "not_found"];
    const ledger = (id: string, ...rows: Row[]) =>
      addMissing(
        db,
        rows.map((row) => unit(id, ...row)),
      );
  });

  it("is alive and ready without a token", async () => {
    const answers = [await api.call("GET", "/healthz"), await api.call("GET", "/readyz")];

    expect(answers.map(({ status, body }) => [status, body])).to.deep.equal([
      [200, { status: "alive" }],
      [200, { status: "ready" }],
    ]);
  });

  it("answers an address that it does not have", async () => {
    expectProblem(await api.call("GET", "/exchange-rates", { token }), 404, "ROUTE_NOT_FOUND");
  });

  for (const [method, path, allowed] of [
    ["DELETE", "/exchanges", "GET, POST"],
    ["PUT", "/exchanges/0b0d9a37-2f3a-4d2b-9a30-b0d3d0d1c5aa", "GET, DELETE"],
    ["GET", "/exchanges/0b0d9a37-2f3a-4d2b-9a30-b0d3d0d1c5aa/cancel", "POST"],
    ["POST", "/metrics", "GET"],
    ["POST", "/healthz", "GET"],
  ] as const) {
    it(`says what ${path} takes instead of ${method}`, async () => {
      const answer = await api.call(method, path, { token });

      expectProblem(answer, 405, "METHOD_NOT_ALLOWED");
      expect(answer.headers.get("allow")).to.equal(allowed);
    });
  }

  it("looks a case up again after the server has dropped its connections", async () => {
    await cases.reader.exists(1);
    await cases.killConnections();
    await delay(50);

    expect(await cases.reader.exists(1)).to.equal(true);
  });
});
