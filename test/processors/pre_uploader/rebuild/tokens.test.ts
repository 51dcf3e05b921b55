import { expect } from "chai";
import { limits, Place } from "../../../../processors/pre_uploader/rebuild/faults.ts";
import { Tokens } from "../../../../processors/pre_uploader/rebuild/tokens.ts";
import type { Token } from "../../../../processors/pre_uploader/rebuild/tokens.ts";

type Plain = string | Plain[] | { [key: string]: Plain };

function read(content: string): Token[] {
  const tokens = new Tokens(Buffer.from(content, "latin1"), new Place("content", 0));
  const all: Token[] = [];
  for (let token = tokens.next(); token !== undefined; token = tokens.next()) all.push(token);
  return all;
}

/** A token as it would be written; of arrays and dictionaries what they hold. */
function plain(token: Token, content: string): Plain {
  switch (token.type) {
    case "number":
      return token.text;
    case "string":
      return token.digits ?? content.slice(token.from, token.to);
    case "name":
      return `/${token.name}`;
    case "word":
      return token.word;
    case "array":
      return token.elements.map((element) => plain(element, content));
    case "dictionary":
      return Object.fromEntries(Array.from(token.entries, ([key, value]) => [key, plain(value, content)]));
  }
}

describe("the tokens of a content stream", () => {
  it("are of every kind, with comments and without needless space", () => {
    const content =
      "q% a comment (with BI ID EI\r1 0 -.5 +4. --7 1.2.3 cm/F#311 12Tf" +
      "[(a\\(b\\)(c)\\\\)-3<41 4>]TJ /P <</MCID 0/A[true]/B<</C/D>>>>BDC(q)' EMC";

    expect(read(content).map((token) => plain(token, content))).to.deep.equal([
      ...["q", "1", "0", "-.5", "+4.", "-7", "1.2", "cm", "/F11", "12Tf"],
      ["(a\\(b\\)(c)\\\\)", "-3", "414"],
      ...["TJ", "/P", { MCID: "0", A: ["true"], B: { C: "/D" } }, "BDC", "(q)", "'", "EMC"],
    ]);
  });

  it("are those behind delimiters that close nothing", () => {
    expect(read("q ) ] > Q").map((token) => plain(token, ""))).to.deep.equal(["q", "Q"]);
  });

  for (const [what, broken] of [
    ["a string without end", "(abc"],
    ["a hexadecimal string without end", "<4142"],
    ["an array without end", "[1 2"],
    ["a dictionary without end", "/P <</A 1"],
    ["a string of megabytes without end", `(${"a".repeat(12_000_000)}`],
  ] as const) {
    it(`are refused where there is ${what}`, () => {
      expect(() => read(broken))
        .to.throw("page 1, content: ")
        .with.property("code", "PDF_UNREADABLE_PART");
    });
  }

  for (const [what, content] of [
    ["nesting", "[".repeat(limits.nesting + 2)],
    ["a long string", `(${"a".repeat(limits.operandBytes)})`],
  ] as const) {
    it(`have a budget for ${what}`, () => {
      expect(() => read(content))
        .to.throw()
        .with.property("code", "PDF_TOO_COMPLEX");
    });
  }
});
