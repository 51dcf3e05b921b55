import { expect } from "chai";
import { PDFDocument } from "@cantoo/pdf-lib";
import { withDocument } from "../../../processors/pre_uploader/pdf/pdfium.ts";
import { readPdf } from "../../../processors/pre_uploader/pdf/reader.ts";
import { prepare } from "../../../processors/pre_uploader/prepare/prepare.ts";
import { makePdf, pdfium, textsOf } from "../engine_bench.ts";
import { allTextOf, at, pdfOf, pixelsOf, stream } from "./files.fixture.ts";

const prepared = async (pdf: Uint8Array) => prepare(await pdfium(), pdf);

/** One page that shows a line, with annotations by their numbers; further objects begin with 5. */
function page(annotations: readonly number[], further: readonly (string | Uint8Array)[], catalog = ""): Uint8Array {
  return pdfOf([
    `<</Type/Catalog/Pages 2 0 R${catalog}>>`,
    "<</Type/Pages/Kids[3 0 R]/Count 1>>",
    `<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 300]/Contents 4 0 R/Annots[${annotations.map((one) => `${one} 0 R`).join(" ")}]
      /Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>/XObject<</Logo 5 0 R>>>>/StructParents 0>>`,
    stream("BT /F1 12 Tf 40 240 Td (Shown line) Tj ET /Logo Do"),
    stream("0 0 1 rg 300 200 40 40 re f", "/Type/XObject/Subtype/Form/BBox[0 0 400 300]"),
    ...further,
  ]);
}

const annotation = (subtype: string, more = "") =>
  `<</Type/Annot/Subtype/${subtype}/Rect[50 50 90 90]/P 3 0 R/Contents(quiet words of ${subtype})${more}>>`;
const appearance = (text: string) =>
  stream(`1 0 0 rg 0 0 40 40 re f % ${text}`, "/Type/XObject/Subtype/Form/BBox[0 0 40 40]");

