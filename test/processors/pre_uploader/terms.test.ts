import { expect } from "chai";
import fc from "fast-check";
import type { Box } from "../../../processors/pre_uploader/pdf/geometry.ts";
import type { PageContent } from "../../../processors/pre_uploader/pdf/reader.ts";
import { fold, foldedPieces } from "../../../processors/pre_uploader/proof/folding.ts";
import { RedactedTerms, redactedTerms, textsOf } from "../../../processors/pre_uploader/proof/terms.ts";

const [glyphWidth, lineHeight] = [6, 12];

/** A page whose characters stand on a grid, as PDFium reads it: line ends have no box. */
function pageOf(lines: readonly string[]): PageContent {
  const characters = lines.flatMap((line, row) => [
    ...Array.from(line, (text, column) => ({ text, box: cell(row, column) })),
    { text: "\r\n", box: undefined },
  ]);
  return { text: characters.map(({ text }) => text).join(""), characters, annotations: [] };
}

function cell(row: number, column: number): Box {
  const [left, top] = [column * glyphWidth, row * lineHeight];
  return { left, top, right: left + glyphWidth - 1, bottom: top + lineHeight - 2 };
}

/** The box of a text on a page: within one line, or of whole lines that follow each other. */
function boxesOf(lines: readonly string[], text: string): Box[] {
  return text.split("\n").map((part) => {
    const row = lines.findIndex((line) => line.includes(part));
    if (row < 0) throw new Error(`${part} does not stand on the page`);
    const start = Array.from(lines[row]!.slice(0, lines[row]!.indexOf(part))).length;
    const [first, last] = [cell(row, start), cell(row, start + Array.from(part).length - 1)];
    return { ...first, right: last.right };
  });
}

function hide(
  lines: readonly string[],
  texts: readonly string[],
  others: readonly PageContent[] = [],
  allowed: string[] = [],
) {
  const redactions = [{ pageIndex: 0, boxes: texts.flatMap((text) => boxesOf(lines, text)) }];
  return new RedactedTerms(redactedTerms([pageOf(lines), ...others], redactions, allowed));
}

const isolated = (text: string) => ["Public words stand here", ...text.split("\n"), "Nothing else is said"];
const hiding = (text: string) => hide(isolated(text), [text]);

