import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { expectProblem, httpBench } from "./http-kit.ts";

describe("HTTP interface", function () {
  this.timeout(60_000);
  const bench = httpBench();

  it("is alive and ready without a token", async () => {
    const answers = [await bench.api.call("GET", "/healthz"), await bench.api.call("GET", "/readyz")];

    expect(answers.map(({ status, body }) => [status, body])).to.deep.equal([
      [200, { status: "alive" }],
      [200, { status: "ready" }],
    ]);
  });

  it("answers an address that it does not have", async () => {
    expectProblem(await bench.api.call("GET", "/exchange-rates", { token: bench.token }), 404, "ROUTE_NOT_FOUND");
  });

  for (const [method, path, allowed] of [
    ["DELETE", "/exchanges", "GET, POST"],
    ["PUT", "/exchanges/0b0d9a37-2f3a-4d2b-9a30-b0d3d0d1c5aa", "GET, DELETE"],
    ["GET", "/exchanges/0b0d9a37-2f3a-4d2b-9a30-b0d3d0d1c5aa/cancel", "POST"],
    ["POST", "/metrics", "GET"],
    ["POST", "/healthz", "GET"],
  ] as const) {
    it(`says what ${path} takes instead of ${method}`, async () => {
      const answer = await bench.api.call(method, path, { token: bench.token });

      expectProblem(answer, 405, "METHOD_NOT_ALLOWED");
      expect(answer.headers.get("allow")).to.equal(allowed);
    });
  }

  it("looks a case up again after the server has dropped its connections", async () => {
    await bench.cases.reader.exists(1);
    await bench.cases.killConnections();
    await delay(50);

    expect(await bench.cases.reader.exists(1)).to.equal(true);
  });
});