describe("a PDF that is prepared for Document Engine", () => {
  describe("with nothing to do", () => {
    const links = [
      `<</Type/Annot/Subtype/Link/Rect[40 200 90 220]/Dest[3 0 R/Fit]>>`,
      `<</Type/Annot/Subtype/Link/Rect[40 100 90 120]/A<</S/URI/URI(https://example.org)>>>>`,
      `<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Ada)/Rect[40 60 200 80]>>`,
    ];
    for (const [what, pdf] of [
      ["a page without annotations", () => makePdf([{ lines: ["one"] }])],
      ["links and form fields", () => page([6, 7, 8], links, "/AcroForm<</Fields[8 0 R]>>")],
      [
        "drawings that Document Engine does not carry",
        () => page([6], [annotation("Ink"), annotation("Square"), annotation("Underline")]),
      ],
    ] as const) {
      it(`is the same bytes when it has ${what}`, async () => {
        const original = await pdf();
        const { bytes, pages } = await prepared(original);
        expect({ isSame: bytes === original, pages }).to.deep.equal({ isSame: true, pages: 1 });
      });
    }
  });

  describe("that cannot be read", () => {
    const locked = async () => {
      const pdf = await PDFDocument.load(await makePdf([{ lines: ["locked"] }]));
      pdf.encrypt({ userPassword: "needed", ownerPassword: "owner" });
      return pdf.save();
    };
    for (const [what, code, make] of [
      ["has no bytes", "PDF_EMPTY", () => new Uint8Array()],
      ["asks for a password", "PDF_PROTECTED", locked],
      ["is damaged", "PDF_DAMAGED", () => Buffer.from("%PDF-1.7 and nothing")],
    ] as const) {
      it(`is refused by name when it ${what}`, async () => {
        const refused = await prepared(await make()).catch((cause: unknown) => cause);
        expect(refused).to.include({ kind: "permanent", code });
      });
    }
  });

  it("is decrypted when it opens without a password, and looks as before", async () => {
    // Prepare
    const source = await PDFDocument.load(
      await makePdf([{ lines: ["first line"] }, { lines: ["second"], rotation: 90 }]),
    );
    source.setTitle("A title");
    source.encrypt({ ownerPassword: "owner" });
    const pdf = await source.save();
    const library = await pdfium();

    // Act
    const { bytes, pages } = await prepared(pdf);

    // Assess
    const [before, after] = [pdf, bytes].map((file) => ({
      isEncrypted: withDocument(library, file, (document) => library.EPDF_IsEncrypted(document)),
      pixels: [0, 1].map((index) => pixelsOf(library, file, index).toString("base64")),
      title: readPdf(library, file).map(({ text }) => text),
    }));
    expect(pages).to.equal(2);
    expect(after).to.deep.equal({ ...before, isEncrypted: false });
    expect((await PDFDocument.load(bytes)).getTitle()).to.equal("A title");
  });

  for (const [what, damage] of [
    ["is cut off behind its trailer", (pdf: Buffer) => pdf.subarray(0, pdf.lastIndexOf("startxref"))],
    [
      "points to a wrong place for it",
      (pdf: Buffer) => Buffer.from(pdf.toString("latin1").replace(/startxref\n\d+/, "startxref\n7"), "latin1"),
    ],
    ["has other bytes before its header", (pdf: Buffer) => Buffer.concat([Buffer.from("junk\r\n\r\n"), pdf])],
  ] as const) {
    it(`is written anew when it ${what}`, async () => {
      // Prepare
      const whole = page([], []);

      // Act
      const { bytes } = await prepared(Uint8Array.from(damage(Buffer.from(whole))));

      // Assess
      expect(await textsOf(bytes)).to.deep.equal(await textsOf(whole));
      expect((await prepared(bytes)).bytes).to.equal(bytes);
    });
  }

  describe("with annotations of its own", () => {
    const kinds = ["Text", "FreeText", "Highlight", "Stamp", "Redact"];
    for (const kind of kinds) {
      it(`loses a ${kind} with its popup and appearance, and keeps drawings, links and fields`, async () => {
        // Prepare
        const pdf = page(
          [6, 7, 9, 10, 11, 12],
          [
            annotation(kind, "/Popup 7 0 R/AP<</N 8 0 R>>"),
            annotation("Popup", "/Parent 6 0 R/Open true"),
            appearance("quiet drawing"),
            annotation("Ink", "/Popup 12 0 R/IRT 6 0 R/RT/Group/InkList[[60 60 80 80]]"),
            "<</Type/Annot/Subtype/Link/Rect[40 200 90 220]/Dest[3 0 R/Fit]>>",
            "<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Ada)/Rect[40 60 200 80]/F 4>>",
            annotation("Popup", "/Parent 9 0 R"),
          ],
          "/AcroForm<</Fields[11 0 R]>>",
        );

        // Act
        const { bytes } = await prepared(pdf);

        // Assess
        const text = await allTextOf(bytes);
        expect(text).not.to.match(new RegExp(`quiet words of (${kind}|Popup)|quiet drawing|/Popup|/IRT|/RT`));
        expect(text).to.include("quiet words of Ink").and.to.include("(Ada)").and.to.include("/Fit");
        expect((await at(bytes, "Pages", "Kids", 0, "Annots"))?.toString().match(/R/g)).to.have.length(3);
        expect((await at(bytes, "AcroForm", "Fields"))?.toString().match(/R/g)).to.have.length(1);
        expect(pixelsOf(await pdfium(), bytes, 0, false)).to.deep.equal(pixelsOf(await pdfium(), pdf, 0, false));
      });
    }

    it("loses one that is written within its page's list, and one without a type", async () => {
      const direct = `<</Subtype/Text/Rect[1 1 9 9]/Contents(quiet words within)>>`;
      const pdf = pdfOf([
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        `<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Annots[${direct} 4 0 R]>>`,
        "<</Subtype/Stamp/Rect[1 1 9 9]/Contents(quiet words alone)>>",
      ]);
      const { bytes } = await prepared(pdf);
      expect(await allTextOf(bytes)).not.to.match(/quiet/);
      expect(await at(bytes, "Pages", "Kids", 0, "Annots")).to.equal(undefined);
    });

    it("loses the elements of the structure tree that stand for nothing else, and keeps the rest of its tags", async () => {
      // Prepare
      const element = (kids: string, more = "") => `<</Type/StructElem/S/Annot/P 9 0 R/Pg 3 0 R/K ${kids}${more}>>`;
      const pdf = page(
        [6, 12],
        [
          annotation("Text", "/StructParent 1/AP<</N 13 0 R>>"),
          "<</Type/StructTreeRoot/K 9 0 R/ParentTree 8 0 R/ParentTreeNextKey 3/IDTree<</Names[(alone)10 0 R(paragraph)11 0 R]>>>>",
          "<</Nums[0[11 0 R]1 10 0 R 2 14 0 R]>>",
          "<</Type/StructElem/S/Document/P 7 0 R/K[11 0 R 15 0 R 14 0 R]>>",
          element("<</Type/OBJR/Obj 6 0 R>>", "/Alt(quiet words of an element)/ID(alone)"),
          "<</Type/StructElem/S/P/P 9 0 R/Pg 3 0 R/K[0<</Type/OBJR/Obj 6 0 R>><</Type/MCR/Stm 13 0 R/MCID 0>>]/Alt(kept)/Ref[10 0 R]/ID(paragraph)>>",
          "<</Type/Annot/Subtype/Link/Rect[40 200 90 220]/Dest[3 0 R/Fit]/StructParent 2>>",
          appearance("quiet drawing"),
          "<</Type/StructElem/S/Link/P 9 0 R/Pg 3 0 R/K<</Type/OBJR/Obj 12 0 R>>>>",
          "<</Type/StructElem/S/Div/P 9 0 R/K[10 0 R 16 0 R]/Alt(quiet words of its parent)>>",
          element("[<</Type/OBJR/Obj 17 0 R>>]", "/ActualText(quiet words of another)"),
          annotation("Stamp").replace("/P 3 0 R", ""),
        ],
        "/StructTreeRoot 7 0 R/MarkInfo<</Marked true>>",
      );

      // Act
      const { bytes } = await prepared(pdf);

      // Assess
      expect(await allTextOf(bytes)).not.to.match(/quiet/);
      const tree = ["StructTreeRoot", "K", "K"];
      expect((await at(bytes, ...tree))?.toString().match(/R/g)).to.have.length(2);
      expect((await at(bytes, ...tree, 0, "K"))?.toString()).to.equal("[ 0 ]");
      expect((await at(bytes, ...tree, 0, "Alt"))?.toString()).to.equal("(kept)");
      expect(await at(bytes, ...tree, 0, "Ref")).to.equal(undefined);
      expect((await at(bytes, ...tree, 1, "K", "Obj", "Subtype"))?.toString()).to.equal("/Link");
      expect((await at(bytes, "StructTreeRoot", "ParentTree", "Nums"))?.toString()).to.match(
        /^\[ 0 \[ \d+ 0 R \] 1 null 2 \d+ 0 R \]$/,
      );
      expect((await at(bytes, "StructTreeRoot", "IDTree", "Names"))?.toString()).to.match(
        /^\[ \(paragraph\) \d+ 0 R \]$/,
      );
    });

    it("loses a thread of answers, and an answer's file; the document's own attachments stay with either of their names", async () => {
      // Prepare
      const file = (content: string) => stream(content, "/Type/EmbeddedFile");
      const pdf = page(
        [6, 7],
        [
          annotation("Highlight"),
          annotation("Text", "/IRT 6 0 R/AF[8 0 R]"),
          "<</Type/Filespec/F(quiet.txt)/EF<</F 9 0 R>>>>",
          file("quiet words attached"),
          "<</Type/Filespec/UF(only-uf.txt)/EF<</F 11 0 R>>>>",
          file("kept by UF"),
          "<</Type/Filespec/F(only-f.txt)/EF<</F 13 0 R>>>>",
          file("kept by F"),
          annotation("Text", "/IRT 7 0 R"),
        ],
        "/Names<</EmbeddedFiles<</Names[(a)10 0 R(q)8 0 R(z)12 0 R]>>>>",
      );

      // Act
      const { bytes } = await prepared(pdf);

      // Assess
      const text = await allTextOf(bytes);
      expect(text).not.to.match(/quiet/);
      expect(text).to.include("kept by UF").and.to.include("kept by F");
      const names = (await at(bytes, "Names", "EmbeddedFiles", "Names"))?.toString();
      expect(names).to.match(/^\[ \(a\) \d+ 0 R \(z\) \d+ 0 R \]$/);
    });

    it("loses an appearance that is listed by name, and keeps one that a page draws", async () => {
      const pdf = page(
        [6, 8],
        [annotation("Stamp", "/AP<</N 7 0 R>>"), appearance("quiet drawing"), annotation("Stamp", "/AP<</N 5 0 R>>")],
        "/Names<</AP<</Names[(Approved)7 0 R(Logo)5 0 R]>>>>",
      );
      const { bytes } = await prepared(pdf);
      expect(await allTextOf(bytes)).not.to.match(/quiet/);
      expect((await at(bytes, "Names", "AP", "Names"))?.toString()).to.match(/^\[ \(Logo\) \d+ 0 R \]$/);
      expect(pixelsOf(await pdfium(), bytes, 0, false)).to.deep.equal(pixelsOf(await pdfium(), pdf, 0, false));
    });

    it("loses them where actions, destinations, fields and private keys hold them", async () => {
      const pdf = page(
        [6, 7],
        [
          annotation("Text"),
          "<</Type/Annot/Subtype/Link/Rect[1 1 9 9]/A<</S/Hide/T[6 0 R 7 0 R]/Next<</S/GoTo/D[3 0 R/Fit]>>>>>>",
        ],
        "/Dests<</There 6 0 R/Here[3 0 R/Fit]>>/AcroForm<</Fields[6 0 R]/CO[6 0 R]>>/Private<</Deep[[<</Held 6 0 R>>]]>>",
      );
      const { bytes } = await prepared(pdf);
      expect(await allTextOf(bytes)).not.to.match(/quiet/);
      expect((await at(bytes, "Dests"))?.toString()).to.match(/^<<\s+\/Here \[ \d+ 0 R \/Fit \]\s+>>$/);
      expect((await at(bytes, "Private", "Deep"))?.toString()).to.match(/^\[ \[ <<\s*>> \] \]$/);
      expect((await at(bytes, "Pages", "Kids", 0, "Annots", 0, "A", "Next", "S"))?.toString()).to.equal("/GoTo");
    });

    it("keeps bookmarks, layers, metadata, page labels, tags and the unit of its pages", async () => {
      // Prepare
      const pdf = page(
        [6],
        [
          annotation("Stamp"),
          "<</Type/Outlines/First 8 0 R/Last 8 0 R/Count 1>>",
          "<</Title(Chapter)/Parent 7 0 R/Dest[3 0 R/Fit]>>",
          stream("<x>metadata</x>", "/Type/Metadata/Subtype/XML"),
          "<</Type/OCG/Name(Layer)>>",
        ],
        "/Outlines 7 0 R/Metadata 9 0 R/OCProperties<</OCGs[10 0 R]/D<</OFF[10 0 R]>>>>/PageLabels<</Nums[0<</S/r>>]>>/Lang(de)/Odd(kept)",
      );
      const withUnit = Buffer.from(pdf).toString("latin1").replace("/StructParents 0>>", "/UserUnit 2        >>");

      // Act
      const { bytes } = await prepared(Buffer.from(withUnit, "latin1"));

      // Assess
      expect((await at(bytes))?.toString())
        .to.match(/\/Lang \(de\)/)
        .and.to.match(/\/Odd \(kept\)/);
      expect((await at(bytes, "Outlines", "First", "Title"))?.toString()).to.equal("(Chapter)");
      expect((await at(bytes, "OCProperties", "D", "OFF", 0, "Name"))?.toString()).to.equal("(Layer)");
      expect((await at(bytes, "PageLabels", "Nums", 1, "S"))?.toString()).to.equal("/r");
      expect((await at(bytes, "Pages", "Kids", 0, "UserUnit"))?.toString()).to.equal("2");
      expect(await allTextOf(bytes))
        .to.include("<x>metadata</x>")
        .and.not.to.include("quiet");
    });

    it("keeps nothing of an earlier revision, nor of what nothing holds", async () => {
      // Prepare
      const first = Buffer.from(
        page([6], [annotation("Text"), annotation("Stamp"), "(quiet words that nothing holds)"]),
      );
      const changed = "6 0 obj\n<</Type/Annot/Subtype/Text/Rect[1 1 9 9]/Contents(quiet words again)>>\nendobj\n";
      const table = first.length + changed.length;
      const offset = String(first.length).padStart(10, "0");
      const previous = first.toString("latin1").match(/startxref\n(\d+)/)?.[1];
      const update = `xref\n6 1\n${offset} 00000 n \ntrailer\n<</Size 9/Root 1 0 R/Prev ${previous}>>\nstartxref\n${table}\n%%EOF\n`;

      // Act
      const { bytes } = await prepared(Buffer.concat([first, Buffer.from(changed + update)]));

      // Assess
      const file = Buffer.from(bytes).toString("latin1");
      expect(file).not.to.match(/quiet|\/Prev/);
      expect(file.match(/%%EOF/g)).to.have.length(1);
      expect(await textsOf(bytes)).to.deep.equal(["Shown line"]);
    });

    it("takes what lies in a stream for no objects of the file, under any type of the stream", async () => {
      const packed = "4 0 (quiet replacement)";
      const pdf = page([6], [annotation("Text"), stream(packed, "/Type/ObjStm/N 1/First 4")], "/Odd 7 0 R");
      expect(await textsOf((await prepared(pdf)).bytes)).to.deep.equal(["Shown line"]);
    });
  });
});
