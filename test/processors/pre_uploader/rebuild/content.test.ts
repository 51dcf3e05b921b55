/** Content streams that are written anew. */
import { deflateSync } from "node:zlib";
import { expect } from "chai";
import { at, contentOf, hello, operatorsOf, page, pdfOf, picturesOf, rebuildOf } from "./rebuild.fixture.ts";
import type { Parts } from "./rebuild.fixture.ts";
import { PDFRawStream } from "@cantoo/pdf-lib";

const contentWith = (data: string | Buffer, more = ""): Parts => ({
  3: `<< ${page} /Resources << /Font << /F1 5 0 R >> ${more} >> >>`,
  4: { data },
});

describe("a content stream that is written anew", () => {
  const rows: [title: string, content: string, expected: string][] = [
    [
      "numbers as they are, unless they break the rules",
      "1. -.5 +3 4 re --7 w 1.2.3 i",
      "1. -.5 +3 4 re\n-7 w\n1.2 i\n",
    ],
    ["numbers that are too long to be numbers", `0.${"3".repeat(60)} w`, `0.${"3".repeat(18)} w\n`],
    ["strings with all their escapes", "BT (a\\)(b)\\\\) Tj <61 6> Tj ET", "BT\n(a\\)(b)\\\\) Tj\n<616> Tj\nET\n"],
    ["digits without what is between them", "BT <6x1> Tj ET", "BT\n<61> Tj\nET\n"],
    ["arrays", "[3 %c\n 1]0 d BT [(a)-2(b)] TJ ET", "[3 1] 0 d\nBT\n[(a) -2 (b)] TJ\nET\n"],
    ["the last of too many operands", "7 8 9 w /Name 1 J", "9 w\n1 J\n"],
    ["zeros for missing numbers", "2 3 l", "2 3 l\n"],
    ["nothing of wrong operands", "/A w (a) 2 m [(a)] 0 d /Wrong ri 1 TJ BT 1 Tj ET", "BT\nET\n"],
    ["nothing of resources that are missing", "/No gs /No Do /No cs /No scn /No sh", ""],
    ["delimiters that close nothing", "] > ) 1 w }", "1 w\n"],
  ];
  for (const [title, content, expected] of rows) {
    it(`has ${title}`, async () => {
      const { document } = await rebuildOf(pdfOf(contentWith(content)));
      expect(operatorsOf(document).replaceAll(/\/F\d+ [\d.]+ Tf\n/g, "")).to.equal(expected);
    });
  }

  it("is one, of parts of any kind and divided anywhere", async () => {
    const source = pdfOf({
      3: `<< ${page.replace("4 0 R", "[4 0 R 6 0 R]")} >>`,
      4: { data: "1 0 0" },
      6: { data: "rg" },
    });
    const { document } = await rebuildOf(source);
    expect(operatorsOf(document)).to.equal("1 0 0 rg\n");
  });

  it("names a font that is missing as readers take it", async () => {
    const source = pdfOf(contentWith("BT /F9 20 Tf 9 9 Td (a) Tj ET"));
    const { document, pdf } = await rebuildOf(source);
    expect(operatorsOf(document)).to.equal("BT\n/F1 20 Tf\n9 9 Td\n(a) Tj\nET\n");
    expect(at(document, "Pages", "Kids", 0, "Resources", "Font", "F1", "BaseFont")?.toString()).to.equal("/Helvetica");
    expect(await picturesOf(pdf)).to.deep.equal(await picturesOf(source));
  });

  it("keeps the size of a font that shows nothing, which moves what follows", async () => {
    const source = pdfOf(contentWith("BT /F1 20 Tf 9 9 Td [-5000] TJ /F1 10 Tf (a) Tj ET"));
    const { document, pdf } = await rebuildOf(source);
    expect(operatorsOf(document)).to.equal("BT\n/F2 20 Tf\n9 9 Td\n[-5000] TJ\n/F1 10 Tf\n(a) Tj\nET\n");
    expect(await picturesOf(pdf)).to.deep.equal(await picturesOf(source));
  });

  const pixels = Buffer.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9]);
  const images: [title: string, keys: string, data: Buffer][] = [
    ["without a filter", "/W 2 /H 2 /BPC 8 /CS /RGB", Buffer.concat([pixels, Buffer.from(" EI ")])],
    ["whose pixels look like its end", "/W 2 /H 2 /BPC 8 /CS /RGB", Buffer.from(" EI  EI  EI ")],
    [
      "packed by deflate, with bytes behind",
      "/W 2 /H 2 /BPC 8 /CS /RGB /F /Fl",
      Buffer.concat([deflateSync(pixels), Buffer.from("behind")]),
    ],
    [
      "in digits",
      "/Width 2 /Height 2 /BPC 8 /ColorSpace /DeviceRGB /F [/AHx]",
      Buffer.from(`${pixels.toString("hex")}>`),
    ],
    ["in digits of 85", "/W 2 /H 2 /BPC 8 /CS /RGB /F /A85", Buffer.from("s*t(L!<<*\"!!*-'s*t~>")],
    ["of a space among the resources", "/W 2 /H 6 /BPC 8 /CS /C1", pixels],
    ["of indices", "/W 8 /H 1 /BPC 1 /CS [/I /RGB 1 <ff000000ff00>]", Buffer.from([0xa5])],
    ["that is a mask", "/W 8 /H 2 /IM true /D [1 0]", Buffer.from([0xa5, 0x5a])],
  ];
  for (const [title, keys, data] of images) {
    it(`has its images as objects: one ${title}`, async () => {
      // Prepare
      const drawn = [`q 60 0 0 60 9 9 cm BI ${keys} ID `, "\nEI Q "].map((part) => Buffer.from(part));
      const [before = Buffer.alloc(0), after = Buffer.alloc(0)] = drawn;
      const content = Buffer.concat([before, data, after, Buffer.from(hello)]);
      const source = pdfOf(contentWith(content, "/ColorSpace << /C1 /DeviceGray >>"));

      // Act
      const { document, pdf } = await rebuildOf(source);

      // Assess
      expect(operatorsOf(document)).to.match(/^q\n60 0 0 60 9 9 cm\n\/X1 Do\nQ\nBT\n/);
      const image = at(document, "Pages", "Kids", 0, "Resources", "XObject", "X1") as PDFRawStream;
      expect(contentOf(image).toString("latin1")).to.not.contain("behind");
      expect(await picturesOf(pdf)).to.deep.equal(await picturesOf(source));
    });
  }

  const broken: [title: string, content: string][] = [
    ["a string that does not end", `(${"a".repeat(99)}`],
    ["an array that does not end", "[1 2"],
    ["an image that does not end", "BI /W 9 /H 9 /BPC 8 /CS /G ID abc"],
    ["an image that does not begin", "BI /W 9"],
  ];
  for (const [title, content] of broken) {
    it(`is refused by name for ${title}`, async () => {
      const error = (await rebuildOf(pdfOf(contentWith(content))).catch((thrown: unknown) => thrown)) as {
        code: string;
        message: string;
      };
      expect(error.code).to.equal("PDF_UNREADABLE_PART");
      expect(error.message)
        .to.match(/^page 1, /)
        .and.not.contain("aaa");
    });
  }
});
