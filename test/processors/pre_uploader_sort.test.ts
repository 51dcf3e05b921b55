import { expect } from "chai";
import fc from "fast-check";
import { choiceOf, type AnnotationChoices, type BrandableType } from "../../contracts/annotations.ts";
import { sortAnnotations } from "../../processors/pre_uploader/sort.ts";
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
});
