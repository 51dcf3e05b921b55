/** Fonts of a rebuilt document. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { deflateSync } from "node:zlib";
import { expect } from "chai";
import { PDFDocument, PDFName, PDFRawStream } from "@cantoo/pdf-lib";
import type { PDFDict } from "@cantoo/pdf-lib";
import fontkit from "@cantoo/fontkit";
import { withoutFontTexts } from "../../../../processors/pre_uploader/rebuild/programs.ts";
import {
  at,
  contentOf,
  everythingIn,
  hello,
  isQuoting,
  operatorsOf,
  page,
  pdfOf,
  picturesOf,
  rebuildOf,
  secret,
} from "./rebuild.fixture.ts";

const notoSans = createRequire(import.meta.url).resolve(
  "@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf",
);
const nothingQuotes = () => false;

function tablesOf(program: Buffer): string[] {
  return Array.from({ length: program.readUInt16BE(4) }, (_, index) =>
    program.toString("latin1", 12 + 16 * index, 16 + 16 * index),
  );
}

describe("the fonts of a rebuilt document", () => {
  it("draw the same without the names of the font, whose own name is one of ours", async () => {
    // Prepare
    const made = await PDFDocument.create();
    made.registerFontkit(fontkit);
    const font = await made.embedFont(await readFile(notoSans), { subset: false });
    made.addPage([200, 100]).drawText("Hello Ünder ﬁ", { x: 10, y: 40, size: 20, font });
    const source = await made.save({ useObjectStreams: false });

    // Act
    const { document, pdf } = await rebuildOf(source);

    // Assess
    const everything = await everythingIn(pdf);
    const fontOf = (...more: string[]) => at(document, "Pages", "Kids", 0, "Resources", "Font", "F1", ...more);
    expect(everything).to.not.match(/Noto|Google|Monotype/);
    expect(fontOf("BaseFont")?.toString()).to.equal("/SUBSET+Font1");
    expect(await picturesOf(pdf)).to.deep.equal(await picturesOf(source));
    const descriptor = (fontOf("DescendantFonts") as unknown as { lookup: (index: number) => PDFDict }).lookup(0);
    const program = descriptor.lookup(PDFName.of("FontDescriptor")) as PDFDict;
    const tables = tablesOf(contentOf(program.lookup(PDFName.of("FontFile2")) as PDFRawStream));
    expect(tables.filter((tag) => ["name", "meta", "DSIG", "GPOS", "kern"].includes(tag))).to.deep.equal([]);
    expect(tables).to.include.members(["glyf", "head", "hmtx", "loca", "maxp"]);
  });

  it("keep the name of a font that is not in the file, unless it quotes", async () => {
    const named = (name: string) => pdfOf({ 5: `<< /Type /Font /Subtype /TrueType /BaseFont /${name} >>` });
    const names = await Promise.all(
      ["Courier-Bold", secret].map(async (name) => {
        const { document } = await rebuildOf(named(name));
        return at(document, "Pages", "Kids", 0, "Resources", "Font", "F1", "BaseFont")?.toString();
      }),
    );
    expect(names).to.deep.equal(["/Courier-Bold", "/Unnamed"]);
  });

  it("map codes as before, in a CMap without names and programs", async () => {
    // Prepare
    const cmap = `%!PS ${secret}
      /CIDSystemInfo << /Registry (${secret}) /Ordering (x) /Supplement 0 >> def /CMapName /${secret} def /WMode 1 def
      1 begincodespacerange <00><f f> endcodespacerange
      3 beginbfchar <01><0041> <02> /name <03> <00420043> endbfchar
      2 beginbfrange <04><05><0044> <06><07>[<0046><0047>] endbfrange
      1 begincidrange <08> <09> 12 endcidrange (${secret}) pop (${secret}`;
    const source = pdfOf({
      5: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>",
      6: { keys: "/Filter /FlateDecode", data: deflateSync(cmap) },
    });

    // Act
    const { document } = await rebuildOf(source);

    // Assess
    const written = operatorsOf(document, "Pages", "Kids", 0, "Resources", "Font", "F1", "ToUnicode");
    expect(written.split("\n").slice(3, -5)).to.deep.equal([
      ...["/CMapName /CMap1 def", "/CMapType 2 def", "/WMode 1 def"],
      ...["1 begincodespacerange", "<00> <FF>", "endcodespacerange", "2 beginbfchar", "<01> <0041>", "<03> <00420043>"],
      ...["endbfchar", "2 beginbfrange", "<04> <05> <0044>", "<06> <07> [<0046> <0047>]", "endbfrange"],
      ...["1 begincidrange", "<08> <09> 12", "endcidrange"],
    ]);
  });

  it("that draw glyphs themselves find their resources in the glyph, in the font, else on the page", async () => {
    const inner = "<< /Font << /F2 8 0 R >> >>";
    const source = pdfOf({
      3: `<< ${page} /Resources << /Font << /F1 5 0 R /F3 8 0 R >> >> >>`,
      4: { data: hello.replace("Hello", "ab") },
      5: `<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [1 0 0 1 0 0] /FirstChar 97 /LastChar 98 /Widths [1 1]
        /Encoding << /Differences [97 /a /b] >> /CharProcs << /a 6 0 R /b 7 0 R >> /Resources ${inner} >>`,
      6: { data: "1 0 d0 BT /F2 1 Tf (x) Tj ET" },
      7: { keys: `/Resources << /Font << /F4 8 0 R >> >>`, data: "1 0 d0 BT /F4 1 Tf (y) Tj ET" },
      8: "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>",
    });
    const { pdf } = await rebuildOf(source);
    expect(await picturesOf(pdf)).to.deep.equal(await picturesOf(source));
    expect(await everythingIn(pdf)).to.not.contain("Helvetica");
  });
});

describe("a font program without texts", () => {
  /** A compact font with one name, the given strings, and a Top DICT. */
  function compact(name: string, strings: readonly string[], top: readonly number[]): Buffer {
    const index = (items: readonly (string | Buffer)[]) => {
      const parts = items.map((item) => Buffer.from(item as string, "latin1"));
      const offsets = parts.reduce((all, part) => [...all, (all.at(-1) ?? 0) + part.length], [1]);
      return Buffer.concat([Buffer.from([0, parts.length, 1, ...offsets]), ...parts]);
    };
    return Buffer.concat([
      Buffer.from([1, 0, 4, 1]),
      index([name]),
      index([Buffer.from(top)]),
      index(strings),
      Buffer.from("rest"),
    ]);
  }
  // String 391 is the first of the font's own: 247 + 0, 283 stands for 391 as an operand.
  const notice = [248, 283 - 256, 1];

  it("is as long as before where it is compact, its name and notice are written over, and glyphs keep their names", () => {
    const program = compact(secret, ["(c) " + secret, "glyph"], notice);
    const { bytes } = withoutFontTexts(program, isQuoting);
    expect(bytes.equals(compact("A".repeat(secret.length), ["A".repeat(4 + secret.length), "glyph"], notice))).to.equal(
      true,
    );
  });

  it("is none where the name of a glyph quotes", () => {
    const program = compact("a", ["(c)", secret], notice);
    expect(() => withoutFontTexts(program, isQuoting)).to.throw("the name of a glyph in its font quotes");
  });

  /** As Type 1 fonts encrypt. */
  function encrypted(text: string): Buffer {
    let key = 55665;
    const bytes = Array.from(Buffer.from(`0000${text}`, "latin1"), (byte) => {
      const cipher = byte ^ (key >> 8);
      key = ((cipher + key) * 52845 + 22719) & 0xffff;
      return cipher;
    });
    return Buffer.from(bytes);
  }
  const clear = `%!PS-AdobeFont-1.0: ${secret}\n% ${secret}\n/FontInfo 2 dict dup begin /Notice (a (${secret}) b) def end
/FontName /${secret} def /Encoding StandardEncoding def currentfile eexec\n`;
  const secretPart = encrypted("dup /Private 1 dict /A 3 RD xyz ND mark currentfile closefile\n");
  const trailer = `\n${"0".repeat(64)}\n${secret}\ncleartomark`;

  const forms: Readonly<Record<string, Buffer>> = {
    "as it is": Buffer.concat([Buffer.from(clear), secretPart, Buffer.from(trailer)]),
    "with digits": Buffer.from(`${clear}${secretPart.toString("hex")}${trailer}`),
    "in segments": Buffer.concat([
      ...[Buffer.from([0x80, 1, clear.length & 255, clear.length >> 8, 0, 0]), Buffer.from(clear)],
      ...[Buffer.from([0x80, 2, secretPart.length, 0, 0, 0]), secretPart, Buffer.from([0x80, 3])],
    ]),
  };
  for (const [title, program] of Object.entries(forms)) {
    it(`has no strings and comments where it is PostScript, written ${title}`, () => {
      const { bytes, lengths } = withoutFontTexts(program, isQuoting);
      const text = bytes.toString("latin1");
      expect(text).to.not.contain(secret);
      expect(text.slice(0, lengths[0]).split("\n").slice(0, 1)).to.deep.equal(["%!PS-AdobeFont-1.0: Font1"]);
      expect(text).to.contain("/Notice () def").and.contain("/FontName /Font1 def");
      expect(bytes.subarray(lengths[0], (lengths[0] ?? 0) + (lengths[1] ?? 0)).equals(secretPart)).to.equal(true);
      expect(lengths.reduce((sum, length) => sum + length)).to.equal(bytes.length);
    });
  }

  it("is none where the encrypted part has a text that quotes, and none of an unknown kind", () => {
    const hiding = Buffer.concat([Buffer.from(clear), encrypted(`/x (${secret}) def closefile\n`)]);
    expect(() => withoutFontTexts(hiding, isQuoting)).to.throw("a text in its font program quotes");
    expect(() => withoutFontTexts(Buffer.from("PK and so on"), nothingQuotes)).to.throw("no known kind");
  });
});
