/** Bookmarks, page labels and links of a rebuilt document. */
import { expect } from "chai";
import { PDFArray, PDFDict, PDFHexString, PDFName } from "@cantoo/pdf-lib";
import type { PDFDocument, PDFObject } from "@cantoo/pdf-lib";
import { at, everythingIn, isQuoting, page, pdfOf, rebuildOf, secret } from "./rebuild.fixture.ts";
import type { Parts } from "./rebuild.fixture.ts";

const twoPages: Parts = {
  2: "<< /Type /Pages /Kids [3 0 R 9 0 R] /Count 2 >>",
  9: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] >>",
};

/** A bookmark, with the page that it leads to and what is below it. */
interface Shown {
  title: string;
  to: string;
  isOpen: boolean;
  below: Shown[];
}

function bookmarksOf(document: PDFDocument, parent = at(document, "Outlines") as PDFDict | undefined): Shown[] {
  const shown: Shown[] = [];
  const lookup = (dict: PDFDict | undefined, name: string) => dict?.lookup(PDFName.of(name));
  let previous: PDFObject | undefined;
  for (let one = lookup(parent, "First"); one instanceof PDFDict; one = lookup(one, "Next")) {
    expect([lookup(one, "Parent") === parent, lookup(one, "Prev") === previous]).to.deep.equal([true, true]);
    previous = one;
    shown.push({
      title: (lookup(one, "Title") as PDFHexString).decodeText(),
      to: targetOf(document, one),
      isOpen: Number(lookup(one, "Count")?.toString() ?? 0) > 0,
      below: bookmarksOf(document, one),
    });
  }
  expect(lookup(parent, "Last") === previous).to.equal(true);
  return shown;
}

function targetOf(document: PDFDocument, of: PDFDict): string {
  const destination = of.lookup(PDFName.of("Dest"));
  if (destination instanceof PDFArray) {
    const number = document.getPages().findIndex(({ ref }) => ref === destination.get(0));
    return [`page ${number + 1}`, ...destination.asArray().slice(1).map(String)].join(" ");
  }
  const action = of.lookup(PDFName.of("A"));
  return action instanceof PDFDict ? action.lookup(PDFName.of("URI"), PDFHexString).decodeText() : "";
}

describe("the bookmarks of a rebuilt document", () => {
  it("lead where they led, without those that quote, below which others move up", async () => {
    // Prepare
    const names = "/Dests << /Old [9 0 R /XYZ 1 null 2] >> /Names << /Dests << /Kids [8 0 R] >> >>";
    const source = pdfOf({
      ...twoPages,
      1: `<< /Type /Catalog /Pages 2 0 R /Outlines 10 0 R ${names} >>`,
      8: "<< /Names [(New) << /D [3 0 R /FitH 7 (x)] >>] >>",
      10: "<< /Type /Outlines /First 11 0 R /Last 14 0 R /Count 4 >>",
      11: "<< /Title (One \\(1\\)) /Parent 10 0 R /Next 12 0 R /First 15 0 R /Count 1 /Dest /Old /SE 4 0 R >>",
      12: `<< /Title <FEFF00470065006800650069006d006e0069007300> /Parent 10 0 R /Next 13 0 R /First 16 0 R /Count -1 >>`,
      13: `<< /Title (Three) /Parent 10 0 R /Next 14 0 R /A << /S /GoTo /D (New) >> >>`,
      14: `<< /Title (Four) /Parent 10 0 R /Next 11 0 R /A << /S /URI /URI (https://example.org/?q=${secret.replace("G", "%47")}) >> >>`,
      15: "<< /Title <FEFF00DC0062> /Parent 11 0 R /A << /S /URI /URI (https://example.org/\\374) >> >>",
      16: "<< /Title (Below) /Parent 12 0 R /A << /S /JavaScript /JS (x) >> >>",
    });

    // Act
    const { document, pdf, removed } = await rebuildOf(source);

    // Assess
    expect(bookmarksOf(document)).to.deep.equal([
      {
        ...{ title: "One (1)", to: "page 2 /XYZ 1 null 2", isOpen: true },
        below: [{ title: "Üb", to: "https://example.org/%C3%BC", isOpen: false, below: [] }],
      },
      { title: "Below", to: "", isOpen: false, below: [] },
      { title: "Three", to: "page 1 /FitH 7", isOpen: false, below: [] },
      { title: "Four", to: "", isOpen: false, below: [] },
    ]);
    expect(removed).to.deep.equal({ bookmarks: 1 });
    expect(isQuoting(await everythingIn(pdf))).to.equal(false);
  });

  it("are those of the source where Document Engine lost them", async () => {
    const source = pdfOf({
      1: "<< /Type /Catalog /Pages 2 0 R /Outlines << /First 10 0 R /Last 10 0 R >> >>",
      10: "<< /Title (One) /Dest [3 0 R /Fit] >>",
    });
    const produced = pdfOf({ 2: "<< /Type /Pages /Kids [7 0 R] /Count 1 >>", 3: "null", 7: `<< ${page} >>` });
    const { document } = await rebuildOf(source, { produced });
    expect(bookmarksOf(document)).to.deep.equal([{ title: "One", to: "page 1 /Fit", isOpen: false, below: [] }]);
  });
});

