import { expect } from "chai";
import fc from "fast-check";
import { choiceOf, type AnnotationChoices, type BrandableType } from "../../contracts/annotations.ts";
import { PermanentError } from "../../contracts/errors.ts";
import { boxOf } from "../../processors/pre_uploader/pdf/geometry.ts";
import { redactionOf, sortAnnotations } from "../../processors/pre_uploader/sort.ts";
import { make } from "./engine_bench.ts";

type Rect = [number, number, number, number];
const at = (row: number): Rect => [40, 20 + 30 * row, 100, 12];

/** One annotation of each type, none of which touches another, and one that is of none. */
const records = [
  make.redaction("redactions", 0, at(0)),
  make.highlight("highlights", 0, at(1)),
  make.note("notes", 0, at(2), "look"),
  make.sticker("stickers", 0, at(3), "image", "image/png"),
  make.bates("bates", 0, at(4), "ABC-1"),
  make.confidentiality("confidentialityCodes", 0, at(5), "Secret"),
  make.highlight("comments", 0, at(6), { isCommentThreadRoot: true }),
  make.text("neither", 0, at(7), "just a text"),
];
const types = Object.keys(choiceOf) as BrandableType[];

const choices = fc
  .tuple(
    fc.array(fc.constantFrom("brand_in" as const, "layer" as const, undefined), {
      minLength: types.length,
      maxLength: types.length,
    }),
    fc.boolean(),
  )
  .map(([ways, comments]): AnnotationChoices => {
    const named = types.flatMap((type, index) => {
      const as = ways[index] ?? (type === "redactions" ? "leave" : undefined);
      return as ? [[choiceOf[type], as] as const] : [];
    });
    return { redactionsAs: "leave", ...Object.fromEntries(named), comments };
  });

describe("what becomes of annotations", () => {
  it("is what the request says of their type, whatever it says of the others", () => {
    fc.assert(
      fc.property(choices, (wanted) => {
        // Act
        const { branded, droppedUnderRedaction, layered, threads, excluded } = sortAnnotations(records, wanted);

        // Assess
        const wayOf = (type: BrandableType) => wanted[choiceOf[type]];
        const named = (as: string | undefined) => types.filter((type) => wayOf(type) === as);
        const ids = (of: readonly { record: { id: string } }[]) => of.map(({ record }) => record.id);
        // A root whose thread does not travel is what it is besides.
        const rootAs = wanted.comments ? "thread" : wanted.highlightsAs;
        const withRoot = (of: readonly string[], as: string) => [...of, ...(rootAs === as ? ["comments"] : [])].sort();
        expect(ids(branded).sort()).to.deep.equal(withRoot(named("brand_in"), "brand_in"));
        expect(ids(layered).sort()).to.deep.equal(withRoot(named("layer"), "layer"));
        expect(ids(threads)).to.deep.equal(rootAs === "thread" ? ["comments"] : []);
        expect(droppedUnderRedaction).to.deep.equal([]);
        const stay = named(undefined).length + named("leave").length + 1 + (rootAs === undefined ? 1 : 0);
        expect(Object.values(excluded).reduce((sum, count) => sum + count)).to.equal(stay);
        if (wanted.redactionsAs === "brand_in") expect(branded[0]?.type).to.equal("redactions");
      }),
      { numRuns: 500 },
    );
  });

  describe("of redactions that are something else too", () => {
    const at0 = at(0);
    const odd: Record<string, object> = {
      "the root of a comment thread": { isCommentThreadRoot: true },
      hidden: { flags: ["hidden", "noView"] },
      "locked and read-only": { flags: ["locked", "lockedContents", "readOnly"] },
      "marked as a stamp": { customData: { stamp: "bates_stamp" } },
      "without rectangles": { rects: [] },
      "of a type of its own": { customData: { type: "privileged" }, name: "custom" },
    };
    for (const [what, more] of Object.entries(odd)) {
      it(`follows redactionsAs where one is ${what}`, () => {
        // Prepare
        const record = { ...make.redaction("R", 0, at0, more), group: "reviewers" };
        const under = (redactionsAs: AnnotationChoices["redactionsAs"]) =>
          sortAnnotations([record], { redactionsAs, comments: true });

        // Act
        const [branded, layered, left] = [under("brand_in"), under("layer"), under("leave")];

        // Assess
        expect(branded.redactions).to.deep.equal({ fetched: 1, branded: 1, layered: 0, left: 0 });
        expect(branded.branded.map(redactionOf)).to.deep.equal([
          { pageIndex: 0, boxes: [boxOf(at0)], fillColor: undefined, overlayText: undefined },
        ]);
        expect(layered.redactions).to.deep.equal({ fetched: 1, branded: 0, layered: 1, left: 0 });
        expect(layered.layered.map(({ type }) => type)).to.deep.equal(["redactions"]);
        expect(left.redactions).to.deep.equal({ fetched: 1, branded: 0, layered: 0, left: 1 });
        expect([left.branded, left.layered]).to.deep.equal([[], []]);
      });
    }

    it("is refused where nobody knows whether one of them is a redaction", () => {
      const record = make.redaction("R", 0, at0);
      const custom = { ...record, content: { ...record.content, type: "pspdfkit/markup/redaction:privileged" } };
      expect(() => sortAnnotations([record, custom], { redactionsAs: "brand_in" }))
        .to.throw(PermanentError, /of 2 redactions 1 are branded, 0 layered and 0 left/)
        .with.property("code", "REDACTIONS_UNACCOUNTED");
    });
  });

  it("gives a thread a marker as its root where its annotation goes another way, and says nothing else of it", () => {
    // Prepare
    const content = { isCommentThreadRoot: true, overlayText: "Geheimnis", note: "Geheimnis", creatorName: "Alice" };
    const roots = [make.redaction("R", 1, [40, -5, 100, 12], content), make.text("T", 0, at(3), "text", content)];

    // Act
    const { threads, branded, excluded } = sortAnnotations(roots, { redactionsAs: "brand_in", comments: true });

    // Assess
    expect(branded.map(({ record }) => record.id)).to.deep.equal(["R"]);
    expect(excluded).to.deep.equal({ "pspdfkit/text": 1 });
    const marker = { v: 2, type: "pspdfkit/comment-marker", icon: "comment", opacity: 1, isCommentThreadRoot: true };
    expect(threads.map(({ commentedId, isReplaced, record }) => ({ commentedId, isReplaced, record }))).to.deep.equal([
      {
        commentedId: "R",
        isReplaced: true,
        record: {
          id: "R\nthread",
          createdBy: "alice",
          content: { ...marker, pageIndex: 1, bbox: [40, 0, 24, 24], creatorName: "Alice" },
        },
      },
      {
        commentedId: "T",
        isReplaced: true,
        record: {
          id: "T\nthread",
          createdBy: "alice",
          content: { ...marker, pageIndex: 0, bbox: [40, 110, 24, 24], creatorName: "Alice" },
        },
      },
    ]);
  });

  it("is nothing where it would be drawn and is hidden", () => {
    const hidden = make.highlight("H", 0, at(1), { flags: ["hidden"] });
    const { branded, layered, excluded } = sortAnnotations([hidden], {
      redactionsAs: "brand_in",
      highlightsAs: "brand_in",
    });
    expect([branded, layered, excluded]).to.deep.equal([[], [], { "pspdfkit/markup/highlight": 1 }]);
  });
});
