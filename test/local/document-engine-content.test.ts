import { expect } from "chai";
import { differ, holds, pictureOf, textsOf } from "../../local/check/independent-pdf.ts";
import { annotation, engineKit, type EngineKit } from "./document-engine-kit.ts";
import { raw, rawPdf, type RawPdf } from "./document-engine-raw-pdf.ts";
import { contentsOfAll, imagesOf } from "./document-engine-streams.ts";

type Box = [number, number, number, number];
const redact = { type: "applyRedactions" };

describe("what the stand-in of Document Engine takes out under a redaction", function () {
  this.timeout(20_000);
  let kit: EngineKit;

  before(async () => {
    kit = await engineKit();
  });
  after(() => kit.close());

  const redacted = (pdf: RawPdf, ...boxes: Box[]) => kit.work(rawPdf(pdf), [annotation.redaction(boxes)], redact);
  const page = (contents: string, resources = "") => ({ pages: [{ contents, resources }] });

  describe("of glyphs", () => {
    /** An H of Helvetica with 100 points: its ink is 71.8 points high and stands on the line 142 points below the top. */
    const letter = page("BT /F 100 Tf 60 700 Td (H) Tj ET");

    it("is a whole one once a quarter of its ink is covered, from whichever side", async () => {
      const isLeft = async (box: Box) => (await textsOf(await redacted(letter, box)))[0] === "H";
      const rows = [0.15, 0.2, 0.3, 0.35].map((share): Box => [50, 142 - 71.8, 120, 71.8 * share]);
      // The ink of the letter is 56.8 points wide and begins 7.7 points after its origin.
      const columns = [0.15, 0.2, 0.3, 0.35].map((share): Box => [67.7, 60, 56.8 * share, 100]);

      // Act
      const left = await Promise.all([...rows, ...columns].map(isLeft));

      // Assess
      expect(left).to.deep.equal([true, true, false, false, true, true, false, false]);
    });

    it("is none where a thin box only paints over it", async () => {
      // Act
      const bytes = await redacted(letter, [50, 100, 120, 5]);

      // Assess
      const { pixels, width } = await pictureOf(bytes, 0);
      expect(await textsOf(bytes)).to.deep.equal(["H"]);
      expect([...pixels.subarray((102 * width + 100) * 4, (102 * width + 100) * 4 + 3)]).to.deep.equal([0, 0, 0]);
    });

    it("leaves its neighbours where they were, with every way of spacing", async () => {
      // Prepare
      const spaced = [
        "BT /F 20 Tf 2 Tc 5 Tw 90 Tz 60 700 Td (ab SECRET cd) Tj ET",
        "BT /F 20 Tf 24 TL 60 650 Td [(ab )-300(SECRET)200( cd)] TJ ET",
        "BT /F 20 Tf 24 TL 60 624 Td (ab SECRET cd) ' 3 1 (ab SECRET cd) \" ET",
      ].join("\n");
      // Act
      const before = await pictureOf(rawPdf(page(spaced)), 0);
      const bytes = await redacted(page(spaced), [83, 124, 110, 24], [83, 174, 118, 24], [83, 224, 110, 50]);

      // Assess
      expect((await textsOf(bytes))[0]).to.not.include("SECRET");
      expect(differ(before, await pictureOf(bytes, 0), [204, 100, 200, 200])).to.equal(false);
    });

    it("are those of invisible, white, clipped, rotated and Type3 text, of forms, and of layers that are off", async () => {
      // Prepare
      const glyph = raw("", "600 0 0 0 500 700 d1 0 0 500 700 re f");
      const pdf = {
        pages: [
          {
            contents: [
              "BT 3 Tr /F 20 Tf 60 700 Td (INVISIBLE) Tj ET",
              "1 g BT 0 Tr /F 20 Tf 60 650 Td (WHITE) Tj ET 0 g",
              "q 0 0 5 5 re W n BT /F 20 Tf 60 600 Td (CLIPPED) Tj ET Q",
              "BT /F 20 Tf 0.7071 0.7071 -0.7071 0.7071 60 500 Tm (ROTATED) Tj ET",
              "BT /T 20 Tf 60 450 Td (XYZ) Tj ET",
              "q 1 0 0 1 60 400 cm /Fm Do Q",
              "/OC /Off BDC BT /F 20 Tf 60 350 Td (LAYER) Tj ET EMC",
            ].join("\n"),
            resources: "/XObject<</Fm 20 0 R>>/Properties<</Off 21 0 R>>",
            more: "",
          },
        ],
        objects: {
          20: raw(
            "/Type/XObject/Subtype/Form/BBox[0 0 200 50]/Resources<</Font<</F 3 0 R>>>>",
            "BT /F 20 Tf (INFORM) Tj ET",
          ),
          21: "<</Type/OCG/Name(off)>>",
          22: `<</Type/Font/Subtype/Type3/FontBBox[0 0 0 0]/FontMatrix[0.001 0 0 0.001 0 0]/FirstChar 88/LastChar 90
            /Widths[600 600 600]/Encoding<</Differences[88/x/y/z]>>/CharProcs<</x 23 0 R/y 23 0 R/z 23 0 R>>/Resources<<>>>>`,
          23: glyph,
        },
        catalog: "/OCProperties<</OCGs[21 0 R]/D<</OFF[21 0 R]>>>>",
      };
      const [only] = pdf.pages;
      if (only) only.more = "/Resources<</Font<</F 3 0 R/T 22 0 R>>/XObject<</Fm 20 0 R>>/Properties<</Off 21 0 R>>>>";

      // Act
      const bytes = await redacted(pdf, [50, 100, 250, 420]);

      // Assess
      const words = ["INVISIBLE", "WHITE", "CLIPPED", "ROTATED", "XYZ", "INFORM", "LAYER"];
      const contents = await contentsOfAll(bytes);
      expect(words.filter((word) => contents.includes(word) || contents.includes(hex(word)))).to.deep.equal([]);
    });

    it("are not those of tiling patterns and soft masks", async () => {
      // Prepare
      const text = "BT /F 20 Tf 5 5 Td (PATTERNED) Tj ET";
      const fonts = "/Resources<</Font<</F 3 0 R>>>>";
      const pdf = {
        pages: [
          {
            contents: "/Pattern cs /P scn 60 600 200 100 re f /G gs 0 g 60 400 200 100 re f",
            resources: "/Pattern<</P 20 0 R>>/ExtGState<</G<</SMask<</S/Luminosity/G 21 0 R>>>>>>",
          },
        ],
        objects: {
          20: raw(
            `/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 200 30]/XStep 200/YStep 30${fonts}`,
            text,
          ),
          21: raw(
            `/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Group<</S/Transparency/CS/DeviceGray>>${fonts}`,
            "1 g BT /F 20 Tf 60 420 Td (MASKED) Tj ET",
          ),
        },
      };

      // Act
      const bytes = await redacted(pdf, [50, 100, 250, 420]);

      // Assess
      expect([await holds(bytes, "PATTERNED"), await holds(bytes, "MASKED")]).to.deep.equal([true, true]);
    });

    it("are found by the codes of composite fonts, whose widths the file lists", async () => {
      // Prepare
      const map = `/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <ff> endcodespacerange
        1 begincidrange <41> <5a> 1 endcidrange endcmap`;
      const pdf = {
        pages: [{ contents: "BT /C 20 Tf 60 700 Td (ABXYZ) Tj ET", more: "/Resources<</Font<</C 20 0 R>>>>" }],
        objects: {
          20: "<</Type/Font/Subtype/Type0/BaseFont/Some/Encoding 21 0 R/DescendantFonts[22 0 R]>>",
          21: raw("/Type/CMap/CMapName/Own", map),
          22: `<</Type/Font/Subtype/CIDFontType2/BaseFont/Some/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>
            /DW 500/W[1[2000 3000]24 26 1000]/FontDescriptor<</Type/FontDescriptor/FontName/Some/Flags 4>>>>`,
        },
      };

      // Act
      // A is 40 points wide, B 60: the box begins with X.
      const bytes = await redacted(pdf, [161, 115, 58, 40]);

      // Assess
      expect((await contentsOfAll(bytes)).includes("[<4142> -3000] TJ")).to.equal(true);
    });
  });

  describe("of pictures", () => {
    const rows = (width: number, height: number, value: number) => Buffer.alloc(width * height, value);
    const image = (more: string, bytes: Uint8Array) =>
      raw(`/Type/XObject/Subtype/Image/Width 10/Height 10${more}`, bytes);
    const drawn = "q 100 0 0 100 60 600 cm /Im Do Q";

    it("are the pixels of images that are objects, of their soft masks, and of bits", async () => {
      // Prepare
      const pdf = {
        pages: [
          { contents: `${drawn} q 100 0 0 100 260 600 cm /Bits Do Q`, resources: "/XObject<</Im 20 0 R/Bits 22 0 R>>" },
        ],
        objects: {
          20: image("/ColorSpace/DeviceGray/BitsPerComponent 8/SMask 21 0 R", rows(10, 10, 0x77)),
          21: image("/ColorSpace/DeviceGray/BitsPerComponent 8", rows(10, 10, 0xff)),
          22: image("/ImageMask true", rows(2, 10, 0)),
        },
      };

      // Act: the upper left quarter of both
      const bytes = await redacted(pdf, [60, 142, 50, 50], [260, 142, 50, 50]);

      // Assess
      const samples = await imagesOf(bytes);
      const quarter = (value: number) =>
        Buffer.concat([
          ...Array.from({ length: 5 }, () => Buffer.from([0, 0, 0, 0, 0, value, value, value, value, value])),
          rows(10, 5, value),
        ]);
      const bits = Buffer.concat([...Array.from({ length: 5 }, () => Buffer.from([0xf8, 0])), rows(2, 5, 0)]);
      expect(samples.toSorted()).to.deep.equal(
        [quarter(0x77), quarter(0xff), bits].map((one) => one.toString("hex")).toSorted(),
      );
    });

    it("are never those of an inline image", async () => {
      // Prepare
      const pixels = "0123456789abcdef";
      const contents = `q 100 0 0 100 60 600 cm BI /W 4 /H 4 /BPC 8 /CS /G ID ${pixels} EI Q BT /F 20 Tf 60 600 Td (SECRET) Tj ET`;

      // Act
      const bytes = await redacted(page(contents), [50, 100, 200, 200]);

      // Assess
      expect([await holds(bytes, pixels), await holds(bytes, "SECRET")]).to.deep.equal([true, false]);
    });
  });

  it("is gone from another page, too, that shares the stream, the form or the image", async () => {
    // Prepare
    const pdf = {
      pages: [
        { more: "/Contents 20 0 R", resources: "/XObject<</Fm 21 0 R/Im 22 0 R>>" },
        { more: "/Contents[20 0 R]", resources: "/XObject<</Fm 21 0 R/Im 22 0 R>>" },
      ],
      objects: {
        20: raw(
          "",
          "BT /F 20 Tf 60 700 Td (SHARED text) Tj ET q 1 0 0 1 60 600 cm /Fm Do Q q 50 0 0 50 60 500 cm /Im Do Q",
        ),
        21: raw("/Type/XObject/Subtype/Form/BBox[0 0 300 50]", "BT /F 20 Tf (FORMED text) Tj ET"),
        22: raw(
          "/Type/XObject/Subtype/Image/Width 4/Height 4/ColorSpace/DeviceGray/BitsPerComponent 8",
          Buffer.alloc(16, 0x77),
        ),
      },
    };

    // Act
    const bytes = await redacted(pdf, [55, 120, 90, 25], [55, 220, 90, 25], [60, 292, 50, 50]);

    // Assess
    expect(await textsOf(bytes)).to.deep.equal(["text text", "text text"]);
    expect(await imagesOf(bytes)).to.deep.equal(["00".repeat(16)]);
  });

  it("leaves what the contents have open or close too often outside of the box", async () => {
    // Prepare
    const pdf = { pages: [{ contents: "q 0.5 0 0 0.5 0 0 cm q" }, { contents: "Q Q 0 0 1 rg 10 10 20 20 re f" }] };
    const boxes = [0, 1].map((pageIndex) => annotation.redaction([[300, 300, 50, 50]], { pageIndex }));

    // Act
    const bytes = await kit.work(rawPdf(pdf), boxes, redact);

    // Assess
    for (const index of [0, 1]) {
      const { pixels, width } = await pictureOf(bytes, index);
      expect([...pixels.subarray((320 * width + 320) * 4, (320 * width + 320) * 4 + 3)]).to.deep.equal([0, 0, 0]);
    }
  });
});

const hex = (text: string) => Buffer.from(text, "latin1").toString("hex");
