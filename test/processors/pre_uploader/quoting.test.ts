import { expect } from "chai";
import { RedactedTerms } from "../../../processors/pre_uploader/proof/terms.ts";
import { isQuoting } from "../../../processors/pre_uploader/quoting.ts";
import { shownText, uncut, withNumericEntities } from "../../../processors/pre_uploader/rich-text.ts";
import { make } from "../engine_bench.ts";

/** Terms that stand for themselves as whole words. */
const termsOf = (...texts: string[]) =>
  new RedactedTerms({ terms: texts.map((text) => ({ text, modes: 1, isPhrase: false })) });

describe("an annotation that is carried", () => {
  const terms = termsOf("geheimnis", "5550199", "kim");
  const note = make.note("N1", 0, [10, 20, 30, 40], "look");
  const withContent = (more: object) => ({ ...note, content: { ...note.content, ...more } });

  const quoting: Record<string, object> = {
    "its text": withContent({ text: "see Geheimnis" }),
    "its rich text": withContent({ text: { format: "xhtml", value: "<p>Ge<b>heim</b>nis</p>" } }),
    "entities of its rich text": withContent({ text: { format: "xhtml", value: "<p>Gehei&#109;&#110;is</p>" } }),
    "the format of its text": withContent({ text: { format: "Geheimnis", value: "" } }),
    "a number of its custom data": withContent({ customData: { stamp: 5550199 } }),
    "a number of its custom data by a name that the format knows": withContent({ customData: { opacity: 5550199 } }),
    "a key of its custom data": withContent({ customData: { Geheimnis: {} } }),
    "a key that nobody knows": withContent({ geheimnis: 1 }),
    "its author": withContent({ creatorName: "Kim" }),
    "its subject": withContent({ subject: "on Geheimnis" }),
    "its name": withContent({ name: "geheimnis" }),
    "the name of its file": withContent({ fileName: "Geheimnis.png" }),
    "its action": withContent({ action: { type: "uri", uri: "https://x.example/Gehei%6Dnis" } }),
    "an icon that is none": withContent({ icon: "geheimnis" }),
    "coordinates that are none": withContent({ bbox: [1, 2, 3, 5550199] }),
    "a date that is none": withContent({ createdAt: "on Geheimnis" }),
    "who made it": { ...note, createdBy: "kim" },
    "its group": { ...note, group: "geheimnis" },
  };
  for (const [where, record] of Object.entries(quoting)) {
    it(`quotes by ${where}`, () => {
      expect(isQuoting(record as typeof note, terms)).to.equal(true);
    });
  }

  it("quotes nothing by what the format prescribes, though a document may have the same words", () => {
    const words = ["pspdfkit", "note", "text", "plain", "value", "10", "20", "normal", "alice", "2024", "stamp"];
    const record = withContent({
      ...{ blendMode: "normal", createdAt: "2024-01-02T03:04:05Z", customData: { stamp: "bates_stamp" } },
      ...{ rects: [[10, 20, 30, 40]], flags: ["locked"], isCommentThreadRoot: true },
    });
    expect(isQuoting({ ...record, createdBy: null }, termsOf(...words))).to.equal(false);
  });
});

describe("rich text", () => {
  it("goes to Document Engine without named entities, and says the same", () => {
    const xhtml =
      '<p title="a&quot;">M&uuml;ller &amp; S&#246;hne&nbsp;&euro; AT&T &unknown; &lt;b&gt; &xA; &#x41;</p>';
    expect(withNumericEntities(xhtml)).to.equal(
      '<p title="a&#34;">M&#252;ller &#38; S&#246;hne&#160;&#8364; AT&#38;T &#38;unknown; &#60;b&#62; &#38;xA; &#x41;</p>',
    );
    expect(shownText({ format: "xhtml", value: withNumericEntities(xhtml) })).to.equal(
      "\nMüller & Söhne\u00A0€ AT&T &unknown; <b> &xA; A\n",
    );
  });

  it("leaves plain text as it is, but for what would cut it", () => {
    expect(uncut({ format: "plain", value: "a &uuml; <b>\0c" })).to.deep.equal({
      format: "plain",
      value: "a &uuml; <b>c",
    });
    expect([uncut("a\0b"), uncut(7), uncut(undefined)]).to.deep.equal(["ab", 7, undefined]);
  });

  it("shows a stamp without its tags, and a plain text with them", () => {
    expect(shownText({ format: "xhtml", value: '<p>ABC<span style="color:red">000001</span></p>' }).trim()).to.equal(
      "ABC000001",
    );
    expect(shownText({ format: "plain", value: "<p>" })).to.equal("<p>");
    expect([shownText("v1 text"), shownText(undefined)]).to.deep.equal(["v1 text", ""]);
  });
});
