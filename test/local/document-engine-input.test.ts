import { expect } from "chai";
import { PDFDocument } from "@cantoo/pdf-lib";
import { textsOf } from "../../local/check/independent-pdf.ts";
import { annotation, engineKit, pdfWith, type EngineKit } from "./document-engine-kit.ts";
import { raw, rawPdf } from "./document-engine-raw-pdf.ts";

const contents = "BT /F 20 Tf 60 700 Td (Page) Tj ET";

describe("the stand-in of Document Engine, given odd or damaged files", function () {
  this.timeout(20_000);
  let kit: EngineKit;

  before(async () => {
    kit = await engineKit();
  });
  after(() => kit.close());

  const uploaded = async (bytes: Uint8Array) => {
    const { status, body } = await kit.ask("POST", "/api/documents", {
      form: { file: bytes, document_id: "odd", overwrite_existing_document: "true" },
    });
    return { status, description: (body as { error?: { description: string } }).error?.description };
  };

  it("refuses what is empty, damaged, truncated or without pages, each in the engine's words", async () => {
    // Prepare
    const whole = await pdfWith([["Page"]]);
    const text = whole.toString("latin1");
    const headless = Buffer.from(text.slice(0, text.lastIndexOf("xref\n0")).trimEnd(), "latin1");

    // Act
    const answers = [
      await uploaded(new Uint8Array()),
      await uploaded(Buffer.from("no pdf")),
      await uploaded(whole.subarray(0, whole.length * 0.7)),
      await uploaded(headless),
      await uploaded(rawPdf({ pages: [] })),
    ];

    // Assess
    const damaged = { status: 400, description: "File not in PDF format or corrupted." };
    expect(answers).to.deep.equal([
      { status: 400, description: "File not found or could not be opened." },
      damaged,
      damaged,
      damaged,
      { status: 400, description: "Document contains no pages." },
    ]);
  });

  it("mends a wrong offset of the table of objects, and bytes before the file", async () => {
    // Prepare
    const whole = rawPdf({ pages: [{ contents }] });
    const misplaced = Buffer.from(whole.toString("latin1").replace(/startxref\n\d+/, "startxref\n7"), "latin1");
    const late = Buffer.concat([Buffer.from("From: someone\r\n\r\n"), whole]);

    // Act
    const built = await Promise.all([misplaced, late].map((pdf) => kit.work(pdf, [])));

    // Assess
    expect(await Promise.all(built.map(textsOf))).to.deep.equal([["Page"], ["Page"]]);
  });

  it("refuses a protected file without its password, or with another one", async () => {
    // Prepare
    const made = await PDFDocument.load(await pdfWith([["Page"]]));
    made.encrypt({ userPassword: "user", ownerPassword: "owner" });
    const pdf = await made.save({ useObjectStreams: false });
    const build = (password?: string) =>
      kit.build({ parts: [{ file: "file", ...(password && { password }) }] }, { file: pdf });

    // Act
    const answers = [await build(), await build("wrong"), await build("user")];

    // Assess
    expect(answers.map(({ status }) => status)).to.deep.equal([403, 403, 200]);
    for (const { body } of answers.slice(0, 2)) {
      expect((body as { error: { description: string } }).error.description).to.match(/^INVALID_PASSWORD/);
    }
  });

  it("reads and writes every readable file, also where its objects lack keys", async () => {
    // Prepare
    const link = (more: string) => `<</Type/Annot/Subtype/Link/Rect[10 10 50 50]${more}>>`;
    const attached = (key: string) =>
      `<</Type/Annot/Subtype/FileAttachment/Rect[60 10 80 30]/FS<</Type/Filespec/${key}(a.txt)/EF<</${key} 40 0 R>>>>>>`;
    const file = { 40: raw("/Type/EmbeddedFile", "text") };
    const altered = (old: string, now: string) =>
      Buffer.from(
        rawPdf({ pages: [{ contents }] })
          .toString("latin1")
          .replace(old, now),
        "latin1",
      );
    const odd: Record<string, Buffer> = {
      "a link to a place": rawPdf({ pages: [{ contents, more: `/Annots[${link("/Dest[1000 0 R/Fit]")}]` }] }),
      "a link to a name": rawPdf({ pages: [{ contents, more: `/Annots[${link("/Dest(chapter)")}]` }] }),
      "a link to nowhere": rawPdf({ pages: [{ contents, more: `/Annots[${link("")} null 99 0 R 7]` }] }),
      "a link by an action": rawPdf({ pages: [{ contents, more: `/Annots[${link("/A<</S/GoTo/D[0/Fit]>>")}]` }] }),
      "a file of the one name": rawPdf({ pages: [{ contents, more: `/Annots[${attached("UF")}]` }], objects: file }),
      "a file of the other name": rawPdf({ pages: [{ contents, more: `/Annots[${attached("F")}]` }], objects: file }),
      "a widget without a field": rawPdf({
        pages: [{ contents, more: "/Annots[<</Subtype/Widget/Rect[60 100 90 130]>>]" }],
      }),
      "an annotation without a place": rawPdf({
        pages: [{ contents, more: "/Annots[<</Subtype/Redact>><</Subtype/Text>>]" }],
      }),
      "no media box": rawPdf({ pages: [{ contents, mediaBox: null }] }),
      "a fontless page": rawPdf({
        pages: [{ contents: "BT /None 20 Tf (text) Tj ET /No Do /No gs", more: "/Resources null" }],
      }),
      "a wrong count of pages": Buffer.from(
        rawPdf({ pages: [{ contents }] })
          .toString("latin1")
          .replace("/Count 1", "/Count 9"),
        "latin1",
      ),
      "pages without a type": altered("/Type/Page/", "/Tipe/Page/"),
      "a tree without a type": altered("/Type/Pages", "/Tipe/Pages"),
      "a tree that leads in a circle": altered("Kids[1000 0 R]", "Kids[2 0 R 1000 0 R]"),
      "a missing kid": Buffer.from(
        rawPdf({ pages: [{ contents }] })
          .toString("latin1")
          .replace("Kids[1000 0 R]", "Kids[1000 0 R 77 0 R]")
          .replace("/Count 1", "/Count 2"),
        "latin1",
      ),
    };
    const annotations = [
      annotation.text([50, 50, 120, 20], "BATES", { id: "bates" }),
      annotation.redaction([[0, 750, 300, 90]]),
    ];
    const json = { format: "https://pspdfkit.com/instant-json/v1", annotations };
    const actions = [
      { type: "applyInstantJson", file: "json" },
      { type: "applyRedactions" },
      { type: "flatten", annotationIds: ["bates"] },
    ];

    for (const [name, pdf] of Object.entries(odd)) {
      // Act
      const path = await kit.upload(pdf);
      const read = await Promise.all(
        ["annotations", "document_info", "pages/text", "pdf?flatten=true"].map((what) =>
          kit.ask("GET", `${path}/${what}`),
        ),
      );
      const built = await kit.build({ parts: [{ file: "file" }], actions }, { file: pdf, json });

      // Assess
      expect(
        [...read, built].map(({ status }) => status),
        name,
      ).to.deep.equal([200, 200, 200, 200, 200]);
    }
  });
});
