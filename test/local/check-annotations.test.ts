import { expect } from "chai";
import { engineDocumentId, type AnnotationChoices } from "../../contracts/annotations.ts";
import { metadataKinds } from "../../contracts/request.ts";
import { examineAnnotations } from "../../local/check/annotations.ts";
import type { CaseRows, Row } from "../../local/check/case-rows.ts";
import { engineReader } from "../../local/check/engine-documents.ts";
import type { Carrying } from "../../local/check/expected.ts";
import { reviewedDocument, reviewLayer, reviewSheet } from "../../local/samples/annotations.ts";
import type { ReviewLayer } from "../../local/samples/builder.ts";
import { makePdf } from "../../local/samples/content/pdf.ts";
import { sampleMoment } from "../../local/samples/make.ts";
import {
  createDocumentEngine,
  type BuildAction,
  type DocumentEngine,
} from "../../processors/shared/document_engine/client.ts";
import { engineKit, token, type EngineKit } from "./document-engine-kit.ts";

/** Its note quotes what it hides. */
const serial = 5;
const sheet = reviewSheet(serial);
const layer = reviewLayer({ serial, sheet, exhibit: 0, pageIndex: 1, now: sampleMoment });
const reviewed = [reviewedDocument({ documentId: 1, exhibitIds: [2] }, serial)];
const sourceId = engineDocumentId({ caseId: 7, batchId: "import-1", documentId: "1", exhibitId: "2" });
const targetId = engineDocumentId({ caseId: 9, batchId: "b1", documentId: "11", exhibitId: "12" });
const choices: AnnotationChoices = {
  redactionsAs: "brand_in",
  highlightsAs: "brand_in",
  notesAs: "layer",
  stickersAs: "brand_in",
  batesAs: "brand_in",
  confidentialityCodesAs: "brand_in",
  comments: true,
};
const named = (...names: string[]) =>
  layer.annotations.filter(({ id }) => names.includes(String(id).split(`-${serial}`)[0]!));
const redactions = named("redaction-a", "redaction-b", "redaction-b2", "redaction-c");
const drawn = named("highlight-d", "highlight-d2", "sticker-png", "sticker-jpeg", "bates", "confidential");

