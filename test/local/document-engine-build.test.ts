import { expect } from "chai";
import { PDFDocument, PDFName, PDFStream, StandardFonts } from "@cantoo/pdf-lib";
import { makePng } from "../../local/samples/content/natives.ts";
import { annotation, contentsOf, drawnPdf, engineKit, pdfWith, sha256, type EngineKit } from "./document-engine-kit.ts";
import { holds, livingOf, textsOf } from "../../local/check/independent-pdf.ts";

type Box = [number, number, number, number];
const format = "https://pspdfkit.com/instant-json/v1";
/** The first line of a page of `pdfWith`; its text begins 60 points from the left. */
const firstLine: Box = [60, 85, 300, 20];

describe("the stand-in of Document Engine, by its work on PDFs", function () {
  this.timeout(20_000);
  let kit: EngineKit;

  before(async () => {
    kit = await engineKit();
  });
  after(() => kit.close());

  /** Applies annotations to a PDF and then the actions. */
  const work = async (pdf: Uint8Array, annotations: object[], ...actions: object[]) => {
    const answer = await kit.build(
      { parts: [{ file: "file" }], actions: [{ type: "applyInstantJson", file: "json" }, ...actions] },
      { file: pdf, json: { format, annotations } },
    );
    expect(answer.status, String(answer.body)).to.equal(200);
    return answer.bytes;
  };
  const redact = { type: "applyRedactions" };
  const flatten = { type: "flatten" };

  describe("when redactions are applied", () => {
    it("takes the text out of the bytes, leaves the lines around it, and prints the overlay", async () => {
      // Prepare
      const pdf = await pdfWith([["Top SECRET data", "Second line"], ["SECRET elsewhere"]]);
      const secret = annotation.redaction([[103, 85, 75, 20]], { overlayText: "PRIV", fillColor: "#112233" });

      // Act
      const bytes = await work(pdf, [secret], redact);

      // Assess
      expect(await textsOf(bytes)).to.deep.equal(["Top data Second line PRIV", "SECRET elsewhere"]);
      expect(await livingOf(bytes)).to.deep.equal([[], []]);
    });

    it("takes it out of forms that the page draws, also where another page draws the same one", async () => {
      // Prepare
      const inner = await PDFDocument.create();
      inner.addPage([300, 100]).drawText("HIDDEN outside", {
        x: 0,
        y: 50,
        size: 20,
        font: await inner.embedFont(StandardFonts.Helvetica),
      });
      const pdf = await drawnPdf(2, async (page, _index, _font, whole) => {
        const [form] = await whole.embedPdf(await inner.save());
        if (form) page.drawPage(form, { x: 60, y: 400 });
      });

      // Act
      const bytes = await work(pdf, [annotation.redaction([[55, 370, 82, 30]])], redact);

      // Assess
      expect(await textsOf(bytes)).to.deep.equal(["outside", "HIDDEN outside"]);
    });

    it("takes a glyph out whole that is covered in part, and keeps its neighbours", async () => {
      // Prepare
      const pdf = await pdfWith([["MMMM"]]);
      // Each M is 16.66 points wide: the rectangle begins in the second and ends in the third.
      const rect: Box = [60 + 16.66 * 1.7, 85, 16.66 * 0.6, 20];

      // Act
      const bytes = await work(pdf, [annotation.redaction([rect])], redact);

      // Assess
      expect((await textsOf(bytes))[0]?.replaceAll(" ", "")).to.equal("MM");
    });

    it("does so on pages that are rotated and cropped, where the boxes are those of the page as shown", async () => {
      for (const rotate of [0, 90, 180, 270]) {
        // Prepare
        const pdf = await pdfWith([["Top SECRET data"]], { rotate, crop: [20, 40, 500, 760] });
        const path = await kit.upload(pdf);

        // Act
        const strategy = { strategy: "text", strategyOptions: { text: "secret" } };
        const created = await kit.ask("POST", `${path}/redactions`, { body: strategy });
        const { annotations } = (created.body as { data: { annotations: { content: object }[] } }).data;
        const bytes = await work(
          pdf,
          annotations.map(({ content }) => content),
          redact,
        );

        // Assess
        expect(await textsOf(bytes), `rotated by ${rotate}`).to.deep.equal(["Top data"]);
      }
    });

    it("removes every annotation that touches a redaction, even along an edge, and keeps those a point away", async () => {
      // Prepare
      const pdf = await pdfWith([["Some text"]]);
      const redacted: Box = [100, 300, 100, 50];
      const link = {
        v: 2,
        pageIndex: 0,
        opacity: 1,
        type: "pspdfkit/link",
        action: { type: "uri", uri: "https://e.org" },
      };
      const around = [
        annotation.note([200, 300, 20, 20], "edge"),
        annotation.note([201, 320, 20, 20], "gap"),
        annotation.highlight([90, 340, 20, 20]),
        { ...link, bbox: [150, 340, 30, 30] },
        annotation.text([100, 240, 80, 20], "above"),
      ];

      // Act
      const bytes = await work(pdf, [annotation.redaction([redacted]), ...around], redact);

      // Assess
      expect(await livingOf(bytes)).to.deep.equal([["Text", "FreeText"]]);
      const path = await kit.upload(bytes);
      const { body } = await kit.ask("GET", `${path}/annotations`);
      const left = (body as { data: { annotations: { content: { text: { value: string } } }[] } }).data.annotations;
      expect(left.map(({ content }) => content.text.value)).to.deep.equal(["gap", "above"]);
    });

    it("cuts the rectangles only, not the box round all of them", async () => {
      // Prepare
      const pdf = await pdfWith([["first", "middle", "last"]]);
      const rects: Box[] = [
        [60, 85, 60, 20],
        [60, 165, 60, 20],
      ];

      // Act
      const bytes = await work(pdf, [annotation.redaction(rects, { bbox: [60, 85, 60, 100] })], redact);

      // Assess
      expect(await textsOf(bytes)).to.deep.equal(["middle"]);
    });

    it("leaves nothing of an earlier revision, and nothing of the text of a form field", async () => {
      // Prepare
      const pdf = await PDFDocument.create();
      const page = pdf.addPage([595, 842]);
      const field = pdf.getForm().createTextField("name");
      field.setText("FIELDVALUE");
      field.addToPage(page, { x: 60, y: 700, width: 200, height: 30 });
      page.drawText("PAGETEXT", { x: 60, y: 600, size: 20 });

      // Act
      const bytes = await work(
        await pdf.save({ useObjectStreams: false }),
        [
          annotation.redaction([
            [60, 112, 200, 30],
            [60, 222, 200, 25],
          ]),
        ],
        redact,
      );

      // Assess
      const found = await Promise.all(["FIELDVALUE", "PAGETEXT"].map((text) => holds(bytes, text)));
      expect(found).to.deep.equal([false, false]);
    });

    it("succeeds without redactions, and applies those that a search creates", async () => {
      // Prepare
      const pdf = await pdfWith([["mail me at ann@example.com now"], ["no address"]]);
      const search = { type: "createRedactions", strategy: "preset", strategyOptions: { preset: "email-address" } };

      // Act
      const untouched = await work(pdf, [], redact);
      const searched = await work(pdf, [], search, redact);

      // Assess
      expect(await textsOf(untouched)).to.deep.equal(["mail me at ann@example.com now", "no address"]);
      expect(await textsOf(searched)).to.deep.equal(["mail me at now", "no address"]);
    });
  });

  describe("when annotations are flattened", () => {
    it("makes their texts part of the page, but keeps the text under a redaction that was not applied", async () => {
      // Prepare
      const pdf = await pdfWith([["Still here"]]);
      const annotations = [
        annotation.redaction([firstLine]),
        annotation.text([60, 300, 200, 20], "BATES-000001"),
        annotation.note([60, 400, 20, 20], "what the note says"),
        annotation.highlight([60, 500, 50, 20]),
      ];

      // Act
      const bytes = await work(pdf, annotations, flatten);

      // Assess
      expect(await livingOf(bytes)).to.deep.equal([[]]);
      expect(await textsOf(bytes)).to.deep.equal(["Still here BATES-000001 what the note says"]);
    });

    it("draws images of both kinds, and drops what is hidden undrawn; links stay", async () => {
      // Prepare
      const pdf = await pdfWith([["Text"]]);
      const png = makePng(8, 8, [200, 0, 0]);
      const id = sha256(png);
      const link = {
        v: 2,
        pageIndex: 0,
        opacity: 1,
        type: "pspdfkit/link",
        action: { type: "uri", uri: "https://e.org" },
      };
      const annotations = [
        annotation.image([60, 300, 80, 80], id, "image/png"),
        annotation.text([60, 400, 200, 20], "INVISIBLE", { flags: ["hidden"] }),
        { ...link, bbox: [300, 340, 30, 30] },
      ];
      const attachments = { [id]: { binary: png.toString("base64"), contentType: "image/png" } };

      // Act
      const answer = await kit.build(
        { parts: [{ file: "file", actions: [{ type: "applyInstantJson", file: "json" }, flatten] }] },
        { file: pdf, json: { format, annotations, attachments } },
      );

      // Assess
      expect(await livingOf(answer.bytes)).to.deep.equal([["Link"]]);
      expect(await textsOf(answer.bytes)).to.deep.equal(["Text"]);
      expect(await imagesOf(answer.bytes)).to.equal(1);
    });

    it("flattens those that are named, by the engine's ids for stored documents, and ignores unknown ones", async () => {
      // Prepare
      const path = await kit.upload(await pdfWith([["Page text"]]));
      const [stamp, root, note] = await kit.annotate(
        path,
        annotation.text([60, 300, 200, 20], "STAMP"),
        annotation.highlight([60, 85, 50, 20]),
        annotation.note([60, 400, 20, 20], "a note"),
      );
      const comments = [{ content: { text: "comment" } }];
      await kit.ask("POST", `${path}/annotations/${root}/comments`, { body: { comments } });
      const id = path.split("/").at(-1);
      const buildWith = async (annotationIds: unknown[]) => {
        const { bytes } = await kit.build({
          parts: [{ document: { id } }],
          actions: [{ type: "flatten", annotationIds }],
        });
        return (await livingOf(bytes))[0]?.toSorted();
      };

      // Act
      const results = [
        await buildWith([stamp]),
        await buildWith(["unknown"]),
        await buildWith([]),
        await buildWith([root, note]),
      ];

      // Assess
      const all = ["FreeText", "Highlight", "Text", "Text"];
      expect(results).to.deep.equal([["Highlight", "Text", "Text"], all, all, ["FreeText"]]);
    });

    it("redacts first and flattens then in one call, so that what touched a redaction is in no layer any more", async () => {
      // Prepare
      const pdf = await pdfWith([["Top SECRET data"]]);
      const annotations = [
        annotation.redaction([[103, 85, 75, 20]]),
        annotation.text([110, 80, 60, 20], "OVER IT"),
        annotation.text([60, 300, 200, 20], "BESIDE IT"),
      ];

      // Act
      const bytes = await work(pdf, annotations, redact, flatten);

      // Assess
      expect(await textsOf(bytes)).to.deep.equal(["Top data BESIDE IT"]);
    });
  });

  describe("with documents that are stored", () => {
    it("rewrites a layer by redact, while the base keeps what it had", async () => {
      // Prepare
      const path = await kit.upload(await pdfWith([["Top SECRET data"]]));
      const [, beside] = await kit.annotate(
        `${path}/layers/clean`,
        annotation.redaction([[103, 85, 75, 20]]),
        annotation.note([400, 400, 20, 20], "stays"),
        annotation.highlight([150, 80, 60, 25]),
      );

      // Act
      const answer = await kit.ask("POST", `${path}/layers/clean/redact`);

      // Assess
      expect(answer.body).to.have.property("sourcePdfSha256");
      const [clean, base] = [
        await kit.ask("GET", `${path}/layers/clean/pages/0/text`),
        await kit.ask("GET", `${path}/pages/0/text`),
      ];
      expect(contentsOf(clean).join(" ")).to.equal("Top data");
      expect(contentsOf(base)).to.deep.equal(["Top SECRET data"]);
      const { body } = await kit.ask("GET", `${path}/layers/clean/annotations`);
      const left = (body as { data: { annotations: { id: string }[] } }).data.annotations.map(({ id }) => id);
      expect(left).to.deep.equal([beside]);
      const exported = await kit.ask("GET", `${path}/layers/clean/pdf`);
      expect(await textsOf(exported.bytes)).to.deep.equal(["Top data"]);
    });

    it("gives the PDF as it is asked for, and refuses source together with flatten", async () => {
      // Prepare
      const path = await kit.upload(await pdfWith([["Page"]]));
      await kit.annotate(path, annotation.text([60, 300, 200, 20], "LIVE"));

      // Act
      const pdf = async (query: string) => (await kit.ask("GET", `${path}/pdf${query}`)).bytes;
      const [live, flat, bare] = [await pdf(""), await pdf("?flatten=true"), await pdf("?annotations=false")];
      const both = await kit.ask("GET", `${path}/pdf?source=true&flatten=true`);

      // Assess
      expect([await livingOf(live), await livingOf(flat), await livingOf(bare)]).to.deep.equal([
        [["FreeText"]],
        [[]],
        [[]],
      ]);
      expect([await textsOf(flat), await textsOf(bare)]).to.deep.equal([["Page LIVE"], ["Page"]]);
      expect(both.status).to.equal(400);
    });

    it("replaces the document by apply_instructions", async () => {
      // Prepare
      const path = await kit.upload(await pdfWith([["Page one"], ["Page two"]]));
      const instructions = { parts: [{ document: { id: "#self" }, pages: { start: 1, end: -1 } }] };

      // Act
      const answer = await kit.ask("POST", `${path}/apply_instructions`, { body: instructions });

      // Assess
      expect(answer.status).to.equal(200);
      const { body } = await kit.ask("GET", `${path}/pages/text`);
      expect(
        (body as { textLines: { contents: string }[] }[]).map((page) => page.textLines[0]?.contents),
      ).to.deep.equal(["Page two"]);
    });
  });

  describe("when it builds", () => {
    it("assembles parts in their order, with the annotations that live on them", async () => {
      // Prepare
      const path = await kit.upload(await pdfWith([["stored one"], ["stored two"]]));
      await kit.annotate(path, annotation.note([10, 10, 20, 20], "x", { pageIndex: 1 }));
      const instructions = {
        parts: [{ file: "a" }, { document: { id: path.split("/").at(-1) }, pages: { start: -1 } }],
        output: { type: "pdf", metadata: { title: "Both" } },
      };

      // Act
      const { bytes } = await kit.build(instructions, { a: await pdfWith([["sent"]]) });

      // Assess
      expect(await textsOf(bytes)).to.deep.equal(["sent", "stored two"]);
      expect(await livingOf(bytes)).to.deep.equal([[], ["Text"]]);
      expect((await PDFDocument.load(bytes)).getTitle()).to.equal("Both");
    });

    it("refuses what is malformed with the paths that fail, and damaged or protected input", async () => {
      // Prepare
      const pdf = await pdfWith([["Page"]]);

      // Act
      const malformed = await kit.build({ parts: [{ file: "a" }], actions: [{ type: "unknown" }] }, { a: pdf });
      const missing = await kit.build({ parts: [{ file: "b" }] }, { a: pdf });
      const damaged = await kit.build({ parts: [{ file: "a" }] }, { a: Buffer.from("no pdf") });
      const unknown = await kit.build({ parts: [{ document: { id: "unknown" } }] });
      const json = { format, annotations: [annotation.note([0, 0, 9, 9], "x", { pageIndex: 5 })] };
      const importing = { parts: [{ file: "a" }], actions: [{ type: "applyInstantJson", file: "json" }] };
      const notImported = await kit.build(importing, { a: pdf, json });

      // Assess
      expect([malformed, missing, damaged, unknown, notImported].map(({ status }) => status)).to.deep.equal([
        400, 400, 400, 404, 400,
      ]);
      const { requestId, failingPaths, ...told } = malformed.body as Record<string, unknown>;
      expect(told).to.deep.equal({ details: "The request is malformed", status: 400 });
      expect(requestId).to.match(/^[0-9A-Z]{26}$/);
      expect(failingPaths).to.have.nested.property("[0].path", "$.actions[0].type");
      expect((notImported.body as { details: string }).details).to.include("Page index out of bounds.");
    });
  });
});

async function imagesOf(bytes: Uint8Array): Promise<number> {
  const pdf = await PDFDocument.load(bytes);
  const streams = pdf.context
    .enumerateIndirectObjects()
    .flatMap(([, object]) => (object instanceof PDFStream ? [object] : []));
  return streams.filter(({ dict }) => dict.get(PDFName.of("Subtype")) === PDFName.of("Image")).length;
}
