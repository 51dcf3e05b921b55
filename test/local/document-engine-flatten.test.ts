import { expect } from "chai";
import { PDFArray, PDFDict, PDFDocument, PDFName, PDFStream } from "@cantoo/pdf-lib";
import { differ, heldOf, livingOf, pictureOf, textsOf } from "../../local/check/independent-pdf.ts";
import { makePng } from "../../local/samples/content/natives.ts";
import { annotation, engineKit, pdfWith, sha256, type EngineKit } from "./document-engine-kit.ts";

type Box = [number, number, number, number];
const format = "https://pspdfkit.com/instant-json/v1";
/** The first line of a page of `pdfWith`; its text begins 60 points from the left. */
const firstLine: Box = [60, 85, 300, 20];
const redact = { type: "applyRedactions" };
const flatten = { type: "flatten" };
const flattenOnly = (...annotationIds: (string | number)[]) => ({ type: "flatten", annotationIds });

describe("the flattening of the stand-in of Document Engine", function () {
  this.timeout(20_000);
  let kit: EngineKit;

  before(async () => {
    kit = await engineKit();
  });
  after(() => kit.close());

  it("draws the annotations that are named by an id of the Instant JSON that the same build applies", async () => {
    // Prepare
    const annotations = [
      annotation.text([60, 300, 200, 20], "DRAWN", { id: "drawn" }),
      annotation.text([60, 400, 200, 20], "ALIVE", { id: "alive" }),
    ];

    // Act
    const bytes = await kit.work(await pdfWith([["Page"]]), annotations, flattenOnly("drawn", "unknown"));

    // Assess
    expect(await textsOf(bytes)).to.deep.equal(["Page DRAWN"]);
    expect(await livingOf(bytes)).to.deep.equal([["FreeText"]]);
  });

  it("knows those ids also after redactions were applied", async () => {
    // Prepare
    const annotations = [
      annotation.redaction([[103, 85, 75, 20]], { id: "redaction" }),
      annotation.text([60, 300, 200, 20], "DRAWN", { id: "drawn" }),
      annotation.text([60, 400, 200, 20], "ALIVE", { id: "alive" }),
    ];

    // Act
    const bytes = await kit.work(await pdfWith([["Top SECRET data"]]), annotations, redact, flattenOnly("drawn"));

    // Assess
    expect(await textsOf(bytes)).to.deep.equal(["Top data DRAWN"]);
    expect(await livingOf(bytes)).to.deep.equal([["FreeText"]]);
  });

  it("keeps a note of any size in its place on a page that is turned", async () => {
    // Prepare
    const turned = await pdfWith([["Page"]], { rotate: 90 });

    // Act
    const bytes = await kit.work(turned, [annotation.note([100, 120, 10, 40], "NOTE")]);

    // Assess
    const page = (await PDFDocument.load(bytes)).getPage(0);
    const annotations = page.node.Annots()?.asArray() ?? [];
    const dictionaries = annotations.map((one) => page.doc.context.lookup(one, PDFDict));
    const note = dictionaries.find((one) => one.lookup(PDFName.of("Subtype")) === PDFName.of("Text"));
    expect(note?.lookup(PDFName.of("Rect"), PDFArray).asRectangle()).to.deep.equal({
      x: 120,
      y: 100,
      width: 40,
      height: 10,
    });
  });

  it("draws annotations on pages that inherit their resources", async () => {
    // Prepare
    const made = await PDFDocument.load(await pdfWith([["First"], ["Second"]]));
    const [first, second] = made.getPages();
    const tree = first?.node.Parent();
    if (!first || !second || !tree) throw new Error("the pages have resources");
    tree.set(
      PDFName.of("Resources"),
      made.context.obj({ Font: first.node.Resources()?.get(PDFName.of("Font")) ?? {} }),
    );
    for (const { node } of [first, second]) node.delete(PDFName.of("Resources"));
    const annotations = [annotation.text([60, 300, 200, 20], "DRAWN", { id: "drawn" })];

    // Act
    const bytes = await kit.work(Buffer.from(await made.save()), annotations, flattenOnly("drawn"));

    // Assess
    expect(await textsOf(bytes)).to.deep.equal(["First DRAWN", "Second"]);
  });

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
    const bytes = await kit.work(pdf, annotations, flatten);

    // Assess
    expect(await livingOf(bytes)).to.deep.equal([[]]);
    expect(await textsOf(bytes)).to.deep.equal(["Still here BATES-000001 what the note says"]);
  });

  it("draws images of both kinds, and drops links and what is hidden", async () => {
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
    expect(await livingOf(answer.bytes)).to.deep.equal([[]]);
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
    const bytes = await kit.work(pdf, annotations, redact, flatten);

    // Assess
    expect(await textsOf(bytes)).to.deep.equal(["Top data BESIDE IT"]);
  });

  describe("of a page with a form field and a link", () => {
    const pdfWithField = async () => {
      const pdf = await PDFDocument.create();
      const page = pdf.addPage([595, 842]);
      const field = pdf.getForm().createTextField("name");
      field.setText("FIELDVALUE");
      field.addToPage(page, { x: 60, y: 700, width: 200, height: 30 });
      const form = pdf.catalog.get(PDFName.of("AcroForm"));
      const xfa = pdf.context.register(pdf.context.stream("<xfa>XFADATA</xfa>"));
      pdf.context.lookup(form, PDFDict).set(PDFName.of("XFA"), xfa);
      const link = {
        v: 2,
        pageIndex: 0,
        opacity: 1,
        type: "pspdfkit/link",
        action: { type: "uri", uri: "https://e.org" },
        bbox: [300, 340, 30, 30],
      };
      return kit.work(await pdf.save({ useObjectStreams: false, updateFieldAppearances: false }), [link]);
    };
    const stamp = annotation.text([60, 300, 200, 20], "STAMP", { id: "stamp" });

    it("keeps the field, the form and the link where ids are given", async () => {
      // Prepare
      const pdf = await pdfWithField();

      // Act
      const bytes = await kit.work(pdf, [stamp], flattenOnly("stamp"));

      // Assess
      expect((await livingOf(bytes)).map((kinds) => kinds.toSorted())).to.deep.equal([["Link", "Widget"]]);
      const form = (await PDFDocument.load(bytes)).getForm();
      expect(form.getTextField("name").getText()).to.equal("FIELDVALUE");
      expect(await heldOf(bytes, ["XFADATA", "STAMP"])).to.deep.equal(["XFADATA", "STAMP"]);
    });

    it("draws the field, empties the form and removes the link where no ids are given", async () => {
      // Prepare
      const pdf = await pdfWithField();

      // Act
      const bytes = await kit.work(pdf, [stamp], flatten);

      // Assess
      expect(await livingOf(bytes)).to.deep.equal([[]]);
      expect((await textsOf(bytes))[0]?.split(" ").toSorted()).to.deep.equal(["FIELDVALUE", "STAMP"]);
      const catalog = (await PDFDocument.load(bytes)).catalog;
      const form = catalog.lookup(PDFName.of("AcroForm"), PDFDict);
      expect(form.lookup(PDFName.of("Fields"), PDFArray).size()).to.equal(0);
      expect(await heldOf(bytes, ["XFADATA", "https://e.org"])).to.deep.equal([]);
    });
  });

  describe("in the call that applies redactions", () => {
    const box: Box = [300, 300, 60, 40];
    const redaction = annotation.redaction([box], { overlayText: "PRIV" });
    const middle: Box = [302, 330, 56, 8];

    it("loses the black box and repeats its overlay text where nothing was under it and all is flattened", async () => {
      // Prepare
      const pdf = await pdfWith([["Text"]]);

      // Act
      const together = await kit.work(pdf, [redaction], redact, flatten);
      const apart = await kit.work(await kit.work(pdf, [redaction], redact), [], flatten);
      const named = await kit.work(pdf, [redaction], redact, flattenOnly());

      // Assess
      expect([await textsOf(together), await textsOf(apart), await textsOf(named)]).to.deep.equal([
        ["Text PRIV PRIV"],
        ["Text PRIV"],
        ["Text PRIV"],
      ]);
      const [red, black, alsoBlack] = [
        await pictureOf(together, 0),
        await pictureOf(apart, 0),
        await pictureOf(named, 0),
      ];
      expect([differ(red, black, middle), differ(black, alsoBlack, box)]).to.deep.equal([true, false]);
      const edge = red.pixels.subarray((320 * red.width + 300) * 4, (320 * red.width + 300) * 4 + 3);
      expect(edge[0], "the edge is red").to.be.greaterThan(Math.max(Number(edge[1]), Number(edge[2])));
    });

    it("keeps the black box where something was under it", async () => {
      // Act
      const pdf = await pdfWith([["Text"]]);
      const bytes = await kit.work(pdf, [annotation.redaction([firstLine])], redact, flatten);

      // Assess
      const { pixels, width } = await pictureOf(bytes, 0);
      expect([...pixels.subarray((95 * width + 200) * 4, (95 * width + 200) * 4 + 3)]).to.deep.equal([0, 0, 0]);
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
