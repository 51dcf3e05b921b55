import { expect } from "chai";
import { listLimit } from "../../local/document-engine/http/annotations.ts";
import { makePng } from "../../local/samples/content/natives.ts";
import { annotation, engineKit, pdfWith, sha256, type Answer, type EngineKit } from "./document-engine-kit.ts";

interface Listed {
  data: { annotations: { id: string; content: Record<string, unknown> }[]; truncated?: boolean };
}
const idsOf = (answer: Answer) => (answer.body as Listed).data.annotations.map(({ id }) => id);

describe("the stand-in of Document Engine, by annotations", function () {
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

  describe("when they are written", () => {
    it("keeps content as it was sent, in a record with authorship, unwrapped when asked for one", async () => {
      // Prepare
      const content = annotation.highlight([60, 85, 100, 25], { customData: { any: { depth: [1, null] } }, v: 1 });

      // Act
      const created = await kit.ask("POST", `${path}/annotations`, {
        body: { id: "mine", content, user_id: "alice", group: "reviewers" },
      });
      const changed = { ...content, color: "#00FF00" };
      await kit.ask("PUT", `${path}/annotations/mine`, { body: { content: changed, user_id: "bob" } });

      // Assess
      expect(created.body).to.deep.equal({ data: { annotation_id: "mine" } });
      expect((await kit.ask("GET", `${path}/annotations/mine`)).body).to.deep.equal({
        id: "mine",
        content: changed,
        createdBy: "alice",
        updatedBy: "bob",
        group: "reviewers",
      });
    });

    it("refuses what the engine refuses with 422, each for its reason", async () => {
      // Prepare
      const withoutRects = { ...annotation.highlight([0, 0, 9, 9]), rects: undefined };
      const wrong = [
        { ...annotation.redaction([[0, 0, 9, 9]]), type: "pspdfkit/markup/redact" },
        withoutRects,
        annotation.note([0, 0, 9, 9], "x", { pageIndex: 2 }),
        annotation.text([0, 0, 9, 9], "x", { fontColor: "red" }),
        annotation.image([0, 0, 9, 9], "unknown", "image/png"),
      ];

      // Act
      const answers = await Promise.all(
        wrong.map((content) => kit.ask("POST", `${path}/annotations`, { body: { content } })),
      );
      const unwrapped = await kit.ask("POST", `${path}/annotations`, { body: annotation.note([0, 0, 9, 9], "x") });

      // Assess
      const told = answers.map(({ status, body }) => [
        status,
        (body as { error: { description: string } }).error.description,
      ]);
      expect(told).to.deep.equal([
        [422, "Invalid/unsupported annotation type 'pspdfkit/markup/redact'"],
        [422, "Annotation JSON is missing the key 'rects'"],
        [422, "Page index out of bounds."],
        [422, "Annotation JSON is wrong: fontColor: must be #RRGGBB"],
        [422, "Found imageAttachmentId (unknown) but no matching attachment."],
      ]);
      expect(unwrapped.status).to.equal(422);
      expect(idsOf(await kit.ask("GET", `${path}/annotations`))).to.deep.equal([]);
    });

    it("answers a batch with 200 whatever became of it, and says in the body what failed", async () => {
      // Prepare
      const [good, bad] = [annotation.note([0, 0, 9, 9], "x"), annotation.note([0, 0, 9, 9], "x", { pageIndex: 7 })];
      const post = async (...contents: object[]) => {
        const annotations = contents.map((content, index) => ({ id: `n${index}`, content }));
        const { status, body } = await kit.ask("POST", `${path}/layers/${contents.length}/annotations`, {
          body: { annotations },
        });
        const { result, data, failing_paths } = body as {
          result: string;
          data: { id: string }[];
          failing_paths: { path: string; error: string }[];
        };
        return {
          status,
          result,
          ids: data.map(({ id }) => id),
          failed: failing_paths.map((item) => [item.path, item.error]),
        };
      };

      // Act
      const answers = [await post(good), await post(good, bad), await post(bad, bad, bad)];

      // Assess
      const out = "Page index out of bounds.";
      expect(answers).to.deep.equal([
        { status: 200, result: "success", ids: ["n0"], failed: [] },
        { status: 200, result: "partial_failure", ids: ["n0"], failed: [["$.annotations[1]", out]] },
        {
          status: 200,
          result: "failure",
          ids: [],
          failed: [0, 1, 2].map((index) => [`$.annotations[${index}]`, out]),
        },
      ]);
      const taken = await kit.ask("POST", `${path}/layers/1/annotations`, { body: { id: "n0", content: good } });
      expect(taken.status).to.equal(422);
    });

    it("takes images under the hash of their bytes only, and gives them back under it", async () => {
      // Prepare
      const png = makePng(8, 8, [0, 0, 255]);
      const content = annotation.image([0, 0, 9, 9], sha256(png), "image/jpeg");
      const lying = annotation.image([0, 0, 9, 9], "a".repeat(64), "image/png");

      // Act
      const taken = await kit.ask("POST", `${path}/annotations`, {
        form: { annotation: { content }, [sha256(png)]: png },
      });
      const refused = await kit.ask("POST", `${path}/annotations`, {
        form: { annotation: { content: lying }, ["a".repeat(64)]: png },
      });
      const image = await kit.ask("GET", `${path}/attachments/${sha256(png)}`);

      // Assess
      expect([taken.status, refused.status]).to.deep.equal([200, 422]);
      expect([image.type, image.bytes.equals(png)]).to.deep.equal(["image/jpg", true]);
    });

    it("deletes one, some and all, and with a root its thread", async () => {
      // Prepare
      const notes = Array.from({ length: 4 }, (_, index) => annotation.note([index, 0, 9, 9], "x"));
      const [root = ""] = await kit.annotate(path, annotation.highlight([60, 85, 100, 25]));
      const [one, two, three] = await kit.annotate(path, ...notes);
      await kit.ask("POST", `${path}/annotations/${root}/comments`, {
        body: { comments: [{ content: { text: "c" } }] },
      });

      // Act
      await kit.ask("DELETE", `${path}/annotations/${one}`);
      await kit.ask("DELETE", `${path}/annotations`, { body: { annotationIds: [two, three, root] } });
      const left = await kit.ask("GET", `${path}/annotations`);
      const instantJson = await kit.ask("GET", `${path}/document.json`);
      await kit.ask("DELETE", `${path}/annotations`, { body: { annotationIds: "all" } });
      const none = await kit.ask("GET", `${path}/annotations`);

      // Assess
      expect(idsOf(left)).to.have.length(1);
      expect(instantJson.body).to.not.have.property("comments");
      expect(idsOf(none)).to.deep.equal([]);
    });
  });

  describe("when they are listed", () => {
    it("ends a JSON list at 1000 and says so, while lines of JSON are all there are", async () => {
      // Prepare
      const notes = Array.from({ length: listLimit + 1 }, (_, index) =>
        annotation.note([index % 500, 0, 9, 9], `${index}`),
      );
      const ids = await kit.annotate(path, ...notes);

      // Act
      const capped = await kit.ask("GET", `${path}/annotations`);
      const lines = await kit.ask("GET", `${path}/annotations`, { accept: "application/x-ndjson" });

      // Assess
      expect((capped.body as Listed).data.truncated).to.equal(true);
      expect(idsOf(capped)).to.deep.equal(ids.slice(0, 1000));
      expect(lines.type).to.equal("application/x-ndjson");
      const records = String(lines.body).split("\n");
      expect(records.pop()).to.equal("");
      expect(records.map((line) => (JSON.parse(line) as { id: string }).id)).to.deep.equal(ids);
    });

    it("says nothing of truncation for 1000, and lists by page", async () => {
      // Prepare
      const notes = Array.from({ length: listLimit }, (_, index) =>
        annotation.note([0, 0, 9, 9], "", { pageIndex: index % 2 }),
      );
      const ids = await kit.annotate(path, ...notes);

      // Act
      const whole = await kit.ask("GET", `${path}/annotations`);
      const second = await kit.ask("GET", `${path}/pages/1/annotations`);

      // Assess
      expect((whole.body as Listed).data).to.not.have.property("truncated");
      expect(idsOf(second)).to.deep.equal(ids.filter((_, index) => index % 2 === 1));
    });
  });

  describe("in layers", () => {
    it("shows the base until the first write to a layer, and then each layer its own", async () => {
      // Prepare
      const withNote = await kit.build(
        { parts: [{ file: "a" }], actions: [{ type: "applyInstantJson", file: "j" }] },
        {
          a: pdf,
          j: {
            format: "https://pspdfkit.com/instant-json/v1",
            annotations: [annotation.note([10, 10, 20, 20], "base")],
          },
        },
      );
      path = await kit.upload(withNote.bytes);
      const [base] = idsOf(await kit.ask("GET", `${path}/annotations`));

      // Act
      const unwritten = await kit.ask("GET", `${path}/layers/a/annotations`);
      const noLayers = await kit.ask("GET", `${path}/layers`);
      const [own] = await kit.annotate(`${path}/layers/a`, annotation.note([0, 0, 9, 9], "a"));
      await kit.ask("DELETE", `${path}/layers/b/annotations/${base}`);

      // Assess
      expect(idsOf(unwritten)).to.deep.equal([base]);
      expect(noLayers.body).to.deep.equal({ data: [] });
      expect(idsOf(await kit.ask("GET", `${path}/layers/a/annotations`))).to.deep.equal([base, own]);
      expect(idsOf(await kit.ask("GET", `${path}/layers/b/annotations`))).to.deep.equal([]);
      expect(idsOf(await kit.ask("GET", `${path}/annotations`))).to.deep.equal([base]);
      expect((await kit.ask("GET", `${path}/layers`)).body).to.deep.equal({ data: ["a", "b"] });
    });

    it("makes a layer of another one, or of the base where the other is unknown, and deletes it", async () => {
      // Prepare
      const [id] = await kit.annotate(path, annotation.note([0, 0, 9, 9], "default"));

      // Act
      const copied = await kit.ask("POST", `${path}/layers`, { body: { name: "copy", source_layer_name: "" } });
      await kit.ask("POST", `${path}/layers`, { body: { name: "fresh", source_layer_name: "unknown" } });
      const odd = await kit.ask("POST", `${path}/layers`, { body: { name: "a*" } });

      // Assess
      expect(copied.body).to.deep.equal({ data: { name: "copy", errors: [] } });
      expect(odd.status).to.equal(400);
      expect(idsOf(await kit.ask("GET", `${path}/layers/copy/annotations`))).to.deep.equal([id]);
      expect(idsOf(await kit.ask("GET", `${path}/layers/fresh/annotations`))).to.deep.equal([]);
      await kit.ask("DELETE", `${path}/layers/copy`);
      expect((await kit.ask("GET", `${path}/layers`)).body).to.deep.equal({ data: ["fresh"] });
    });
  });
});
