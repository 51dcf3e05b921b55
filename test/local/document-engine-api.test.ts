import { expect } from "chai";
import { makePng } from "../../local/samples/content/natives.ts";
import { annotation, contentsOf, engineKit, pdfWith, sha256, token, type EngineKit } from "./document-engine-kit.ts";

describe("the stand-in of Document Engine, by its interface", function () {
  this.timeout(20_000);
  let kit: EngineKit;
  let pdf: Buffer;

  before(async () => {
    kit = await engineKit();
    pdf = await pdfWith([["Hello world", "Second line"], ["Another page"]]);
  });
  after(() => kit.close());

  describe("at its door", () => {
    it("takes the token with quotes and without, refuses any other with 401, and tells its health to everybody", async () => {
      // Act
      const statuses = await Promise.all(
        [`Token token="${token}"`, `Token token=${token}`, "Token token=other", `Bearer ${token}`, ""].map(
          async (authorization) => (await kit.ask("GET", "/api/documents", { headers: { authorization } })).status,
        ),
      );
      const health = await kit.ask("GET", "/healthcheck", { headers: { authorization: "" } });

      // Assess
      expect(statuses).to.deep.equal([200, 200, 401, 401, 401]);
      expect(health.status).to.equal(200);
    });

    it("answers lists of annotations and comments only to those who say which form they want", async () => {
      // Prepare
      const path = await kit.upload(pdf);
      const [root] = await kit.annotate(path, annotation.highlight([60, 85, 100, 25]));
      const lists = [`${path}/annotations`, `${path}/pages/0/annotations`, `${path}/annotations/${root}/comments`];

      // Act
      const ask = async (list: string, accept: string) => (await kit.ask("GET", list, { accept })).status;
      const any = await Promise.all(lists.map((list) => ask(list, "*/*")));
      const json = await Promise.all(lists.map((list) => ask(list, "application/json, text/plain, */*")));
      const elsewhere = await ask(`${path}/pages/0/text`, "*/*");

      // Assess
      expect(any).to.deep.equal([406, 406, 406]);
      expect(json).to.deep.equal([200, 200, 200]);
      expect(elsewhere).to.equal(200);
    });

    it("answers 404 for documents, annotations, attachments and paths that are not there", async () => {
      // Prepare
      const path = await kit.upload(pdf);
      const paths = [
        "/api/documents/none/annotations",
        `${path}/annotations/none`,
        `${path}/attachments/none`,
        "/api/x",
      ];

      // Act
      const statuses = await Promise.all(paths.map(async (path) => (await kit.ask("GET", path)).status));

      // Assess
      expect(statuses).to.deep.equal([404, 404, 404, 404]);
    });
  });

  describe("with documents", () => {
    it("gives a document without an id one of 26 letters and digits, and the uploaded bytes back", async () => {
      // Act
      const uploaded = await kit.ask("POST", "/api/documents", {
        body: pdf,
        headers: { "content-type": "application/pdf" },
      });
      const { data } = uploaded.body as { data: Record<string, unknown> };
      const source = await kit.ask("GET", `/api/documents/${String(data["document_id"])}/pdf?source=true`);
      const properties = await kit.ask("GET", `/api/documents/${String(data["document_id"])}/properties`);

      // Assess
      const { document_id, ...others } = data;
      expect(document_id).to.match(/^[0-9A-HJKMNP-TV-Z]{26}$/);
      expect(others).to.deep.equal({
        errors: [],
        password_protected: false,
        sourcePdfSha256: sha256(pdf),
        title: null,
        createdAt: "2026-05-06T07:08:09.000Z",
      });
      expect(source.type).to.equal("application/pdf");
      expect(source.bytes.equals(pdf)).to.equal(true);
      expect((properties.body as { data: unknown }).data).to.deep.equal({
        title: null,
        passwordProtected: false,
        sourcePdfSha256: sha256(pdf),
        byteSize: pdf.length,
        createdAt: "2026-05-06T07:08:09.000Z",
        storage: { type: "built-in" },
      });
    });

    it("refuses an id that is taken, unless the document shall be overwritten, and then nothing old is left", async () => {
      // Prepare
      const path = await kit.upload(pdf);
      await kit.annotate(path, annotation.highlight([60, 85, 100, 25]));
      const document_id = path.split("/").at(-1) ?? "";
      const other = await pdfWith([["Other text"]]);

      // Act
      const refused = await kit.ask("POST", "/api/documents", { form: { file: other, document_id } });
      const form = { file: other, document_id, overwrite_existing_document: "true" };
      const overwritten = await kit.ask("POST", "/api/documents", { form });

      // Assess
      expect([refused.status, overwritten.status]).to.deep.equal([400, 200]);
      expect(contentsOf(await kit.ask("GET", `${path}/pages/0/text`))).to.deep.equal(["Other text"]);
      const { body } = await kit.ask("GET", `${path}/annotations`);
      expect(body).to.deep.equal({ data: { annotations: [] } });
    });

    it("refuses what is no PDF, what has no bytes, and ids with other characters than the engine's", async () => {
      // Act
      const answers = await Promise.all([
        kit.ask("POST", "/api/documents", { form: { file: Buffer.from("plain text") } }),
        kit.ask("POST", "/api/documents", { form: { file: Buffer.alloc(0) } }),
        kit.ask("POST", "/api/documents", { form: { file: pdf, document_id: "a/b" } }),
        kit.ask("POST", "/api/documents", { form: { title: "no file" } }),
      ]);

      // Assess
      const reasons = answers.map(({ status, body }) => [status, (body as { error: { reason: string } }).error.reason]);
      expect(reasons).to.deep.equal([
        [400, "invalid_pdf"],
        [400, "invalid_pdf"],
        [400, "invalid_document_id"],
        [400, "missing_file"],
      ]);
    });

    it("copies a document with all its layers, after which neither knows what happens to the other", async () => {
      // Prepare
      const path = await kit.upload(pdf);
      await kit.annotate(`${path}/layers/one`, annotation.highlight([60, 85, 100, 25]));
      const body = { document_id: path.split("/").at(-1), new_document_id: "copied" };

      // Act
      const copied = await kit.ask("POST", "/api/copy_document", { body });
      const again = await kit.ask("POST", "/api/copy_document", { body });
      await kit.ask("DELETE", path);

      // Assess
      expect(copied.body).to.deep.equal({ data: { document_id: "copied" } });
      expect(again.status).to.equal(400);
      const layers = await kit.ask("GET", "/api/documents/copied/layers");
      expect(layers.body).to.deep.equal({ data: ["one"] });
      const list = await kit.ask("GET", "/api/documents/copied/layers/one/annotations");
      expect((list.body as { data: { annotations: unknown[] } }).data.annotations).to.have.length(1);
      expect(contentsOf(await kit.ask("GET", "/api/documents/copied/pages/1/text"))).to.deep.equal(["Another page"]);
      expect((await kit.ask("GET", `${path}/properties`)).status).to.equal(404);
    });

    it("tells the text of pages unwrapped, and of a page that is not there that its index is wrong", async () => {
      // Prepare
      const path = await kit.upload(await pdfWith([["Hello world"], []]));

      // Act
      const first = await kit.ask("GET", `${path}/pages/0/text`);
      const all = await kit.ask("GET", `${path}/pages/text`);
      const outside = await Promise.all(["2", "-1", "x"].map((index) => kit.ask("GET", `${path}/pages/${index}/text`)));

      // Assess
      const { textLines } = first.body as { textLines: { contents: string; left: number; top: number }[] };
      expect(textLines.map(({ contents, left }) => [contents, left])).to.deep.equal([["Hello world", 60]]);
      expect(textLines[0]?.top).to.be.within(75, 100);
      expect(all.body).to.deep.equal([
        { pageIndex: 0, textLines },
        { pageIndex: 1, textLines: [] },
      ]);
      const told = "Parameter 'page_index' is invalid or out of bounds.";
      expect(outside.map(({ status, type, body }) => [status, type, body])).to.deep.equal(
        Array.from({ length: 3 }, () => [404, "text/plain", told]),
      );
    });

    it("shows rotated and cropped pages as a viewer does: sizes, and the places of text", async () => {
      // Prepare
      const path = await kit.upload(await pdfWith([["Hello"]], { rotate: 90, crop: [50, 100, 400, 700] }));

      // Act
      const info = await kit.ask("GET", `${path}/document_info`);
      const text = await kit.ask("GET", `${path}/pages/0/text`);

      // Assess
      const { pages } = (info.body as { data: { pages: Record<string, unknown>[] } }).data;
      const { width, height, rotation } = pages[0] ?? {};
      expect({ width, height, rotation }).to.deep.equal({ width: 700, height: 400, rotation: 90 });
      const [line] = (text.body as { textLines: { left: number; top: number; width: number; height: number }[] })
        .textLines;
      // Turned to the right, what was 642 points above the lower edge of the crop box is that far from the left.
      expect(line?.left).to.be.within(630, 642);
      expect(line?.top).to.equal(10);
      expect(Number(line?.height)).to.be.above(Number(line?.width));
    });

    it("opens a protected PDF only with its password", async () => {
      // Prepare
      const path = await kit.upload(await protectedPdf(pdf, "open sesame"));

      // Act
      const ask = async (headers: Record<string, string>) => {
        const { status } = await kit.ask("GET", `${path}/pages/0/text`, { headers });
        return status;
      };
      const header = "pspdfkit-pdf-password";
      const encoded = `base64:${Buffer.from("open sesame").toString("base64")}`;
      const statuses = [
        await ask({}),
        await ask({ [header]: "wrong" }),
        await ask({ [header]: "open sesame" }),
        await ask({ [header]: encoded }),
      ];

      // Assess
      expect(statuses).to.deep.equal([403, 403, 200, 200]);
      const { body } = await kit.ask("GET", `${path}/properties`);
      expect((body as { data: { passwordProtected: boolean } }).data.passwordProtected).to.equal(true);
    });

    it("serves everything after a restart as before", async () => {
      // Prepare
      const path = await kit.upload(pdf);
      const png = makePng(8, 8, [255, 0, 0]);
      const [root] = await kit.annotate(`${path}/layers/a`, annotation.highlight([60, 85, 100, 25]));
      const content = annotation.image([10, 10, 20, 20], sha256(png), "image/png");
      await kit.ask("POST", `${path}/layers/a/annotations`, { form: { annotation: { content }, [sha256(png)]: png } });
      const comments = [{ content: { text: "a comment" } }];
      await kit.ask("POST", `${path}/layers/a/annotations/${root}/comments`, { body: { comments } });
      const read = () =>
        Promise.all([
          kit.ask("GET", `${path}/layers/a/document.json`),
          kit.ask("GET", `${path}/layers/a/annotations/${root}/comments`),
          kit.ask("GET", `${path}/pages/text`),
          kit.ask("GET", "/api/documents?page_size=100"),
        ]);
      const before = await read();

      // Act
      await kit.restart();

      // Assess
      expect((await read()).map(({ body }) => body)).to.deep.equal(before.map(({ body }) => body));
    });
  });
});

/** Encrypts a PDF with the library of the stand-in itself: pdf-lib cannot. */
async function protectedPdf(pdf: Buffer, password: string): Promise<Buffer> {
  const { PDFDocument } = await import("mupdf");
  const file = new PDFDocument(pdf);
  const options = `encrypt=aes-256,user-password=${password},owner-password=owner`;
  return Buffer.from(file.saveToBuffer(options).asUint8Array());
}
