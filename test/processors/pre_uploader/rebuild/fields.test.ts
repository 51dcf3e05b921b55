/** Form fields of a rebuilt document. */
import { expect } from "chai";
import type { PDFDocument } from "@cantoo/pdf-lib";
import { at, everythingIn, isQuoting, page, pdfOf, picturesOf, rebuildOf, secret } from "./rebuild.fixture.ts";
import type { Parts } from "./rebuild.fixture.ts";

const widget = "/Type /Annot /Subtype /Widget /F 4";
const appearance = (text: string) => ({
  keys: "/Type /XObject /Subtype /Form /BBox [0 0 50 20] /Resources << /Font << /Helv 5 0 R >> >>",
  data: `/Tx BMC BT /Helv 9 Tf 2 5 Td (${text}) Tj ET EMC`,
});

/** A form with the given root fields, and with all given widgets on the page. */
function formOf(fields: string, annotations: string, parts: Parts): Uint8Array {
  const dr = "/DR << /Font << /Helv 5 0 R /Unused 5 0 R >> >> /DA (/Helv 0 Tf 0 g) /SigFlags 3 /CO [10 0 R]";
  return pdfOf({
    1: `<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [${fields}] ${dr} >> >>`,
    3: `<< ${page} /Resources << /Font << /F1 5 0 R >> >> /Annots [${annotations}] >>`,
    ...parts,
  });
}

const namesOf = (document: PDFDocument) =>
  document
    .getForm()
    .getFields()
    .map((field) => field.getName());

