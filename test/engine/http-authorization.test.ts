import { expect } from "chai";
import { generateKeyPair, SignJWT } from "jose";
import { expectProblem, good, httpBench } from "./http-kit.ts";
import { acceptedExchange } from "./kit.ts";

describe("HTTP interface: authorization", function () {
  this.timeout(60_000);
  const bench = httpBench();

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
      const answer = await bench.api.call(method, path);

      expectProblem(answer, 401, "UNAUTHORIZED");
      expect(answer.headers.get("www-authenticate")).to.equal("Bearer");
    });
  }

  const now = () => Math.floor(Date.now() / 1000);
  const badTokens: [title: string, token: () => Promise<string>][] = [
    ["rubbish", () => Promise.resolve("abc.def.ghi")],
    ["an expired token", () => bench.api.token({}, "-1 minute")],
    ["a token for somebody else's service", () => bench.api.token({ aud: "other" })],
    ["a token of another issuer", () => bench.api.token({ iss: "https://other" })],
    ["a token that is not valid yet", () => bench.api.token({ nbf: now() + 600 })],
    ["a token without a subject", () => bench.api.token({ sub: undefined })],
    ["a token whose cases are no list of cases", () => bench.api.token({ cases: ["1; DROP TABLE"] })],
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
      const answer = await bench.post(good, { token: await make() });

      expectProblem(answer, 401, "UNAUTHORIZED");
      expect(answer.headers.get("www-authenticate")).to.equal('Bearer error="invalid_token"');
    });
  }

  it("refuses to write with a token that may only read", async () => {
    const answer = await bench.post(good, { token: await bench.api.token({ scope: "exchange:read" }) });

    expectProblem(answer, 403, "INSUFFICIENT_SCOPE");
    expect(answer.headers.get("www-authenticate")).to.include('scope="exchange:write"');
  });

  it("refuses to read with a token that may only write", async () => {
    const answer = await bench.api.call("GET", "/exchanges", {
      token: await bench.api.token({ scope: "exchange:write" }),
    });

    expectProblem(answer, 403, "INSUFFICIENT_SCOPE");
  });

  it("tells a case that is not permitted from an unknown one in nothing but its number", async () => {
    const limited = await bench.api.token({ cases: [1] });

    const [existing, unknown] = await Promise.all([
      bench.post({ ...good, destinationCaseId: 2 }, { token: limited }),
      bench.post({ ...good, destinationCaseId: 99 }, { token: limited }),
    ]);

    expectProblem(existing, 403, "CASE_NOT_PERMITTED");
    expect(existing.body).to.deep.equal(unknown.body);
  });

  it("hides an exchange of cases that the token does not permit, as if it did not exist", async () => {
    const id = await acceptedExchange(bench.db);
    const limited = await bench.api.token({ cases: [1, 3] });
    const missing = "0b0d9a37-2f3a-4d2b-9a30-b0d3d0d1c5aa";

    for (const path of ["", "/documents"]) {
      const hidden = await bench.api.call("GET", `/exchanges/${id}${path}`, { token: limited });
      const unknown = await bench.api.call("GET", `/exchanges/${missing}${path}`, { token: limited });

      const problem = expectProblem(hidden, 404, "EXCHANGE_NOT_FOUND");
      expect({ ...problem, detail: problem.detail.replace(id, missing) }).to.deep.equal(unknown.body);
    }
  });

  it("grants no case to a token without the claim", async () => {
    const none = await bench.api.token({ cases: undefined });
    await acceptedExchange(bench.db);

    expectProblem(await bench.post(good, { token: none }), 403, "CASE_NOT_PERMITTED");
    expect((await bench.api.call("GET", "/exchanges", { token: none })).body).to.deep.equal({
      exchanges: [],
      next: null,
    });
  });
});
