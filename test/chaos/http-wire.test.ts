import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { expect } from "chai";
import { openHttpWire, type Wire } from "../../local/chaos/wires/http-wire.ts";
import { Switchboard, type Call, type Verdict } from "../../local/chaos/wires/switchboard.ts";

describe("the wire before an HTTP server", () => {
  const switchboard = new Switchboard();
  const arrived: string[] = [];
  let server: Server;
  let wire: Wire;

  before(async () => {
    server = createServer((request, response) => {
      void buffer(request).then((body) => {
        arrived.push(`${request.method ?? ""} ${request.url ?? ""} ${body.toString()}`);
        response
          .writeHead(201, { "x-told": "yes" })
          .end(request.method === "HEAD" ? undefined : `got ${body.toString()}`);
      });
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    wire = await openHttpWire({
      switchboard,
      target: () => ({ host: "127.0.0.1", port: (server.address() as AddressInfo).port }),
      recognise: ({ method, url }) => ({
        wire: "api",
        label: `${method} ${url}`,
        mutates: method !== "GET",
        periodic: false,
      }),
    });
  });
  after(async () => {
    await wire.close();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  beforeEach(() => {
    switchboard.reset();
    arrived.length = 0;
  });

  const send = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${wire.port}${path}`, init);
  const post = (path: string) => send(path, { method: "POST", body: "text" });

  /** Lets `verdict` fall on what comes at this moment, for as long as `work` takes. */
  async function under<T>(moment: "before" | "after", verdict: Verdict, work: () => Promise<T>): Promise<T> {
    const stop = switchboard.intercept((_call, at) => (at === moment ? verdict : undefined));
    try {
      return await work();
    } finally {
      stop();
    }
  }

  it("passes requests and answers on as they are, and numbers equal ones", async () => {
    // Act
    const answers = [await post("/a"), await send("/b"), await post("/a")];

    // Assess
    const [first] = answers;
    const calls: Pick<Call, "label" | "occurrence" | "nth">[] = switchboard.calls.map(({ label, occurrence, nth }) => ({
      label,
      occurrence,
      nth,
    }));
    expect({ status: first?.status, told: first?.headers.get("x-told"), body: await first?.text() }).to.deep.equal({
      status: 201,
      told: "yes",
      body: "got text",
    });
    expect({ arrived, calls }).to.deep.equal({
      arrived: ["POST /a text", "GET /b ", "POST /a text"],
      calls: [
        { label: "POST /a", occurrence: 1, nth: 1 },
        { label: "GET /b", occurrence: 1, nth: 0 },
        { label: "POST /a", occurrence: 2, nth: 2 },
      ],
    });
  });

  it("what is cut before has never arrived", async () => {
    // Act
    const failed = await under("before", { do: "cut" }, () => post("/a").catch((error: unknown) => error));

    // Assess
    expect(failed).to.be.instanceOf(TypeError);
    expect(arrived).to.deep.equal([]);
  });

  it("what is cut after has arrived, and nobody is told", async () => {
    // Act
    const failed = await under("after", { do: "cut" }, () => post("/a").catch((error: unknown) => error));

    // Assess
    expect(failed).to.be.instanceOf(TypeError);
    expect(arrived).to.deep.equal(["POST /a text"]);
  });

  it("an answer of the switchboard stands for the server's", async () => {
    // Act
    const verdict: Verdict = { do: "answer", status: 503, headers: { "retry-after": "1" }, body: "not now" };
    const answer = await under("before", verdict, () => post("/a"));

    // Assess
    expect({ status: answer.status, body: await answer.text(), arrived }).to.deep.equal({
      status: 503,
      body: "not now",
      arrived: [],
    });
  });

  it("a request is held until the decision about it has fallen", async () => {
    // Prepare
    const held = Promise.withResolvers<undefined>();
    const reached = Promise.withResolvers<undefined>();
    const stop = switchboard.intercept(async (_call, moment) => {
      if (moment === "after") return undefined;
      reached.resolve(undefined);
      await held.promise;
      return undefined;
    });

    // Act
    const answering = post("/a");
    await reached.promise;
    const whileHeld = [...arrived];
    held.resolve(undefined);
    const { status } = await answering;
    stop();

    // Assess
    expect({ whileHeld, arrived, status }).to.deep.equal({ whileHeld: [], arrived: ["POST /a text"], status: 201 });
  });

  it("an answer to HEAD keeps the length of what does not come", async () => {
    // Act
    const answer = await send("/h", { method: "HEAD" });

    // Assess
    expect(answer.status).to.equal(201);
  });

  it("a server that is not there is a connection that breaks", async () => {
    // Prepare
    const nowhere = await openHttpWire({
      switchboard,
      target: () => ({ host: "127.0.0.1", port: 1 }),
      recognise: () => ({ wire: "api", label: "any", mutates: true, periodic: false }),
    });

    // Act
    const failed = await fetch(`http://127.0.0.1:${nowhere.port}/`).catch((error: unknown) => error);
    await nowhere.close();

    // Assess
    expect(failed).to.be.instanceOf(TypeError);
  });
});