describe("the page labels of a rebuilt document", () => {
  it("are in one list, without prefixes that quote and without pages that are not there", async () => {
    const source = pdfOf({
      ...twoPages,
      1: "<< /Type /Catalog /Pages 2 0 R /PageLabels << /Kids [10 0 R 11 0 R] >> >>",
      10: `<< /Limits [1 7] /Nums [1 << /S /r /P (${secret}) /St 3 >> 7 << /S /D >>] >>`,
      11: "<< /Nums [0 << /Type /PageLabel /S /D /P (A-) /X (y) >>] >>",
    });
    const { document } = await rebuildOf(source);
    const labels = at(document, "PageLabels", "Nums") as PDFArray;
    expect(labels.toString().replaceAll(/\s+/g, " ")).to.equal(
      "[ 0 << /Type /PageLabel /S /D /P <FEFF0041002D> >> 1 << /S /r /St 3 >> ]",
    );
  });
});

describe("the links of a rebuilt document", () => {
  it("stay where they are, and lead to pages and addresses that quote nothing", async () => {
    // Prepare
    const link = (keys: string) => `<< /Type /Annot /Subtype /Link /Rect [1 2 3 4] /Border [0 0 0] ${keys} >>`;
    const links = [
      link("/Dest [9 0 R /Fit] /Contents (c) /StructParent 4 /PA << /S /URI >>"),
      link("/A << /S /GoTo /D (Name) /Next << /S /JavaScript /JS (x) >> >>"),
      link("/A << /S /URI /URI (mailto:a@example.org) /IsMap true >>"),
      link(`/A << /S /URI /URI (https://example.org/%2547ehe+${secret.slice(1)}) >>`),
      link(`/A << /S /URI /URI (https://example.org/%2547eheimnis) >>`),
      link("/A << /S /Launch /F (a.exe) >>"),
      link(""),
    ];
    const source = pdfOf({
      ...twoPages,
      1: "<< /Type /Catalog /Pages 2 0 R /Names << /Dests << /Names [(Name) [9 0 R]] >> >> >>",
      3: `<< ${page} /Annots [${links.join(" ")}] >>`,
    });

    // Act
    const { document, pdf, removed } = await rebuildOf(source);

    // Assess
    const annotations = (at(document, "Pages", "Kids", 0, "Annots") as PDFArray).asArray();
    const shown = annotations.map((one) => document.context.lookup(one, PDFDict));
    expect(shown.map((one) => targetOf(document, one))).to.deep.equal([
      ...["page 2 /Fit", "page 2 /Fit", "mailto:a@example.org"],
      ...[`https://example.org/%2547ehe+${secret.slice(1)}`, "", "", ""],
    ]);
    const keys = new Set(shown.flatMap((one) => one.keys().map(String)));
    expect([...keys]).to.deep.equal(["/Type", "/Rect", "/Border", "/Subtype", "/Dest", "/A"]);
    expect(removed).to.deep.equal({ "link targets": 2 });
    expect(isQuoting(await everythingIn(pdf))).to.equal(false);
  });

  it("and drawings are gone where they lie on a redaction, and stay where they only touch one", async () => {
    const on = (subtype: string, rect: string) => `<< /Type /Annot /Subtype /${subtype} /Rect [${rect}] >>`;
    const annotations = [
      on("Link", "10 10 30 30"),
      on("Ink", "10 10 30 30"),
      on("Link", "40 10 50 30"),
      on("Square", "0 60 9 90"),
    ];
    const source = pdfOf({ 3: `<< ${page} /Annots [${annotations.join(" ")}] >>` });
    const redactions = [{ pageIndex: 0, boxes: [{ left: 20, top: 70, right: 40.2, bottom: 95 }] }];
    const { document, removed } = await rebuildOf(source, { redactions });
    const kinds = [0, 1, 2].map((index) => at(document, "Pages", "Kids", 0, "Annots", index, "Subtype")?.toString());
    expect(kinds).to.deep.equal(["/Link", "/Square", undefined]);
    expect(removed).to.deep.equal({ links: 1, annotations: 1 });
  });
});
