/** Words that redactions hide, wherever a rebuilt PDF may hold text. */
import { expect } from "chai";
import { boxOf } from "../../../../processors/pre_uploader/pdf/geometry.ts";
import { readPdf } from "../../../../processors/pre_uploader/pdf/reader.ts";
import { prove } from "../../../../processors/pre_uploader/proof/proof.ts";
import { redactedTerms } from "../../../../processors/pre_uploader/proof/terms.ts";
import { boxOfWord, pdfium } from "../../engine_bench.ts";
import { parts, writePdf } from "./written-pdf.ts";
import type { Body } from "./written-pdf.ts";

const secret = "Geheimnis";
const utf16 = (text: string) => `<FEFF${Buffer.from(text, "utf16le").swap16().toString("hex")}>`;
const line = (text: string, y: number) => `q BT /F0 11 Tf 40 ${y} Td (${text}) Tj ET Q\n`;
const rest = "/X0 Do\nq 20 0 0 20 10 10 cm /X1 Do Q\n";

describe("the words of a rebuilt PDF", () => {
  const withContent = (content: string, more: Record<number, Body> = {}) =>
    writePdf({ ...parts(), 4: { dictionary: "", content: content + rest }, ...more });

  /** The proof of a file whose page is right, and which holds what the test puts into it. */
  const faultOf = async (more: Record<number, Body>, under = ""): Promise<string | undefined> => {
    const source = withContent(line("Public words", 240) + line(secret, 200));
    const [left, top, width, height] = await boxOfWord(source, 0, secret);
    const redactions = [{ pageIndex: 0, boxes: [boxOf([left, top, width, height])] }];
    const fill = `q 0 g ${left} ${300 - top - height} ${width} ${height} re f Q\n`;
    const produced = withContent(line("Public words", 240) + under + fill, more);
    const terms = redactedTerms(readPdf(await pdfium(), source), redactions, []);
    try {
      prove(await pdfium(), produced, { source, redactions, terms, drawn: [], isRebuilt: true });
      return undefined;
    } catch (error) {
      expect(error).to.include({ kind: "permanent", code: "PROOF_FAILED" });
      const { message } = error as Error;
      expect(message).not.to.include(secret);
      return message;
    }
  };
  const replacing = (number: number, from: string, to: string) => {
    const body = parts()[number];
    if (typeof body !== "string" || !body.includes(from)) throw new Error(`object ${number} does not have ${from}`);
    return { [number]: body.replace(from, to) };
  };
  const catalog = (entries: string) => replacing(1, "/Pages 2 0 R", `/Pages 2 0 R ${entries}`);
  const annotated = (entries: string) =>
    replacing(3, "/MediaBox", `/Annots [<< /Type /Annot /Rect [300 100 350 120] ${entries} >>] /MediaBox`);

  it("pass where none of them is left, and other words are", async () => {
    const outlines = {
      9: "<< /Type /Outlines /First 10 0 R /Last 10 0 R /Count 1 >>",
      10: `<< /Title ${utf16("Public words")} /Parent 9 0 R /Dest [3 0 R /Fit] >>`,
    };
    expect(await faultOf({ ...catalog("/Outlines 9 0 R"), ...outlines })).to.equal(undefined);
  });

  const places: Record<string, [more: Record<number, Body>, place: RegExp]> = {
    "the title of a bookmark": [
      {
        ...catalog("/Outlines 9 0 R"),
        9: "<< /Type /Outlines /First 10 0 R /Last 10 0 R /Count 1 >>",
        10: `<< /Title ${utf16("On GEHEIMNIS.")} /Parent 9 0 R /Dest [3 0 R /Fit] >>`,
      },
      /redacted words stand in the document, bookmark at \/Root\/Outlines\/First\/Title/,
    ],
    "a page label": [
      catalog(`/PageLabels << /Nums [0 << /P ${utf16(secret)} >>] >>`),
      /pageLabel at \/Root\/PageLabels/,
    ],
    "a link, percent-encoded": [
      annotated("/Subtype /Link /A << /S /URI /URI (https://example.org/?q=%47%65heimnis) >>"),
      /page 1, uri at \/Annots\/A\/URI/,
    ],
    "the contents of a drawing": [
      annotated(`/Subtype /Line /L [300 100 350 120] /Contents ${utf16(secret)}`),
      /drawing at \/Annots\/Contents/,
    ],
    "the value of a form field": [
      annotated(`/Subtype /Widget /FT /Tx /T ${utf16("a")} /V ${utf16(secret)}`),
      /widget at \/Annots\/V/,
    ],
    "the name of a font": [
      replacing(6, "/BaseFont /Helvetica", "/BaseFont /ABCDEF+Geh#65imnis"),
      /type1 at \/Resources\/Font\/BaseFont/,
    ],
    "the name of a glyph": [
      replacing(6, "/Encoding /WinAnsiEncoding", `/Encoding << /Type /Encoding /Differences [33 /${secret}] >>`),
      /encoding at \/Resources\/Font\/Encoding\/Differences/,
    ],
    "what a glyph stands for": [
      {
        ...replacing(6, "/Encoding", "/ToUnicode 9 0 R /Encoding"),
        9: {
          dictionary: "",
          content: [
            "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /CMap1 def\n/CMapType 2 def",
            `1 begincodespacerange\n<00> <FF>\nendcodespacerange\n1 beginbfchar\n<01> ${utf16(secret).replace("FEFF", "")}\nendbfchar`,
            "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n",
          ].join("\n"),
        },
      },
      /toUnicode at \/Resources\/Font\/ToUnicode/,
    ],
  };
  for (const [what, [more, place]] of Object.entries(places)) {
    it(`fail where one stands in ${what}`, async () => {
      expect(await faultOf(more)).to.match(place);
    });
  }

  const spoken = `BT /F0 11 Tf 5 5 Td (${secret}) Tj ET`;
  const form = {
    dictionary: "/Type /XObject /Subtype /Form /BBox [0 0 90 20] /Resources << /Font << /F0 6 0 R >> >>",
    content: spoken,
  };
  const tile =
    "/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 90 20] /XStep 90 /YStep 20 /Resources << /Font << /F0 6 0 R >> >>";
  const mask = "<< /S /Luminosity /G 9 0 R >>";
  const type3 =
    "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [1 0 0 1 0 0] /FirstChar 97 /LastChar 97 /Widths [1] " +
    "/Encoding << /Type /Encoding /Differences [97 /a] >> /CharProcs << /a 10 0 R >> /Resources << /Font << /F0 6 0 R >> >> >>";
  const asides: Record<string, [entries: string, content: string, more: Record<number, Body>, kind: string]> = {
    "a pattern": [
      "/Pattern << /P0 9 0 R >>",
      "/Pattern cs /P0 scn 1 1 1 1 re f\n",
      { 9: { dictionary: tile, content: spoken } },
      "tilingPattern",
    ],
    "a soft mask": ["/ExtGState << /G0 << /SMask " + mask + " >> >>", "q /G0 gs Q\n", { 9: form }, "form"],
    "a glyph": [
      "",
      "q BT /F1 1 Tf 300 100 Td (a) Tj ET Q\n",
      { 9: type3, 10: { dictionary: "", content: `1 0 d0 ${spoken}` } },
      "type3",
    ],
  };
  for (const [what, [entries, content, more, kind]] of Object.entries(asides)) {
    it(`fail where one stands in ${what}, which no reader of page text meets`, async () => {
      const fonts = what === "a glyph" ? "/F1 9 0 R" : "";
      const resources = `<< /Font << /F0 6 0 R ${fonts} >> /XObject << /X0 7 0 R /X1 8 0 R >> ${entries} >>`;
      const place = new RegExp(`redacted words stand in page 1, ${kind} at`);
      expect(await faultOf({ 5: resources, ...more }, content)).to.match(place);
    });
  }

  it("fail where a pattern has text on a page with redactions, with any text", async () => {
    const filled = (area: string) => `/Pattern cs /P0 scn ${area} re f\n${rest}`;
    const resources = "<< /Font << /F0 6 0 R >> /XObject << /X0 7 0 R /X1 8 0 R >> /Pattern << /P0 9 0 R >> >>";
    const file = (content: string) =>
      writePdf({ ...parts(), 4: { dictionary: "", content }, 5: resources, 9: { dictionary: tile, content: spoken } });
    const redactions = [{ pageIndex: 0, boxes: [boxOf([100, 100, 100, 20])] }];
    const cut = "/Pattern cs /P0 scn 80 150 200 30 re f 80 200 200 40 re f 80 180 20 20 re f 200 180 80 20 re f\n";
    const produced = file(`/F0 1 Tf\n${cut}q 0 g 100 180 100 20 re f Q\n${rest}`);
    const source = file(`/F0 1 Tf\n${filled("80 150 200 90")}`);
    const library = await pdfium();
    const proof = () => {
      prove(library, produced, { source, redactions, terms: { terms: [] }, drawn: [], isRebuilt: true });
    };
    expect(proof).to.throw(/page 1 has redactions, and a pattern or a mask with text/);
  });

  it("fail where one stands in the appearance of a form field", async () => {
    const field = annotated(`/Subtype /Widget /FT /Tx /T ${utf16("a")} /AP << /N 9 0 R >>`);
    expect(await faultOf({ ...field, 9: form })).to.match(/redacted words stand in page 1, form at \/Annots\/AP\/N/);
  });

  it("fail where one stands on a page outside of the redactions, letter by letter", async () => {
    const spaced = Array.from(secret).join(" ");
    expect(await faultOf({}, line(spaced, 60))).to.match(/redacted words stand on page 1 outside of the redactions/);
  });
});
