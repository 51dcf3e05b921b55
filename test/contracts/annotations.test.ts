import { expect } from "chai";
import fc from "fast-check";
import {
  acceptedChoices,
  annotationChoices,
  isRedaction,
  routeOf,
  type AnnotationChoices,
} from "../../contracts/annotations.ts";

const wayOf = fc.constantFrom("brand_in" as const, "layer" as const);
const anyChoices: fc.Arbitrary<AnnotationChoices> = fc.record(
  {
    redactionsAs: fc.constantFrom("brand_in" as const, "layer" as const, "leave" as const),
    highlightsAs: wayOf,
    notesAs: wayOf,
    stickersAs: wayOf,
    batesAs: wayOf,
    confidentialityCodesAs: wayOf,
    comments: fc.boolean(),
  },
  { requiredKeys: ["redactionsAs"] },
);
/** What an annotation may be besides its type. */
const anyCircumstances = fc.record(
  {
    isCommentThreadRoot: fc.constantFrom(true, false, null),
    group: fc.string(),
    flags: fc.subarray(["hidden", "locked", "noView", "noPrint", "invisible", "lockedContents"]),
    customData: fc.oneof(
      fc.constantFrom({ stamp: "bates_stamp" }, { stamp: "confidentiality_stamp" }, { type: "note" }, null),
      fc.jsonValue(),
    ),
  },
  { requiredKeys: [] },
);

describe("how annotations travel", () => {
  it("a redaction follows redactionsAs in any role and beside any other choice", () => {
    fc.assert(
      fc.property(anyChoices, anyCircumstances, (choices, circumstances) => {
        const redaction = { type: "pspdfkit/markup/redaction", ...circumstances };

        const route = routeOf(redaction, choices);

        const { redactionsAs } = choices;
        const expected = redactionsAs === "leave" ? undefined : { type: "redactions", as: redactionsAs };
        expect([isRedaction(redaction), route]).to.deep.equal([true, expected]);
      }),
    );
  });

  it("another root of a thread goes with its thread where comments travel, and is what it is besides where they do not", () => {
    const root = { type: "pspdfkit/markup/highlight", isCommentThreadRoot: true };
    const choices = { redactionsAs: "leave", highlightsAs: "brand_in" } as const;

    const routes = [true, false, undefined].map((comments) => routeOf(root, { ...choices, comments }));

    const highlight = { type: "highlights", as: "brand_in" };
    expect(routes).to.deep.equal([{ type: "comments", as: "layer" }, highlight, highlight]);
  });

  for (const type of ["pspdfkit/ink", "constructor", "__proto__", ""]) {
    it(`an annotation of the unknown type ${JSON.stringify(type)} stays`, () => {
      const route = routeOf({ type }, { redactionsAs: "brand_in", highlightsAs: "brand_in" });

      expect([isRedaction({ type }), route]).to.deep.equal([false, undefined]);
    });
  }

  for (const [given, message] of [
    [undefined, "is required: choose brand_in, layer or leave"],
    ["burn", "must be one of brand_in, layer or leave"],
    [null, "must be one of brand_in, layer or leave"],
  ] as const) {
    it(`choices with redactionsAs ${String(given)} are refused with the three choices`, () => {
      const { error } = annotationChoices.safeParse({ redactionsAs: given, comments: true });

      expect(error?.issues.map((issue) => [issue.path, issue.message])).to.deep.equal([[["redactionsAs"], message]]);
    });
  }

  it("no type but redactions can be chosen to be left", () => {
    const { error } = annotationChoices.safeParse({ redactionsAs: "leave", highlightsAs: "leave", notesAs: "leave" });

    expect(error?.issues.map(({ path }) => path)).to.deep.equal([["highlightsAs"], ["notesAs"]]);
  });

  it("leaves redactions behind for a message of a former release that has no choice for them", () => {
    expect(acceptedChoices.parse({ notesAs: "layer" })).to.deep.equal({ redactionsAs: "leave", notesAs: "layer" });
  });
});
