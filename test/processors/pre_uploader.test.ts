import { expect } from "chai";
import { docUploaderMessage } from "../../contracts/messages.ts";
import { makePng } from "../../local/samples/content/natives.ts";
import { destinationId } from "../../processors/pre_uploader/layers.ts";
import { readPdf } from "../../processors/pre_uploader/pdf/reader.ts";
import { preUpload, preUploaderHandler } from "../../processors/pre_uploader/process.ts";
import { allBranded, openAnnotationBench, preUploaderMessage, sourceDocumentId } from "./annotation_bench.ts";
import type { AnnotationBench } from "./annotation_bench.ts";
import { boxOfWord, make, makePdf, pdfium, textsOf } from "./engine_bench.ts";
import { drain, drainEvents, failed, newExchange, recordingLog, sqsEvent, startCloudFirst } from "./support.ts";

const lines = ["Public words stand here", "The code is Geheimnis123 today", "Nothing else"];

describe("the pre-uploader processor", () => {
  startCloudFirst();
  let bench: AnnotationBench;

  beforeEach(async () => {
    bench = await openAnnotationBench();
  });
  afterEach(() => bench.close());

  const uploads = async () =>
    (await drain(bench.aws.sqs, bench.to.uploaderQueueUrl)).map(({ body }) => docUploaderMessage.parse(body));
  const events = () => drainEvents(bench.aws.sqs, bench.heard);
  const letters = async () =>
    (await drain(bench.aws.sqs, bench.to.feed.deadLetterQueueUrl)).map(({ attributes }) => attributes);
  const run = (...bodies: unknown[]) => preUploaderHandler(bench.to)(sqsEvent(...bodies.map((body) => ({ body }))));

  /** A redaction, a highlight that touches it, one that does not, a note and both stamps. */
  const everyMark = async (pdf: Uint8Array) => [
    make.highlight("H1", 0, await boxOfWord(pdf, 0, "code is Geheimnis123")),
    make.highlight("H2", 0, await boxOfWord(pdf, 0, "Public")),
    make.redaction("R1", 0, await boxOfWord(pdf, 0, "Geheimnis123"), { overlayText: "REDACTED" }),
    make.note("N1", 0, [300, 200, 20, 20], "ask the author"),
    make.bates("B1", 0, [250, 270, 120, 14], "ABC-0000001"),
    make.confidentiality("C1", 0, [20, 270, 120, 14], "Attorneys only"),
    make.text("T1", 0, [20, 10, 100, 14], "neither of the two"),
  ];

  it("makes every type part of the page in one call, after the redactions, and proves it", async () => {
    // Prepare
    const pdf = await makePdf([{ lines }]);
    const message = await bench.place(pdf, [await everyMark(pdf)]);

    // Act
    const answer = await run(message);

    // Assess
    expect(answer).to.deep.equal(failed());
    const produced = await bench.bytes(message.file.destinationKey);
    const [text] = await textsOf(produced);
    expect(text).to.include("Public words stand here").and.include("ABC-0000001").and.include("Attorneys only");
    expect(text).to.include("REDACTED").and.not.include("Geheimnis");
    expect(readPdf(await pdfium(), produced)[0]!.annotations).to.deep.equal([]);
    const id = sourceDocumentId(message);
    expect(await bench.engine.requests()).to.deep.equal([`GET /documents/${id}/annotations 200`, "POST /build 200"]);
    const { exchangeId, caseId } = message.exchange;
    const [told] = await events();
    expect(told).to.deep.include({
      eventId: `${exchangeId}:pre_upload:11:done`,
      source: "pre_uploader_processor",
      eventType: "DOCUMENT_PRE_PROCESSED",
      status: "SUCCESS",
      documentId: "7",
      exhibitIds: ["700"],
    });
    expect(told!.detail).to.deep.equal({
      fileId: "11",
      role: "document",
      stage: "pre_upload",
      destinationDocumentId: "70",
      sourceKey: message.file.sourceKey,
      destinationKey: message.file.destinationKey,
      size: produced.length,
      exhibits: [
        {
          exhibitId: "700",
          branded: { redactions: 1, highlights: 1, notes: 1, bates: 1, confidentialityCodes: 1 },
          layered: {},
          threads: 0,
          comments: 0,
          redactions: { fetched: 1, branded: 1, layered: 0, left: 0 },
          withheld: { count: 0, ids: [] },
          removed: { "document properties": 4 },
          redactionsProven: 1,
          swallowed: 1,
          staying: { "pspdfkit/text": 1 },
        },
      ],
      removed: { "document properties": 4 },
      warning: {
        code: "ANNOTATIONS_NOT_CARRIED",
        message: "annotations were not carried: 0 quote what a redaction hides, 1 touch a redaction and went with it",
      },
    });
    expect(await uploads()).to.deep.equal([
      {
        kind: "doc_uploader",
        exchange: message.exchange,
        documentId: "7",
        destinationDocumentId: "70",
        exhibitIds: ["700"],
        bucket: message.bucket,
        key: message.file.destinationKey,
        fileId: "11",
        size: produced.length,
        loads: [
          {
            exhibitId: "700",
            engineDocumentId: `document_${caseId}_b1_70_700`,
            key: message.file.destinationKey,
            layers: [],
            commentsKey: null,
          },
        ],
      },
    ]);
  });

  it("carries layers as they were before the redactions, without what quotes a redacted text, and says so", async () => {
    // Prepare
    const pdf = await makePdf([{ lines }]);
    const marks = [...(await everyMark(pdf)), make.note("N2", 0, [330, 20, 20, 20], "the code: geheimnis123!")];
    const message = await bench.place(pdf, [marks], {
      redactionsAs: "brand_in",
      highlightsAs: "layer",
      notesAs: "layer",
      batesAs: "layer",
    });
    const { log, lines: logged } = recordingLog();

    // Act
    await preUploaderHandler({ ...bench.to, log })(sqsEvent({ body: message }));

    // Assess
    const { caseId } = message.exchange;
    const prefix = `case_${caseId}/processed-files/b1/annotated/70/700/`;
    const [upload] = await uploads();
    expect(upload!.loads![0]!.layers).to.deep.equal([
      { type: "highlights", key: `${prefix}highlights.json` },
      { type: "notes", key: `${prefix}notes.json` },
      { type: "bates", key: `${prefix}bates.json` },
    ]);
    const id = (source: string) => destinationId(`document_${caseId}_b1_70_700`, source);
    const highlights = await bench.json(`${prefix}highlights.json`);
    expect(highlights["annotations"]).to.deep.equal(
      marks.slice(0, 2).map(({ id: source, content }) => ({ ...content, id: id(source), creatorName: "alice" })),
    );
    expect((await bench.json(`${prefix}notes.json`))["annotations"]).to.have.length(1);
    expect(logged.at(-1)).to.deep.include({ level: 40, withheld: { count: 1, ids: ["N2"] } });
    expect((await textsOf(await bench.bytes(message.file.destinationKey)))[0]).not.to.include("Geheimnis");
  });

  it("carries every type as a layer, redactions too, and leaves the PDF as it is", async () => {
    // Prepare
    const pdf = await makePdf([{ lines }]);
    const marks = await everyMark(pdf);
    const message = await bench.place(pdf, [marks], {
      ...{ redactionsAs: "layer", highlightsAs: "layer", notesAs: "layer", stickersAs: "layer" },
      ...{ batesAs: "layer", confidentialityCodesAs: "layer", comments: true },
    });

    // Act
    await preUpload(bench.to, message);

    // Assess
    const [upload] = await uploads();
    const carried = await Promise.all(
      upload!.loads![0]!.layers.map(async ({ type, key }) => [
        type,
        ((await bench.json(key))["annotations"] as unknown[]).length,
      ]),
    );
    expect(Object.fromEntries(carried)).to.deep.equal({
      ...{ redactions: 1, highlights: 2, notes: 1, bates: 1, confidentialityCodes: 1 },
    });
    expect(Buffer.from(await bench.bytes(message.file.destinationKey))).to.deep.equal(Buffer.from(pdf));
    expect(await bench.engine.requests()).to.deep.equal([
      `GET /documents/${sourceDocumentId(message)}/annotations 200`,
    ]);
  });

  it("makes annotations part of a page that has no text", async () => {
    // Prepare
    const pdf = await makePdf([{ lines: [] }]);
    const message = await bench.place(pdf, [
      [make.redaction("R1", 0, [50, 50, 100, 40]), make.bates("B1", 0, [250, 270, 120, 14], "ABC-1")],
    ]);

    // Act
    await preUpload(bench.to, message);

    // Assess
    const [told] = await events();
    expect(told!.detail["exhibits"]).to.have.nested.property("[0].redactionsProven", 1);
    expect(await textsOf(await bench.bytes(message.file.destinationKey))).to.deep.equal(["ABC-1"]);
  });

  it("carries stickers with their images, branded or as a layer", async () => {
    // Prepare
    const pdf = await makePdf([{ lines }]);
    const png = makePng(8, 8, [255, 0, 0]);
    for (const stickersAs of ["brand_in", "layer"] as const) {
      const message = await bench.place(pdf, [[]], { redactionsAs: "brand_in", stickersAs });
      const id = "a".repeat(64);
      await bench.engine.engine.upload(sourceDocumentId(message), pdf, {
        format: "https://pspdfkit.com/instant-json/v1",
        annotations: [{ ...make.sticker("S1", 0, [200, 100, 50, 50], id, "image/png").content, id: "S1" }],
        attachments: { [id]: { binary: png.toString("base64"), contentType: "image/png" } },
      });

      // Act
      await preUpload(bench.to, message);

      // Assess
      const [upload] = await uploads();
      const layers = upload!.loads![0]!.layers;
      if (stickersAs === "brand_in") expect(layers).to.deep.equal([]);
      else {
        const { attachments } = await bench.json(layers[0]!.key);
        expect(attachments).to.deep.equal({ [id]: { binary: png.toString("base64"), contentType: "image/png" } });
      }
    }
  });

  it("writes whole threads in order, with authors and dates and the ids of the destination", async () => {
    // Prepare
    const pdf = await makePdf([{ lines }]);
    const root = make.highlight("H1", 0, await boxOfWord(pdf, 0, "Public"), { isCommentThreadRoot: true });
    const message = await bench.place(pdf, [[root]]);
    const comments = ["first", "second", "third"].map((text, index) => ({
      id: `K${index}`,
      user_id: `user${index}`,
      content: { text, creatorName: `User ${index}`, createdAt: `2024-01-0${index + 1}T00:00:00Z` },
    }));
    const path = `/api/documents/${sourceDocumentId(message)}/annotations/H1/comments`;
    const posted = await fetch(new URL(path, bench.engine.url), {
      method: "POST",
      headers: {
        Authorization: `Token token=${bench.engine.token}`,
        Accept: "application/json",
        "Content-Type": "application/json",
      },
      body: JSON.stringify({ comments }),
    });
    expect(posted.status).to.equal(200);

    // Act
    await preUpload(bench.to, message);

    // Assess
    const [upload] = await uploads();
    const documentId = `document_${message.exchange.caseId}_b1_70_700`;
    const file = await bench.json(upload!.loads![0]!.commentsKey!);
    expect(file).to.have.property("documentId", documentId);
    const [thread] = file["threads"] as { root: typeof root; comments: (typeof root)[] }[];
    expect(thread!.root).to.deep.include({ id: destinationId(documentId, "H1"), createdBy: "alice" });
    const told = thread!.comments.map(({ id, createdBy, content }) => [
      id,
      createdBy,
      content["rootId"],
      content["creatorName"],
      content["createdAt"],
    ]);
    expect(told).to.deep.equal(
      comments.map(({ id, user_id, content: { creatorName, createdAt } }) => [
        destinationId(documentId, id),
        user_id,
        destinationId(documentId, "H1"),
        creatorName,
        createdAt,
      ]),
    );
  });

  it("gives each exhibit its own PDF, and the document one that hides what any of them hides", async () => {
    // Prepare
    const pdf = await makePdf([{ lines }]);
    const hide = async (id: string, word: string) => [make.redaction(id, 0, await boxOfWord(pdf, 0, word))];
    const message = await bench.place(pdf, [await hide("R1", "Geheimnis123"), await hide("R2", "Nothing")]);

    // Act
    await preUpload(bench.to, message);

    // Assess
    const [upload] = await uploads();
    const texts = async (key: string) => (await textsOf(await bench.bytes(key)))[0];
    const [first, second] = await Promise.all(upload!.loads!.map(({ key }) => texts(key)));
    expect(first).to.include("Nothing").and.not.include("Geheimnis123");
    expect(second).to.include("Geheimnis123").and.not.include("Nothing");
    expect(await texts(message.file.destinationKey)).to.not.match(/Nothing|Geheimnis123/);
  });

  it("leaves out of the PDF of a document what touches a redaction of another of its exhibits", async () => {
    // Prepare
    const pdf = await makePdf([{ lines }]);
    const [left, top, width, height] = await boxOfWord(pdf, 0, "Geheimnis123");
    const message = await bench.place(pdf, [
      [make.redaction("R1", 0, [left, top, width, height])],
      [make.bates("B1", 0, [left + 10, top - 5, 120, 14], "ABC-0000001")],
    ]);

    // Act
    await preUpload(bench.to, message);

    // Assess
    const [upload] = await uploads();
    const texts = async (key: string) => (await textsOf(await bench.bytes(key)))[0];
    expect(await texts(upload!.loads![1]!.key)).to.include("ABC-0000001");
    expect(await texts(message.file.destinationKey)).not.to.match(/ABC-0000001|Geheimnis123/);
    const [event] = await events();
    expect(event!.detail["warning"]).to.deep.equal({
      code: "ANNOTATIONS_NOT_CARRIED",
      message: "annotations were not carried: 0 quote what a redaction hides, 1 touch a redaction and went with it",
    });
  });

  it("copies a document that has no exhibits as it is, without asking Document Engine", async () => {
    const pdf = await makePdf([{ lines }]);
    const message = await bench.place(pdf, []);
    expect(await run(message)).to.deep.equal(failed());
    expect(Buffer.from(await bench.bytes(message.file.destinationKey))).to.deep.equal(Buffer.from(pdf));
    expect(await bench.engine.requests()).to.deep.equal([]);
  });

  it("skips a document whose PDF is absent and tells of it", async () => {
    // Prepare
    const message = preUploaderMessage(newExchange(), bench.aws.cloud.caseBucket, 1, allBranded);

    // Act
    const outcome = await preUpload(bench.to, message);

    // Assess
    expect(outcome).to.deep.equal({ skipped: true });
    const [told] = await events();
    expect(told).to.deep.include({ eventType: "DOCUMENT_NOT_FOUND", status: "ERROR" });
    expect(told!.detail).to.deep.include({ fileId: "11", stage: "pre_upload" });
    expect(await uploads()).to.deep.equal([]);
  });

  it("does the same again when its message comes twice: same keys, same ids, same events", async () => {
    // Prepare
    const pdf = await makePdf([{ lines }]);
    const message = await bench.place(pdf, [await everyMark(pdf)], { ...allBranded, notesAs: "layer" });

    // Act
    await run(message);
    const once = { keys: await bench.keys(message.exchange), events: await events(), uploads: await uploads() };
    await run(message, message);

    // Assess
    expect(await bench.keys(message.exchange)).to.deep.equal(once.keys);
    const size = (of: { detail: Record<string, unknown> }) => ({ ...of, detail: { ...of.detail, size: 0 } });
    expect((await events()).map(size)).to.deep.equal([...once.events, ...once.events].map(size));
    const sizes = (of: { size: number }) => ({ ...of, size: 0 });
    expect((await uploads()).map(sizes)).to.deep.equal([...once.uploads, ...once.uploads].map(sizes));
  });

  it("answers for each message of a batch by itself", async () => {
    // Prepare
    const pdf = await makePdf([{ lines }]);
    const [good, busy] = [await bench.place(pdf, [[]]), await bench.place(pdf, [[]])];
    await bench.engine.fail({ path: sourceDocumentId(busy), fault: { kind: "overload" } });

    // Act
    const answer = await run(good, busy, "no json");

    // Assess
    expect(answer).to.deep.equal(failed(1));
    expect((await events()).map(({ jobId }) => jobId)).to.deep.equal([good.exchange.exchangeId]);
    expect((await letters()).map(({ reason }) => (JSON.parse(reason!) as { code: string }).code)).to.deep.equal([
      "INVALID_MESSAGE",
    ]);
    expect(await run(busy)).to.deep.equal(failed());
  });

  const refusals: Record<string, { code: string; pdf: () => Promise<Uint8Array>; exhibits?: number }> = {
    "has no bytes": { code: "PDF_EMPTY", pdf: () => Promise.resolve(new Uint8Array()), exhibits: 0 },
    "is damaged": { code: "PDF_DAMAGED", pdf: () => Promise.resolve(Buffer.from("%PDF-1.7 and nothing")), exhibits: 0 },
    "asks for a password": { code: "PDF_PROTECTED", pdf: protectedPdf, exhibits: 0 },
    "is larger than its memory allows": {
      code: "PDF_TOO_LARGE",
      pdf: () => Promise.resolve(new Uint8Array(10_000_001)),
      exhibits: 0,
    },
  };
  for (const [what, { code, pdf, exhibits = 1 }] of Object.entries(refusals)) {
    it(`gives a document up that ${what}`, async () => {
      // Prepare
      const message = await bench.place(
        await pdf(),
        Array.from({ length: exhibits }, () => []),
      );

      // Act
      const answer = await run(message);

      // Assess
      expect(answer).to.deep.equal(failed());
      expect((await letters()).map(({ reason }) => (JSON.parse(reason!) as { code: string }).code)).to.deep.equal([
        code,
      ]);
      expect(await bench.keys(message.exchange)).to.deep.equal([]);
      expect(await uploads()).to.deep.equal([]);
    });
  }

  it("gives a document up whose source batch is not known, one that Document Engine does not have, and one that leaves its case", async () => {
    // Prepare
    const pdf = await makePdf([{ lines }]);
    const unknown = { ...(await bench.place(pdf, [[]])), sourceBatchId: null };
    const elsewhere = { ...(await bench.place(pdf, [[]])), sourceBatchId: "other" };
    const outside = await bench.place(pdf, [[]]);
    outside.file.destinationKey = "case_1/x.pdf";

    // Act
    const answer = await run(unknown, elsewhere, outside);

    // Assess
    expect(answer).to.deep.equal(failed());
    const codes = (await letters()).map(({ reason }) => (JSON.parse(reason!) as { code: string }).code);
    expect(codes.sort()).to.deep.equal(["DOCUMENT_ENGINE_NOT_FOUND", "INVALID_KEY", "NO_SOURCE_BATCH"]);
    expect(await uploads()).to.deep.equal([]);
  });

  it("does not send a document on whose note would print what a redaction hides", async () => {
    // Prepare
    const pdf = await makePdf([{ lines }]);
    const marks = [...(await everyMark(pdf)), make.note("N2", 0, [330, 20, 20, 20], "Geheimnis123")];
    const message = await bench.place(pdf, [marks]);

    // Act
    const answer = await run(message);

    // Assess
    expect(answer).to.deep.equal(failed());
    const [letter] = await letters();
    expect(letter!["reason"]).to.include("BRANDED_TEXT_QUOTES").and.not.include("Geheimnis123");
    expect(await bench.keys(message.exchange)).to.deep.equal([]);
  });

  it("handles 1,500 annotations on 300 pages", async function () {
    this.timeout(60_000);
    // Prepare
    const pages = Array.from({ length: 300 }, (_, page) => ({ lines: [`Secretword${page} here`, "Common text"] }));
    const pdf = await makePdf(pages);
    const box = await boxOfWord(pdf, 0, "Secretword0");
    const marks = pages.flatMap((_, page) => [
      make.redaction(`R${page}`, page, [box[0], box[1], box[2] + 15, box[3]]),
      ...[0, 1].map((index) => make.highlight(`H${page}_${index}`, page, [40, 200 + 10 * index, 100, 8])),
      make.bates(`B${page}`, page, [280, 270, 100, 14], `ABC-${page}`),
      make.note(`N${page}`, page, [350, 100, 20, 20], "look"),
    ]);
    const message = await bench.place(pdf, [marks]);

    // Act
    const answer = await run(message);

    // Assess
    expect(answer).to.deep.equal(failed());
    expect(await letters()).to.deep.equal([]);
    const texts = await textsOf(await bench.bytes(message.file.destinationKey));
    expect(texts).to.have.length(300);
    expect(texts.join()).not.to.include("Secretword");
    const [told] = await events();
    expect(told!.detail["exhibits"]).to.have.nested.property("[0].redactionsProven", 300);
  });
});

/** The empty document with a user password, as another tool wrote it. */
async function protectedPdf(): Promise<Uint8Array> {
  const { PDFDocument } = await import("mupdf");
  const document = new PDFDocument();
  document.insertPage(-1, document.addPage([0, 0, 100, 100], 0, {}, ""));
  return document.saveToBuffer("encrypt=aes-256,user-password=a,owner-password=b").asUint8Array().slice();
}
