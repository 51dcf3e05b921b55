import { expect } from "chai";
import { engineDocumentId } from "../../contracts/annotations.ts";
import type { DocUploaderMessage } from "../../contracts/messages.ts";
import { createDocumentEngine, type DocumentEngine } from "../../processors/shared/document_engine/client.ts";
import { storeExhibits } from "../../local/uploader/document-engine.ts";
import { annotation, engineKit, pdfWith, token, type EngineKit } from "./document-engine-kit.ts";

const format = "https://pspdfkit.com/instant-json/v1";

describe("the uploader's stand-in, by what it stores in Document Engine", function () {
  this.timeout(20_000);
  let kit: EngineKit;
  let engine: DocumentEngine;

  before(async () => {
    kit = await engineKit();
    const read = () => Promise.resolve({ token });
    engine = createDocumentEngine({ url: kit.url, secret: { read, forget: () => undefined } });
  });
  after(async () => {
    await engine.close();
    await kit.close();
  });

  const message = (more: Partial<DocUploaderMessage>): DocUploaderMessage => ({
    kind: "doc_uploader",
    exchange: { exchangeId: "0b6ad4f6-3f0e-4a0b-9d55-111111111111", sourceCaseId: 7, caseId: 9, batchId: "b1" },
    documentId: "1",
    destinationDocumentId: "21",
    exhibitIds: ["31", "32"],
    bucket: "case-files",
    key: "plain.pdf",
    fileId: "41",
    size: 1000,
    ...more,
  });
  const reader = (objects: Record<string, Uint8Array | object>) => (key: string) => {
    const found = objects[key];
    if (!found) return Promise.reject(new Error(`no object ${key}`));
    return Promise.resolve(found instanceof Uint8Array ? found : Buffer.from(JSON.stringify(found)));
  };

  it("stores the PDF once for each exhibit, and the same again when the message comes again", async () => {
    // Prepare
    const read = reader({ "plain.pdf": await pdfWith([["plain text"]]) });

    // Act
    await storeExhibits(engine, message({}), read);
    await storeExhibits(engine, message({}), read);

    // Assess
    const ids = ["31", "32"].map((exhibitId) =>
      engineDocumentId({ caseId: 9, batchId: "b1", documentId: "21", exhibitId }),
    );
    expect(await Promise.all(ids.map((id) => engine.pageTexts(id)))).to.deep.equal([["plain text"], ["plain text"]]);
  });

  it("stores each exhibit's own PDF with its layers and threads, beside what lives in the PDF", async () => {
    // Prepare
    const living = await kit.build(
      { parts: [{ file: "a" }], actions: [{ type: "applyInstantJson", file: "j" }] },
      { a: await pdfWith([["first"]]), j: { format, annotations: [annotation.note([10, 10, 20, 20], "lives in it")] } },
    );
    const comment = { type: "pspdfkit/comment", v: 2, rootId: "root", pageIndex: 0, text: "why?" };
    const read = reader({
      "31.pdf": living.bytes,
      "32.pdf": await pdfWith([["second"]]),
      "31-notes.json": { format, annotations: [{ ...annotation.note([50, 50, 20, 20], "layer"), id: "n" }] },
      "31-comments.json": {
        documentId: "exhibit-31",
        threads: [
          {
            root: { id: "root", content: annotation.highlight([60, 85, 50, 20]) },
            comments: [{ id: "c1", content: comment }],
          },
        ],
      },
    });
    const loads = [
      {
        exhibitId: "31",
        engineDocumentId: "exhibit-31",
        key: "31.pdf",
        layers: [{ type: "notes" as const, key: "31-notes.json" }],
        commentsKey: "31-comments.json",
      },
      { exhibitId: "32", engineDocumentId: "exhibit-32", key: "32.pdf", layers: [], commentsKey: null },
    ];

    // Act
    await storeExhibits(engine, message({ loads }), read);

    // Assess
    const stored = await engine.annotations("exhibit-31");
    expect(stored.map(({ content }) => content.type)).to.deep.equal([
      "pspdfkit/note",
      "pspdfkit/note",
      "pspdfkit/markup/highlight",
    ]);
    expect(stored.slice(1).map(({ id }) => id)).to.deep.equal(["n", "root"]);
    expect((await engine.comments("exhibit-31", "root")).map(({ id }) => id)).to.deep.equal(["c1"]);
    expect(await engine.annotations("exhibit-32")).to.deep.equal([]);
    expect(await engine.pageTexts("exhibit-32")).to.deep.equal(["second"]);
  });

  it("refuses a layer for good that is no Instant JSON", async () => {
    // Prepare
    const read = reader({ "plain.pdf": await pdfWith([["x"]]), "layer.json": Buffer.from("not json") });
    const load = { exhibitId: "31", engineDocumentId: "broken", key: "plain.pdf", commentsKey: null };

    // Act
    const failed = await storeExhibits(
      engine,
      message({ loads: [{ ...load, layers: [{ type: "notes", key: "layer.json" }] }] }),
      read,
    ).catch((error: unknown) => error);

    // Assess
    expect(failed).to.include({ name: "PermanentError", code: "INVALID_LAYER" });
  });
});
