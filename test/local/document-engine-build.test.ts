import { expect } from "chai";
import { PDFDocument } from "@cantoo/pdf-lib";
import { annotation, contentsOf, engineKit, pdfWith, type EngineKit } from "./document-engine-kit.ts";
import { livingOf, textsOf } from "../../local/check/independent-pdf.ts";

const format = "https://pspdfkit.com/instant-json/v1";

describe("the stand-in of Document Engine, by its work on PDFs", function () {
  this.timeout(20_000);
  let kit: EngineKit;

  before(async () => {
    kit = await engineKit();
  });
  after(() => kit.close());

  describe("with documents that are stored", () => {
    it("rewrites a layer by redact, while the base keeps what it had", async () => {
      // Prepare
      const path = await kit.upload(await pdfWith([["Top SECRET data"]]));
      const [, beside] = await kit.annotate(
        `${path}/layers/clean`,
        annotation.redaction([[103, 85, 75, 20]]),
        annotation.note([400, 400, 20, 20], "stays"),
        annotation.highlight([150, 80, 60, 25]),
      );

      // Act
      const answer = await kit.ask("POST", `${path}/layers/clean/redact`);

      // Assess
      expect(answer.body).to.have.property("sourcePdfSha256");
      const [clean, base] = [
        await kit.ask("GET", `${path}/layers/clean/pages/0/text`),
        await kit.ask("GET", `${path}/pages/0/text`),
      ];
      expect(contentsOf(clean).join(" ")).to.equal("Top data");
      expect(contentsOf(base)).to.deep.equal(["Top SECRET data"]);
      const { body } = await kit.ask("GET", `${path}/layers/clean/annotations`);
      const left = (body as { data: { annotations: { id: string }[] } }).data.annotations.map(({ id }) => id);
      expect(left).to.deep.equal([beside]);
      const exported = await kit.ask("GET", `${path}/layers/clean/pdf`);
      expect(await textsOf(exported.bytes)).to.deep.equal(["Top data"]);
    });

    it("gives the PDF as it is asked for, and refuses source together with flatten", async () => {
      // Prepare
      const path = await kit.upload(await pdfWith([["Page"]]));
      await kit.annotate(path, annotation.text([60, 300, 200, 20], "LIVE"));

      // Act
      const pdf = async (query: string) => (await kit.ask("GET", `${path}/pdf${query}`)).bytes;
      const [live, flat, bare] = [await pdf(""), await pdf("?flatten=true"), await pdf("?annotations=false")];
      const both = await kit.ask("GET", `${path}/pdf?source=true&flatten=true`);

      // Assess
      expect([await livingOf(live), await livingOf(flat), await livingOf(bare)]).to.deep.equal([
        [["FreeText"]],
        [[]],
        [[]],
      ]);
      expect([await textsOf(flat), await textsOf(bare)]).to.deep.equal([["Page LIVE"], ["Page"]]);
      expect(both.status).to.equal(400);
    });

    it("replaces the document by apply_instructions", async () => {
      // Prepare
      const path = await kit.upload(await pdfWith([["Page one"], ["Page two"]]));
      const instructions = { parts: [{ document: { id: "#self" }, pages: { start: 1, end: -1 } }] };

      // Act
      const answer = await kit.ask("POST", `${path}/apply_instructions`, { body: instructions });

      // Assess
      expect(answer.status).to.equal(200);
      const { body } = await kit.ask("GET", `${path}/pages/text`);
      expect(
        (body as { textLines: { contents: string }[] }[]).map((page) => page.textLines[0]?.contents),
      ).to.deep.equal(["Page two"]);
    });
  });

  describe("when it builds", () => {
    it("assembles parts in their order, with the annotations that live on them", async () => {
      // Prepare
      const path = await kit.upload(await pdfWith([["stored one"], ["stored two"]]));
      await kit.annotate(path, annotation.note([10, 10, 20, 20], "x", { pageIndex: 1 }));
      const instructions = {
        parts: [{ file: "a" }, { document: { id: path.split("/").at(-1) }, pages: { start: -1 } }],
        output: { type: "pdf", metadata: { title: "Both" } },
      };

      // Act
      const { bytes } = await kit.build(instructions, { a: await pdfWith([["sent"]]) });

      // Assess
      expect(await textsOf(bytes)).to.deep.equal(["sent", "stored two"]);
      expect(await livingOf(bytes)).to.deep.equal([[], ["Text"]]);
      expect((await PDFDocument.load(bytes)).getTitle()).to.equal("Both");
    });

    it("refuses what is malformed with the paths that fail, and damaged or protected input", async () => {
      // Prepare
      const pdf = await pdfWith([["Page"]]);

      // Act
      const malformed = await kit.build({ parts: [{ file: "a" }], actions: [{ type: "unknown" }] }, { a: pdf });
      const missing = await kit.build({ parts: [{ file: "b" }] }, { a: pdf });
      const damaged = await kit.build({ parts: [{ file: "a" }] }, { a: Buffer.from("no pdf") });
      const unknown = await kit.build({ parts: [{ document: { id: "unknown" } }] });
      const json = { format, annotations: [annotation.note([0, 0, 9, 9], "x", { pageIndex: 5 })] };
      const importing = { parts: [{ file: "a" }], actions: [{ type: "applyInstantJson", file: "json" }] };
      const notImported = await kit.build(importing, { a: pdf, json });

      // Assess
      expect([malformed, missing, damaged, unknown, notImported].map(({ status }) => status)).to.deep.equal([
        400, 400, 400, 404, 400,
      ]);
      const { requestId, failingPaths, ...told } = malformed.body as Record<string, unknown>;
      expect(told).to.deep.equal({ details: "The request is malformed", status: 400 });
      expect(requestId).to.match(/^[0-9A-Z]{26}$/);
      expect(failingPaths).to.have.nested.property("[0].path", "$.actions[0].type");
      expect((notImported.body as { details: string }).details).to.include("Page index out of bounds.");
    });
  });
});
