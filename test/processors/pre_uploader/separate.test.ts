import { deflateSync } from "node:zlib";
import { expect } from "chai";
import { createCanvas } from "@napi-rs/canvas";
import { PDFArray, PDFDict, PDFDocument, PDFName, PDFRawStream } from "@cantoo/pdf-lib";
import type { PDFObject } from "@cantoo/pdf-lib";
import { separate } from "../../../processors/pre_uploader/prepare/separate.ts";
import { makePdf, pdfium, textsOf } from "../engine_bench.ts";
import { at, pdfOf, pixelsOf, stream } from "./files.fixture.ts";

const separated = async (pdf: Uint8Array, ...pages: number[]) => separate(await pdfium(), pdf, new Set(pages));

/** The streams that each page draws: its content, forms within forms, patterns, pictures and their masks. */
async function drawnBy(pdf: Uint8Array): Promise<PDFRawStream[][]> {
  const document = await PDFDocument.load(pdf, { updateMetadata: false });
  const keys = ["Resources", "XObject", "Pattern", "ExtGState", "SMask", "Mask", "G"];
  return document.getPages().map(({ node }) => {
    const found = new Set<PDFObject>();
    const visit = (value: PDFObject | undefined, isInside: boolean): void => {
      if (value === undefined || found.has(value)) return;
      if (value instanceof PDFRawStream || value instanceof PDFDict || value instanceof PDFArray) found.add(value);
      if (value instanceof PDFArray) value.asArray().forEach((_, index) => visit(value.lookup(index), true));
      const dictionary = value instanceof PDFRawStream ? value.dict : value;
      if (!(dictionary instanceof PDFDict)) return;
      for (const key of dictionary.keys()) {
        if (isInside || keys.includes(key.decodeText())) visit(dictionary.lookup(key), !isInside && value !== node);
      }
    };
    visit(node.lookup(PDFName.of("Contents")), false);
    visit(node.Resources(), false);
    return [...found].filter((one) => one instanceof PDFRawStream);
  });
}

/** How many streams of a page another page draws as well. */
async function sharedBy(pdf: Uint8Array): Promise<number[]> {
  const drawn = await drawnBy(pdf);
  return drawn.map(
    (own, index) => own.filter((one) => drawn.some((other, at) => at !== index && other.includes(one))).length,
  );
}

const allPixels = async (pdf: Uint8Array, pages: number) => {
  const library = await pdfium();
  return Array.from({ length: pages }, (_, index) => pixelsOf(library, pdf, index).toString("base64"));
};

/** Three pages that share all that pages can share; two inherit resources, whose form has resources that hold it. */
function sharing(): Uint8Array {
  const form = "/Type/XObject/Subtype/Form/BBox[0 0 400 300]";
  const picture = "/Type/XObject/Subtype/Image/Width 2/Height 1/BitsPerComponent 8";
  const leaf = (contents: string, more: string) =>
    `<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 300]/Contents ${contents}${more}>>`;
  return pdfOf([
    "<</Type/Catalog/Pages 2 0 R>>",
    "<</Type/Pages/Kids[3 0 R 4 0 R 5 0 R]/Count 3/Resources<</Font<</F1 14 0 R>>/XObject<</Form 10 0 R/Picture 11 0 R>>/Pattern<</P 12 0 R>>/ExtGState<</S<</SMask<</S/Luminosity/G 17 0 R>>>>>>>>>>",
    leaf("[7 0 R 8 0 R]", ""),
    leaf("15 0 R", ""),
    leaf("8 0 R", "/Resources<</Font<</F1 14 0 R>>/XObject 9 0 R/ExtGState<</S 13 0 R>>>>"),
    "<</Font<</F1 14 0 R>>/XObject 9 0 R/Pattern<</P 12 0 R>>/ExtGState<</S 13 0 R>>>>",
    stream("q BT /F1 12 Tf 40 240 Td (Shared line) Tj ET Q /Form Do /Pattern cs /P scn 200 200 50 50 re f"),
    stream("q 50 0 0 50 100 100 cm /Picture Do Q /S gs 0 1 0 rg 10 10 30 30 re f"),
    "<</Form 10 0 R/Picture 11 0 R>>",
    stream(
      "q BT /F1 12 Tf 40 200 Td (Line of a form) Tj ET 30 0 0 30 300 100 cm /Picture Do Q",
      `${form}/Resources 6 0 R`,
    ),
    stream("abcdef", `${picture}/ColorSpace/DeviceRGB/SMask 16 0 R`),
    stream(
      "1 0 0 rg 0 0 5 5 re f",
      "/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 9 9]/XStep 9/YStep 9/Resources<<>>",
    ),
    "<</Type/ExtGState/SMask<</S/Luminosity/G 17 0 R>>>>",
    "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    "[7 0 R 8 0 R]",
    stream("\xff\x80", `${picture}/ColorSpace/DeviceGray`),
    stream("1 g 0 0 400 300 re f", `${form}/Group<</S/Transparency/CS/DeviceGray>>`),
  ]);
}

