import { expect } from "chai";
import { PDFDocument, StandardFonts, type PDFEmbeddedPage } from "@cantoo/pdf-lib";
import { holds, livingOf, textsOf } from "../../local/check/independent-pdf.ts";
import { annotation, drawnPdf, engineKit, pdfWith, type EngineKit } from "./document-engine-kit.ts";

type Box = [number, number, number, number];
const redact = { type: "applyRedactions" };

describe("the redactions of the stand-in of Document Engine", function () {
  this.timeout(20_000);
  let kit: EngineKit;

  before(async () => {
    kit = await engineKit();
  });
  after(() => kit.close());

  it("takes the text out of the bytes, leaves the lines around it, and prints the overlay", async () => {
    // Prepare
    const pdf = await pdfWith([["Top SECRET data", "Second line"], ["SECRET elsewhere"]]);
    const secret = annotation.redaction([[103, 85, 75, 20]], { overlayText: "PRIV", fillColor: "#112233" });

    // Act
    const bytes = await kit.work(pdf, [secret], redact);

    // Assess
    expect(await textsOf(bytes)).to.deep.equal(["Top data Second line PRIV", "SECRET elsewhere"]);
    expect(await livingOf(bytes)).to.deep.equal([[], []]);
  });

  it("takes it out of a form in place, so that another page that draws the form loses it, too", async () => {
    // Prepare
    const inner = await PDFDocument.create();
    inner.addPage([300, 100]).drawText("HIDDEN outside", {
      x: 0,
      y: 50,
      size: 20,
      font: await inner.embedFont(StandardFonts.Helvetica),
    });
    const bytesOfForm = await inner.save();
    let form: PDFEmbeddedPage | undefined;
    const pdf = await drawnPdf(2, async (page, _index, _font, whole) => {
      form ??= (await whole.embedPdf(bytesOfForm))[0];
      if (form) page.drawPage(form, { x: 60, y: 400 });
    });

    // Act
    const bytes = await kit.work(pdf, [annotation.redaction([[55, 370, 82, 30]])], redact);

    // Assess
    expect(await textsOf(bytes)).to.deep.equal(["outside", "outside"]);
  });

  it("takes a glyph out whole that is covered in part, and keeps its neighbours", async () => {
    // Prepare
    const pdf = await pdfWith([["MMMM"]]);
    // Each M is 16.66 points wide: the rectangle begins in the second and ends in the third.
    const rect: Box = [60 + 16.66 * 1.7, 85, 16.66 * 0.6, 20];

    // Act
    const bytes = await kit.work(pdf, [annotation.redaction([rect])], redact);

    // Assess
    expect((await textsOf(bytes))[0]?.replaceAll(" ", "")).to.equal("MM");
  });

  it("takes glyphs of one point out that are covered whole", async () => {
    // Prepare
    const pdf = await drawnPdf(1, (page, _index, font) => {
      page.drawText("Powered by", { x: 60, y: 400, size: 1, font });
      page.drawText("kept", { x: 60, y: 300, size: 12, font });
    });

    // Act
    const bytes = await kit.work(pdf, [annotation.redaction([[60, 842 - 401, 5, 1.3]])], redact);

    // Assess
    expect((await textsOf(bytes)).map((text) => text.trim())).to.deep.equal(["kept"]);
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
      const bytes = await kit.work(
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
    const bytes = await kit.work(pdf, [annotation.redaction([redacted]), ...around], redact);

    // Assess
    expect((await livingOf(bytes)).map((kinds) => kinds.toSorted())).to.deep.equal([["FreeText", "Text"]]);
    const path = await kit.upload(bytes);
    const { body } = await kit.ask("GET", `${path}/annotations`);
    const left = (body as { data: { annotations: { content: { text: { value: string } } }[] } }).data.annotations;
    expect(left.map(({ content }) => content.text.value).toSorted()).to.deep.equal(["above", "gap"]);
  });

  it("cuts the rectangles only, not the box round all of them", async () => {
    // Prepare
    const pdf = await pdfWith([["first", "middle", "last"]]);
    const rects: Box[] = [
      [60, 85, 60, 20],
      [60, 165, 60, 20],
    ];

    // Act
    const bytes = await kit.work(pdf, [annotation.redaction(rects, { bbox: [60, 85, 60, 100] })], redact);

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
    const bytes = await kit.work(
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
    const untouched = await kit.work(pdf, [], redact);
    const searched = await kit.work(pdf, [], search, redact);

    // Assess
    expect(await textsOf(untouched)).to.deep.equal(["mail me at ann@example.com now", "no address"]);
    expect(await textsOf(searched)).to.deep.equal(["mail me at now", "no address"]);
  });
});
