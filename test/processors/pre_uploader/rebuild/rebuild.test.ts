/** What a rebuilt document keeps, and what it cannot keep. */
import { deflateSync } from "node:zlib";
import { expect } from "chai";
import { checkStructure } from "../../../../processors/pre_uploader/proof/structure.ts";
import { rebuild } from "../../../../processors/pre_uploader/rebuild/rebuild.ts";
import {
  everythingIn,
  hello,
  isQuoting,
  page,
  pdfOf,
  picturesOf,
  rebuildOf,
  resources,
  secret,
} from "./rebuild.fixture.ts";
import type { Parts } from "./rebuild.fixture.ts";

interface Hiding {
  parts: Parts;
  trailer?: string;
  removed?: Record<string, number>;
}

const catalog = (keys: string): Parts => ({ 1: `<< /Type /Catalog /Pages 2 0 R ${keys} >>` });
const pageWith = (keys: string): Parts => ({ 3: `<< ${page} ${resources} ${keys} >>` });
const content = (data: string, more = ""): Parts => ({
  3: `<< ${page} /Resources << /Font << /F1 5 0 R >> ${more} >> >>`,
  4: { data },
});

const hidingPlaces: Readonly<Record<string, Hiding>> = {
  "a document property": {
    parts: { 6: `<< /Title (a (${secret}) \\(b) /Keywords /${secret} /Custom [(${secret})] >>` },
    trailer: "/Info 6 0 R",
    removed: { "document properties": 3 },
  },
  "a metadata stream": {
    parts: { ...catalog("/Metadata 6 0 R"), 6: { keys: "/Type /Metadata /Subtype /XML", data: `<x a="${secret}"/>` } },
    removed: { "metadata streams": 1 },
  },
  "a script that runs at once": {
    parts: catalog(`/OpenAction << /S /JavaScript /JS (${secret}) >>`),
    removed: { scripts: 1 },
  },
  "a named script": {
    parts: catalog(`/Names << /JavaScript << /Names [(a) << /S /JavaScript /JS (${secret}) >>] >> >>`),
    removed: { scripts: 1 },
  },
  "an XFA form": { parts: catalog(`/AcroForm << /Fields [] /XFA (${secret}) >>`), removed: { "XFA forms": 1 } },
  "an attached file": {
    parts: {
      ...catalog("/Names << /EmbeddedFiles << /Kids [6 0 R] >> >>"),
      6: `<< /Names [(a) << /F (${secret}) /EF << /F 7 0 R >> >>] >>`,
      7: { data: secret },
    },
    removed: { attachments: 1 },
  },
  "an associated file": {
    parts: { ...catalog("/AF [<< /EF << /F 6 0 R >> >>]"), 6: { data: secret } },
    removed: { "associated files": 1 },
  },
  "a file that is attached to a page": {
    parts: {
      ...pageWith(
        `/Annots [<< /Type /Annot /Subtype /FileAttachment /Rect [0 0 1 1] /Contents (${secret}) /FS << >> >>]`,
      ),
    },
    removed: { attachments: 1 },
  },
  "the name of a destination": { parts: catalog(`/Dests << /${secret} [3 0 R /Fit] >>`) },
  "the structure tree": {
    parts: catalog(`/StructTreeRoot << /K << /S /P /Alt (${secret}) >> >> /MarkInfo << /Marked true >>`),
    removed: { "structure trees": 1 },
  },
  "private data of a page": { parts: pageWith(`/PieceInfo << /X << /Private (${secret}) >> >> /Own (${secret})`) },
  "a thumbnail": {
    parts: {
      ...pageWith("/Thumb 6 0 R"),
      6: { keys: "/Width 9 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray", data: secret },
    },
  },
  "the name of a resource": {
    parts: {
      3: `<< ${page} /Resources << /Font << /${secret} 5 0 R >> >> >>`,
      4: { data: hello.replace("F1", secret) },
    },
  },
  "the text that stands for marked content": {
    parts: content(`/Span << /ActualText (${secret}) >> BDC ${hello} EMC /P << /E (${secret}) >> DP`),
  },
  "properties of marked content": {
    parts: content(`/Span /M BDC ${hello} EMC`, `/Properties << /M << /Alt (${secret}) >> >>`),
  },
  "the tag of marked content": { parts: content(`/${secret} BMC ${hello} EMC /${secret} MP`) },
  "a comment in a content stream": { parts: content(`${hello} % ${secret}`) },
  "an operator that nobody knows": { parts: content(`BX (${secret}) xyz EX ${hello} (${secret})`) },
  "an operand too many": { parts: content(`(${secret}) 1 w ${hello}`) },
  "a form that is not drawn": {
    parts: {
      ...content(hello, "/XObject << /X1 6 0 R >>"),
      6: { keys: "/Type /XObject /Subtype /Form /BBox [0 0 9 9]", data: `(${secret}) Tj` },
    },
  },
  "a pattern that nothing is painted with": {
    parts: {
      ...content(`q /Pattern cs /P1 scn Q ${hello}`, "/Pattern << /P1 6 0 R >>"),
      6: {
        keys: "/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 9 /YStep 9 /Resources << >>",
        data: `BT (${secret}) Tj ET`,
      },
    },
  },
  "a font that shows nothing": {
    parts: {
      ...content(`BT /F2 9 Tf [-9] TJ ET ${hello}`),
      3: `<< ${page} /Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> >>`,
      6: `<< /Type /Font /Subtype /TrueType /BaseFont /${secret} >>`,
    },
  },
  "keys of a font": {
    parts: { 5: `<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Name /${secret} /X (${secret}) >>` },
  },
  "the name of a glyph": {
    parts: {
      5: `<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /Differences [1 /${secret} 72 /H] >> >>`,
    },
  },
  "the name of a glyph that the file draws itself": {
    parts: {
      4: { data: "BT /F1 20 Tf 20 40 Td (a) Tj ET" },
      5: `<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [1 0 0 1 0 0] /FirstChar 97 /LastChar 97 /Widths [1]
        /Encoding << /Differences [97 /${secret}] >> /CharProcs << /${secret} 6 0 R >> /Resources << >> >>`,
      6: { data: `1 0 d0 0 0 1 1 re f % ${secret}` },
    },
  },
  "a mapping of one code to a whole word": {
    parts: {
      5: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>",
      6: {
        data: `% ${secret}
          /CMapName /${secret} def 1 beginbfchar <01> <${Buffer.from(secret, "utf16le").swap16().toString("hex")}> endbfchar`,
      },
    },
  },
  "the name of a spot colour": {
    parts: content(
      `/C1 cs 1 scn 0 0 9 9 re f ${hello}`,
      `/ColorSpace << /C1 [/Separation /${secret} /DeviceGray << /FunctionType 2 /Domain [0 1] /N 1 >>] >>`,
    ),
  },
  "a comment in a function": {
    parts: {
      ...content(`/C1 cs 1 scn 0 0 9 9 re f ${hello}`, "/ColorSpace << /C1 [/Separation /Spot /DeviceGray 6 0 R] >>"),
      6: { keys: "/FunctionType 4 /Domain [0 1] /Range [0 1]", data: `{ 1 exch sub % ${secret}\n }` },
    },
  },
  "bytes behind the pixels of an image": {
    parts: {
      ...content(`q 9 0 0 9 0 0 cm /I1 Do Q ${hello}`, "/XObject << /I1 6 0 R >>"),
      6: {
        keys: "/Type /XObject /Subtype /Image /Width 2 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray /Filter /FlateDecode",
        data: Buffer.concat([deflateSync(`ab${secret}`), Buffer.from(secret)]),
      },
    },
  },
  "keys of an image": {
    parts: {
      ...content(`q 9 0 0 9 0 0 cm /I1 Do Q ${hello}`, "/XObject << /I1 6 0 R >>"),
      6: {
        keys: `/Type /XObject /Subtype /Image /Width 2 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray
          /Name /${secret} /Metadata 7 0 R /PieceInfo << /X (${secret}) >> /Alternates [<< /Image 7 0 R >>]`,
        data: "ab",
      },
      7: { data: secret },
    },
  },
  "bytes behind a packed stream": {
    parts: { 4: { keys: "/Filter /FlateDecode", data: Buffer.concat([deflateSync(hello), Buffer.from(secret)]) } },
  },
  "an object that nothing leads to": { parts: { 6: `(${secret})`, 7: { data: secret } } },
  "a drawing's comment and author": {
    parts: pageWith(
      `/Annots [<< /Type /Annot /Subtype /Ink /Rect [10 10 60 60] /InkList [[10 10 60 60]] /Contents (${secret}) /T (${secret})
        /C [1 0 0] /NM (${secret}) /RC (${secret}) >>]`,
    ),
  },
};

