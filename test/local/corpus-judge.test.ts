import { deflateSync } from "node:zlib";
import { expect } from "chai";
import {
  PDFArray,
  PDFDocument,
  PDFHexString,
  PDFName,
  PDFOperator,
  PDFString,
  rgb,
  StandardFonts,
} from "@cantoo/pdf-lib";
import type { PDFFont, PDFPage } from "@cantoo/pdf-lib";
import { judge, type Charge } from "../../local/corpus/judge/judge.ts";
import { makePng } from "../../local/samples/content/natives.ts";

const secret = "Geheimnis";
/** Where the secret stood: points from the top left of a page of 400 by 300. */
const box = { left: 100, top: 80, right: 180, bottom: 100 };
const charge: Charge = {
  redactions: [{ pageIndex: 0, boxes: [box], fillColor: "#000000", overlayText: undefined }],
  texts: [secret],
  shapes: [],
  thoroughness: "everything",
  pages: 1,
};

interface Parts {
  pdf: PDFDocument;
  page: PDFPage;
  font: PDFFont;
}

/** A page with a black box, as it is after redaction. */
async function redacted(
  change: { before?: (parts: Parts) => unknown; after?: (parts: Parts) => unknown } = {},
): Promise<Uint8Array> {
  const pdf = await PDFDocument.create({ updateMetadata: false });
  const page = pdf.addPage([400, 300]);
  const font = await pdf.embedFont(StandardFonts.Helvetica);
  page.drawText("Public words", { x: 40, y: 240, size: 12, font });
  await change.before?.({ pdf, page, font });
  page.drawRectangle({ x: box.left, y: 300 - box.bottom, width: 80, height: 20, color: rgb(0, 0, 0) });
  await change.after?.({ pdf, page, font });
  return pdf.save();
}

const judged = async (pdf: Uint8Array, more: Partial<Charge> = {}) =>
  (await judge(pdf, [], { ...charge, ...more })).map(({ where, what }) => `${where}: ${what}`);

