import { expect } from "chai";
import { textsOf } from "../../local/check/independent-pdf.ts";
import { annotation, engineKit, pdfWith, type EngineKit } from "./document-engine-kit.ts";

type Box = [number, number, number, number];
const box: Box = [60, 300, 400, 60];
const flatten = { type: "flatten" };

describe("the rich text of the stand-in of Document Engine", function () {
  this.timeout(20_000);
  let kit: EngineKit;

  before(async () => {
    kit = await engineKit();
  });
  after(() => kit.close());

  const drawn = async (format: "plain" | "xhtml", value: string) => {
    const text = annotation.text(box, "", { text: { format, value } });
    return (await textsOf(await kit.work(await pdfWith([[]]), [text], flatten)))[0];
  };

  it("is drawn without its tags, its numeric entities as their characters", async () => {
    // Act
    const texts = [
      await drawn("xhtml", "<p>ABC<b>000</b><i>001</i></p>"),
      await drawn("xhtml", '<p><span style="color:#ff0000">f&#252;r</span> &amp; &#x41; &lt;x&gt;</p>'),
      await drawn("xhtml", "<p>one</p><p>two<br/>three</p>"),
    ];

    // Assess
    expect(texts).to.deep.equal(["ABC000001", "für & A <x>", "one two three"]);
  });

  it("ends at a named entity, which loses everything that follows", async () => {
    // Act
    const texts = [
      await drawn("xhtml", "<p>f&uuml;r <b>sie</b></p><p>more</p>"),
      await drawn("xhtml", "<p>ABC&nbsp;000001</p>"),
    ];

    // Assess
    expect(texts).to.deep.equal(["f", "ABC"]);
  });

  it("is literal where it is plain, up to a NUL", async () => {
    // Act
    const texts = [await drawn("plain", "<p>a&nbsp;b</p>"), await drawn("plain", "before\0after")];

    // Assess
    expect(texts).to.deep.equal(["<p>a&nbsp;b</p>", "before"]);
  });

  it("comes back from the file as it was for text and comments, and as plain text for notes", async () => {
    // Prepare
    const rich = { format: "xhtml", value: "<p>rich <b>text</b></p>" };
    const json = {
      format: "https://pspdfkit.com/instant-json/v1",
      annotations: [
        annotation.text(box, "", { text: rich }),
        annotation.note([10, 10, 20, 20], "", { text: rich }),
        annotation.highlight([60, 500, 50, 20], { id: "root" }),
      ],
      comments: [{ type: "pspdfkit/comment", v: 2, rootId: "root", pageIndex: 0, text: rich }],
    };

    // Act
    const { bytes } = await kit.build(
      { parts: [{ file: "file" }], actions: [{ type: "applyInstantJson", file: "json" }] },
      { file: await pdfWith([[]]), json },
    );
    const path = await kit.upload(bytes);
    const { body } = await kit.ask("GET", `${path}/annotations`);
    const { annotations } = (
      body as { data: { annotations: { id: string; content: { type: string; text: object } }[] } }
    ).data;
    const textOf = (type: string) => annotations.find(({ content }) => content.type === type)?.content.text;
    const root = annotations.find(({ content }) => content.type === "pspdfkit/markup/highlight");
    const thread = await kit.ask("GET", `${path}/annotations/${root?.id}/comments`);

    // Assess
    const { comments } = (thread.body as { data: { comments: { content: { text: object } }[] } }).data;
    expect([textOf("pspdfkit/text"), textOf("pspdfkit/note"), comments[0]?.content.text]).to.deep.equal([
      rich,
      { format: "plain", value: "rich text" },
      rich,
    ]);
  });
});
