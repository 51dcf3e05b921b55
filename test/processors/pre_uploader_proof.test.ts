import { expect } from "chai";
import { PDFName, StandardFonts } from "@cantoo/pdf-lib";
import type { PDFDocument } from "@cantoo/pdf-lib";
import { prove } from "../../processors/pre_uploader/proof/proof.ts";
import type { Claim } from "../../processors/pre_uploader/proof/proof.ts";
import { boxOf } from "../../processors/pre_uploader/pdf/geometry.ts";
import { boxOfWord, makePdf, pdfium } from "./engine_bench.ts";

const secret = "Geheimnis123";
const source = ["Public words", `The code is ${secret}`];
const clean = ["Public words", "The code is"];

describe("the proof of a produced PDF", () => {
  /** The claim that the secret was redacted, and whatever else the test is about. */
  const claimOf = async (pdf: Uint8Array, more: Partial<Claim> = {}): Promise<Claim> => {
    const redactions = [{ pageIndex: 0, boxes: [boxOf(await boxOfWord(pdf, 0, secret))], overlayText: "GONE" }];
    return { source: pdf, redactions, terms: { terms: [] }, drawn: [], isRebuilt: false, ...more };
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
    expect(await faultsOf(await producedWith(() => undefined), { source: withLink })).to.match(/links or form fields/);
    expect(await faultsOf(await producedWith((pdf) => addAnnotation(pdf, "Link")), { source: withLink })).to.equal(
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