describe("a PDF whose pages with redactions stand alone", () => {
  for (const [what, wanted] of [
    ["the first page", [0]],
    ["the last page", [2]],
    ["all pages", [0, 1, 2]],
  ] as const) {
    it(`shares no stream of ${what} with another, and looks as before`, async () => {
      // Prepare
      const pdf = sharing();
      expect(await sharedBy(pdf)).to.deep.equal([7, 7, 5]);

      // Act
      const result = await separated(pdf, ...wanted);

      // Assess
      const shared = await sharedBy(result);
      expect(wanted.map((index) => shared[index])).to.deep.equal(wanted.map(() => 0));
      expect(await allPixels(result, 3)).to.deep.equal(await allPixels(pdf, 3));
      expect(await textsOf(result)).to.deep.equal(await textsOf(pdf));
    });
  }

  it("keeps one copy of what a page uses several times, and the fonts of all", async () => {
    const result = await separated(sharing(), 0, 1, 2);
    expect((await drawnBy(result)).map((own) => own.length)).to.deep.equal([7, 7, 5]);
    const { context } = await PDFDocument.load(result);
    const fonts = context.enumerateIndirectObjects().filter(([, one]) => one.toString().includes("/Helvetica"));
    expect(fonts).to.have.length(1);
  });

  it("gives each place of a page that the page tree lists twice a page of its own", async () => {
    // Prepare
    const pdf = pdfOf([
      "<</Type/Catalog/Pages 2 0 R>>",
      "<</Type/Pages/Kids[3 0 R 3 0 R]/Count 2>>",
      "<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 300]/Contents 4 0 R/Resources<<>>>>",
      stream("0 0 1 rg 10 10 100 100 re f"),
    ]);

    // Act
    const result = await separated(pdf, 1);

    // Assess
    const document = await PDFDocument.load(result);
    expect(new Set(document.getPages().map(({ ref }) => ref)).size).to.equal(2);
    expect(await sharedBy(result)).to.deep.equal([0, 0]);
    expect(await allPixels(result, 2)).to.deep.equal(await allPixels(pdf, 2));
  });

  it("keeps form fields, links, bookmarks and attachments", async () => {
    // Prepare
    const pdf = await makePdf([{ lines: ["one"] }, { lines: ["two"] }], async (made) => {
      made.getForm().createTextField("name").addToPage(made.getPage(0), { x: 40, y: 40, width: 90, height: 20 });
      await made.attach(Buffer.from("attached"), "file.txt");
    });

    // Act
    const result = await separated(pdf, 0);

    // Assess
    const document = await PDFDocument.load(result);
    expect(
      document
        .getForm()
        .getFields()
        .map((field) => field.getName()),
    ).to.deep.equal(["name"]);
    expect(document.getAttachments().map(({ name }) => name)).to.deep.equal(["file.txt"]);
  });

  it("names the budget of forms within forms", async () => {
    const depth = 80;
    const forms = Array.from({ length: depth }, (_, index) =>
      stream("/F Do", `/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F ${index + 6} 0 R>>>>`),
    );
    const pdf = pdfOf([
      "<</Type/Catalog/Pages 2 0 R>>",
      "<</Type/Pages/Kids[3 0 R]/Count 1>>",
      "<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>",
      stream("/F Do"),
      ...forms,
      stream("0 0 9 9 re f", "/Type/XObject/Subtype/Form/BBox[0 0 9 9]"),
    ]);
    const refused = await separated(pdf, 0).catch((cause: unknown) => cause);
    expect(refused).to.include({ kind: "permanent", code: "PDF_TOO_COMPLEX" });
    expect(String(refused)).to.include("64 levels of forms");
  });

  it("names the budget of content that inflates to hundreds of megabytes", async function () {
    this.timeout(60_000);
    const bomb = deflateSync(Buffer.alloc(300 * 1024 ** 2, " "));
    const pdf = pdfOf([
      "<</Type/Catalog/Pages 2 0 R>>",
      "<</Type/Pages/Kids[3 0 R]/Count 1>>",
      "<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R>>",
      stream(bomb, "/Filter/FlateDecode"),
    ]);
    const refused = await separated(pdf, 0).catch((cause: unknown) => cause);
    expect(refused).to.include({ kind: "permanent", code: "PDF_TOO_COMPLEX" });
    expect(String(refused)).to.include("decoded bytes in a stream");
  });
});

