import { expect } from "chai";
import { PDFName } from "@cantoo/pdf-lib";
import type { PDFDocument } from "@cantoo/pdf-lib";
import { boxOf } from "../../processors/pre_uploader/pdf/geometry.ts";
import { finish } from "../../processors/pre_uploader/pdf-worker/tasks.ts";
import { prove } from "../../processors/pre_uploader/proof/proof.ts";
import type { Claim, Drawn } from "../../processors/pre_uploader/proof/claim.ts";
import { rebuild } from "../../processors/pre_uploader/rebuild/rebuild.ts";
import { stampFaults } from "../../processors/pre_uploader/proof/stamps.ts";
import { boxOfWord, makePdf, pdfium } from "./engine_bench.ts";

const lines = ["Public words", "and more of them"];

describe("the proof of a produced PDF", () => {
  const faultOf = async (work: () => unknown): Promise<string | undefined> => {
    try {
      await work();
      return undefined;
    } catch (error) {
      expect(error).to.include({ kind: "permanent", code: "PROOF_FAILED" });
      return (error as Error).message;
    }
  };

  describe("without redactions", () => {
    const faultsOf = async (produced: Uint8Array, more: Partial<Claim> = {}) => {
      const source = await makePdf([{ lines }]);
      const claim = { source, redactions: [], terms: { terms: [] }, drawn: [], isRebuilt: false, ...more };
      const library = await pdfium();
      return faultOf(() => {
        prove(library, produced, claim);
      });
    };
    const annotated = (subtype: string) => makePdf([{ lines }], (pdf) => addAnnotation(pdf, subtype));

    it("passes a PDF that is what it was", async () => {
      expect(await faultsOf(await makePdf([{ lines }]))).to.equal(undefined);
    });

    it("fails a PDF with an annotation of a kind that travels", async () => {
      expect(await faultsOf(await annotated("Highlight"))).to.match(/annotations of page 1 are still live/);
      expect(await faultsOf(await annotated("Ink"))).to.equal(undefined);
    });

    it("fails a PDF with another number of pages", async () => {
      expect(await faultsOf(await makePdf([{ lines }, { lines: [] }]))).to.match(/it has 2 pages, not 1/);
    });

    for (const kind of ["Link", "Widget"]) {
      it(`fails a PDF that lost a ${kind.toLowerCase()}`, async () => {
        const source = await annotated(kind);
        expect(await faultsOf(await makePdf([{ lines }]), { source })).to.match(
          /links or form fields of page 1 are lost/,
        );
        expect(await faultsOf(await annotated(kind), { source })).to.equal(undefined);
      });
    }

    it("fails a PDF on which a stamp cannot be read", async () => {
      const drawn = [{ pageIndex: 0, text: "ABC-001", box: boxOf([200, 200, 100, 20]) }];
      expect(await faultsOf(await makePdf([{ lines }]), { drawn })).to.match(/1 stamps cannot be read on page 1/);
      expect(await faultsOf(await makePdf([{ lines: [...lines, "ABC-001"] }]), { drawn })).to.equal(undefined);
    });

    it("needs no text where a drawing has none", async () => {
      const drawn = [{ pageIndex: 0, text: "", box: boxOf([200, 200, 100, 20]) }];
      expect(await faultsOf(await makePdf([{ lines }]), { drawn })).to.equal(undefined);
    });
  });

  describe("of stamps", () => {
    const box = boxOf([0, 0, 100, 20]);
    const elsewhere = boxOf([0, 200, 10, 10]);
    const pageOf = (text: string, at = elsewhere) => ({
      text,
      characters: Array.from(text, (character) => ({ text: character, box: at })),
      annotations: [],
    });
    const faultsOf = (text: string, page: ReturnType<typeof pageOf>) => {
      const drawn: Drawn[] = [{ pageIndex: 0, text, box }];
      return stampFaults([page], drawn);
    };

    const readable: Record<string, [stamp: string, page: ReturnType<typeof pageOf>]> = {
      "in another case, width and punctuation": ["ＡＢＣ-001", pageOf("text abc 001 text")],
      "in Arabic, in the order in which it is read": ["سري ١٢", pageOf("سري ١٢")],
      "in Arabic, in the order in which it is drawn": ["سري", pageOf("يرس")],
      "in Arabic, by the forms that its letters have": ["سري", pageOf("\ufeb3\ufeae\ufef1")],
      "in Japanese, a line for each character": ["機密", pageOf("機\r\n密")],
      "in its place, mingled with what is printed there": ["ABC", pageOf("AxBxC", box)],
    };
    for (const [how, [stamp, page]] of Object.entries(readable)) {
      it(`reads one that is written ${how}`, () => {
        expect(faultsOf(stamp, page)).to.deep.equal([]);
      });
    }

    it("does not read one of which a character is missing", () => {
      expect(faultsOf("ABC", pageOf("AxBx", box))).to.deep.equal(["1 stamps cannot be read on page 1"]);
    });

    it("does not read one that is mingled somewhere else", () => {
      expect(faultsOf("ABC", pageOf("AxBxC"))).to.deep.equal(["1 stamps cannot be read on page 1"]);
    });
  });

  describe("with redactions", () => {
    const secret = "Geheimnis123";
    const jobOf = async (produced: string[], change?: (pdf: PDFDocument) => unknown) => {
      const source = await makePdf([{ lines: [...lines, secret] }], change);
      const [left, top, width, height] = await boxOfWord(source, 0, secret);
      const redactions = [{ pageIndex: 0, boxes: [boxOf([left, top, width, height])] }];
      const made = await makePdf([{ lines: produced }], async (pdf) => {
        await change?.(pdf);
        pdf.getPage(0).drawRectangle({ x: left, y: 300 - top - height, width, height });
      });
      return { source, produced: made, redactions, terms: { terms: [] }, drawn: [] };
    };

    it("passes a PDF that was rebuilt and hides what was redacted", async () => {
      const job = await jobOf(lines, (pdf) => {
        pdf.setTitle(secret);
        addAnnotation(pdf, "Link");
      });
      const { pdf, removed } = await finish(await pdfium(), job);
      expect(Buffer.from(pdf).toString("latin1")).not.to.include("Title");
      expect(removed).to.have.property("document properties");
    });

    it("fails a PDF in which the text is left under the box", async () => {
      const job = await jobOf([...lines, secret]);
      const library = await pdfium();
      const fault = await faultOf(() => finish(library, job));
      expect(fault).to.match(/text is left under redactions on page 1, in 1 places/);
      expect(fault).not.to.include(secret);
    });

    it("fails a PDF that was not rebuilt", async () => {
      const { produced, ...claim } = await jobOf(lines, (pdf) => {
        pdf.setTitle(secret);
      });
      const library = await pdfium();
      const fault = await faultOf(() => {
        prove(library, produced, { ...claim, isRebuilt: true });
      });
      expect(fault).to.match(/the document, file: /);
    });

    it("fails a PDF with an annotation under the box", async () => {
      const { redactions, ...job } = await jobOf(lines, (pdf) => addAnnotation(pdf, "Ink", [40, 195, 110, 212]));
      const { pdf } = await rebuild({ ...job, redactions: [], isQuoting: () => false });
      const library = await pdfium();
      const fault = await faultOf(() => {
        prove(library, pdf, { ...job, redactions, isRebuilt: true });
      });
      expect(fault).to.match(/1 annotations are left under redactions on page 1/);
    });
  });
});

function addAnnotation(pdf: PDFDocument, Subtype: string, Rect = [40, 100, 90, 112]): void {
  const { context } = pdf;
  const [left = 0, bottom = 0, right = 0, top = 0] = Rect;
  const QuadPoints = [left, top, right, top, left, bottom, right, bottom];
  const annotation = context.obj({ Type: "Annot", Subtype, Rect, QuadPoints });
  pdf.getPage(0).node.set(PDFName.of("Annots"), context.obj([context.register(annotation)]));
}
