/** What the proof sees on the pages of a produced PDF: under the boxes, and outside of them. */
import { expect } from "chai";
import { boxOf, grown } from "../../../../processors/pre_uploader/pdf/geometry.ts";
import type { Box } from "../../../../processors/pre_uploader/pdf/geometry.ts";
import { shownFaults } from "../../../../processors/pre_uploader/proof/rebuilt.ts";
import type { Drawn } from "../../../../processors/pre_uploader/proof/claim.ts";
import type { Redaction } from "../../../../processors/pre_uploader/redaction.ts";
import { boxOfWord, pdfium } from "../../engine_bench.ts";
import { writePdf } from "./written-pdf.ts";
import type { Body } from "./written-pdf.ts";

const secret = "Geheimnis123";
const line = (text: string, y: number) => `BT /F0 11 Tf 40 ${y} Td (${text}) Tj ET\n`;
const [open, hidden] = [line("Public words", 240), line(secret, 200)];

interface Page {
  content: string;
  /** Entries of the page, such as a rotation. */
  page?: string;
  /** Entries of its resources besides the font F0. */
  resources?: string;
  more?: Record<number, Body>;
  /** The content of a second page. */
  second?: string;
}

function pdfOf({ content, page = "", resources = "", more = {}, second = open }: Page): Uint8Array {
  const common = `/Type /Page /Parent 2 0 R /MediaBox [0 0 400 300] /Resources << /Font << /F0 6 0 R >> ${resources} >>`;
  return writePdf({
    1: "<< /Type /Catalog /Pages 2 0 R >>",
    2: "<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
    3: `<< ${common} /Contents 5 0 R ${page} >>`,
    4: `<< ${common} /Contents 7 0 R >>`,
    5: { dictionary: "", content },
    6: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    7: { dictionary: "", content: second },
    ...more,
  });
}

/** The operators that fill a box, on a page of 300 points that is not rotated. */
const fillOf = ({ left, top, right, bottom }: Box, colour = "0 0 0") =>
  `q ${colour} rg ${left} ${300 - bottom} ${right - left} ${bottom - top} re f Q\n`;