describe("the judge of npm run corpus", () => {
  it("finds nothing in a document in which a box is all that is left", async () => {
    // Prepare
    const pdf = await redacted();
    // Act
    const findings = await judged(pdf);
    // Assess
    expect(findings).to.deep.equal([]);
  });

  it("finds glyphs that are left under a box, with any text", async () => {
    // Prepare
    const pdf = await redacted({
      before: ({ page, font }) => page.drawText("Other", { x: 110, y: 205, size: 12, font }),
    });
    // Act
    const findings = await judged(pdf);
    // Assess
    expect(findings).to.deep.equal(["page 1: 5 glyphs under a box"]);
  });

  it("finds invisible glyphs under a box", async () => {
    // Prepare
    const pdf = await redacted({
      before: ({ page, font }) => {
        page.pushOperators(PDFOperator.of("Tr" as never, ["3"]));
        page.drawText("Other", { x: 110, y: 205, size: 12, font });
      },
    });
    // Act
    const findings = await judged(pdf);
    // Assess
    expect(findings).to.deep.equal(["page 1: 5 glyphs under a box"]);
  });

  it("finds the outline of letters under a box", async () => {
    // Prepare
    const zigzag = "M 0 0 L 4 12 L 8 0 L 12 12 L 16 0 L 20 12 L 24 0 L 28 12";
    const pdf = await redacted({
      before: ({ page }) => page.drawSvgPath(zigzag, { x: 110, y: 216, borderColor: rgb(1, 0, 0) }),
    });
    // Act
    const findings = await judged(pdf);
    // Assess
    expect(findings).to.deep.equal(["page 1: something is drawn beneath a box"]);
  });

  it("finds the points of a picture under a box", async () => {
    // Prepare
    const pixels = Uint8Array.from({ length: 16 * 16 }, (_, index) => (index * 37) % 256);
    const pdf = await redacted({
      before: ({ pdf: own, page }) => {
        const image = own.context.stream(deflateSync(pixels), {
          ...{ Type: "XObject", Subtype: "Image", Width: 16, Height: 16, BitsPerComponent: 8 },
          ...{ ColorSpace: "DeviceGray", Filter: "FlateDecode" },
        });
        page.node.setXObject(PDFName.of("Im"), own.context.register(image));
        page.pushOperators(
          PDFOperator.of("q" as never),
          PDFOperator.of("cm" as never, ["160", "0", "0", "80", "60", "170"] as never),
          PDFOperator.of("Do" as never, ["/Im"]),
          PDFOperator.of("Q" as never),
        );
      },
    });
    // Act
    const findings = await judged(pdf);
    // Assess
    expect(findings).to.deep.equal(["page 1: something is drawn beneath a box"]);
  });

  it("passes a picture whose points under the box were taken out, and a coloured background", async () => {
    // Prepare
    const pdf = await redacted({
      before: async ({ pdf: own, page }) => {
        page.drawRectangle({ x: 20, y: 20, width: 360, height: 260, color: rgb(1, 1, 0.8) });
        const png = await own.embedPng(makePng(4, 4, [200, 200, 200]));
        page.drawImage(png, { x: 90, y: 190, width: 60, height: 60 });
      },
    });
    // Act
    const findings = await judged(pdf);
    // Assess
    expect(findings).to.deep.equal([]);
  });

  it("finds a box that was not painted", async () => {
    // Prepare
    const pdf = await PDFDocument.create();
    pdf.addPage([400, 300]);
    // Act
    const findings = await judged(await pdf.save());
    // Assess
    expect(findings).to.deep.equal(["page 1: 100 % of a box have another colour than it"]);
  });

  for (const { kind, spelling } of [
    { kind: "as it is", spelling: secret },
    { kind: "in other letters", spelling: "ＧＥＨＥＩＭＮＩＳ" },
    { kind: "letter-spaced", spelling: "G e h e i m n i s" },
    { kind: "with soft hyphens", spelling: "Geheim\u00adnis" },
  ]) {
    it(`finds the text in the metadata ${kind}`, async () => {
      // Prepare
      const pdf = await redacted({ after: ({ pdf: own }) => own.setSubject(`On the ${spelling}`) });
      // Act
      const findings = await judged(pdf);
      // Assess
      expect(findings[0]).to.equal("metadata: has a redacted text");
    });
  }

  it("finds the text in a layer that is off, at another place of the page", async () => {
    // Prepare
    const pdf = await redacted({
      after: ({ pdf: own, page, font }) => {
        const group = own.context.register(own.context.obj({ Type: "OCG", Name: PDFString.of("Notes") }));
        own.catalog.set(
          PDFName.of("OCProperties"),
          own.context.obj({ OCGs: [group], D: { OFF: [group], Order: [group] } }),
        );
        page.node.normalizedEntries().Resources.set(PDFName.of("Properties"), own.context.obj({ Notes: group }));
        page.pushOperators(PDFOperator.of("BDC" as never, ["/OC", "/Notes"]));
        page.drawText(secret, { x: 40, y: 40, size: 12, font });
        page.pushOperators(PDFOperator.of("EMC" as never));
      },
    });
    // Act
    const findings = await judged(pdf);
    // Assess
    expect(findings).to.include("page 1, drawing: has a redacted text");
  });

  it("finds the text in bookmarks, attached files, form fields and links", async () => {
    // Prepare
    const pdf = await redacted({
      after: async ({ pdf: own, page }) => {
        const outline = own.context.nextRef();
        const item = own.context.register(own.context.obj({ Title: PDFHexString.fromText(secret), Parent: outline }));
        own.context.assign(outline, own.context.obj({ Type: "Outlines", First: item, Last: item, Count: 1 }));
        own.catalog.set(PDFName.of("Outlines"), outline);
        await own.attach(Buffer.from(`{\\rtf1 The code is \\'47eheim\\'6eis}`), "a.rtf");
        const field = own.getForm().createTextField("code");
        field.addToPage(page, { x: 300, y: 20, width: 60, height: 20 });
        field.setText(secret);
        const action = own.context.obj({ S: "URI", URI: PDFString.of("https://example.com/%47eheimnis") });
        const link = own.context.obj({ Type: "Annot", Subtype: "Link", Rect: [10, 10, 20, 20], A: action });
        page.node.addAnnot(own.context.register(link));
      },
    });
    // Act
    const findings = await judged(pdf);
    // Assess
    expect(findings).to.include.members([
      "bookmarks: has a redacted text",
      "form fields: has a redacted text",
      "page 1, annotations: has a redacted text",
      "bytes: a redacted text in a stream EmbeddedFile",
    ]);
  });

  it("finds the text in objects that nothing refers to, in a comment and behind the end of the file", async () => {
    // Prepare
    const pdf = Buffer.concat([await redacted(), Buffer.from(`\n% ${secret}\n9 0 obj (${secret}) endobj\n%%EOF\n`)]);
    // Act
    const findings = await judged(pdf);
    // Assess
    expect(findings).to.deep.equal([
      "objects: there is earlier revisions",
      "bytes: a redacted text in a comment",
      "bytes: a redacted text in a string",
    ]);
  });

  it("finds the same glyphs drawn elsewhere, without text", async () => {
    // Prepare
    const shapes: string[] = [];
    const { readGlyphs } = await import("../../local/corpus/reader/page.ts");
    const { withPdf } = await import("../../local/corpus/reader/pdf.ts");
    const pdf = await redacted({ after: ({ page, font }) => page.drawText("Xyzabc", { x: 40, y: 40, size: 9, font }) });
    await withPdf(pdf, async (own) => {
      const { glyphs } = await readGlyphs(await own.getPage(1));
      shapes.push(...glyphs.slice(-6).map(({ shape }) => shape));
    });
    // Act
    const findings = await judged(pdf, { shapes: [shapes] });
    // Assess
    expect(findings).to.deep.equal(["page 1: draws redacted glyphs"]);
  });

  it("finds a small picture of the page and pages that do not belong to the document", async () => {
    // Prepare
    const pdf = await redacted({
      after: ({ pdf: own, page }) => {
        const thumb = own.context.stream(new Uint8Array(16), {
          Width: 4,
          Height: 4,
          BitsPerComponent: 8,
          ColorSpace: "DeviceGray",
        });
        page.node.set(PDFName.of("Thumb"), own.context.register(thumb));
        own.context.register(own.context.obj({ Type: "Page", Contents: PDFArray.withContext(own.context) }));
      },
    });
    // Act
    const findings = await judged(pdf);
    // Assess
    expect(findings).to.deep.equal([
      "objects: there is a small picture of a page",
      "objects: there is 1 pages that do not belong to it",
    ]);
  });

  it("finds the text in a layer that is carried beside the document", async () => {
    // Prepare
    const pdf = await redacted();
    // Act
    const findings = await judge(pdf, [{ name: "notes.json", content: JSON.stringify({ text: secret }) }], charge);
    // Assess
    expect(findings).to.deep.equal([{ where: "notes.json", what: "has a redacted text" }]);
  });

  it("looks for short texts as whole words only", async () => {
    // Prepare
    const pdf = await redacted({ after: ({ pdf: own }) => own.setTitle("Kimono, 1950 and HIV") });
    // Act
    const [absent, present] = [await judged(pdf, { texts: ["Kim", "$950"] }), await judged(pdf, { texts: ["HIV"] })];
    // Assess
    expect([absent, present]).to.deep.equal([[], ["metadata: has a redacted text"]]);
  });

  it("calls a file that it cannot read a finding", async () => {
    // Prepare
    const pdf = Buffer.from("%PDF-1.7 and nothing else");
    // Act
    const findings = await judge(pdf, [], { ...charge, redactions: [] });
    // Assess
    expect(findings).to.deep.equal([{ where: "file", what: "cannot be read: Invalid PDF structure." }]);
  });
});
