import { expect } from "chai";
import { PDFDocument, PDFTextField } from "@cantoo/pdf-lib";
import type { EngineRecord } from "../../../contracts/annotations.ts";
import { brand } from "../../../processors/pre_uploader/brand.ts";
import { SourcePdf } from "../../../processors/pre_uploader/pdf/source.ts";
import { sortAnnotations } from "../../../processors/pre_uploader/sort.ts";
import { allBranded } from "../annotation_bench.ts";
import { make, makePdf, openEngine, pdfium, pdfWork } from "../engine_bench.ts";
import type { EngineBench } from "../engine_bench.ts";
import { annotate, allTextOf, at, pdfOf, stream } from "./files.fixture.ts";

type Rect = [number, number, number, number];
const stampBox: Rect = [200, 275, 180, 16];
const stamp = make.bates("B1", 0, stampBox, "ABC-0000001");
const rich = (value: string) => ({ text: { format: "xhtml", value } });
const withText = (record: EngineRecord, text: object): EngineRecord => ({
  ...record,
  content: { ...record.content, ...text },
});

/** One page with a link, a line of text, and further objects from number 6 on. */
const page = (more: string, further: readonly (string | Uint8Array)[], catalog = "") =>
  pdfOf([
    `<</Type/Catalog/Pages 2 0 R${catalog}>>`,
    "<</Type/Pages/Kids[3 0 R]/Count 1>>",
    `<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 300]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>${more}>>`,
    stream("BT /F1 12 Tf 40 240 Td (Shown line) Tj ET"),
    "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ...further,
  ]);