describe("the outsider's check of annotations", function () {
  this.timeout(30_000);
  let kit: EngineKit;
  let engine: DocumentEngine;
  let pdf: Uint8Array;

  before(async () => {
    kit = await engineKit();
    engine = createDocumentEngine({
      url: kit.url,
      secret: { read: () => Promise.resolve({ token }), forget: () => undefined },
    });
    pdf = await makePdf({
      title: "",
      author: "",
      pages: ["First page."],
      created: sampleMoment,
      unicode: false,
      sheet,
    });
    await engine.upload(sourceId, pdf, layer);
  });
  after(async () => {
    await engine.close();
    await kit.close();
  });

  /** An exchange done by hand, rightly but for what is asked otherwise. */
  async function judge(
    otherwise: {
      branded?: ReviewLayer["annotations"];
      actions?: BuildAction["type"][];
      live?: ReviewLayer["annotations"];
      comments?: ReviewLayer["comments"];
      index?: string;
    } = {},
  ) {
    const {
      branded = [...redactions, ...drawn],
      live = named("note", "thread"),
      comments = layer.comments,
    } = otherwise;
    const actions = otherwise.actions ?? ["applyInstantJson", "applyRedactions", "flatten"];
    const annotationIds = branded.map(({ id }) => String(id));
    const produced = await engine.build(
      pdf,
      { format: layer.format, annotations: branded, attachments: layer.attachments ?? {} },
      actions.map((type) => (type === "flatten" ? { type, annotationIds } : { type })),
    );
    await engine.upload(targetId, produced, { format: layer.format, annotations: live, comments } as ReviewLayer);
    const pages = await engine.pageTexts(targetId);
    const texts = pages.map((text, index) => ({
      exhibit_id: "12",
      position: String(index + 1),
      content: `${text} ${otherwise.index ?? ""}`,
    }));
    const { problems, counts, indexed } = await examineAnnotations(
      carrying(texts),
      { choices, batchId: "b1", destinationCaseId: 9, reviewed },
      engineReader({ url: kit.url, token }),
    );
    return { problems: problems.map(({ about, text }) => `${about}: ${text}`), counts, indexed };
  }

  it("finds nothing wrong with annotations that travelled rightly, and counts them", async () => {
    // Act
    const verdict = await judge();

    // Assess
    expect(verdict).to.deep.equal({
      problems: [],
      counts: { branded: 6, layers: 1, comments: 3, redactionsProven: 4, leaks: 0 },
      indexed: 1,
    });
  });

  it("finds words that a redaction only covers", async () => {
    // Act
    const { problems, counts } = await judge({ actions: ["applyInstantJson", "flatten"] });

    // Assess
    expect(problems).to.include("leak: exhibit 2: its PDF has hush5a, which is redacted");
    expect([counts.leaks, counts.redactionsProven]).to.deep.equal([6, 0]);
  });

  it("finds a live annotation that quotes what is hidden", async () => {
    // Act
    const { problems, counts } = await judge({ live: named("note", "thread", "note-quoting") });

    // Assess
    expect(problems).to.deep.equal([
      "wrong annotation: exhibit 2: shows 3 annotations, not 2",
      "leak: exhibit 2: its annotations say hush5a",
    ]);
    expect(counts.leaks).to.equal(1);
  });

  it("finds hidden words in the index", async () => {
    // Act
    const { problems } = await judge({ index: "hush5b" });

    // Assess
    expect(problems).to.deep.equal(["leak: exhibit 2: the index has hush5b"]);
  });

  it("misses what was not drawn, what lives though it should be drawn, and a comment that is lost", async () => {
    // Act
    const undrawn = await judge({ branded: [...redactions, ...drawn.filter(({ type }) => type !== "pspdfkit/image")] });
    const alive = await judge({ actions: ["applyInstantJson", "applyRedactions"] });
    const silent = await judge({ comments: layer.comments.slice(0, 2) });

    // Assess
    expect(undrawn.problems).to.deep.equal([
      "wrong annotation: exhibit 2: pspdfkit/image sticker-png-5-0 is not seen on its page",
      "wrong annotation: exhibit 2: pspdfkit/image sticker-jpeg-5-0 is not seen on its page",
    ]);
    expect(alive.problems).to.include(
      "wrong annotation: exhibit 2: annotations live in its PDF that should be part of it",
    );
    expect(silent.problems).to.deep.equal(["wrong annotation: exhibit 2: thread thread-5-0 is not what it was"]);
  });
});

/** One document with one exhibit on both sides. */
function carrying(texts: readonly Row[]): Carrying {
  const table = (...rows: Row[]) => ({ columns: Object.keys(rows[0] ?? {}), key: ["id"], rows });
  const rows = (schema: string, tables: [string, ReturnType<typeof table>][]): CaseRows => ({
    schema,
    tables: new Map(tables),
    foreignKeys: [],
  });
  const [document, exhibit] = [
    { id: "1", batch_id: "import-1" },
    { id: "2", document_id: "1" },
  ];
  return {
    exchange: { exchangeId: "e", documentIds: ["1"], includeNatives: false, metadata: [...metadataKinds] },
    sourceCaseId: 7,
    source: rows("case_7", []),
    destination: rows("case_9", [
      ["exhibits", table({ id: "12", document_id: "11" })],
      ["exhibit_texts", table(...texts)],
    ]),
    scope: new Map([
      ["documents", [document]],
      ["exhibits", [exhibit]],
    ]),
    counterparts: new Map([
      ["documents", new Map([["1", ["11"]]])],
      ["exhibits", new Map([["2", ["12"]]])],
    ]),
  };
}
