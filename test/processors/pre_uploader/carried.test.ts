import { expect } from "chai";
import { PDFName, PDFString, StandardFonts } from "@cantoo/pdf-lib";
import type { PDFDocument } from "@cantoo/pdf-lib";
import type { AnnotationChoices, EngineRecord } from "../../../contracts/annotations.ts";
import { destinationId } from "../../../processors/pre_uploader/layers.ts";
import { preUpload } from "../../../processors/pre_uploader/process.ts";
import { withDocument } from "../../../processors/pre_uploader/pdf/pdfium.ts";
import { readPdf } from "../../../processors/pre_uploader/pdf/reader.ts";
import { allBranded, openAnnotationBench } from "../annotation_bench.ts";
import type { AnnotationBench } from "../annotation_bench.ts";
import { boxOfWord, make, makePdf, pdfium, textsOf } from "../engine_bench.ts";
import { drainEvents, startCloudFirst } from "../support.ts";

const lines = ["Public words stand here", "The code is Geheimnis123 today", "Nothing else"];

describe("what the pre-uploader carries", () => {
  startCloudFirst();
  let bench: AnnotationBench;
  let pdf: Uint8Array;
  let hidden: EngineRecord;

  beforeEach(async () => {
    bench = await openAnnotationBench();
    pdf = await makePdf([{ lines }]);
    hidden = make.redaction("R1", 0, await boxOfWord(pdf, 0, "Geheimnis123"));
  });
  afterEach(() => bench.close());

  /** Has a document pre-processed of which Document Engine keeps just these annotations and comments. */
  async function carry(
    records: EngineRecord[],
    {
      choices = allBranded,
      comments = {},
      source = pdf,
    }: Partial<{
      choices: AnnotationChoices;
      comments: Record<string, EngineRecord[]>;
      source: Uint8Array;
    }> = {},
  ) {
    const message = await bench.place(source, [[]], choices);
    const engine = {
      ...bench.engine.engine,
      annotations: () => Promise.resolve(records),
      comments: (_: string, root: string) => Promise.resolve(comments[root] ?? []),
    };
    const thrown = await preUpload({ ...bench.to, engine }, message).then(
      () => undefined,
      (error: unknown) => error,
    );
    const keys = await bench.keys(message.exchange);
    const [event] = await drainEvents(bench.aws.sqs, bench.heard);
    const json = async (name: string) => bench.json(keys.find((key) => key.endsWith(name))!);
    const produced = async () => bench.bytes(message.file.destinationKey);
    return { thrown, keys, json, produced, detail: event?.detail, caseId: message.exchange.caseId };
  }

  const comment = (id: string, value: string): EngineRecord => ({
    id,
    createdBy: "bob",
    content: { type: "pspdfkit/comment", v: 2, rootId: "R1", pageIndex: 0, text: { format: "xhtml", value } },
  });
  const rooted = () => ({ ...hidden, content: { ...hidden.content, isCommentThreadRoot: true, note: "Geheimnis123" } });

  it("has a redaction applied that is the root of a thread, and the thread carried with a root of its own", async () => {
    // Act
    const { json, produced, detail, caseId } = await carry([rooted()], {
      comments: { R1: [comment("K1", "<p>f&uuml;r</p>")] },
    });

    // Assess
    expect((await textsOf(await produced()))[0]).not.to.include("Geheimnis123");
    const id = (source: string) => destinationId(`document_${caseId}_b1_70_700`, source);
    const { threads } = await json("comments.json");
    const [thread] = threads as { root: EngineRecord; comments: EngineRecord[] }[];
    expect(thread!.root).to.deep.include({ id: id("R1\nthread"), createdBy: "alice" });
    expect(thread!.root.content).to.include({ type: "pspdfkit/comment-marker", creatorName: "alice" });
    expect(JSON.stringify(thread)).not.to.include("Geheimnis");
    expect(thread!.comments.map(({ content }) => content)).to.deep.equal([
      {
        ...comment("K1", "").content,
        ...{ id: id("K1"), rootId: id("R1\nthread"), creatorName: "bob" },
        text: { format: "xhtml", value: "<p>f&#252;r</p>" },
      },
    ]);
    expect(detail!["exhibits"]).to.have.deep.nested.property("[0].redactions", {
      ...{ fetched: 1, branded: 1, layered: 0, left: 0 },
    });
  });

  it("holds the thread of a redaction back that quotes what it hides, and names it", async () => {
    // Act
    const { keys, produced, detail } = await carry([rooted()], {
      comments: { R1: [comment("K1", "<p>Ge<b>heim</b>nis&#49;23</p>")] },
    });

    // Assess
    expect((await textsOf(await produced()))[0]).not.to.include("Geheimnis123");
    expect(keys.filter((key) => key.endsWith("comments.json"))).to.deep.equal([]);
    expect(detail!["warning"]).to.deep.include({ code: "ANNOTATIONS_NOT_CARRIED" });
    expect((detail!["warning"] as { message: string }).message).to.include("1 quote what a redaction hides (R1)");
  });

  it("leaves redactions in the source case where the request says so, and counts them", async () => {
    // Act
    const { produced, detail, json } = await carry([rooted()], {
      choices: { redactionsAs: "leave", comments: true },
      comments: { R1: [comment("K1", "<p>Geheimnis123</p>")] },
    });

    // Assess
    expect((await textsOf(await produced()))[0]).to.include("Geheimnis123");
    expect(detail!["exhibits"]).to.have.deep.nested.property("[0].redactions", {
      ...{ fetched: 1, branded: 0, layered: 0, left: 1 },
    });
    expect((await json("comments.json"))["threads"]).to.have.length(1);
  });

  it("writes nothing where not every redaction is accounted for", async () => {
    const custom = { ...hidden, content: { ...hidden.content, type: "pspdfkit/markup/redaction:mine" } };
    const { thrown, keys } = await carry([hidden, custom]);
    expect(thrown).to.include({ kind: "permanent", code: "REDACTIONS_UNACCOUNTED" });
    expect(keys).to.deep.equal([]);
  });

  it("carries no layer that quotes by entities, by custom data or by its author", async () => {
    // Prepare
    const note = (id: string, more: object) => {
      const made = make.note(id, 0, [300, 200, 20, 20], "look");
      return { ...made, content: { ...made.content, ...more } };
    };
    const notes = [
      note("N1", { text: { format: "xhtml", value: "<p>Geheimn&#105;s123</p>" } }),
      note("N2", { customData: { ref: ["Geheimnis123"] } }),
      note("N3", { creatorName: "Geheimnis 123" }),
      note("N4", { text: { format: "xhtml", value: "<p>Sch&ouml;n &amp; gut</p>" } }),
    ];

    // Act
    const { json, detail } = await carry([hidden, ...notes], {
      choices: { redactionsAs: "brand_in", notesAs: "layer" },
    });

    // Assess
    const { annotations } = await json("notes.json");
    expect((annotations as { text: unknown }[]).map(({ text }) => text)).to.deep.equal([
      { format: "xhtml", value: "<p>Sch&#246;n &#38; gut</p>" },
    ]);
    expect(detail!["exhibits"]).to.have.deep.nested.property("[0].withheld", { count: 3, ids: ["N1", "N2", "N3"] });
  });

  it("prints a stamp of rich text, and takes nothing of its author and of its custom data into the file", async () => {
    // Prepare
    const stamp = make.bates("B1", 0, [250, 270, 120, 14], "");
    const text = { format: "xhtml", value: "<p>ABC<b>&uuml;</b>000001</p>" };
    const content = { ...stamp.content, text, creatorName: "Geheimnis123", note: "Geheimnis123" };

    // Act
    const { thrown, produced } = await carry([hidden, { ...stamp, content }]);

    // Assess
    expect(thrown).to.equal(undefined);
    expect((await textsOf(await produced()))[0]).to.match(/ABCü000001/);
    expect(Buffer.from(await produced()).toString("latin1")).not.to.include("Geheimnis");
  });

  for (const [what, records] of Object.entries({ "with redactions": () => [hidden], "without redactions": () => [] })) {
    it(`keeps links and form fields of a document ${what} live`, async () => {
      // Prepare
      const source = await makePdf([{ lines }], withLinkAndField);
      const bates = make.bates("B1", 0, [250, 270, 120, 14], "ABC-0000001");

      // Act
      const { thrown, produced } = await carry([...records(), bates], { source });

      // Assess
      expect(thrown).to.equal(undefined);
      const pages = readPdf(await pdfium(), await produced());
      expect(pages[0]!.annotations.map(({ kind }) => kind).sort()).to.deep.equal(["link", "widget"]);
      expect(pages[0]!.text).to.include("ABC-0000001");
    });
  }

  it("says what a document with redactions loses, and has no redacted word in its title any more", async () => {
    // Prepare
    const source = await makePdf([{ lines }], async (made) => {
      made.setTitle("All about Geheimnis123");
      for (const name of ["a.txt", "b.txt"]) await made.attach(Buffer.from("see Geheimnis123"), name);
    });

    // Act
    const { thrown, produced, detail } = await carry([hidden], { source });

    // Assess
    expect(thrown).to.equal(undefined);
    expect(detail!["removed"]).to.deep.equal({ attachments: 2, "document properties": 5 });
    expect(detail!["warning"]).to.deep.equal({ code: "CONTENT_REMOVED", message: "attachments removed: 2" });
    const library = await pdfium();
    const attachments = withDocument(library, await produced(), (document) =>
      library.FPDFDoc_GetAttachmentCount(document),
    );
    expect(attachments).to.equal(0);
  });
});

async function withLinkAndField(made: PDFDocument): Promise<void> {
  const page = made.getPage(0);
  const link = made.context.obj({
    ...{ Type: "Annot", Subtype: "Link", Rect: [40, 100, 90, 112], Border: [0, 0, 0] },
    A: { Type: "Action", S: "URI", URI: PDFString.of("https://example.org/") },
  });
  page.node.set(PDFName.of("Annots"), made.context.obj([made.context.register(link)]));
  const field = made.getForm().createTextField("name");
  field.setText("written");
  field.addToPage(page, {
    x: 200,
    y: 100,
    width: 100,
    height: 20,
    font: await made.embedFont(StandardFonts.Helvetica),
  });
}
