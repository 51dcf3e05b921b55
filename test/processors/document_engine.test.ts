import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { CreateSecretCommand, SecretsManagerClient, UpdateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { handleWhen, NoopPolicy, retry } from "cockatiel";
import { expect } from "chai";
import { createDocumentEngine } from "../../processors/shared/document_engine/client.ts";
import type { DocumentEngine } from "../../processors/shared/document_engine/client.ts";
import { isPassing } from "../../processors/shared/document_engine/http.ts";
import { documentEngineSecretReader } from "../../processors/shared/secret.ts";
import { sharedCloud } from "../support/cloud.ts";
import { readPdf } from "../../processors/pre_uploader/pdf/reader.ts";
import { make, makePdf, openEngine, pdfium } from "./engine_bench.ts";
import type { EngineBench } from "./engine_bench.ts";
import { required, startCloudFirst } from "./support.ts";

describe("the client of Document Engine", () => {
  startCloudFirst();
  let bench: EngineBench;
  let documentId: string;
  const error = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );

  before(async () => {
    bench = await openEngine();
  });
  after(() => bench.stop());
  beforeEach(async () => {
    documentId = `document_1_b_2_${randomUUID()}`;
    await bench.engine.upload(documentId, await makePdf([{ lines: ["first page", "and more"] }, { lines: [] }]));
    await bench.requests();
  });

  it("reads all annotations, however many there are", async () => {
    // Prepare
    const records = Array.from({ length: 1_500 }, (_, index) =>
      make.note(`N${index}`, 0, [10, 10, 5, 5], `note ${index}`),
    );
    await bench.engine.addAnnotations(documentId, records);
    await bench.requests();

    // Act
    const read = await bench.engine.annotations(documentId);

    // Assess
    expect(new Set(read.map(({ id }) => id))).to.deep.equal(new Set(records.map(({ id }) => id)));
    expect(read[0]).to.deep.include({ createdBy: "alice" });
    expect(await bench.requests()).to.deep.equal([`GET /documents/${documentId}/annotations 200`]);
  });

  it("reads the text of all pages in one call", async () => {
    expect(await bench.engine.pageTexts(documentId)).to.deep.equal(["first page\nand more", ""]);
    expect(await bench.requests()).to.deep.equal([`GET /documents/${documentId}/pages/text 200`]);
  });

  it("takes a stream that was cut for a passing fault", async () => {
    // Prepare
    const records = Array.from({ length: 50 }, (_, index) => make.note(`N${index}`, 0, [10, 10, 5, 5], "note"));
    await bench.engine.addAnnotations(documentId, records);

    for (const cleanly of [true, false]) {
      await bench.fail({ path: "/annotations$", fault: { kind: "cut", cleanly } });

      // Act
      const thrown = await error(bench.engine.annotations(documentId));

      // Assess
      expect(thrown).to.have.property("kind", "recoverable");
    }
  });

  /** What the client says of a server that answers everything in this way. */
  const ofAnswer = async (answer: RequestListener) => {
    const server = createServer(answer).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const secret = { read: () => Promise.resolve({ token: "t" }), forget: () => undefined };
    const engine = createDocumentEngine({ url, secret, retries: new NoopPolicy() });
    const thrown = await error(engine.annotations("d"));
    await engine.close();
    server.close().closeAllConnections();
    return thrown;
  };

  it("refuses a list that may be cut at a thousand", async () => {
    const body = JSON.stringify({ data: { annotations: [], truncated: true } });
    const thrown = await ofAnswer((_, answer) => answer.setHeader("content-type", "application/json").end(body));
    expect(thrown).to.include({ kind: "permanent", code: "ANNOTATIONS_TRUNCATED" });
  });

  it("takes it for a passing fault when somebody else answers, who sends it elsewhere", async () => {
    const thrown = await ofAnswer((_, answer) => answer.writeHead(302, { location: "/login" }).end());
    expect(thrown).to.include({ kind: "recoverable", code: "DOCUMENT_ENGINE_FAULT" });
  });

  it("tells when the engine did not take all of a batch", async () => {
    await bench.fail({ method: "POST", path: "/annotations$", fault: { kind: "partialFailure" } });
    const records = [make.note("A", 0, [1, 1, 5, 5], "a"), make.note("B", 0, [1, 1, 5, 5], "b")];
    expect(await error(bench.engine.addAnnotations(documentId, records))).to.include({ code: "IMPORT_INCOMPLETE" });
  });

  it("tells when an upload left annotations out, though it was answered with 200", async () => {
    // Prepare
    const broken = {
      format: "https://pspdfkit.com/instant-json/v1" as const,
      annotations: [{ type: "pspdfkit/note" }],
    };

    // Act
    const thrown = await error(bench.engine.upload(documentId, await makePdf([{ lines: ["a"] }]), broken));

    // Assess
    expect(thrown).to.include({ kind: "permanent", code: "IMPORT_INCOMPLETE" });
  });

  it("tells when annotations cannot be made part of a PDF", async () => {
    // Prepare
    const beyond = { ...make.note("A", 7, [1, 1, 5, 5], "a").content, id: "A" };
    const annotations = { format: "https://pspdfkit.com/instant-json/v1" as const, annotations: [beyond] };

    // Act
    const thrown = await error(
      bench.engine.build(await makePdf([{ lines: ["a"] }]), annotations, [{ type: "applyInstantJson" }]),
    );

    // Assess
    expect(thrown).to.include({ kind: "permanent", code: "DOCUMENT_ENGINE_REFUSED" });
  });

  it("flattens the annotations that it names and no others", async () => {
    // Prepare
    const marks = ["A", "B"].map((id, row) => make.highlight(id, 0, [40, 50 + 30 * row, 100, 12]));
    const annotations = {
      format: "https://pspdfkit.com/instant-json/v1" as const,
      annotations: marks.map(({ id, content }) => ({ ...content, id })),
    };

    // Act
    const produced = await bench.engine.build(await makePdf([{ lines: ["a"] }]), annotations, [
      { type: "applyInstantJson" },
      { type: "flatten", annotationIds: ["A"] },
    ]);

    // Assess
    expect(readPdf(await pdfium(), produced)[0]!.annotations.map(({ kind }) => kind)).to.deep.equal(["carried"]);
  });

  const answers = {
    DOCUMENT_ENGINE_OVERLOADED: ["unavailable", "overload"],
    DOCUMENT_ENGINE_FAULT: ["gatewayTimeout"],
    DOCUMENT_ENGINE_UNREACHABLE: ["lostAnswer"],
  } as const;
  for (const [code, kinds] of Object.entries(answers)) {
    for (const kind of kinds) {
      it(`calls ${kind} a passing fault, ${code}`, async () => {
        await bench.fail({ path: "/annotations$", fault: { kind } });
        expect(await error(bench.engine.annotations(documentId))).to.include({ kind: "recoverable", code });
      });
    }
  }

  it("gives up a call that takes too long", async () => {
    // Prepare
    const secret = { read: () => Promise.resolve({ token: bench.token }), forget: () => undefined };
    const hasty = createDocumentEngine({ url: bench.url, secret, timeoutMilliseconds: 50 });
    await bench.fail({ path: "/annotations$", fault: { kind: "slow", milliseconds: 400 } });

    // Act
    const thrown = await error(hasty.annotations(documentId));
    await hasty.close();

    // Assess
    expect(thrown).to.include({ kind: "recoverable", code: "DOCUMENT_ENGINE_TIMEOUT" });
  });

  it("calls an unknown document a permanent fault and asks once", async () => {
    expect(await error(bench.engine.annotations("nobody"))).to.include({
      kind: "permanent",
      code: "DOCUMENT_ENGINE_NOT_FOUND",
    });
    expect(await bench.requests()).to.deep.equal(["GET /documents/nobody/annotations 404"]);
  });

  it("tries again what may pass and nothing else", async () => {
    // Prepare
    const secret = { read: () => Promise.resolve({ token: bench.token }), forget: () => undefined };
    const patient = createDocumentEngine({
      url: bench.url,
      secret,
      retries: retry(handleWhen(isPassing), { maxAttempts: 3 }),
    });
    await bench.fail({ path: "/annotations$", times: 2, fault: { kind: "overload" } });

    // Act
    const read = await patient.annotations(documentId);
    await patient.close();

    // Assess
    expect(read).to.deep.equal([]);
    const path = `GET /documents/${documentId}/annotations`;
    expect(await bench.requests()).to.deep.equal([`${path} 500`, `${path} 500`, `${path} 200`]);
  });

  describe("with its token in Secrets Manager", () => {
    let secrets: SecretsManagerClient;
    let engine: DocumentEngine;
    let SecretId: string;
    let reads: number;

    beforeEach(async () => {
      const cloud = await sharedCloud();
      secrets = new SecretsManagerClient(cloud.client("operator"));
      const SecretString = JSON.stringify({ token: bench.token });
      const { ARN } = await secrets.send(new CreateSecretCommand({ Name: randomUUID(), SecretString }));
      SecretId = required(ARN);
      reads = 0;
      secrets.middlewareStack.add(
        (next, { commandName }) =>
          (args) => {
            if (commandName === "GetSecretValueCommand") reads += 1;
            return next(args);
          },
        { step: "initialize" },
      );
      engine = createDocumentEngine({ url: bench.url, secret: documentEngineSecretReader(secrets, SecretId) });
    });
    afterEach(async () => {
      await engine.close();
      secrets.destroy();
    });
    const manyAtOnce = () => Promise.all(Array.from({ length: 20 }, () => engine.annotations(documentId)));

    it("reads it once, however many calls begin at the same time", async () => {
      expect(await manyAtOnce()).to.have.length(20);
      expect(reads).to.equal(1);
    });

    it("reads it once more when it was changed, however many calls notice", async () => {
      // Prepare
      const right = JSON.stringify({ token: bench.token });
      await secrets.send(new UpdateSecretCommand({ SecretId, SecretString: '{"token":"old"}' }));
      const stale = await error(engine.annotations(documentId));
      reads = 0;
      await secrets.send(new UpdateSecretCommand({ SecretId, SecretString: right }));

      // Act
      const answers = await manyAtOnce();

      // Assess
      expect(stale).to.include({ kind: "recoverable", code: "DOCUMENT_ENGINE_LOGIN_REFUSED" });
      expect([answers.length, reads]).to.deep.equal([20, 1]);
      expect(JSON.stringify(stale)).not.to.contain("old");
    });
  });
});