describe("the form fields of a rebuilt document", () => {
  it("stay live, with their values and looks, and lose scripts and keys of their own", async () => {
    // Prepare
    const source = formOf("10 0 R 11 0 R 14 0 R", "10 0 R 12 0 R 13 0 R 14 0 R", {
      10: `<< ${widget} /Rect [10 10 60 30] /FT /Tx /T (Name) /TU (Your name) /V (Ann) /DV () /DA (/Helv 9 Tf 1 0 0 rg) /AP << /N 20 0 R >>
        /AA << /K << /S /JavaScript /JS (x) >> >> /RV (<p>Ann</p>) /DS (font: 9pt) /Own (x) /MK << /BC [0] /CA (c) >> >>`,
      11: "<< /FT /Btn /T (Choice) /Ff 49152 /V /A /Kids [12 0 R 13 0 R] >>",
      12: `<< ${widget} /Parent 11 0 R /Rect [70 10 80 20] /AS /A /AP << /N << /A 21 0 R /Off 22 0 R >> >> >>`,
      13: `<< ${widget} /Parent 11 0 R /Rect [90 10 99 20] /AS /Off /AP << /N << /B 21 0 R /Off 22 0 R >> >> >>`,
      14: `<< ${widget} /Rect [10 40 60 60] /FT /Ch /T (List) /Opt [(one) [(2) (two)]] /V (one) /I [0] /AP << /N 20 0 R >> >>`,
      20: appearance("Ann"),
      21: { keys: "/Subtype /Form /BBox [0 0 9 9]", data: "1 0 0 rg 0 0 9 9 re f" },
      22: { keys: "/Subtype /Form /BBox [0 0 9 9]", data: "" },
    });

    // Act
    const { document, pdf, removed } = await rebuildOf(source);

    // Assess
    const form = document.getForm();
    expect(namesOf(document)).to.deep.equal(["Name", "Choice", "List"]);
    expect(form.getTextField("Name").getText()).to.equal("Ann");
    expect(form.getRadioGroup("Choice").getSelected()).to.equal("A");
    expect(form.getOptionList("List").getOptions()).to.deep.equal(["one", "two"]);
    const keys = (...path: (string | number)[]) =>
      (at(document, "AcroForm", ...path) as unknown as { keys: () => { asString: () => string }[] })
        .keys()
        .map((name) => name.asString())
        .sort();
    expect(keys()).to.deep.equal(["/DA", "/DR", "/Fields"]);
    expect(keys("DR", "Font")).to.deep.equal(["/F1"]);
    expect(keys("Fields", 0)).to.deep.equal([
      "/AP",
      "/DA",
      "/DV",
      "/F",
      "/FT",
      "/MK",
      "/Rect",
      "/Subtype",
      "/T",
      "/TU",
      "/Type",
      "/V",
    ]);
    expect(form.getTextField("Name").acroField.getDefaultAppearance()).to.equal("/F1 9 Tf 1 0 0 rg");
    expect(removed).to.deep.equal({});
    expect(await picturesOf(pdf)).to.deep.equal(await picturesOf(source));
  });

  const quoting: Readonly<Record<string, string>> = {
    "its name": `/T (${secret})`,
    "its label": `/T (a) /TU (${secret})`,
    "its value": `/T (a) /V <FEFF${Buffer.from(secret, "utf16le").swap16().toString("hex")}>`,
    "its default": `/T (a) /DV (${secret})`,
    "its rich text": `/T (a) /RV (<p>${secret}</p>)`,
    "one of its options": `/T (a) /FT /Ch /Opt [(x) [(y) (${secret})]]`,
    "its caption": `/T (a) /MK << /CA (${secret}) >>`,
  };
  for (const [where, keys] of Object.entries(quoting)) {
    it(`go whole, with what they show, where one quotes in ${where}`, async () => {
      const source = formOf("10 0 R 11 0 R", "10 0 R 11 0 R", {
        10: `<< ${widget} /Rect [10 10 60 30] /FT /Tx ${keys} /AP << /N 20 0 R >> >>`,
        11: `<< ${widget} /Rect [70 10 99 30] /FT /Tx /T (other) >>`,
        20: appearance(secret),
      });
      const { document, pdf, removed } = await rebuildOf(source);
      expect(namesOf(document)).to.deep.equal(["other"]);
      expect(removed).to.deep.equal({ "form fields": 1 });
      expect(isQuoting(await everythingIn(pdf))).to.equal(false);
    });
  }

  it("go with all their widgets where one touches a redaction, also one that Document Engine took out", async () => {
    // Prepare
    const fields = (touching: string): Parts => ({
      10: "<< /T (group) /Kids [11 0 R 14 0 R] >>",
      11: `<< /FT /Tx /T (both) /Parent 10 0 R /V (under) /Kids [${touching} 13 0 R] >>`,
      12: `<< ${widget} /Parent 11 0 R /Rect [10 70 60 90] /AP << /N 20 0 R >> >>`,
      13: `<< ${widget} /Parent 11 0 R /Rect [10 10 60 30] /AP << /N 20 0 R >> >>`,
      14: `<< ${widget} /Parent 10 0 R /Rect [70 10 99 30] /FT /Tx /T (other) /V (kept) >>`,
      20: appearance("under"),
    });
    const source = formOf("10 0 R", "12 0 R 13 0 R 14 0 R", fields("12 0 R"));
    const produced = formOf("10 0 R", "13 0 R 14 0 R", fields(""));
    const redactions = [{ pageIndex: 0, boxes: [{ left: 20, top: 12, right: 30, bottom: 20 }] }];

    // Act
    const { document, pdf, removed } = await rebuildOf(source, { produced, redactions });

    // Assess
    expect(namesOf(document)).to.deep.equal(["group.other"]);
    expect(await everythingIn(pdf)).to.not.contain("under");
    expect(
      (at(document, "Pages", "Kids", 0, "Annots") as unknown as unknown[] & { size: () => number }).size(),
    ).to.equal(1);
    expect(removed).to.deep.equal({ "form fields": 1 });
  });

  it("are found under a redaction on a page that is turned and cropped", async () => {
    const turned = (rotate: number, box: object) =>
      rebuildOf(
        pdfOf({
          1: "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [10 0 R] >> >>",
          3: `<< ${page} /CropBox [10 20 200 100] /Rotate ${rotate} /Annots [10 0 R] >>`,
          10: `<< ${widget} /Rect [20 30 40 35] /FT /Tx /T (a) >>`,
        }),
        { redactions: [{ pageIndex: 0, boxes: [box as never] }] },
      ).then(({ removed }) => removed["form fields"] ?? 0);
    // The page is 190 by 80 points; the widget lies 10 to 30 from its left and 10 to 15 from its bottom.
    const rows: [rotate: number, left: number, top: number][] = [
      ...([
        [0, 20, 67],
        [90, 12, 20],
        [180, 170, 12],
        [270, 67, 170],
      ] as [number, number, number][]),
    ];
    const hit = await Promise.all(
      rows.map(([rotate, left, top]) => turned(rotate, { left, top, right: left + 1, bottom: top + 1 })),
    );
    const missed = await Promise.all(
      rows.map(([rotate, left, top]) => turned(rotate, { left: left + 35, top, right: left + 36, bottom: top + 1 })),
    );
    expect([hit, missed]).to.deep.equal([
      [1, 1, 1, 1],
      [0, 0, 0, 0],
    ]);
  });

  it("are no signatures any more", async () => {
    const source = formOf("10 0 R", "10 0 R", {
      10: `<< ${widget} /Rect [10 10 60 30] /FT /Sig /T (a) /V << /Type /Sig /Contents <00> /Reason (x) >> >>`,
    });
    const { document, removed } = await rebuildOf(source);
    expect([at(document, "AcroForm"), removed]).to.deep.equal([undefined, { signatures: 1 }]);
  });

  it("that no form lists keep their looks", async () => {
    const source = pdfOf({
      3: `<< ${page} /Annots [10 0 R] >>`,
      10: `<< ${widget} /Rect [10 10 60 30] /FT /Tx /T (a) /AP << /N 20 0 R >> >>`,
      20: appearance("shown"),
    });
    const { document, pdf } = await rebuildOf(source);
    expect(at(document, "AcroForm")).to.equal(undefined);
    expect(await picturesOf(pdf)).to.deep.equal(await picturesOf(source));
  });
});
