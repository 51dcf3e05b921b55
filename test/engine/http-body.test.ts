import { gzipSync, brotliCompressSync, deflateSync } from "node:zlib";
import { expect } from "chai";
import { expectProblem, good, httpBench } from "./http-kit.ts";

describe("HTTP interface: what a body or an address can have wrong before it is understood", function () {
  this.timeout(60_000);
  const bench = httpBench();
  const send = (body: string | Uint8Array<ArrayBuffer>, headers: object = {}) =>
    bench.api.call("POST", "/exchanges", { token: bench.token, body, headers });

  for (const path of ["/exchanges/%E0%A4%A", "/exchanges/%", "/exchanges/%ZZ/documents", "/exchange/%C3/cancel"]) {
    it(`answers 400 to the address ${path}`, async () => {
      const method = path.endsWith("cancel") ? "POST" : "GET";
      expectProblem(await bench.api.call(method, path, { token: bench.token }), 400, "MALFORMED_URL");
    });
  }

  for (const charset of ["utf8", "UTF8", "Utf-8", '"utf-8"', "UTF-8"]) {
    it(`takes a body of the character set ${charset}`, async () => {
      const answer = await send(JSON.stringify(good), { "content-type": `application/json; charset=${charset}` });

      expect(answer.status).to.equal(202);
    });
  }

  for (const charset of ["latin1", "utf-16", "utf-7"]) {
    it(`refuses a body of the character set ${charset}`, async () => {
      const answer = await send(JSON.stringify(good), { "content-type": `application/json; charset=${charset}` });

      expectProblem(answer, 415, "UNSUPPORTED_ENCODING");
    });
  }

  for (const [encoding, compress] of [
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
  ] as const) {
    it(`takes a body of the content encoding ${encoding}, and refuses one that is none or is cut`, async () => {
      const whole = Uint8Array.from(compress(JSON.stringify(good)));
      const headers = { "content-encoding": encoding };

      const answers = [
        await send(whole, headers),
        await send(JSON.stringify(good), headers),
        await send(whole.slice(0, -9), headers),
      ];

      expect(answers[0]?.status).to.equal(202);
      for (const answer of answers.slice(1)) expectProblem(answer, 400, "MALFORMED_BODY");
    });
  }

  it("refuses a content encoding that it does not know", async () => {
    expectProblem(await send("{}", { "content-encoding": "compress" }), 415, "UNSUPPORTED_ENCODING");
  });

  it("refuses a compressed body that grows beyond the limit", async () => {
    const bomb = Uint8Array.from(gzipSync(JSON.stringify({ ...good, batchId: "x".repeat(50_000_000) })));

    expectProblem(await send(bomb, { "content-encoding": "gzip" }), 413, "BODY_TOO_LARGE");
  });

  it("refuses bytes that are not UTF-8", async () => {
    expectProblem(await send(Uint8Array.of(0x22, 0xff, 0x22)), 400, "MALFORMED_JSON");
  });

  const names: [body: string, fields: string[]][] = [
    ['{"annotations":{"__proto__":"brand_in"}}', ["annotations.__proto__"]],
    ['{"constructor":{"prototype":1}}', ["constructor", "constructor.prototype"]],
    ['{"a":[{},{"b":{"\\u005f_proto__":null}}]}', ["a.1.b.__proto__"]],
    ['[[{"prototype":[]}]]', ["0.0.prototype"]],
  ];
  for (const [body, fields] of names) {
    it(`refuses the names of prototypes in ${body}, and says where they are`, async () => {
      const problem = expectProblem(await send(body), 422, "INVALID_REQUEST");

      expect(problem.errors).to.deep.equal(
        fields.map((field) => ({ field, message: "is a name that no field may have" })),
      );
      expect(bench.api.accepted).to.deep.equal([]);
    });
  }

  it("refuses a name of a prototype that lies thirty thousand levels deep, with a short answer", async () => {
    const problem = expectProblem(
      await send(`${'{"__proto__":'.repeat(30_000)}0${"}".repeat(30_000)}`),
      422,
      "INVALID_REQUEST",
    );

    expect([problem.errors?.length, problem.errorCount]).to.deep.equal([20, 30_000]);
    expect(JSON.stringify(problem).length).to.be.below(10_000);
  });

  it("takes these names as values", async () => {
    expect((await send(JSON.stringify({ ...good, batchId: "__proto__" }))).status).to.equal(202);
  });

  const long: [title: string, body: () => object, count: number, first: object][] = [
    [
      "a list of half a million wrong elements",
      () => ({ ...good, metadata: Array.from({ length: 500_000 }, () => 0) }),
      1,
      { field: "metadata", message: "must have at most 100 elements" },
    ],
    [
      "a list of half a million wrong ids",
      () => ({ ...good, selection: { documentIds: Array.from({ length: 500_000 }, () => 0) } }),
      1,
      { field: "selection.documentIds", message: "must have at most 100000 elements" },
    ],
    [
      "more wrong ids than can be listed",
      () => ({ ...good, selection: { documentIds: Array.from({ length: 1000 }, () => "x") } }),
      1000,
      { field: "selection.documentIds.0", message: "must be a positive whole number" },
    ],
    [
      "more unknown fields than can be listed",
      () => ({ ...good, ...Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x${index}`, 0])) }),
      500,
      { field: "x0", message: "is not a known field" },
    ],
    [
      "an object with a hundred thousand fields",
      () => ({ ...good, annotations: Object.fromEntries(Array.from({ length: 100_000 }, (_, id) => [`x${id}`, 0])) }),
      1,
      { field: "annotations", message: "has 100000 fields, at most 1000 are possible" },
    ],
    [
      "a long name of a field",
      () => ({ ...good, ["x".repeat(200_000)]: 1 }),
      1,
      { field: `${"x".repeat(100)}…`, message: "is not a known field" },
    ],
  ];
  for (const [title, body, count, first] of long) {
    it(`answers ${title} with at most twenty problems and the number of all`, async () => {
      const problem = expectProblem(await send(JSON.stringify(body())), 422, "INVALID_REQUEST");

      expect([problem.errors?.length, problem.errorCount, problem.errors?.[0]]).to.deep.equal([
        Math.min(20, count),
        count,
        first,
      ]);
      expect(JSON.stringify(problem).length).to.be.below(10_000);
    });
  }

  it("cuts an address that it repeats", async () => {
    const answer = await bench.api.call("GET", `/exchanges/${"x".repeat(10_000)}`, { token: bench.token });

    expect(expectProblem(answer, 404, "EXCHANGE_NOT_FOUND").detail.length).to.equal(1001);
  });
});
