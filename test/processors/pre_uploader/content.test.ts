import { deflateSync } from "node:zlib";
import { expect } from "chai";
import { ContentError, tokenize } from "../../../processors/pre_uploader/content/tokenizer.ts";
import type { Operand, Operation } from "../../../processors/pre_uploader/content/tokenizer.ts";

type Plain = string | number | boolean | null | Plain[] | { [key: string]: Plain };

/** An operand as a plain value: names with a slash, strings in Latin-1. */
function plain(operand: Operand): Plain {
  switch (operand.type) {
    case "name":
      return `/${operand.value}`;
    case "string":
      return Buffer.from(operand.bytes).toString("latin1");
    case "array":
      return operand.items.map(plain);
    case "dictionary":
      return Object.fromEntries([...operand.entries].map(([key, value]) => [key, plain(value)]));
    case "null":
      return null;
    case "boolean":
    case "number":
      return operand.value;
  }
}

const read = (content: string | Uint8Array, ...more: [((name: string) => number | undefined)?]): Operation[] => [
  ...tokenize(typeof content === "string" ? Buffer.from(content, "latin1") : content, ...more),
];
const plainly = (content: string) => read(content).map(({ operator, operands }) => [operator, ...operands.map(plain)]);

describe("the tokenizer of content streams", () => {
  it("reads every kind of operand, with comments and without needless space", () => {
    const content =
      "q% a comment (with BI ID EI\r1 0 0 -.5 +4. --7 cm/F#311 12Tf" +
      "[(a\\(b\\)(c)\\\\)-3<414>(\\101\\7\\n\\\nx)]TJ /P <</MCID 0/A[true false null]/B<</C/D>>>>BDC(q)' EMC";
    expect(plainly(content)).to.deep.equal([
      ["q"],
      ["cm", 1, 0, 0, -0.5, 4, -7],
      ["12Tf", "/F11"],
      ["TJ", ["a(b)(c)\\", -3, "A@", "A\x07\nx"]],
      ["BDC", "/P", { MCID: 0, A: [true, false, null], B: { C: "/D" } }],
      ["'", "q"],
      ["EMC"],
    ]);
  });

  it("says where each operation begins and ends", () => {
    const content = " 1 2 m  (x) Tj %c\n/A Do";
    expect(read(content).map(({ start, end }) => content.slice(start, end))).to.deep.equal([
      "1 2 m",
      "(x) Tj",
      "/A Do",
    ]);
  });

  for (const [what, broken] of [
    ["a string without end", "(abc"],
    ["a hexadecimal string without end", "<4142"],
    ["a hexadecimal string with other characters", "<41G2> Tj"],
    ["an array without end", "[1 2"],
    ["an operator within an array", "[1 q 2] TJ"],
    ["a closing delimiter alone", "q ) Q"],
    ["a dictionary whose key is no name", "/P <<1 2>> BDC"],
    ["a dictionary without end", "/P <</A 1"],
    ["operands without an operator", "q 1 2"],
    ["an inline image without end", "BI /W 1 /H 1 /BPC 8 /CS /G ID x"],
    ["an inline image shorter than its size", "BI /W 9 /H 1 /BPC 8 /CS /G ID x EI"],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(() => read(broken))
        .to.throw(ContentError)
        .with.property("code", "CONTENT_UNREADABLE");
    });
  }

  for (const [budget, content] of [
    ["levels of nesting", `${"[".repeat(100)}${"]".repeat(100)} TJ`],
    ["operands of one operator", "(A)".repeat(5000)],
  ] as const) {
    it(`names the budget of ${budget}`, () => {
      expect(() => read(content))
        .to.throw(new RegExp(budget))
        .with.property("code", "PDF_TOO_COMPLEX");
    });
  }

  it("takes a string of megabytes without end in one pass", () => {
    expect(() => read(`(${"a".repeat(12_000_000)}`)).to.throw(ContentError);
  });
});

/** Data that holds what looks like the end of an inline image. */
const deceiving = Buffer.from(" EI Q\nq 1 0 0 1 0 0 cm EI ");

describe("the end of an inline image's data", () => {
  const rows = deceiving.length;
  const lzw = Buffer.from("800B6050220C0C8501", "hex");
  const jpeg = Buffer.from("ffd8ffe0000a 20454920510a20 20ffda0004010241ff0020454920ffd9".replaceAll(" ", ""), "hex");
  for (const [what, entries, data] of [
    ["by length without a filter", `/W ${rows} /H 1 /BPC 8 /CS /G`, deceiving],
    ["by length in long words", `/Width ${rows} /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray`, deceiving],
    ["by length of a mask", `/W 8 /H ${rows} /IM true`, deceiving],
    ["by length of an indexed picture", `/W ${rows * 2} /H 1 /BPC 4 /CS [/I /RGB 1 <000000ffffff>]`, deceiving],
    ["by length in a colour space of the resources", `/W ${rows / 2} /H 1 /BPC 8 /CS /Two`, deceiving],
    ["by inflating", `/W ${rows} /H 1 /BPC 8 /CS /G /F /Fl`, deflateSync(deceiving, { level: 0 })],
    ["by the first of several filters", `/W 1 /H 1 /BPC 8 /CS /G /F [/A85 /Fl]`, Buffer.from(" EI !!~>")],
    ["of hexadecimal digits", "/W 1 /H 1 /BPC 8 /CS /G /F /AHx", Buffer.from("41 4\n2>")],
    ["of run lengths", "/W 9 /H 1 /BPC 8 /CS /G /F /RL", Buffer.from([3, 0x20, 0x45, 0x49, 0x20, 250, 7, 128])],
    ["of LZW codes", "/W 9 /H 1 /BPC 8 /CS /G /F /LZW", lzw],
    ["of a JPEG", "/W 9 /H 1 /BPC 8 /CS /G /F /DCT", jpeg],
    ["of a fax by what follows", "/W 9 /H 1 /BPC 1 /CS /G /F /CCF", Buffer.from("\x01\x02 EI \x03\x04", "latin1")],
  ] as const) {
    it(`is found ${what}`, () => {
      const content = Buffer.concat([Buffer.from(`q BI ${entries} ID `), data, Buffer.from("\nEI Q 1 w")]);
      const [save, image, ...rest] = read(content, (name) => (name === "Two" ? 2 : undefined));
      expect(save?.operator).to.equal("q");
      expect(Buffer.from(image?.image?.data ?? []).toString("latin1")).to.equal(data.toString("latin1"));
      expect(rest.map(({ operator }) => operator)).to.deep.equal(["Q", "w"]);
    });
  }

  it("is found behind data that is longer than its size says", () => {
    const content = "BI /W 1 /H 1 /BPC 8 /CS /G ID abcd\nEI Q";
    expect(read(content).map(({ image }) => image && Buffer.from(image.data).toString())).to.deep.equal([
      "abcd",
      undefined,
    ]);
  });
});
