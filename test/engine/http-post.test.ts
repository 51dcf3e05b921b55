import { expect } from "chai";
import { expectProblem, good, httpBench, type ProblemBody } from "./http-kit.ts";
import { testApi } from "./kit.ts";

describe("HTTP interface: POST /exchanges", function () {
  this.timeout(60_000);
  const bench = httpBench();

  for (const path of ["/exchanges", "/exchange"]) {
    it(`accepts an exchange at ${path} and says where it is`, async () => {
      const answer = await bench.api.call("POST", path, { token: bench.token, body: good });

      const [id] = bench.api.accepted;
      expect(answer.status).to.equal(202);
      expect(answer.headers.get("location")).to.equal(`/exchanges/${String(id)}`);
      const { warnings, ...rest } = answer.body as { warnings: { code: string }[] };
      expect(rest).to.deep.equal({ exchangeId: id, jobId: id, state: "ACCEPTED" });
      expect(warnings.map(({ code }) => code)).to.deep.equal(["REDACTIONS_NOT_APPLIED"]);
    });
  }

  it("makes one exchange of identical requests at once", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => bench.post(good)));

    expect(bench.api.accepted.length).to.equal(1);
    expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).to.equal(1);
  });

  it("answers a repeated request with the same exchange, also when defaults are written out", async () => {
    const first = await bench.post(good);
    const second = await bench.post({ ...good, includeNatives: false, selection: { documentIds: ["12", 11, 11] } });

    expect(second.body).to.deep.equal(first.body);
  });

  it("answers a repeated request as the first one, also after the exchange has ended", async () => {
    const key = { headers: { "Idempotency-Key": "order-6" } };
    const first = await bench.post(good, key);
    await bench.db.updateTable("exchanges").set({ state: "FINISHED" }).execute();

    const second = await bench.post(good, key);

    expect([second.status, second.body]).to.deep.equal([first.status, first.body]);
  });

  it("begins anew after a failed exchange when no key is sent", async () => {
    const first = await bench.post(good);
    await bench.db.updateTable("exchanges").set({ state: "FAILED" }).execute();
    const second = await bench.post(good);

    expect(second.status).to.equal(202);
    expect((second.body as { exchangeId: string }).exchangeId).to.not.equal(
      (first.body as { exchangeId: string }).exchangeId,
    );
  });

  it("refuses another body under the same Idempotency-Key", async () => {
    const headers = { "Idempotency-Key": "order-7" };
    await bench.post(good, { headers });

    const answer = await bench.post({ ...good, batchId: "b2" }, { headers });

    expectProblem(answer, 422, "IDEMPOTENCY_KEY_REUSED");
  });

  it("refuses other settings for the same selection when no key is sent, and says what to do", async () => {
    await bench.post(good);

    const problem = expectProblem(await bench.post({ ...good, includeNatives: true }), 422, "IDEMPOTENCY_KEY_REUSED");

    expect(problem.detail).to.include("another batchId");
  });

  it("keeps the keys of different callers apart", async () => {
    const headers = { "Idempotency-Key": "1" };
    await bench.post(good, { headers });
    const other = await bench.api.token({ sub: "somebody else" });

    const answer = await bench.post({ ...good, batchId: "b2" }, { token: other, headers });

    expect([answer.status, bench.api.accepted.length]).to.deep.equal([202, 2]);
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
      const problem = expectProblem(await bench.post(body), 422, "INVALID_REQUEST");

      expect(problem.errors?.map(({ field }) => field)).to.have.members(fields);
      expect(bench.api.accepted).to.deep.equal([]);
    });
  }

  it("names the documents that the source case lacks", async () => {
    const { errors } = (await bench.post({ ...good, selection: { documentIds: [11, 77, 78] } })).body as ProblemBody;

    expect(errors).to.deep.equal([
      { field: "selection.documentIds", message: "has documents that the source case lacks: 77, 78" },
    ]);
  });

  it("refuses annotations where there is no Document Engine, and says so", async () => {
    const api = await testApi(bench.db, bench.cases.reader, false);
    const body = { ...good, annotations: { redactionsAs: "brand_in" } };

    const answer = await api.call("POST", "/exchanges", { token: await api.token(), body });

    await api.stop();
    const problem = expectProblem(answer, 422, "NOT_SUPPORTED");
    expect(problem.errors).to.deep.equal([
      { field: "annotations", message: "needs a Document Engine, and this environment has none" },
    ]);
  });

  it("takes annotations, also under the former name of redactions, and shows how they travel", async () => {
    const annotations = { "pspdfkit/markup/redact": "brand_in", comments: true };

    const answer = await bench.post({ ...good, annotations });

    const { exchangeId } = answer.body as { exchangeId: string };
    const shown = await bench.api.call("GET", `/exchanges/${exchangeId}`, { token: bench.token });
    expect([answer.status, answer.body]).to.deep.equal([202, { exchangeId, jobId: exchangeId, state: "ACCEPTED" }]);
    expect(shown.body).to.have.deep.property("annotations", { redactionsAs: "brand_in", comments: true });
  });

  for (const annotations of [{}, { highlightsAs: "brand_in", comments: true }, { "pspdfkit/note": "layer" }]) {
    it(`refuses annotations that do not say what becomes of redactions: ${JSON.stringify(annotations)}`, async () => {
      const problem = expectProblem(await bench.post({ ...good, annotations }), 422, "INVALID_REQUEST");

      expect(problem.errors).to.deep.equal([
        { field: "annotations.redactionsAs", message: "is required: choose brand_in, layer or leave" },
      ]);
      expect(bench.api.accepted).to.deep.equal([]);
    });
  }

  it("warns who wants redacted documents together with their natives", async () => {
    const annotations = { redactionsAs: "brand_in" };

    const answer = await bench.post({ ...good, includeNatives: true, annotations });

    const { exchangeId, warnings } = answer.body as { exchangeId: string; warnings: { code: string }[] };
    const shown = await bench.api.call("GET", `/exchanges/${exchangeId}`, { token: bench.token });
    expect(warnings.map(({ code }) => code)).to.deep.equal(["NATIVES_UNREDACTED"]);
    expect(shown.body).to.have.deep.property("warnings", warnings);
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
      await bench.post({ ...good, selection });

      const { selected } = await bench.db.selectFrom("exchanges").select("selected").executeTakeFirstOrThrow();
      expect(selected).to.equal(documents);
    });
  }

  it("refuses malformed JSON", async () => {
    expectProblem(await bench.post('{"sourceCaseId": 1,'), 400, "MALFORMED_JSON");
  });

  it("refuses a body beyond the limit", async () => {
    expectProblem(await bench.post({ ...good, batchId: "x".repeat(2 * 1024 * 1024) }), 413, "BODY_TOO_LARGE");
  });

  for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
    it(`refuses a body of type ${type}`, async () => {
      const answer = await bench.post(JSON.stringify(good), { headers: { "content-type": type } });

      expectProblem(answer, 415, "UNSUPPORTED_MEDIA_TYPE");
    });
  }

  for (const key of ["", " ", "with space", "x".repeat(201)]) {
    it(`refuses the Idempotency-Key ${JSON.stringify(key.slice(0, 12))} of ${key.length} characters`, async () => {
      const problem = expectProblem(
        await bench.post(good, { headers: { "Idempotency-Key": key } }),
        422,
        "INVALID_REQUEST",
      );

      expect(problem.errors?.[0]?.field).to.equal("Idempotency-Key");
    });
  }
});
