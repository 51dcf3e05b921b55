/** Optional content that a reader does not show when it opens a file. */
import { expect } from "chai";
import {
  everythingIn,
  hello,
  isQuoting,
  operatorsOf,
  page,
  pdfOf,
  picturesOf,
  rebuildOf,
  secret,
} from "./rebuild.fixture.ts";
import type { Parts } from "./rebuild.fixture.ts";

const hidden = `BT /F1 9 Tf 9 9 Td (${secret}) Tj ET`;
const off = "<< /Type /OCG /Name (Off) >>";
const on = "<< /Type /OCG /Name (On) >>";
const properties = (configuration: string) => `/OCProperties << /OCGs [6 0 R 7 0 R] /D << ${configuration} >> >>`;
const withLayers = (configuration = "/OFF [6 0 R]"): Parts => ({
  1: `<< /Type /Catalog /Pages 2 0 R ${properties(configuration)} >>`,
  6: off,
  7: on,
});
const pageOf = (data: string, named: string, more = ""): Parts => ({
  3: `<< ${page} /Resources << /Font << /F1 5 0 R >> /Properties << ${named} >> ${more} >> >>`,
  4: { data },
});

const hiddenParts: Readonly<Record<string, Parts>> = {
  "text of a group that is off": { ...withLayers(), ...pageOf(`/OC /A BDC ${hidden} EMC ${hello}`, "/A 6 0 R") },
  "text within other marked content of a group that is off": {
    ...withLayers(),
    ...pageOf(`/OC /A BDC /OC /B BDC /Span BMC ${hidden} EMC EMC EMC ${hello}`, "/A 6 0 R /B 7 0 R"),
  },
  "text of a group that is off because all are that are not named": {
    ...withLayers("/BaseState /OFF /ON [7 0 R]"),
    ...pageOf(`/OC /A BDC ${hidden} EMC /OC /B BDC ${hello} EMC`, "/A 6 0 R /B 7 0 R"),
  },
  "text of a group that is off for viewing": {
    ...withLayers(""),
    6: "<< /Type /OCG /Name (Off) /Usage << /View << /ViewState /OFF >> >> >>",
    ...pageOf(`/OC /A BDC ${hidden} EMC ${hello}`, "/A 6 0 R"),
  },
  "text that needs all of its groups": {
    ...withLayers(),
    ...pageOf(
      `/OC /A BDC ${hidden} EMC /OC /B BDC ${hello} EMC`,
      "/A << /Type /OCMD /P /AllOn /OCGs [6 0 R 7 0 R] >> /B << /Type /OCMD /OCGs [6 0 R 7 0 R] >>",
    ),
  },
  "text that an expression hides": {
    ...withLayers(),
    ...pageOf(
      `/OC /A BDC ${hidden} EMC /OC /B BDC ${hello} EMC`,
      "/A << /Type /OCMD /VE [/And [/Not 7 0 R] 7 0 R] >> /B << /Type /OCMD /VE [/Or 6 0 R [/Not 6 0 R]] >>",
    ),
  },
  "a form of a group that is off": {
    ...withLayers(),
    ...pageOf(`/X1 Do ${hello}`, "", "/XObject << /X1 8 0 R >>"),
    8: { keys: "/Type /XObject /Subtype /Form /BBox [0 0 99 99] /OC 6 0 R", data: hidden },
  },
};

describe("optional content", () => {
  for (const [what, parts] of Object.entries(hiddenParts)) {
    it(`is gone where it was hidden, and all else looks the same: ${what}`, async () => {
      const source = pdfOf(parts);
      const { pdf, removed } = await rebuildOf(source);
      expect(isQuoting(await everythingIn(pdf))).to.equal(false);
      expect(Buffer.from(pdf).toString("latin1")).to.not.contain("OCG");
      expect(removed).to.deep.equal({ "hidden layers": 1 });
      expect(await picturesOf(pdf)).to.deep.equal(await picturesOf(source));
    });
  }

  it("is as hidden as in the source where Document Engine dropped the list of groups", async () => {
    // Prepare
    const content = pageOf(`/OC /A BDC ${hidden} EMC /OC /B BDC ${hello} EMC`, "/A 8 0 R /B 9 0 R");
    const source = pdfOf({ ...withLayers(), ...pageOf(`/OC /A BDC ${hidden} EMC ${hello}`, "/A 6 0 R") });
    const produced = pdfOf({ ...content, 8: off, 9: on });

    // Act
    const { document } = await rebuildOf(source, { produced });

    // Assess
    expect(operatorsOf(document)).to.equal("BT\n9 9 Td\nET\nBT\n/F1 20 Tf\n20 40 Td\n(Hello) Tj\nET\n");
  });

  it("is gone where an annotation shows it", async () => {
    const source = pdfOf({
      ...withLayers(),
      3: `<< ${page} /Annots [<< /Type /Annot /Subtype /Square /Rect [0 0 99 99] /OC 6 0 R /AP << /N 8 0 R >> >>] >>`,
      8: { keys: "/Type /XObject /Subtype /Form /BBox [0 0 99 99]", data: hidden },
    });
    const { document, pdf } = await rebuildOf(source);
    expect(isQuoting(await everythingIn(pdf))).to.equal(false);
    expect(document.getPage(0).node.Annots()).to.equal(undefined);
  });

  it("is hidden where one of several groups of a name is", async () => {
    const source = pdfOf({ ...withLayers(), 7: off, ...pageOf(hello, "") });
    const produced = pdfOf({ ...pageOf(`/OC /A BDC ${hidden} EMC ${hello}`, "/A 7 0 R"), 7: off });
    const { pdf } = await rebuildOf(source, { produced });
    expect(isQuoting(await everythingIn(pdf))).to.equal(false);
  });

  it("leaves what it sets: paths still clip, text still begins in the next line", async () => {
    const drawn = "0 0 9 9 re W f 1 0 0 rg BT 12 TL 9 50 Td (a) ' 1 2 (b) \" ET 0 0 5 5 re s /X1 Do /S1 sh";
    const source = pdfOf({ ...withLayers(), ...pageOf(`/OC /A BDC ${drawn} EMC`, "/A 6 0 R") });
    const { document } = await rebuildOf(source);
    expect(operatorsOf(document).split("\n")).to.deep.equal([
      ...["0 0 9 9 re", "W", "n", "1 0 0 rg", "BT", "12 TL", "9 50 Td", "T*", "1 Tw", "2 Tc", "T*", "ET"],
      ...["0 0 5 5 re", "h n", ""],
    ]);
  });

  it("is refused by name where it moves text that shows", async () => {
    const line = `BT /F1 9 Tf 9 9 Td /OC /A BDC (${secret}) Tj EMC (behind) Tj ET`;
    const source = pdfOf({ ...withLayers(), ...pageOf(line, "/A 6 0 R") });
    const error = (await rebuildOf(source).catch((thrown: unknown) => thrown)) as { code: string; message: string };
    expect(error.code).to.equal("PDF_HIDDEN_TEXT_FLOW");
    expect(error.message).to.contain("page 1").and.not.contain(secret);
  });
});