describe("the terms that redactions hide", () => {
  const spellings: Record<string, { hidden: string; spelt: string }> = {
    "in other letters": { hidden: "Geheimnis123", spelt: "GEHEIMNIS123" },
    "as a part of a longer word": { hidden: "Geheimnis", spelt: "Dasgeheimnisblatt" },
    "letter-spaced elsewhere": { hidden: "Geheimnis", spelt: "On G e h e i m n i s" },
    "with dots between its letters": { hidden: "HIV", spelt: "an H.I.V. test" },
    "with zero-width spaces": { hidden: "Geheimnis", spelt: "Ge\u200Bheim\u200Bnis" },
    "with soft hyphens": { hidden: "Geheimnis", spelt: "Ge\u00ADheim\u00ADnis" },
    "hyphenated over the end of a line": { hidden: "Geheimnis", spelt: "Das Geheim-\nnis" },
    "with decomposed letters": { hidden: "Müller", spelt: "Mu\u0308ller" },
    "with composed letters, where the page has decomposed ones": { hidden: "Mu\u0308ller", spelt: "Herr Müller" },
    "with ss for ß": { hidden: "Straßenmann", spelt: "STRASSENMANN" },
    "with a capital ß": { hidden: "Strassenmann", spelt: "STRAẞENMANN" },
    "with a dotted capital i": { hidden: "istanbul", spelt: "İSTANBUL" },
    "with a final sigma": { hidden: "ΟΔΟΣ", spelt: "οδος" },
    "with ligatures": { hidden: "Effizienz", spelt: "E\uFB03zienz" },
    "in full width": { hidden: "ABCDE", spelt: "ＡＢＣＤＥ" },
    "with accents that TeX puts beside their letters": { hidden: "M ¨ullermann", spelt: "Akte Müllermann" },
    "in a part that TeX separates from its first letter": { hidden: "ullermann", spelt: "Akte Müllermann" },
    "in one word, where the page spaces its letters": { hidden: "G e h e i m n i s", spelt: "das Geheimnis" },
    "in one word, where the page spaces its letters and more so its words": {
      hidden: "G e h e i m   T a g e",
      spelt: "das Geheim",
    },
    "in one word, where the page hyphenates it": { hidden: "Geheim-\nnis123", spelt: "geheimnis123" },
    "as a short name": { hidden: "Kim", spelt: "to Kim, please" },
    "as a name of two letters": { hidden: "Li", spelt: "Mr. Li" },
    "as an abbreviation": { hidden: "HIV", spelt: "(hiv)" },
    "as an amount": { hidden: "$950", spelt: "paid 950 USD" },
    "as a date in other punctuation": { hidden: "1/2/24", spelt: "on 1.2.24" },
    "as a number without its punctuation": { hidden: "555-01-99", spelt: "tel:5550199" },
    "as three Hangul syllables": { hidden: "홍길동", spelt: "계약 홍길동" },
    "as Hangul with an ending": { hidden: "홍길동", spelt: "홍길동은" },
    "in Hangul letters": { hidden: "홍길동", spelt: "홍길동".normalize("NFD") },
    "in Han characters within others": { hidden: "山田太郎", spelt: "担当者は山田です" },
    "in Han characters that the page writes from top to bottom": { hidden: "山\n田", spelt: "山田" },
    "in half-width Katakana": { hidden: "タナカ", spelt: "ﾀﾅｶ様" },
    "in Thai": { hidden: "ความลับ", spelt: "เอกสารความลับนี้" },
    "in Khmer": { hidden: "សម្ងាត់", spelt: "ឯកសារសម្ងាត់នេះ" },
    "in Lao": { hidden: "ຄວາມລັບ", spelt: "ນີ້ຄວາມລັບ" },
    "in Myanmar script": { hidden: "လျှို့ဝှက်", spelt: "ဒီလျှို့ဝှက်ချက်" },
    "in Arabic, as it is drawn": { hidden: "الرشيد", spelt: "ديشرلا" },
    "in Arabic, by the forms that fonts have": { hidden: "سلام", spelt: "\uFEB3\uFEFC\uFEE1" },
    "in Arabic with vowels": { hidden: "محمود", spelt: "مَحْمُود" },
    "in Hebrew, as it is drawn": { hidden: "סודי", spelt: "ידוס" },
    "as a phrase of Hebrew, as it is drawn": { hidden: "שלום כהן", spelt: "ןהכ םולש" },
    "in percent-encoding": { hidden: "Müller99", spelt: "https://x.example/M%C3%BCller99" },
    "in percent-encoding of Latin-1": { hidden: "Müller99", spelt: "https://x.example/M%FCller99" },
    "with numeric entities": { hidden: "Geheimnis", spelt: "Gehei&#109;&#x6e;is" },
    "with named entities": { hidden: "Müller", spelt: "M&uuml;ller" },
    "with entities of entities": { hidden: "Müller", spelt: "M&amp;uuml;ller" },
    "with tags": { hidden: "Geheimnis", spelt: "<p>Ge<b>heim</b>nis</p>" },
    "in base64": { hidden: "Geheimnis", spelt: Buffer.from("On Geheimnis").toString("base64") },
    "in base64 within an address": {
      hidden: "Geheimnis",
      spelt: `data:text/plain;base64,${Buffer.from("Geheimnis").toString("base64")}`,
    },
    "in base64 of UTF-16": { hidden: "Geheimnis", spelt: Buffer.from("\uFEFFGeheimnis", "utf16le").toString("base64") },
    "in base64 over several lines": {
      hidden: "Geheimnis",
      spelt: Buffer.from(`${"x".repeat(50)} Geheimnis`)
        .toString("base64")
        .replaceAll(/.{76}/g, "$&\r\n"),
    },
    "in hexadecimal digits": { hidden: "Geheimnis", spelt: Buffer.from("Geheimnis").toString("hex") },
    "in escapes of JavaScript": { hidden: "Müller", spelt: "M\\u00fcller" },
    "in escapes of RTF": { hidden: "Müller", spelt: "M\\'fcller" },
    "in quoted-printable": { hidden: "Müller", spelt: "M=C3=BCller" },
    "in two bytes a letter": { hidden: "Geheimnis", spelt: "G\0e\0h\0e\0i\0m\0n\0i\0s\0" },
  };
  for (const [how, { hidden, spelt }] of Object.entries(spellings)) {
    it(`are found ${how}`, () => {
      expect(hiding(hidden).areIn(spelt)).to.equal(true);
    });
  }

  const others: Record<string, { hidden: string; text: string }> = {
    "a word that only begins like a short one": { hidden: "Kim", text: "a kimono" },
    "a number that only has one within it": { hidden: "$950", text: "$1,950.25 or 99501" },
    "a date of another day": { hidden: "1/2/24", text: "11/2/24 and 1/2/245" },
    "a number that ends like a hidden one": { hidden: "Geheimnis123", text: "Geheimnis1234" },
    "words that only together have the letters of a short one": { hidden: "there", text: "the rest" },
    "a word that says nothing": { hidden: "the", text: "ask the author" },
    "a single letter": { hidden: "X", text: "x" },
    "words that say nothing, in another order or in between": { hidden: "with the", text: "with the best" },
    "a word of which only a few letters are hidden": { hidden: "Off", text: "Offenbar" },
  };
  for (const [what, { hidden, text }] of Object.entries(others)) {
    it(`are not found in ${what}`, () => {
      const lines = hidden === "Off" ? isolated("Offenbar") : isolated(hidden);
      expect(hide(lines, [hidden]).areIn(text)).to.equal(false);
    });
  }

  it("are those that stand nowhere else in the open", () => {
    // Prepare
    const lines = ["Smith met Müller-Lüdenscheidt", "on 555-01-99"];

    // Act
    const terms = hide(lines, ["Smith met Müller-Lüdenscheidt\non 555-01-99"], [pageOf(["Smith again"])]);

    // Assess
    const words = ["5550199", "Lüdenscheidt", "Müller", "Müller-Lüdenscheidt", "Smith", "again"];
    expect(words.filter((word) => terms.areIn(`of ${word}!`))).to.deep.equal(words.slice(0, 4));
  });

  it("have a phrase among them although each of its words can be read elsewhere", () => {
    // Prepare
    const open = pageOf(["John met Paul", "A smith is no merchant"]);

    // Act
    const terms = hide(isolated("signed by John Smith today"), ["John Smith"], [open]);

    // Assess
    expect(["John", "Smith", "John Smith", "john.smith@example.org"].filter((text) => terms.areIn(text))).to.deep.equal(
      ["John Smith", "john.smith@example.org"],
    );
  });

  it("have a word among them of which the page has a copy that nobody sees", () => {
    // Prepare
    const lines = isolated("Geheimnis123 Nothing");
    const pages = [pageOf(lines), pageOf(["Geheimnis123 Nothing 山田"])];
    const redactions = [{ pageIndex: 0, boxes: boxesOf(lines, "Geheimnis123 Nothing") }];
    const unseen = boxesOf(["Geheimnis123"], "Geheimnis123")[0]!;
    const visibilityOf = (index: number) => (box: Box) => index !== 1 || box.left >= unseen.right;

    // Act
    const terms = new RedactedTerms(redactedTerms(pages, redactions, [], visibilityOf));

    // Assess
    expect(["Geheimnis123", "Nothing"].filter((text) => terms.areIn(text))).to.deep.equal(["Geheimnis123"]);
  });

  it("have no word among them of a script that is not drawn, as no font is there for it", () => {
    const lines = isolated("山田太郎");
    const redactions = [{ pageIndex: 0, boxes: boxesOf(lines, "山田太郎") }];
    const nothing = () => () => false;
    expect(redactedTerms([pageOf(lines), pageOf(["山田太郎"])], redactions, [], nothing)).to.deep.equal({ terms: [] });
  });

  it("have no phrase among them that can be read elsewhere", () => {
    expect(
      hide(isolated("signed by John Smith"), ["John Smith"], [pageOf(["John", "Smith"])]).areIn("John Smith"),
    ).to.equal(false);
  });

  it("have a word among them of which a redaction leaves a few letters, and not one that it only grazes", () => {
    const terms = hide(isolated("Geheimnis123 Offenbar"), ["heimnis123 Off"]);
    expect(["Geheimnis123", "Offenbar"].filter((word) => terms.areIn(word))).to.deep.equal(["Geheimnis123"]);
  });

  it("have a hidden part of a longer word among them", () => {
    const terms = hide(isolated("Donaudampfschifffahrtskapitänsmütze"), ["kapitänsmütze"]);
    expect(terms.areIn("die Kapitänsmütze")).to.equal(true);
  });

  it("are not in what the product itself prints", () => {
    expect(
      hide(isolated("Attorneys only"), ["Attorneys only"], [], ["Attorneys only"]).areIn("Attorneys only"),
    ).to.equal(false);
  });

  it("are none where nothing is under the redactions", () => {
    const redactions = [{ pageIndex: 0, boxes: [{ left: 0, top: 500, right: 100, bottom: 520 }] }];
    expect(redactedTerms([pageOf(["Public words"])], redactions, [])).to.deep.equal({ terms: [] });
    expect(redactedTerms([pageOf(["Public words"])], [{ ...redactions[0]!, pageIndex: 7 }], [])).to.deep.equal({
      terms: [],
    });
  });

  it("travel as JSON", () => {
    const redactions = [{ pageIndex: 0, boxes: boxesOf(["Geheimnis"], "Geheimnis") }];
    const data = redactedTerms([pageOf(["Geheimnis"])], redactions, []);
    expect(JSON.parse(JSON.stringify(data))).to.deep.equal(data);
  });

  describe("in a JSON value", () => {
    const terms = hiding("Geheimnis123 5550199");
    const values: Record<string, unknown> = {
      "a text": { text: { format: "plain", value: "see Geheimnis123" } },
      "a key": { customData: { geheimnis123: true } },
      "a number": { customData: { code: 5550199 } },
      "a list of texts that say it together": { parts: ["Geheim", "nis123"] },
      "XHTML within a list": [["<p>Ge<b>heim</b>nis123</p>"]],
    };
    for (const [what, value] of Object.entries(values)) {
      it(`are found in ${what}`, () => {
        expect(terms.areInValue(value)).to.equal(true);
      });
    }

    it("are not found where there are none, however deep it is", () => {
      let deep: unknown = "Geheimnis124";
      for (let depth = 0; depth < 100_000; depth++) deep = [deep];
      expect(terms.areInValue(deep)).to.equal(false);
    });
  });

  it("gives every text of a JSON value, in order and decoded", () => {
    const value = { a: ["x", 1.5, null, true], "<i>k</i>": { b: "M&uuml;ller" } };
    expect(textsOf(value)).to.deep.equal(["a", "x", "1.5", "<i>k</i>", "k", "b", "M&uuml;ller", "Müller"]);
  });

  it("are found wherever they stand, in a text of any characters", () => {
    const terms = hiding("Geheimnis123");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (before, after) => {
        expect(terms.areIn(`${before} Geheimnis123 ${after}`)).to.equal(true);
      }),
      { numRuns: 200 },
    );
  });

  it("are compared by a text's pieces as by the whole of it", () => {
    const text = `${"straße Ångström ".repeat(10_000)}Ende`;
    expect([...foldedPieces(text)].join("")).to.equal(fold(text));
  });

  for (const [what, piece] of Object.entries({
    parentheses: "(",
    "unclosed tags": "<a ",
    ampersands: "&a",
    "percent signs": "%4",
    "base64 digits": "QUJD",
    "letters of a term": "geheimni",
    "letters that become eighteen": "\uFDFA",
    "hexadecimal digits": "41",
    "one tag": "a",
  })) {
    it(`are looked for in twelve megabytes of ${what} in one go`, function () {
      this.timeout(30_000);
      const text =
        (what === "one tag" ? "<" : "") + piece.repeat(Math.floor((12 * 1024 ** 2) / Buffer.byteLength(piece)));
      expect(hiding("Geheimnis").areIn(text)).to.equal(false);
    });
  }
});
