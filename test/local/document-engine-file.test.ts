import { expect } from "chai";
import { PDFDocument, PDFName, PDFNumber } from "@cantoo/pdf-lib";
import { heldOf, holds, livingOf, pictureOf, textsOf } from "../../local/check/independent-pdf.ts";
import { annotation, contentsOf, engineKit, pdfWith, type EngineKit } from "./document-engine-kit.ts";
import { raw, rawPdf } from "./document-engine-raw-pdf.ts";

type Box = [number, number, number, number];
const redact = { type: "applyRedactions" };
const secret = "BT /F 20 Tf 60 700 Td (SECRET) Tj ET";
const redaction = annotation.redaction([[55, 120, 100, 25]]);

describe("the file that the stand-in of Document Engine writes", function () {
  this.timeout(20_000);
  let kit: EngineKit;

  before(async () => {
    kit = await engineKit();
  });
  after(() => kit.close());

  it("keeps every copy of a redacted text outside of the contents", async () => {
    // Prepare
    const copies: Record<string, string> = {
      actualText: "/ActualText(COPY1)",
      alternative: "<</Type/StructElem/S/P/P 21 0 R/Alt(COPY2)>>",
      bookmark: "<</Title(COPY3)/Parent 23 0 R/Dest[1000 0 R/Fit]>>",
      metadata: "<x>COPY4</x>",
      script: "<</S/JavaScript/JS(COPY5)>>",
      attachment: "COPY6",
      thumbnail: "COPY7",
      pieceInfo: "<</App<</Private(COPY8)>>>>",
      pageMetadata: "<x>COPY9</x>",
      pageAction: "<</O<</S/JavaScript/JS(COPY10)>>>>",
    };
    const pdf = rawPdf({
      pages: [
        {
          contents: `/Span<<${copies["actualText"]}>>BDC ${secret} EMC`,
          more: `/PieceInfo ${copies["pieceInfo"]}/Thumb 29 0 R/Metadata 30 0 R/AA ${copies["pageAction"]}`,
        },
      ],
      objects: {
        20: "<</Title(COPY11)/Own(COPY12)>>",
        21: "<</Type/StructTreeRoot/K[22 0 R]>>",
        22: copies["alternative"] ?? "",
        23: "<</First 24 0 R/Last 24 0 R/Count 1>>",
        24: copies["bookmark"] ?? "",
        25: raw("/Type/Metadata/Subtype/XML", copies["metadata"] ?? ""),
        26: copies["script"] ?? "",
        27: "<</Type/Filespec/F(COPY13)/EF<</F 28 0 R>>>>",
        28: raw("/Type/EmbeddedFile", copies["attachment"] ?? ""),
        29: raw("/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8", copies["thumbnail"] ?? ""),
        30: raw("/Type/Metadata/Subtype/XML", copies["pageMetadata"] ?? ""),
      },
      catalog: `/StructTreeRoot 21 0 R/Outlines 23 0 R/Metadata 25 0 R/PageLabels<</Nums[0<</P(COPY14)>>]>>
        /Dests<</COPY15[1000 0 R/Fit]>>/Names<</JavaScript<</Names[(COPY16)26 0 R]>>/EmbeddedFiles<</Names[(COPY17)27 0 R]>>>>`,
      trailer: "/Info 20 0 R",
    });

    // Act
    const bytes = await kit.work(pdf, [redaction], redact);

    // Assess
    const all = Array.from({ length: 17 }, (_, index) => `COPY${index + 1}`);
    expect(await heldOf(bytes, all)).to.deep.equal(all);
    expect(await holds(bytes, "SECRET")).to.equal(false);
  });

  it("keeps value, default and appearance of a field with several widgets, and those of a field with one not", async () => {
    // Prepare
    const widget = (parent: number, y: number, text: string) =>
      `<</Type/Annot/Subtype/Widget/Parent ${parent} 0 R/Rect[60 ${y} 160 ${y + 20}]/AP<</N ${text} 0 R>>>>`;
    const appearance = (text: string) => raw("/Type/XObject/Subtype/Form/BBox[0 0 100 20]", `BT (${text}) Tj ET`);
    const pdf = rawPdf({
      pages: [{ contents: secret, more: "/Annots[21 0 R 22 0 R 24 0 R]" }],
      objects: {
        20: "<</FT/Tx/T(twice)/V(KEPTV)/DV(KEPTDV)/Kids[21 0 R 22 0 R]>>",
        21: widget(20, 700, "25"),
        22: widget(20, 100, "25"),
        23: "<</FT/Tx/T(once)/V(GONEV)/DV(GONEDV)/Kids[24 0 R]>>",
        24: widget(23, 695, "26"),
        25: appearance("KEPTAP"),
        26: appearance("GONEAP"),
      },
      catalog: "/AcroForm<</Fields[20 0 R 23 0 R]>>",
    });

    // Act
    const bytes = await kit.work(pdf, [redaction], redact);

    // Assess
    const kept = ["KEPTV", "KEPTDV", "KEPTAP"];
    expect(await heldOf(bytes, [...kept, "GONEV", "GONEDV", "GONEAP"])).to.deep.equal(kept);
    expect(await livingOf(bytes)).to.deep.equal([["Widget"]]);
  });

  it("loses what opens with the document, private keys and layers with every operation, so that all layers show", async () => {
    // Prepare
    const lost = ["OpenAction", "AA", "AF", "URI", "Collection", "PieceInfo", "OCProperties", "Unknown"];
    const pdf = rawPdf({
      pages: [
        {
          contents: `/OC /Off BDC ${secret} EMC`,
          resources: "/Properties<</Off 20 0 R>>",
        },
      ],
      objects: { 20: "<</Type/OCG/Name(off)>>" },
      catalog: `/OpenAction[1000 0 R/Fit]/AA<<>>/AF[]/URI<</Base(b)>>/Collection<<>>/PieceInfo<<>>/Unknown(u)/Lang(de)
        /OCProperties<</OCGs[20 0 R]/D<</OFF[20 0 R]>>>>`,
    });

    // Act
    const untouched = (await kit.build({ parts: [{ file: "file" }] }, { file: pdf })).bytes;
    const applied = await kit.work(pdf, []);

    // Assess
    const keysOf = async (bytes: Uint8Array) => {
      const { catalog } = await PDFDocument.load(bytes, { updateMetadata: false });
      return catalog.keys().map((key) => key.decodeText());
    };
    expect(await keysOf(untouched)).to.include.members([...lost, "Lang"]);
    expect((await keysOf(applied)).toSorted()).to.deep.equal(["Lang", "Pages", "Type"]);
    const isInked = async (bytes: Uint8Array) => (await pictureOf(bytes, 0)).pixels.some((part) => part < 128);
    expect([await isInked(untouched), await isInked(applied)]).to.deep.equal([false, true]);
  });

  it("is written whole, with a plain table of its objects, under new numbers, by its producer's name", async () => {
    // Prepare
    const made = await PDFDocument.load(await pdfWith([["first"]]));
    made.context.register(made.context.obj({ Orphan: "ORPHAN" }));
    const compressed = Buffer.from(await made.save({ useObjectStreams: true }));
    const revised = Buffer.concat([compressed, Buffer.from(revision(compressed), "latin1")]);
    const notes = ["one", "two", "three"].map((text, at) => annotation.note([10, 100 * at + 100, 20, 20], text));

    // Act
    const bytes = await kit.work(revised, notes);

    // Assess
    const text = bytes.toString("latin1");
    expect(count(text, "%%EOF")).to.equal(1);
    expect(count(text, "startxref")).to.equal(1);
    expect(text).to.match(/\nxref\n0 \d+\n/);
    expect(await heldOf(bytes, ["ORPHAN", "REVISED", "/ObjStm", "/XRef"])).to.deep.equal([]);
    const pdf = await PDFDocument.load(bytes, { updateMetadata: false });
    expect(pdf.getProducer()).to.equal("PSPDFKit");
    const path = await kit.upload(bytes);
    const { body } = await kit.ask("GET", `${path}/annotations`);
    const { annotations } = (body as { data: { annotations: { content: { text: { value: string } } }[] } }).data;
    expect(annotations.map(({ content }) => content.text.value)).to.deep.equal(["three", "two", "one"]);
  });

  it("stays encrypted where it came so", async () => {
    // Prepare
    const made = await PDFDocument.load(await pdfWith([["Top SECRET data"]]));
    made.encrypt({ ownerPassword: "owner", permissions: {} });
    const pdf = await made.save({ useObjectStreams: false });

    // Act
    const bytes = await kit.work(pdf, [annotation.redaction([[103, 85, 75, 20]])], redact);

    // Assess
    expect(Buffer.from(bytes).includes("/Encrypt")).to.equal(true);
    expect(await textsOf(bytes)).to.deep.equal(["Top data"]);
  });

  describe("of a page with a geometry of its own", () => {
    const info = async (pdf: Uint8Array) => {
      const path = await kit.upload(pdf);
      const { body } = await kit.ask("GET", `${path}/document_info`);
      const [page] = (body as { data: { pages: { width: number; height: number; rotation: number }[] } }).data.pages;
      const text = await kit.ask("GET", `${path}/pages/0/text`);
      return { size: [page?.width, page?.height, page?.rotation], lines: contentsOf(text) };
    };
    const redactedTexts = async (more: string, box: Box) =>
      textsOf(await kit.work(rawPdf({ pages: [{ contents: secret, more }] }), [annotation.redaction([box])], redact));

    it("ignores user units, but keeps their key", async () => {
      // Prepare
      const pdf = rawPdf({ pages: [{ contents: secret, more: "/UserUnit 2" }] });

      // Act
      const read = await info(pdf);
      const bytes = await kit.work(pdf, [redaction], redact);

      // Assess
      expect(read).to.deep.equal({ size: [595, 842, 0], lines: ["SECRET"] });
      expect(await textsOf(bytes)).to.deep.equal([""]);
      const { node } = (await PDFDocument.load(bytes)).getPage(0);
      expect(node.lookup(PDFName.of("UserUnit"), PDFNumber).asNumber()).to.equal(2);
    });

    it("takes a rotation by anything but quarter turns for none", async () => {
      // Act
      const read = await info(rawPdf({ pages: [{ contents: secret, more: "/Rotate 45" }] }));
      const kept = await kit.work(rawPdf({ pages: [{ contents: secret, more: "/Rotate 45" }] }), [redaction], redact);

      // Assess
      expect(read.size).to.deep.equal([595, 842, 0]);
      const { node } = (await PDFDocument.load(kept)).getPage(0);
      expect(node.lookup(PDFName.of("Rotate"), PDFNumber).asNumber()).to.equal(45);
      expect(await holds(kept, "SECRET")).to.equal(false);
    });

    it("heeds offsets of media and crop boxes, corners in either order, and rotation", async () => {
      // Act
      const texts = [
        await redactedTexts("/MediaBox[-100 -100 495 742]", [155, 20, 100, 25]),
        await redactedTexts("/CropBox[20 600 400 800]", [35, 78, 100, 25]),
        await redactedTexts("/CropBox[400 800 20 600]", [35, 78, 100, 25]),
        await redactedTexts("/Rotate 90", [697, 55, 25, 100]),
        await redactedTexts("/Rotate 180", [440, 697, 100, 25]),
      ];

      // Assess
      expect(texts).to.deep.equal([[""], [""], [""], [""], [""]]);
    });
  });
});

function count(text: string, word: string): number {
  return text.split(word).length - 1;
}

/** A further revision, as an editor appends it, whose only object nothing refers to. */
function revision(pdf: Buffer): string {
  const text = pdf.toString("latin1");
  const [, root = ""] = /\/Root (\d+ 0 R)/.exec(text) ?? [];
  const previous = Number(/startxref\s+(\d+)/.exec(text)?.[1]);
  const object = "900 0 obj\n(REVISED)\nendobj\n";
  const table = `xref\n900 1\n${String(pdf.length).padStart(10, "0")} 00000 n \n`;
  const trailer = `trailer\n<</Root ${root}/Size 901/Prev ${previous}>>\n`;
  return `${object}${table}${trailer}startxref\n${pdf.length + object.length}\n%%EOF\n`;
}