describe("the pages of a produced PDF", () => {
  let box: Box;
  before(async () => {
    box = grown(boxOf(await boxOfWord(pdfOf({ content: open + hidden }), 0, secret)), 1);
  });

  const faultsOf = async (
    after: Page,
    {
      before: shown = {},
      redactions = [],
      drawn = [],
    }: { before?: Partial<Page>; redactions?: Redaction[]; drawn?: Drawn[] } = {},
  ): Promise<string[]> => {
    const claim = {
      source: pdfOf({ content: open + hidden, ...shown }),
      redactions: redactions.length > 0 ? redactions : [{ pageIndex: 0, boxes: [box] }],
      ...{ terms: { terms: [] }, drawn, isRebuilt: true },
    };
    return shownFaults(await pdfium(), pdfOf(after), claim, []);
  };
  const redacted = (under: string, page: Omit<Page, "content"> = {}) =>
    faultsOf({ ...page, content: open + under + fillOf(box) });

  /** A redaction that lies well within another one. */
  const overlapping = (drawing: (fill: string, small: Box) => string) => {
    const small = { left: box.left + 4, right: box.left + 30, top: box.top + 3, bottom: box.bottom - 3 };
    return faultsOf(
      { content: open + drawing(fillOf(small), small) + fillOf(box) },
      { redactions: [box, small].map((one) => ({ pageIndex: 0, boxes: [one] })) },
    );
  };

  /** A picture of four stripes over the line of the secret. */
  const image = (dictionary = "", bytes = [0, 255, 0, 255, 255, 0, 255, 0]) => ({
    dictionary: `/Type /XObject /Subtype /Image /Width 4 /Height 2 /ColorSpace /DeviceGray /BitsPerComponent 8 ${dictionary}`,
    content: Uint8Array.from(bytes),
  });
  const drawn = "q 300 0 0 60 20 180 cm /X0 Do Q\n";
  const withImage = (body: Body, more: Record<number, Body> = {}) => ({
    resources: "/XObject << /X0 8 0 R >>",
    more: { 8: body, ...more },
  });
  const stroke = "3 w 60 195 m 80 210 l 100 195 l S\n";
  const form = (content: string) =>
    withImage({
      dictionary: "/Type /XObject /Subtype /Form /BBox [0 0 400 300] /Resources << /Font << /F0 6 0 R >> >>",
      content,
    });

  it("pass where the box shows its fill and nothing is under it", async () => {
    expect(await redacted("")).to.deep.equal([]);
  });

  const passing: Record<string, () => Promise<string[]>> = {
    "a background of one colour goes through the box": () =>
      faultsOf(
        { content: `0.9 g 10 10 380 280 re f 0 g\n${open}${fillOf(box)}` },
        { before: { content: `0.9 g 10 10 380 280 re f 0 g\n${open}${hidden}` } },
      ),
    "the pixels of an image are wiped under the box": async () => {
      // The box lies within the stripe in the middle, which is grey.
      const stripes = withImage(image("", [9, 99, 99, 9, 9, 99, 99, 9]));
      const middle = [{ pageIndex: 0, boxes: [boxOf([100, 70, 140, 40])] }];
      return faultsOf(
        { ...stripes, content: `${open}${drawn}${fillOf(boxOf([100, 70, 140, 40]))}` },
        { before: { ...stripes, content: `${open}${drawn}` }, redactions: middle },
      );
    },
    "pixels of an image that reach far out of the box are wiped as a whole": async () => {
      const corner = boxOf([40, 62, 40, 20]);
      return faultsOf(
        { ...withImage(image("", [0, 255, 255, 0, 0, 0, 255, 0])), content: `${open}${drawn}${fillOf(corner)}` },
        {
          before: { ...withImage(image("", [200, 255, 255, 0, 0, 0, 255, 0])), content: `${open}${drawn}` },
          redactions: [{ pageIndex: 0, boxes: [corner] }],
        },
      );
    },
    "glyphs beside the box reach into it": () =>
      faultsOf(
        {
          content: `${open}BT /F0 60 Tf 40 212 Td (WWW) Tj ET\n${fillOf({ ...box, bottom: box.bottom + 8, top: box.bottom - 4 })}`,
        },
        {
          before: { content: `${open}BT /F0 60 Tf 40 212 Td (WWW) Tj ET\n` },
          redactions: [{ pageIndex: 0, boxes: [{ ...box, bottom: box.bottom + 8, top: box.bottom - 4 }] }],
        },
      ),
    "the fill has the colour that was asked for": () =>
      faultsOf(
        { content: open + fillOf(box, "1 0 0") },
        { redactions: [{ pageIndex: 0, boxes: [box], fillColor: "#ff0000" }] },
      ),
    "redactions of two colours lie on each other": () => {
      const other = { ...box, left: box.left + 20, top: box.top + 3, bottom: box.bottom + 10 };
      return faultsOf(
        { content: open + fillOf(box, "1 0 0") + fillOf(other, "0 0 1") },
        {
          redactions: [
            { pageIndex: 0, boxes: [box], fillColor: "#ff0000" },
            { pageIndex: 0, boxes: [other], fillColor: "#0000ff" },
          ],
        },
      );
    },
    "a small redaction lies within one that prints its text": () => {
      const small = { ...box, left: box.left + 4, right: box.left + 9, bottom: box.top + 6 };
      return faultsOf(
        { content: `${open}${fillOf(box)}${fillOf(small)}q 1 g BT /F0 7 Tf 44 201 Td (NE GO) Tj ET Q\n` },
        {
          redactions: [
            { pageIndex: 0, boxes: [box], overlayText: "GONE" },
            { pageIndex: 0, boxes: [small] },
          ],
        },
      );
    },
    "the redaction prints its text, cut": () =>
      faultsOf(
        { content: `${open}${fillOf(box)}q 1 1 0 rg BT /F0 7 Tf 44 201 Td (NE GO) Tj ET Q\n` },
        { redactions: [{ pageIndex: 0, boxes: [box], overlayText: "GONE" }] },
      ),
    "a redaction lies partly off the page": () => {
      const wide = { ...box, left: -50, right: 900 };
      return faultsOf({ content: open + fillOf(wide) }, { redactions: [{ pageIndex: 0, boxes: [wide] }] });
    },
    "a redaction lies wholly off the page": () =>
      faultsOf({ content: open + hidden }, { redactions: [{ pageIndex: 0, boxes: [boxOf([900, 900, 20, 20])] }] }),
    "a redaction has no area": () =>
      faultsOf({ content: open + hidden }, { redactions: [{ pageIndex: 0, boxes: [boxOf([10, 10, 0, 0])] }] }),
    "the page is rotated, and has a crop box and a UserUnit": () => {
      const page = "/Rotate 90 /CropBox [20 20 380 280] /UserUnit 2";
      // Turned by 90 degrees, what is left on the page is at the top.
      const turned = { left: 195 - 20, right: 212 - 20, top: 38 - 20, bottom: 112 - 20 };
      const fill = "0 g 38 195 74 17 re f\n";
      return faultsOf(
        { page, content: open + fill },
        { before: { page }, redactions: [{ pageIndex: 0, boxes: [turned] }] },
      );
    },
    "a stamp is printed where it was to be": () =>
      faultsOf(
        { content: `${open}${fillOf(box)}BT /F0 9 Tf 300 20 Td (ABC-1) Tj ET\n` },
        { drawn: [{ pageIndex: 0, text: "ABC-1", box: boxOf([295, 265, 60, 20]) }] },
      ),
    "glyphs are read by themselves that the file gave another text for": () =>
      faultsOf(
        { content: `${open}${line("xy", 100)}${fillOf(box)}` },
        { before: { content: `${open}${hidden}/Span << /ActualText (replaced) >> BDC ${line("xy", 100)} EMC\n` } },
      ),
    "an inline layer that shows nothing is gone": () =>
      faultsOf(
        { content: open + fillOf(box) },
        { before: { content: `${open}${hidden}1 g BT /F0 11 Tf 40 100 Td (white) Tj ET\n` } },
      ),
  };
  for (const [when, faults] of Object.entries(passing)) {
    it(`pass when ${when}`, async () => {
      expect(await faults()).to.deep.equal([]);
    });
  }

  const leaks: Record<string, [faults: () => Promise<string[]>, fault: RegExp]> = {
    "text under the fill": [() => redacted(hidden), /^text is left under redactions on page 1, in 1 places$/],
    "invisible text under the fill": [() => redacted(`3 Tr ${hidden}0 Tr\n`), /^text is left/],
    "text that is clipped away": [() => redacted(`q 0 0 1 1 re W n ${hidden}Q\n`), /^text is left/],
    "text in a form": [() => redacted("/X0 Do\n", form(hidden)), /^text is left/],
    "glyphs that say that they are something else": [
      () =>
        redacted("BT /F1 11 Tf 40 200 Td (abc) Tj ET\n", {
          resources: "/Font << /F0 6 0 R /F1 8 0 R >>",
          more: {
            8: "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [1 0 0 1 0 0] /FirstChar 97 /LastChar 99 /Widths [1 1 1] /Encoding << /Differences [97 /x /x /x] >> /CharProcs << /x 9 0 R >> /Resources << >> >>",
            9: { dictionary: "", content: "1 0 0 0 1 1 d1 0 0 0.5 0.5 re f" },
          },
        }),
      /left under redactions on page 1/,
    ],
    "a drawing": [() => redacted(stroke), /^1 paths are left under redactions on page 1$/],
    "a drawing in a form": [() => redacted("/X0 Do\n", form(stroke)), /^1 paths are left/],
    "a drawing that is clipped away": [() => redacted(`q 0 0 1 1 re W n ${stroke}Q\n`), /^1 paths are left/],
    "a transparent drawing": [
      () => redacted(`q /G0 gs ${stroke}Q\n`, { resources: "/ExtGState << /G0 << /CA 0 /ca 0 >> >>" }),
      /^1 paths are left/,
    ],
    "a small rectangle, which may be a letter": [() => redacted("60 200 2 8 re f\n"), /^1 paths are left/],
    "the fill of a redaction within another, clipped to the shape of a letter": [
      () => overlapping((fill) => `q 44 198 2 12 re 44 198 8 2 re W n ${fill}Q\n`),
      /^1 paths are left/,
    ],
    "a line round the fill of a redaction within another": [
      () =>
        overlapping((fill, { left, right, top, bottom }) => {
          const outline = `${left} ${300 - bottom} ${right - left} ${bottom - top} re S\n`;
          return `3 w ${outline}${fill}`;
        }),
      /^1 paths are left/,
    ],
    "a fill of another colour than that of the redaction within another": [
      () => overlapping((fill) => `${fill.replace("0 0 0 rg", "1 0 0 rg")}${fill}`),
      /^1 paths are left/,
    ],
    "a line along the side of a redaction within another": [
      () =>
        overlapping((fill, { left, top, bottom }) => `1 w ${left} ${300 - bottom} m ${left} ${300 - top} l S\n${fill}`),
      /^1 paths are left/,
    ],
    "an image": [() => redacted(drawn, withImage(image())), /^1 images are left under redactions on page 1$/],
    "an image behind a mask": [
      () => redacted(drawn, withImage(image("/SMask 9 0 R"), { 9: image("", [0, 0, 0, 0, 0, 0, 0, 0]) })),
      /^1 images are left/,
    ],
    "an image that is clipped away": [
      () => redacted(`q 0 0 1 1 re W n ${drawn}Q\n`, withImage(image())),
      /^1 images are left/,
    ],
    "a shading": [
      () =>
        redacted("q 20 190 300 30 re W n /S0 sh Q\n", {
          resources:
            "/Shading << /S0 << /ShadingType 2 /ColorSpace /DeviceGray /Coords [20 0 100 0] /Extend [true true] /Function << /FunctionType 2 /Domain [0 1] /C0 [0] /C1 [1] /N 1 >> >> >>",
        }),
      /^1 shadings are left under redactions on page 1$/,
    ],
    "a pattern that is drawn with": [
      () =>
        redacted("/Pattern cs /P0 scn 20 150 300 100 re f\n", {
          resources: "/Pattern << /P0 8 0 R >>",
          more: {
            8: {
              dictionary:
                "/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 10 10] /XStep 10 /YStep 10 /Resources << >>",
              content: "0 0 5 5 re f",
            },
          },
        }),
      /^1 paths are left/,
    ],
    "no fill": [() => faultsOf({ content: open }), /^1 redactions on page 1 show something else than their fill/],
    "a fill of another colour": [
      () => faultsOf({ content: open + fillOf(box, "0 1 0") }),
      /^1 redactions on page 1 show something else/,
    ],
    "a fill that leaves a part open": [
      () => faultsOf({ content: open + fillOf({ ...box, right: box.right - 10 }) }),
      /^1 redactions on page 1 show something else/,
    ],
    "hidden text that reads like what the redaction prints": [
      () =>
        faultsOf(
          { content: open + line("GONEGONE", 200) + fillOf(box) },
          {
            before: { content: open + line("GONEGONE", 200) },
            redactions: [{ pageIndex: 0, boxes: [box], overlayText: "GONE" }],
          },
        ),
      /^text is left/,
    ],
    "text of the page that is lost": [
      () => faultsOf({ content: fillOf(box) }),
      /^text of page 1 outside of the redactions is lost$/,
    ],
    "text of another page that is lost": [
      () => faultsOf({ content: open + fillOf(box), second: "" }),
      /^text of page 2 outside of the redactions is lost$/,
    ],
    "invisible text of the page that is lost, though a scan needs it": [
      () =>
        faultsOf(
          { content: open + fillOf(box) },
          { before: { content: `${open}${hidden}3 Tr ${line("scanned words", 100)}` } },
        ),
      /^text of page 1 outside of the redactions is lost$/,
    ],
    "text that the page did not have": [
      () => faultsOf({ content: open + line("new", 100) + fillOf(box) }),
      /^page 1 has text that it did not have$/,
    ],
    "a drawing on another page that is lost": [
      () =>
        faultsOf(
          { content: open + fillOf(box), second: open },
          { before: { second: `${open}0 g 100 100 50 50 re f\n` } },
        ),
      /^page 2 looks different outside of what became part of it$/,
    ],
    "a thin line that is lost": [
      () =>
        faultsOf(
          { content: open + fillOf(box) },
          { before: { content: `${open}${hidden}1 w 40 100 m 340 100 l S\n` } },
        ),
      /^page 1 looks different/,
    ],
    "a hidden layer that shows": [
      () => faultsOf({ content: `${open}0.5 g 200 100 40 40 re f\n${fillOf(box)}` }),
      /^page 1 looks different/,
    ],
    "pixels of an image that are wiped though none of them reaches into the box": [
      () =>
        faultsOf(
          {
            ...withImage(image("", [0, 255, 255, 0, 0, 0, 255, 0])),
            content: `${open}${drawn}${fillOf(boxOf([40, 62, 40, 20]))}`,
          },
          {
            before: { ...withImage(image("", [200, 255, 255, 90, 0, 0, 255, 0])), content: `${open}${drawn}` },
            redactions: [{ pageIndex: 0, boxes: [boxOf([40, 62, 40, 20])] }],
          },
        ),
      /^page 1 looks different/,
    ],
    "an image of one pixel that is wiped because of a small box": [
      () => {
        const [small, large] = [boxOf([40, 62, 40, 20]), "q 380 0 0 280 10 10 cm /X0 Do Q\n"];
        const single = (grey: number) => ({
          dictionary: "/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8",
          content: Uint8Array.of(grey),
        });
        return faultsOf(
          { ...withImage(single(90)), content: `${large}${open}${fillOf(small)}` },
          {
            before: { ...withImage(single(200)), content: `${large}${open}` },
            redactions: [{ pageIndex: 0, boxes: [small] }],
          },
        );
      },
      /^page 1 looks different/,
    ],
    "another size": [
      () => faultsOf({ page: "/CropBox [0 0 200 300]", content: open + fillOf(box) }),
      /^page 1 looks different/,
    ],
  };
  for (const [what, [faults, fault]] of Object.entries(leaks)) {
    it(`fail with ${what}`, async () => {
      const found = await faults();
      expect(
        found.some((one) => fault.test(one)),
        found.join("; ") || "no fault",
      ).to.equal(true);
      expect(found.join()).not.to.include(secret);
    });
  }
});
