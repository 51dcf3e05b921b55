import { expect } from "chai";
import { PDFName } from "@cantoo/pdf-lib";
import { readPdf } from "../../processors/pre_uploader/pdf/reader.ts";
import { SourcePdf } from "../../processors/pre_uploader/pdf/source.ts";
import { makePdf, pdfium } from "./engine_bench.ts";

describe("a PDF of the source case", () => {
  it("tells of each page what is read of the whole file, whichever pages are asked for first", async () => {
    // Prepare
    const lines = ["one", "two", "three", "four"];
    const pdf = await makePdf(
      lines.map((line, page) => ({ lines: [line], rotation: 90 * page })),
      (made) => {
        const link = made.context.obj({ Type: "Annot", Subtype: "Link", Rect: [40, 100, 90, 112] });
        made.getPage(2).node.set(PDFName.of("Annots"), made.context.obj([made.context.register(link)]));
      },
    );
    const whole = readPdf(await pdfium(), pdf).map(({ text, characters, annotations }) => ({
      ...{ text, characters, annotations },
    }));

    for (const first of [[], [1], [2, 0, 2], [7]]) {
      // Act
      const source = new SourcePdf(await pdfium(), pdf);
      source.read(first);

      // Assess
      const told = source.pages.map(({ text, characters, annotations }) => ({ text, characters, annotations }));
      expect(told).to.deep.equal(whole);
    }
  });

  it("is refused at once when it cannot be opened", async () => {
    const bytes = Buffer.from("%PDF-1.7 and nothing");
    const library = await pdfium();
    expect(() => new SourcePdf(library, bytes))
      .to.throw()
      .that.includes({ kind: "permanent", code: "PDF_DAMAGED" });
  });
});