describe("the inline images of a page with redactions", () => {
  const grey = Buffer.from([0, 40, 80, 120, 160, 200, 240, 255, 128]);
  const colours = Buffer.concat([grey, grey.reverse(), grey]);
  const canvas = createCanvas(8, 8);
  canvas.getContext("2d").fillRect(2, 2, 4, 4);
  const jpeg = canvas.toBuffer("image/jpeg");
  const spaces = "/ColorSpace<</Cal[/CalRGB<</WhitePoint[0.95 1 1.09]>>]/Few[/Indexed/DeviceRGB 1<ff000000ff00>]>>";

  /** One page that draws an inline image, and the same in a form. */
  const drawing = (entries: string, data: Uint8Array) => {
    const image = Buffer.concat([
      Buffer.from(`q 1 0 0 rg 90 0 0 90 20 20 cm BI ${entries} ID `),
      data,
      Buffer.from("\nEI Q\n0 0 1 rg 5 5 9 9 re f\n\n"),
    ]);
    return pdfOf([
      "<</Type/Catalog/Pages 2 0 R>>",
      "<</Type/Pages/Kids[3 0 R]/Count 1>>",
      `<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 150]/Contents[4 0 R 5 0 R]/Resources<</XObject<</Inline1 6 0 R>>${spaces}>>>>`,
      stream(image),
      stream("q 1 0 0 1 150 0 cm /Inline1 Do Q"),
      stream(
        deflateSync(image),
        `/Filter/FlateDecode/Type/XObject/Subtype/Form/BBox[0 0 150 150]/Resources<<${spaces}>>`,
      ),
    ]);
  };

  for (const [what, entries, data, expected] of [
    ["grey", "/W 3 /H 3 /BPC 8 /CS /G", grey, { ColorSpace: "/DeviceGray", Width: "3", BitsPerComponent: "8" }],
    [
      "of full names",
      "/Width 3 /Height 3 /BitsPerComponent 8 /ColorSpace /DeviceRGB",
      colours,
      { ColorSpace: "/DeviceRGB" },
    ],
    ["of both names", "/Width 9 /W 3 /H 3 /BPC 8 /CS /G", grey, { Width: "3" }],
    ["deflated", "/W 3 /H 3 /BPC 8 /CS /RGB /F /Fl", deflateSync(colours), { Filter: "/FlateDecode" }],
    [
      "predicted",
      "/W 3 /H 3 /BPC 8 /CS /G /F [/Fl] /DP [<</Predictor 15 /Columns 3>>]",
      deflateSync(Buffer.from([0, 9, 99, 199, 2, 1, 1, 1, 1, 5, 5, 5])),
      { Filter: "[ /FlateDecode ]", DecodeParms: "[ <<\n/Predictor 15\n/Columns 3\n>> ]" },
    ],
    [
      "filtered twice",
      "/W 3 /H 3 /BPC 8 /CS /G /F [/AHx /Fl]",
      Buffer.from(`${deflateSync(grey).toString("hex")}>`),
      { Filter: "[ /ASCIIHexDecode /FlateDecode ]" },
    ],
    [
      "of run lengths",
      "/W 3 /H 3 /BPC 8 /CS /G /F /RL",
      Buffer.from([8, ...grey, 128]),
      { Filter: "/RunLengthDecode" },
    ],
    ["a JPEG", "/W 8 /H 8 /BPC 8 /CS /RGB /F /DCT", jpeg, { Filter: "/DCTDecode" }],
    [
      "a mask",
      "/W 3 /H 3 /IM true /D [1 0]",
      Buffer.from([0x40, 0xa0, 0x40]),
      { ImageMask: "true", Decode: "[ 1 0 ]" },
    ],
    [
      "of few colours",
      "/W 8 /H 1 /BPC 1 /CS [/I /RGB 1 <00ff00ff00ff>]",
      Buffer.from([0x5a]),
      { ColorSpace: "[ /Indexed /DeviceRGB 1 <00ff00ff00ff> ]" },
    ],
    ["in a colour space of the resources", "/W 3 /H 3 /BPC 8 /CS /Cal", colours, {}],
    [
      "in few colours of the resources",
      "/W 8 /H 1 /BPC 1 /CS /Few /I true",
      Buffer.from([0x5a]),
      { ColorSpace: "[ /Indexed /DeviceRGB 1 <FF000000FF00> ]", Interpolate: "true" },
    ],
  ] as const) {
    it(`become objects that look the same: one ${what}`, async () => {
      // Prepare
      const pdf = drawing(entries, data);

      // Act
      const result = await separated(pdf, 0);

      // Assess
      const page = ["Pages", "Kids", 0, "Resources", "XObject"];
      for (const path of [
        [...page, "Inline2"],
        [...page, "Inline1", "Resources", "XObject", "Inline1"],
      ]) {
        const image = await at(result, ...path);
        if (!(image instanceof PDFRawStream)) throw new Error(`there is no object at ${path.join("/")}`);
        expect(Buffer.from(image.contents).toString("hex")).to.equal(Buffer.from(data).toString("hex"));
        const found = Object.keys(expected).map((key) => [key, image.dict.lookup(PDFName.of(key))?.toString()]);
        expect(Object.fromEntries(found)).to.deep.equal(expected);
      }
      expect(await allPixels(result, 1)).to.deep.equal(await allPixels(pdf, 1));
      const blank = await allPixels(drawing("/W 1 /H 1 /IM true", Buffer.from([0x80])), 1);
      expect(await allPixels(result, 1)).not.to.deep.equal(blank);
    });
  }

  it("stay in a content that cannot be read, and on pages without redactions", async () => {
    const broken = drawing("/W 3 /H 3 /BPC 8 /CS /G", Buffer.concat([grey, Buffer.from("\nEI Q ) BI")]));
    expect(await at(await separated(broken, 0), "Pages", "Kids", 0, "Resources", "XObject", "Inline2")).to.equal(
      undefined,
    );
    const whole = drawing("/W 3 /H 3 /BPC 8 /CS /G", grey);
    expect(await at(await separated(whole), "Pages", "Kids", 0, "Resources", "XObject", "Inline2")).to.equal(undefined);
  });
});