describe("a rebuilt document", () => {
  for (const [where, { parts, trailer, removed }] of Object.entries(hidingPlaces)) {
    it(`looks the same and keeps nothing of ${where}`, async () => {
      // Prepare
      const source = pdfOf(parts, trailer);
      expect(isQuoting(await everythingIn(source))).to.equal(true);

      // Act
      const result = await rebuildOf(source);

      // Assess
      expect(isQuoting(await everythingIn(result.pdf))).to.equal(false);
      expect(result.removed).to.deep.equal(removed ?? {});
      expect(await picturesOf(result.pdf)).to.deep.equal(await picturesOf(source));
    });
  }

  it("has the size, the crop, the turn and the unit of each page, also where a page inherits them", async () => {
    // Prepare
    const source = pdfOf({
      2: "<< /Type /Pages /Kids [6 0 R] /Count 1 /MediaBox [0 0 300 200] /Rotate -90 >>",
      3: "<< /Type /Page /Parent 6 0 R /Contents 4 0 R /UserUnit 2 /TrimBox [5 5 90 90] /BleedBox [0 0 1 (a)] >>",
      6: `<< /Type /Pages /Parent 2 0 R /Kids [3 0 R] /Count 1 /CropBox [10 10 150 100] ${resources} >>`,
    });

    // Act
    const { document, pdf } = await rebuildOf(source);

    // Assess
    const { node } = document.getPage(0);
    const keys = node.entries().map(([name, value]) => `${name.asString()} ${value.toString()}`);
    expect(keys.filter((one) => /Box|Rotate|Unit/.test(one))).to.deep.equal([
      "/MediaBox [ 0 0 300 200 ]",
      "/CropBox [ 10 10 150 100 ]",
      "/TrimBox [ 5 5 90 90 ]",
      "/UserUnit 2",
      "/Rotate 270",
    ]);
    expect(await picturesOf(pdf)).to.deep.equal(await picturesOf(source));
  });

  it("is the same, byte by byte, each time, has neither dates nor an identifier, and can be rebuilt again", async () => {
    const source = pdfOf({ 6: "<< /CreationDate (D:20200101000000Z) >>" }, "/Info 6 0 R /ID [<00> <01>]");
    const [first, second] = [await rebuildOf(source), await rebuildOf(source)];
    expect(Buffer.from(first.pdf).equals(second.pdf)).to.equal(true);
    expect(Buffer.from(first.pdf).toString("latin1")).to.not.match(/\/ID|\/Info|D:20/);
    const again = await rebuildOf(first.pdf);
    expect(Buffer.from(again.pdf).equals(first.pdf)).to.equal(true);
  });

  it("is refused when pages were lost on the way, or when the file is encrypted or no PDF", async () => {
    const source = pdfOf({});
    const two = pdfOf({ 2: "<< /Type /Pages /Kids [3 0 R 6 0 R] /Count 2 >>", 6: `<< ${page} ${resources} >>` });
    const encrypted = pdfOf({ 6: "<< /Filter /Standard /V 1 /R 2 /O () /U () /P -4 >>" }, "/Encrypt 6 0 R");
    const codes = await Promise.all(
      [{ produced: two }, { produced: encrypted }, { produced: Buffer.from("no PDF") }].map((rest) =>
        rebuildOf(source, rest).then(
          () => "produced",
          (error: unknown) => (error as { code: string }).code,
        ),
      ),
    );
    expect(codes).to.deep.equal(["PDF_DAMAGED", "PDF_ENCRYPTED", "PDF_DAMAGED"]);
  });
});

describe("the numbers of a rebuilt document", () => {
  it("have no more digits than the proof takes", async () => {
    // Prepare
    const tiny = `0.${"0".repeat(40)}1`;
    const source = pdfOf({
      ...content("/X1 Do", "/XObject << /X1 6 0 R >>"),
      6: {
        keys: `/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Matrix [1 0.0000001 ${tiny} 1 0.30000000000000004 0]`,
        data: "0 0 9 9 re f",
      },
    });

    // Act
    const { pdf } = await rebuild({ source, produced: source, redactions: [], isQuoting });

    // Assess
    expect(Buffer.from(pdf).toString("latin1")).to.include("/Matrix");
    expect(() => checkStructure(pdf)).not.to.throw();
  });
});
