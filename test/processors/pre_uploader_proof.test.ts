import { expect } from "chai";
import fc from "fast-check";
import { PDFDocument as MupdfDocument } from "mupdf";
import { PDFDocument, PDFName, PDFString, StandardFonts } from "@cantoo/pdf-lib";
import { readPdf } from "../../processors/pre_uploader/pdf/reader.ts";
import { prove } from "../../processors/pre_uploader/proof/proof.ts";
import type { Claim } from "../../processors/pre_uploader/proof/proof.ts";
import { Secrets } from "../../processors/pre_uploader/proof/secrets.ts";
import { stringsIn } from "../../processors/pre_uploader/proof/strings.ts";
import { normalise, tokenValues } from "../../processors/pre_uploader/proof/tokens.ts";
import { boxOf } from "../../processors/pre_uploader/pdf/geometry.ts";
import { boxOfWord, makePdf, pdfium } from "./engine_bench.ts";

const secret = "Geheimnis123";
const source = ["Public words", `The code is ${secret}`];
const clean = ["Public words", "The code is"];

describe("the proof of a produced PDF", () => {
  /** The claim that the secret was redacted, and whatever else the test is about. */
  const claimOf = async (pdf: Uint8Array, more: Partial<Claim> = {}): Promise<Claim> => {
    const content = readPdf(await pdfium(), pdf);
    const redactions = [{ pageIndex: 0, boxes: [boxOf(await boxOfWord(pdf, 0, secret))], overlayText: "GONE" }];
    return {
      source: content,
      redactions,
      secrets: new Secrets(content.pages, redactions, ["GONE"]),
      drawn: [],
      ...more,
    };
  };
  const faultsOf = async (produced: Uint8Array, more: Partial<Claim> = {}) => {
    const claim = await claimOf(await makePdf([{ lines: source }]), more);
    try {
      prove(await pdfium(), produced, claim);
      return undefined;
    } catch (error) {
      expect(error).to.include({ kind: "permanent", code: "PROOF_FAILED" });
      const { message } = error as Error;
      expect(message).not.to.include(secret);
      return message;
    }
  };
  const producedWith = (change: (pdf: PDFDocument) => unknown, lines = clean) => makePdf([{ lines }], change);

  it("passes a PDF from which the text is gone", async () => {
    expect(await faultsOf(await producedWith(() => undefined))).to.equal(undefined);
  });

  it("passes what the redaction itself prints in place of the text, also cut", async () => {
    const [left, top] = await boxOfWord(await makePdf([{ lines: source }]), 0, secret);
    const print = async (pdf: PDFDocument) => {
      const font = await pdf.embedFont(StandardFonts.Helvetica);
      pdf.getPage(0).drawText("NE GO", { x: left + 2, y: 300 - top - 8, size: 8, font });
    };
    expect(await faultsOf(await producedWith(print))).to.equal(undefined);
  });

  describe("of redactions that lie on each other", () => {
    const twice = async (...overlays: string[]) => {
      const boxes = [boxOf(await boxOfWord(await makePdf([{ lines: source }]), 0, secret))];
      return { redactions: overlays.map((overlayText) => ({ pageIndex: 0, boxes, overlayText })) };
    };

    it("passes what they print, which is read mingled", async () => {
      const [left, top] = await boxOfWord(await makePdf([{ lines: source }]), 0, secret);
      const print = async (pdf: PDFDocument) => {
        const font = await pdf.embedFont(StandardFonts.Helvetica);
        pdf.getPage(0).drawText("GVOONIED", { x: left + 2, y: 300 - top - 8, size: 5, font });
      };
      expect(await faultsOf(await producedWith(print), await twice("GONE", "VOID"))).to.equal(undefined);
      expect(await faultsOf(await producedWith(print), await twice("GONE"))).to.match(/text is left under redactions/);
    });

    it("does not take what was to be hidden for what they print, though every character is one of theirs", async () => {
      const produced = await producedWith(() => undefined, source);
      expect(await faultsOf(produced, await twice("Geh 123", "eimnis"))).to.match(/text is left under redactions/);
    });
  });

  const leaks: Record<string, { make: () => Promise<Uint8Array>; fault: RegExp }> = {
    "text under a black box": {
      make: () => producedWith((pdf) => pdf.getPage(0).drawRectangle({ x: 0, y: 0, width: 400, height: 300 }), source),
      fault: /text is left under redactions on page 1/,
    },
    "the same words elsewhere, invisible": {
      make: () =>
        producedWith(async (pdf) => {
          const font = await pdf.embedFont(StandardFonts.Helvetica);
          pdf.getPage(0).drawText(secret, { x: 40, y: 20, size: 1, font, opacity: 0 });
        }),
      fault: /redacted words stand on page 1/,
    },
    "a title": { make: () => producedWith((pdf) => pdf.setTitle(`On ${secret}.`)), fault: /metadata/ },
    keywords: { make: () => producedWith((pdf) => pdf.setKeywords(["a", secret.toUpperCase()])), fault: /metadata/ },
    "an XMP packet": {
      make: () =>
        producedWith((pdf) => {
          const xmp = pdf.context.stream(`<x:xmpmeta><dc:title>${secret}</dc:title></x:xmpmeta>`, {
            Type: "Metadata",
            Subtype: "XML",
          });
          pdf.catalog.set(PDFName.of("Metadata"), pdf.context.register(xmp));
        }),
      fault: /metadata/,
    },
    "an object that nothing refers to": {
      make: () => producedWith((pdf) => pdf.context.register(pdf.context.obj({ Left: PDFString.of(secret) }))),
      fault: /metadata or other parts/,
    },
    "an object that nothing refers to and that is packed as hardly anybody does": {
      make: () =>
        producedWith((pdf) => {
          const packed = `${Buffer.from(`(${secret})`).toString("hex")}>`;
          pdf.context.register(pdf.context.stream(packed, { Filter: ["ASCIIHexDecode"] }));
        }),
      fault: /metadata or other parts/,
    },
    "a hidden layer": {
      make: () =>
        producedWith((pdf) => {
          const form = pdf.context.flateStream(`BT /F1 1 Tf [(Geheim) -20 (nis123)] TJ ET`, {
            Type: "XObject",
            Subtype: "Form",
          });
          pdf.context.register(form);
        }),
      fault: /metadata or other parts/,
    },
    "an attached text": {
      make: () => producedWith((pdf) => pdf.attach(Buffer.from(`see ${secret}`), "a.txt")),
      fault: /attached file 1|metadata/,
    },
    "an attached PDF": {
      make: async () => {
        const inner = await makePdf([{ lines: source }]);
        return producedWith((pdf) => pdf.attach(inner, "a.pdf"));
      },
      fault: /stand in attached file 1/,
    },
    "an attached file that nobody can search": {
      make: () => producedWith((pdf) => pdf.attach(Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 255]), "a.zip")),
      fault: /attached file 1 cannot be searched/,
    },
    "parts that are encrypted, though no password is asked for": {
      make: async () => {
        const options = "encrypt=aes-256,owner-password=b,user-password=";
        const titled = await producedWith((pdf) => pdf.setTitle(secret));
        return new MupdfDocument(titled).saveToBuffer(options).asUint8Array().slice();
      },
      fault: /encrypted/,
    },
    "an earlier revision": { make: () => withRevision(source, clean), fault: /earlier revision/ },
    "a live annotation": {
      make: () => producedWith((pdf) => addAnnotation(pdf, "Highlight")),
      fault: /annotations of page 1 are still live/,
    },
    "a missing page": { make: () => makePdf([{ lines: clean }, { lines: [] }]), fault: /it has 2 pages, not 1/ },
  };
  for (const [what, { make, fault }] of Object.entries(leaks)) {
    it(`fails a PDF with ${what}`, async () => {
      expect(await faultsOf(await make())).to.match(fault);
    });
  }

  it("fails a PDF that lost a link that no redaction touches", async () => {
    const withLink = await makePdf([{ lines: source }], (pdf) => addAnnotation(pdf, "Link"));
    const content = readPdf(await pdfium(), withLink);
    expect(await faultsOf(await producedWith(() => undefined), { source: content })).to.match(/links or form fields/);
    expect(await faultsOf(await producedWith((pdf) => addAnnotation(pdf, "Link")), { source: content })).to.equal(
      undefined,
    );
  });

  it("fails a PDF on which a stamp cannot be read", async () => {
    const drawn = [{ pageIndex: 0, text: "ABC-001", box: boxOf([200, 200, 100, 20]) }];
    expect(await faultsOf(await producedWith(() => undefined), { drawn })).to.match(
      /1 stamps cannot be read on page 1/,
    );
    expect(await faultsOf(await makePdf([{ lines: [...clean, "ABC-001"] }]), { drawn })).to.equal(undefined);
  });

  it("seeks only words that stand nowhere else in the open", async () => {
    // Prepare
    const pdf = await makePdf([
      { lines: ["Smith met Müller-Lüdenscheidt", "on 555-01-99"] },
      { lines: ["Smith again"] },
    ]);
    const content = readPdf(await pdfium(), pdf);
    const boxes = [[0, 0, 400, 300] as [number, number, number, number]].map(boxOf);

    // Act
    const secrets = new Secrets(content.pages, [{ pageIndex: 0, boxes }], []);

    // Assess
    const words = ["5550199", "Lüdenscheidt", "Müller", "Müller-Lüdenscheidt", "Smith", "again"];
    expect(words.filter((word) => secrets.standIn(`of ${word}!`))).to.deep.equal(words.slice(0, 4));
  });

  it("seeks a word of which a redaction leaves a few letters, and not one that it only grazes", async () => {
    // Prepare
    const pdf = await makePdf([{ lines: ["Geheimnis123 Offenbar"] }]);
    const [left, top, width, height] = await boxOfWord(pdf, 0, "heimnis123 Off");
    const redactions = [{ pageIndex: 0, boxes: [boxOf([left, top, width, height])] }];

    // Act
    const secrets = new Secrets(readPdf(await pdfium(), pdf).pages, redactions, []);

    // Assess
    expect(["Geheimnis123", "Offenbar"].filter((word) => secrets.standIn(word))).to.deep.equal(["Geheimnis123"]);
  });

  it("compares without regard to case, width, ligatures and punctuation, and pairs of characters where no spaces are", () => {
    expect([...tokenValues("ﬁnal ＡＢＣＤ 555-01-99 an 契約書")]).to.deep.equal([
      "final",
      "abcd",
      "5550199",
      "契約",
      "約書",
    ]);
  });

  it("compares a text that was hidden character by character with the whole of it", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("ΟΔΟΣ", "İSTANBUL", "ﬃx")), (text) => {
        expect(Array.from(text, normalise).join("")).to.equal(normalise(text));
      }),
    );
  });

  it("reads strings of a file however they are written", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const utf16 = Buffer.from(`\uFEFF${text}`, "utf16le").swap16();
        const octal = [...utf16].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
        for (const written of [`<${utf16.toString("hex")}>`, `(${octal})`]) {
          expect(stringsIn(Buffer.from(`1 0 obj ${written} endobj`))).to.deep.equal([` ${text}`]);
        }
      }),
    );
  });
});

function addAnnotation(pdf: PDFDocument, Subtype: string): void {
  const { context } = pdf;
  const annotation = context.obj({
    Type: "Annot",
    Subtype,
    Rect: [40, 100, 90, 112],
    QuadPoints: [40, 112, 90, 112, 40, 100, 90, 100],
  });
  pdf.getPage(0).node.set(PDFName.of("Annots"), context.obj([context.register(annotation)]));
}

/** A PDF that was changed by writing behind its end, as many editors do. */
async function withRevision(before: string[], after: string[]): Promise<Uint8Array> {
  const first = Buffer.from(await makePdf([{ lines: before }]));
  const second = Buffer.from(await makePdf([{ lines: after }]));
  return Buffer.concat([first, Buffer.from("\n"), second]);
}
