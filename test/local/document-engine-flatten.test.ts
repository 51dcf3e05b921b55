import { expect } from "chai";
import { livingOf, textsOf } from "../../local/check/independent-pdf.ts";
import { annotation, engineKit, pdfWith, type EngineKit } from "./document-engine-kit.ts";

const redact = { type: "applyRedactions" };
const flattenOnly = (...annotationIds: (string | number)[]) => ({ type: "flatten", annotationIds });

describe("the flattening of the stand-in of Document Engine", function () {
  this.timeout(20_000);
  let kit: EngineKit;

  before(async () => {
    kit = await engineKit();
  });
  after(() => kit.close());

  it("draws the annotations that are named by an id of the Instant JSON that the same build applies", async () => {
    // Prepare
    const annotations = [
      annotation.text([60, 300, 200, 20], "DRAWN", { id: "drawn" }),
      annotation.text([60, 400, 200, 20], "ALIVE", { id: "alive" }),
    ];

    // Act
    const bytes = await kit.work(await pdfWith([["Page"]]), annotations, flattenOnly("drawn", "unknown"));

    // Assess
    expect(await textsOf(bytes)).to.deep.equal(["Page DRAWN"]);
    expect(await livingOf(bytes)).to.deep.equal([["FreeText"]]);
  });

  it("knows those ids also after redactions were applied", async () => {
    // Prepare
    const annotations = [
      annotation.redaction([[103, 85, 75, 20]], { id: "redaction" }),
      annotation.text([60, 300, 200, 20], "DRAWN", { id: "drawn" }),
      annotation.text([60, 400, 200, 20], "ALIVE", { id: "alive" }),
    ];

    // Act
    const bytes = await kit.work(await pdfWith([["Top SECRET data"]]), annotations, redact, flattenOnly("drawn"));

    // Assess
    expect(await textsOf(bytes)).to.deep.equal(["Top data DRAWN"]);
    expect(await livingOf(bytes)).to.deep.equal([["FreeText"]]);
  });
});