describe("a real PDF with a Bates stamp and no redaction", () => {
  let bench: EngineBench;
  before(async () => {
    bench = await openEngine();
  });
  after(() => bench.stop());

  /** The PDF as it is sent on. */
  async function sentOn(original: Uint8Array, records: readonly EngineRecord[] = [stamp]): Promise<Uint8Array> {
    const work = await pdfWork();
    const { bytes } = await work.prepare(original);
    const { branded } = sortAnnotations(records, allBranded);
    const branding = { engineDocumentId: "document_2_b1_70_700", branded, attachments: new Map() };
    const { pdf, removed } = await brand({ engine: bench.engine, pdf: work }, bytes, [branding]);
    expect(removed).to.deep.equal({});
    return pdf;
  }

  const shownOn = async (pdf: Uint8Array) => new SourcePdf(await pdfium(), pdf).pages[0]?.text ?? "";

  const kindsOn = async (pdf: Uint8Array, index = 0) =>
    new SourcePdf(await pdfium(), pdf).pages[index]?.annotations.map(({ kind }) => kind).sort();

  it("keeps form fields that can be filled, also one with several places, and links", async () => {
    // Prepare
    const original = await makePdf([{ lines: ["Form"] }, { lines: ["More"] }], (made) => {
      const form = made.getForm();
      const [first, second] = made.getPages();
      if (!first || !second) throw new Error("there are two pages");
      const name = form.createTextField("name");
      name.setText("Ada");
      for (const one of [first, second]) name.addToPage(one, { x: 40, y: 40, width: 120, height: 20 });
      form.createCheckBox("agreed").addToPage(first, { x: 200, y: 40, width: 12, height: 12 });
      annotate(first, made.context, { Subtype: "Link", Dest: [second.ref, "Fit"] });
    });

    // Act
    const pdf = await sentOn(original);

    // Assess
    expect(await shownOn(pdf)).to.include("ABC-0000001");
    expect([await kindsOn(pdf, 0), await kindsOn(pdf, 1)]).to.deep.equal([["link", "widget", "widget"], ["widget"]]);
    const form = (await PDFDocument.load(pdf)).getForm();
    const fields = form.getFields().map((field) => [field.getName(), field instanceof PDFTextField && field.getText()]);
    expect(fields).to.deep.equal([
      ["name", "Ada"],
      ["agreed", false],
    ]);
  });

  it("keeps a link with a destination and no action", async () => {
    const pdf = await sentOn(
      page(
        "/Annots[6 0 R 7 0 R]",
        [
          "<</Type/Annot/Subtype/Link/Rect[40 100 90 120]/Dest[3 0 R/XYZ 0 300 null]>>",
          "<</Type/Annot/Subtype/Link/Rect[40 60 90 80]/Dest/Somewhere>>",
        ],
        "/Dests<</Somewhere[3 0 R/Fit]>>",
      ),
    );
    expect(await shownOn(pdf))
      .to.include("Shown line")
      .and.to.include("ABC-0000001");
    expect(await kindsOn(pdf)).to.deep.equal(["link", "link"]);
    const links = await Promise.all([0, 1].map((index) => at(pdf, "Pages", "Kids", 0, "Annots", index, "Dest")));
    expect(
      links
        .map(String)
        .sort()
        .map((one) => one.replace(/\d+ 0 R/, "R")),
    ).to.deep.equal(["/Somewhere", "[ R /XYZ 0 300 null ]"]);
  });

  it("loses a note that its tags hold, and keeps the tags", async () => {
    const pdf = await sentOn(
      page(
        "/Annots[6 0 R]/StructParents 0",
        [
          "<</Type/Annot/Subtype/Text/Rect[40 100 60 120]/Contents(quiet words)/StructParent 1>>",
          "<</Type/StructTreeRoot/K 8 0 R/ParentTree<</Nums[0[9 0 R]1 10 0 R]>>>>",
          "<</Type/StructElem/S/Document/P 7 0 R/K[9 0 R 10 0 R]>>",
          "<</Type/StructElem/S/P/P 8 0 R/Pg 3 0 R/K[0]>>",
          "<</Type/StructElem/S/Annot/P 8 0 R/Pg 3 0 R/K<</Type/OBJR/Obj 6 0 R>>/Alt(quiet words)>>",
        ],
        "/StructTreeRoot 7 0 R/MarkInfo<</Marked true>>",
      ),
    );
    expect(await shownOn(pdf)).to.include("ABC-0000001");
    expect(await allTextOf(pdf)).not.to.include("quiet");
    expect(String(await at(pdf, "StructTreeRoot", "K", "K", 0, "S"))).to.equal("/P");
  });

  it("keeps its unit, and the stamp stands in its box", async () => {
    const pdf = await sentOn(page("/UserUnit 2", []));
    expect(String(await at(pdf, "Pages", "Kids", 0, "UserUnit"))).to.equal("2");
    expect(await shownOn(pdf))
      .to.include("Shown line")
      .and.to.include("ABC-0000001");
  });

  it("is sent on decrypted when it opens without a password", async () => {
    const source = await PDFDocument.load(await makePdf([{ lines: ["Encrypted line"] }]));
    source.encrypt({ ownerPassword: "owner" });
    const pdf = await sentOn(await source.save());
    expect(await shownOn(pdf))
      .to.include("Encrypted line")
      .and.to.include("ABC-0000001");
    expect(Buffer.from(pdf).includes("/Encrypt")).to.equal(false);
  });

  it("keeps attachments whose file specifications have only one of their names", async () => {
    const file = (content: string) => stream(content, "/Type/EmbeddedFile");
    const pdf = await sentOn(
      page(
        "",
        [
          "<</Type/Filespec/UF(only-uf.txt)/EF<</F 7 0 R>>>>",
          file("kept by UF"),
          "<</Type/Filespec/F(only-f.txt)/EF<</UF 9 0 R>>>>",
          file("kept by F"),
        ],
        "/Names<</EmbeddedFiles<</Names[(a)6 0 R(b)8 0 R]>>>>",
      ),
    );
    expect(await shownOn(pdf)).to.include("ABC-0000001");
    expect(await allTextOf(pdf))
      .to.include("kept by UF")
      .and.to.include("kept by F");
  });

  it("takes a stamp beside vertical Japanese", async () => {
    const pdf = await sentOn(
      pdfOf([
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 300]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        stream("BT /F1 18 Tf 60 260 Td <65E5672C8A9E> Tj ET"),
        "<</Type/Font/Subtype/Type0/BaseFont/HeiseiMin-W3-UniJIS-UCS2-V/Encoding/UniJIS-UCS2-V/DescendantFonts[6 0 R]>>",
        "<</Type/Font/Subtype/CIDFontType0/BaseFont/HeiseiMin-W3/CIDSystemInfo<</Registry(Adobe)/Ordering(Japan1)/Supplement 2>>/DW 1000/FontDescriptor 7 0 R>>",
        "<</Type/FontDescriptor/FontName/HeiseiMin-W3/Flags 4/FontBBox[0 -200 1000 900]/ItalicAngle 0/Ascent 900/Descent -200/CapHeight 700/StemV 80>>",
      ]),
      [stamp, make.confidentiality("C1", 0, [20, 275, 160, 16], "機密 日本語")],
    );
    const text = await shownOn(pdf);
    expect(text).to.include("ABC-0000001").and.to.include("日本語");
  });

  it("takes a stamp in Arabic", async () => {
    const pdf = await sentOn(await makePdf([{ lines: ["Line"] }]), [
      stamp,
      make.confidentiality("C1", 0, [20, 150, 160, 16], "سري للغاية"),
    ]);
    const text = await shownOn(pdf);
    expect(text).to.include("ABC-0000001");
    // Written from right to left, and read from left to right.
    expect(text).to.include("يرس").and.to.include("ةياغلل");
  });

  for (const [what, value, shown] of [
    ["elements", "<p><b>ABC</b>-<i>0000002</i></p>", "ABC-0000002"],
    ["numeric entities", "<p>ABC&#45;0000002</p>", "ABC-0000002"],
    ["named entities", "<p>M&uuml;ller&nbsp;&amp; ABC-0000002</p>", "Müller & ABC-0000002"],
  ] as const) {
    it(`takes rich text of stamps and notes with ${what}`, async () => {
      const pdf = await sentOn(await makePdf([{ lines: ["Line"] }]), [
        withText(make.bates("B1", 0, stampBox, ""), rich(value)),
        withText(make.note("N1", 0, [20, 20, 20, 20], ""), rich(value)),
      ]);
      const text = await shownOn(pdf);
      expect(text.replaceAll("\u00a0", " ")).to.include(shown);
      expect(await kindsOn(pdf)).to.deep.equal([]);
    });
  }
});
