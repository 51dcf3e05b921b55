import { expect } from "chai";
import { makePng } from "../../local/samples/content/natives.ts";
import { annotation, engineKit, pdfWith, sha256, type Answer, type EngineKit } from "./document-engine-kit.ts";

interface Listed {
  data: { annotations: { id: string; content: Record<string, unknown> }[]; truncated?: boolean };
}
const idsOf = (answer: Answer) => (answer.body as Listed).data.annotations.map(({ id }) => id);

describe("the Instant JSON of the stand-in of Document Engine", function () {
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

  const format = "https://pspdfkit.com/instant-json/v1";

  it("gives all that was added, with its images, and takes it into another document as it was", async () => {
    // Prepare
    const png = makePng(8, 8, [0, 255, 0]);
    const content = annotation.image([10, 10, 20, 20], sha256(png), "image/png");
    await kit.ask("POST", `${path}/annotations`, { form: { annotation: { id: "i", content }, [sha256(png)]: png } });
    const highlight = annotation.highlight([60, 85, 100, 25]);
    await kit.ask("POST", `${path}/annotations`, { body: { id: "h", content: highlight } });
    const comments = [
      { id: "c", content: { text: "why?", createdAt: "2025-01-02T03:04:05Z", updatedAt: "2025-01-02T03:04:05Z" } },
    ];
    await kit.ask("POST", `${path}/annotations/h/comments`, { body: { comments } });

    // Act
    const { body: first } = await kit.ask("GET", `${path}/document.json`);
    const other = await kit.upload(pdf, { attachment: first as object });
    const { body: second } = await kit.ask("GET", `${other}/document.json`);
    await kit.ask("POST", `${path}/layers/again/apply_instant_json`, { form: { "instant.json": first as object } });
    const { body: third } = await kit.ask("GET", `${path}/layers/again/document.json`);

    // Assess
    expect(first).to.deep.equal({
      format,
      annotations: [
        { ...content, id: "i" },
        { ...highlight, isCommentThreadRoot: true, id: "h" },
      ],
      attachments: { [sha256(png)]: { binary: png.toString("base64"), contentType: "image/png" } },
      comments: [
        {
          id: "c",
          type: "pspdfkit/comment",
          v: 2,
          rootId: "h",
          pageIndex: 0,
          text: { format: "plain", value: "why?" },
          createdAt: "2025-01-02T03:04:05Z",
          updatedAt: "2025-01-02T03:04:05Z",
        },
      ],
    });
    expect(second).to.deep.equal(first);
    expect(third).to.deep.equal(first);
  });

  it("knows both versions of text", async () => {
    // Prepare
    await kit.annotate(path, annotation.note([0, 0, 9, 9], "hello"));

    // Act
    const texts = await Promise.all(
      ["", "?annotation_version=1", "?annotation_version=2", "?annotation_version=x"].map(async (query) => {
        const { body } = await kit.ask("GET", `${path}/document.json${query}`);
        const [first] = (body as { annotations: { v: number; text: unknown }[] }).annotations;
        return [first?.v, first?.text];
      }),
    );

    // Assess
    const formatted = { format: "plain", value: "hello" };
    expect(texts).to.deep.equal([
      [2, formatted],
      [1, "hello"],
      [2, formatted],
      [2, formatted],
    ]);
  });

  it("takes all of a document or nothing, and lists every reason; an upload succeeds all the same", async () => {
    // Prepare
    const clear = { ...annotation.note([0, 0, 9, 9], "x"), opacity: undefined };
    const comment = { type: "pspdfkit/comment", v: 2, id: "lost", rootId: "nobody", pageIndex: 0, text: "x" };
    const attachment = {
      format,
      annotations: [annotation.note([0, 0, 9, 9], "fine"), clear, annotation.image([0, 0, 9, 9], "abc", "image/png")],
      comments: [comment],
    };

    // Act
    const applied = await kit.ask("POST", `${path}/apply_instant_json`, { form: { "instant.json": attachment } });
    const uploaded = await kit.ask("POST", "/api/documents", {
      form: { file: pdf, document_id: "with-errors", attachment },
    });

    // Assess
    const reason = [
      "Error on importing Instant Document JSON: Encountered 3 error(s) importing JSON:",
      "1: Invalid Annotation at index 1: Annotation JSON is missing the key 'opacity'",
      "2: Invalid Annotation at index 2: Found imageAttachmentId (abc) but no matching attachment.",
      "3: Couldn't find root comment for deserialized comment lost",
    ].join("\n");
    expect(applied.status).to.equal(400);
    expect((uploaded.body as { data: { errors: unknown } }).data.errors).to.deep.equal([{ reason }]);
    for (const document of [path, "/api/documents/with-errors"]) {
      expect(idsOf(await kit.ask("GET", `${document}/annotations`))).to.deep.equal([]);
    }
  });

  it("leaves out what is in the PDF unchanged, and skips what was changed or deleted of it", async () => {
    // Prepare
    const contents = ["kept", "changed", "deleted"].map((text) => annotation.note([10, 10, 20, 20], text));
    const made = await kit.build(
      { parts: [{ file: "a" }], actions: [{ type: "applyInstantJson", file: "j" }] },
      {
        a: pdf,
        j: { format, annotations: contents },
      },
    );
    path = await kit.upload(made.bytes);
    const { annotations: reversed } = ((await kit.ask("GET", `${path}/annotations`)).body as Listed).data;
    const annotations = reversed.toReversed();
    const numbers = annotations.map(({ content }) => Number(content["pdfObjectId"]));

    // Act
    const [, changed, deleted] = annotations;
    const text = { format: "plain", value: "changed indeed" };
    await kit.ask("PUT", `${path}/annotations/${changed?.id}`, { body: { content: { ...changed?.content, text } } });
    await kit.ask("DELETE", `${path}/annotations/${deleted?.id}`);
    const { body } = await kit.ask("GET", `${path}/document.json`);
    const exported = await kit.ask("GET", `${path}/pdf`);
    const again = await kit.upload(exported.bytes);

    // Assess
    expect(body).to.deep.equal({
      format,
      annotations: [{ ...changed?.content, text, id: changed?.id }],
      skippedPdfObjectIds: numbers.slice(1).toReversed(),
    });
    const texts = ((await kit.ask("GET", `${again}/annotations`)).body as Listed).data.annotations.map(
      ({ content }) => (content["text"] as { value: string }).value,
    );
    // A file that leaves the engine has its annotations in another order.
    expect(texts.toSorted()).to.deep.equal(["changed indeed", "kept"]);
  });
});
