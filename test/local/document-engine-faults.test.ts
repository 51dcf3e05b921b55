import { expect } from "chai";
import type { Fault } from "../../local/document-engine/http/faults.ts";
import { annotation, engineKit, pdfWith, type EngineKit } from "./document-engine-kit.ts";

describe("the stand-in of Document Engine, by its faults", function () {
  this.timeout(20_000);
  let kit: EngineKit;
  let path: string;

  before(async () => {
    kit = await engineKit();
    path = await kit.upload(await pdfWith([["Hello"]]));
    await kit.annotate(path, ...["one", "two", "three"].map((text) => annotation.note([0, 0, 9, 9], text)));
  });
  afterEach(() => kit.ask("PUT", "/stand-in/faults", { body: [] }));
  after(() => kit.close());

  const list = (accept = "application/json") => kit.ask("GET", `${path}/annotations`, { accept });
  const ended = async (request: Promise<unknown>) =>
    request.then(
      () => "answered",
      () => "ended without an answer",
    );

  it("answers as an engine that has too much to do, as a proxy, and as one whose token was changed", async () => {
    // Prepare
    const kinds = ["unavailable", "overload", "gatewayTimeout", "unauthorized"] as const;
    const told: unknown[] = [];

    // Act
    for (const kind of kinds) {
      await kit.fail({ kind });
      const { status, bytes } = await list();
      told.push([status, bytes.toString("utf8")]);
    }

    // Assess
    expect(told).to.deep.equal([
      [503, ""],
      [500, "overload"],
      [504, "<html><body><h1>504 Gateway Time-out</h1></body></html>"],
      [401, "Unauthorized"],
    ]);
    expect((await list()).status).to.equal(200);
  });

  it("fails the requests that are meant, as often as is meant", async () => {
    // Prepare
    await kit.fail(
      { kind: "status", status: 418, body: "tea" },
      { method: "GET", path: "/annotations$", skip: 1, times: 2 },
    );

    // Act
    const statuses: number[] = [];
    for (let request = 0; request < 4; request++) {
      statuses.push((await list()).status, (await kit.ask("GET", `${path}/pages/0/text`)).status);
    }

    // Assess
    expect(statuses).to.deep.equal([200, 200, 418, 200, 418, 200, 200, 200]);
  });

  it("cuts a list of lines in two: by the end of the connection, or by nothing that tells", async () => {
    // Prepare
    const whole = String((await list("application/x-ndjson")).body);

    // Act
    await kit.fail({ kind: "cut" });
    const broken = await ended(list("application/x-ndjson"));
    await kit.fail({ kind: "cut", cleanly: true });
    const cut = await list("application/x-ndjson");

    // Assess
    expect(broken).to.equal("ended without an answer");
    expect([cut.status, String(cut.body)]).to.deep.equal([200, whole.slice(0, Math.floor(whole.length / 2))]);
  });

  it("closes the connection without an answer, before the work or after it", async () => {
    // Prepare
    const content = annotation.note([0, 0, 9, 9], "written");
    const write = (id: string) => kit.ask("POST", `${path}/layers/lost/annotations`, { body: { id, content } });

    // Act
    const outcomes: string[] = [];
    for (const [id, fault] of [
      ["before", { kind: "closed" }],
      ["after", { kind: "lostAnswer" }],
    ] as [string, Fault][]) {
      await kit.fail(fault);
      outcomes.push(await ended(write(id)));
    }

    // Assess
    expect(outcomes).to.deep.equal(["ended without an answer", "ended without an answer"]);
    const { body } = await kit.ask("GET", `${path}/layers/lost/annotations`);
    const ids = (body as { data: { annotations: { id: string }[] } }).data.annotations.map(({ id }) => id);
    expect(ids).to.deep.equal(["after"]);
  });

  it("loses something silently: the end of a list, one of a batch, part of an upload", async () => {
    // Act
    await kit.fail({ kind: "truncated", limit: 2 });
    const truncated = await list();
    await kit.fail({ kind: "partialFailure" });
    const annotations = ["a", "b"].map((id) => ({ id, content: annotation.note([0, 0, 9, 9], id) }));
    const batch = await kit.ask("POST", `${path}/layers/partial/annotations`, { body: { annotations } });
    await kit.fail({ kind: "importError", reason: "something was skipped" });
    const file = await pdfWith([["x"]]);
    const upload = await kit.ask("POST", "/api/documents", { form: { file, document_id: "with-loss" } });

    // Assess
    const { annotations: listed, truncated: mark } = (
      truncated.body as { data: { annotations: unknown[]; truncated: boolean } }
    ).data;
    expect([listed.length, mark]).to.deep.equal([2, true]);
    const { result, failing_paths } = batch.body as { result: string; failing_paths: { path: string }[] };
    expect([result, failing_paths.map((item) => item.path)]).to.deep.equal(["partial_failure", ["$.annotations[1]"]]);
    expect((upload.body as { data: { errors: unknown } }).data.errors).to.deep.equal([
      { reason: "something was skipped" },
    ]);
  });

  it("remembers what it was asked and what it answered, also while it failed", async () => {
    // Prepare
    await kit.ask("DELETE", "/stand-in/requests");
    await kit.fail({ kind: "closed" });

    // Act
    await ended(list());
    await list();

    // Assess
    const { body } = await kit.ask("GET", "/stand-in/requests");
    const at = `${path.slice("/api".length)}/annotations`;
    expect(body).to.deep.equal([
      { method: "GET", path: at, status: 0 },
      { method: "GET", path: at, status: 200 },
    ]);
  });

  it("takes orders only from those who have the token, and only such as it knows", async () => {
    // Act
    const stranger = await kit.ask("PUT", "/stand-in/faults", {
      body: [],
      headers: { authorization: "Token token=x" },
    });
    const unknown = await kit.ask("PUT", "/stand-in/faults", { body: [{ fault: { kind: "flood" } }] });

    // Assess
    expect([stranger.status, unknown.status]).to.deep.equal([401, 400]);
  });
});
