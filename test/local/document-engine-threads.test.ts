import { expect } from "chai";
import { heldOf, livingOf, textsOf } from "../../local/check/independent-pdf.ts";
import { annotation, engineKit, pdfWith, type EngineKit } from "./document-engine-kit.ts";
import { rawPdf } from "./document-engine-raw-pdf.ts";

const format = "https://pspdfkit.com/instant-json/v1";
const redact = { type: "applyRedactions" };

describe("the threads of the stand-in of Document Engine", function () {
  this.timeout(20_000);
  let kit: EngineKit;
  let pdf: Buffer;
  let path: string;

  before(async () => {
    kit = await engineKit();
    pdf = await pdfWith([["Hello world", "Second line"], ["Another page"]]);
  });
  beforeEach(async () => {
    path = await kit.upload(pdf);
  });
  after(() => kit.close());

  it("keeps a thread in its order, with authors and dates, as text of the second version", async () => {
    // Prepare
    const [root] = await kit.annotate(path, annotation.highlight([60, 85, 100, 25]));
    const thread = `${path}/annotations/${root}/comments`;
    const date = "2025-01-02T03:04:05Z";

    // Act
    const comments = [
      {
        id: "c1",
        user_id: "alice",
        content: { text: "first", creatorName: "Alice", createdAt: date, updatedAt: date },
      },
      { content: { text: { format: "xhtml", value: "<p>second</p>" }, createdAt: date, updatedAt: date } },
    ];
    const created = await kit.ask("POST", thread, { body: { comments } });
    const listed = await kit.ask("GET", thread);

    // Assess
    const [first, second] = (created.body as { data: { comments: { id: string }[] } }).data.comments;
    expect(first?.id).to.equal("c1");
    const common = { type: "pspdfkit/comment", v: 2, rootId: root, pageIndex: 0, createdAt: date, updatedAt: date };
    expect(listed.body).to.deep.equal({
      data: {
        comments: [
          {
            id: "c1",
            group: null,
            createdBy: "alice",
            updatedBy: "alice",
            content: { ...common, creatorName: "Alice", text: { format: "plain", value: "first" } },
          },
          {
            id: second?.id,
            group: null,
            createdBy: null,
            updatedBy: null,
            content: { ...common, text: { format: "xhtml", value: "<p>second</p>" } },
          },
        ],
      },
    });
    const { body } = await kit.ask("GET", `${path}/annotations/${root}`);
    expect((body as { content: { isCommentThreadRoot: boolean } }).content.isCommentThreadRoot).to.equal(true);
  });

  it("refuses threads on what can be no root with 400, and comments without text with 422", async () => {
    // Prepare
    const stamp = { v: 2, type: "pspdfkit/stamp", pageIndex: 0, bbox: [0, 0, 9, 9], opacity: 1, stampType: "Draft" };
    const [redaction, text, approved, note, root] = await kit.annotate(
      path,
      annotation.redaction([[60, 85, 100, 25]], { isCommentThreadRoot: true }),
      annotation.text([0, 0, 9, 9], "x"),
      stamp,
      annotation.note([0, 0, 9, 9], "x"),
      annotation.highlight([60, 85, 100, 25]),
    );
    const comments = [{ content: { text: "a comment" } }];

    // Act
    const answers = [];
    for (const id of [redaction, text, approved, note, root]) {
      answers.push(await kit.ask("POST", `${path}/annotations/${id}/comments`, { body: { comments } }));
    }
    const read = await kit.ask("GET", `${path}/annotations/${redaction}/comments`);
    const empty = await kit.ask("POST", `${path}/annotations/${root}/comments`, {
      body: { comments: [{ content: {} }] },
    });
    const together = await kit.ask("POST", `${path}/comments`, { body: {} });

    // Assess
    expect(answers.map(({ status }) => status)).to.deep.equal([400, 400, 400, 200, 200]);
    expect([read.status, empty.status, together.status]).to.deep.equal([400, 422, 404]);
    expect(empty.body).to.deep.equal({ comments: [{ content: { text: ["is required"] } }] });
  });

  it("imports and applies a redaction that is flagged as a root without comments, and loses the flag", async () => {
    // Prepare
    const far = annotation.redaction([[300, 500, 50, 20]], { isCommentThreadRoot: true });
    const near = annotation.redaction([[55, 80, 200, 30]], { isCommentThreadRoot: true });

    // Act
    const applied = await kit.work(pdf, [near], redact);
    const imported = await kit.upload(await kit.work(pdf, [far]));
    const { body } = await kit.ask("GET", `${imported}/annotations`);

    // Assess
    expect(await textsOf(applied)).to.deep.equal(["Second line", "Another page"]);
    const { annotations } = (body as { data: { annotations: { content: object }[] } }).data;
    expect(annotations).to.have.length(1);
    expect(annotations[0]?.content).to.not.have.property("isCommentThreadRoot");
  });

  it("fails to import comments whose root is a redaction, in a build and into a document", async () => {
    // Prepare
    const json = {
      format,
      annotations: [annotation.redaction([[55, 80, 200, 30]], { id: "root", isCommentThreadRoot: true })],
      comments: [{ type: "pspdfkit/comment", v: 2, id: "answer", rootId: "root", pageIndex: 0, text: "why" }],
    };

    // Act
    const built = await kit.build(
      { parts: [{ file: "file" }], actions: [{ type: "applyInstantJson", file: "json" }] },
      { file: pdf, json },
    );
    const applied = await kit.ask("POST", `${path}/apply_instant_json`, { form: { "instant.json": json } });

    // Assess
    const reason = "1: Couldn't find root comment for deserialized comment answer";
    expect([built.status, applied.status]).to.deep.equal([400, 400]);
    expect((built.body as { details: string }).details).to.include(reason);
    expect((applied.body as { error: { description: string } }).error.description).to.include(reason);
  });

  it("removes a thread together with the highlight under a box that is its root", async () => {
    // Prepare
    const json = {
      format,
      annotations: [
        annotation.highlight([55, 80, 100, 30], { id: "root" }),
        annotation.redaction([[60, 85, 50, 20]]),
        annotation.note([400, 600, 20, 20], "beside"),
      ],
      comments: [{ type: "pspdfkit/comment", v: 2, rootId: "root", pageIndex: 0, text: "THREADTEXT" }],
    };

    // Act
    const { bytes } = await kit.build(
      { parts: [{ file: "file" }], actions: [{ type: "applyInstantJson", file: "json" }, redact] },
      { file: pdf, json },
    );

    // Assess
    expect(await livingOf(bytes)).to.deep.equal([["Text"], []]);
    expect(await heldOf(bytes, ["THREADTEXT", "beside"])).to.deep.equal(["beside"]);
  });

  it("keeps a distant answer to a redaction of the PDF, and with it the contents of the redaction", async () => {
    // Prepare
    const pdf = rawPdf({
      pages: [{ contents: "BT /F 20 Tf 60 700 Td (SECRET) Tj ET", more: "/Annots [20 0 R 21 0 R]" }],
      objects: {
        20: "<</Type/Annot/Subtype/Redact/Rect[50 690 200 730]/Contents(QUOTED)/Popup null>>",
        21: "<</Type/Annot/Subtype/Text/Rect[400 100 420 120]/Contents(answer)/IRT 20 0 R>>",
      },
    });

    // Act
    const bytes = await kit.work(pdf, [], redact);

    // Assess
    expect(await livingOf(bytes)).to.deep.equal([["Text"]]);
    expect(await heldOf(bytes, ["SECRET", "QUOTED", "answer"])).to.deep.equal(["QUOTED", "answer"]);
  });

  it("reads answers to what has no threads, and members of a group, as annotations of their own", async () => {
    // Prepare
    const pdf = rawPdf({
      pages: [{ contents: "", more: "/Annots [20 0 R 21 0 R 22 0 R 23 0 R 24 0 R]" }],
      objects: {
        20: "<</Type/Annot/Subtype/Redact/Rect[50 690 200 730]>>",
        21: "<</Type/Annot/Subtype/Text/Rect[400 100 420 120]/Contents(own)/IRT 20 0 R>>",
        22: "<</Type/Annot/Subtype/Highlight/Rect[50 600 200 630]/QuadPoints[50 630 200 630 50 600 200 600]>>",
        23: "<</Type/Annot/Subtype/Text/Rect[50 600 70 620]/Contents(comment)/IRT 22 0 R>>",
        24: "<</Type/Annot/Subtype/Redact/Rect[50 500 200 530]/IRT 22 0 R/RT/Group>>",
      },
    });

    // Act
    const document = await kit.upload(pdf);
    const { body } = await kit.ask("GET", `${document}/annotations`);

    // Assess
    const { annotations } = (body as { data: { annotations: { id: string; content: { type: string } }[] } }).data;
    expect(annotations.map(({ content }) => content.type.split("/").at(-1))).to.deep.equal([
      "redaction",
      "note",
      "highlight",
      "redaction",
    ]);
    const thread = await kit.ask("GET", `${document}/annotations/${annotations[2]?.id}/comments`);
    const { comments } = (thread.body as { data: { comments: { content: { text: object } }[] } }).data;
    expect(comments.map(({ content }) => content.text)).to.deep.equal([{ format: "plain", value: "comment" }]);
  });
});
