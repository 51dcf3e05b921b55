import { readFileSync } from "node:fs";
import { PDFArray, PDFDict, PDFDocument, PDFName, PDFRawStream } from "@cantoo/pdf-lib";
import fontkit from "@cantoo/fontkit";
import { expect } from "chai";
import { separate } from "../../../processors/pre_uploader/prepare/separate.ts";
import { addToUnicode } from "../../../processors/pre_uploader/prepare/unicode.ts";
import { pdfium, textsOf } from "../engine_bench.ts";

const program = readFileSync(
  new URL(import.meta.resolve("@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf")),
);
const word = "Geheimnis ΩЖ";

describe("fonts that do not say which characters they draw", () => {
  it("are given a map by the character table of their program", async () => {
    const { document } = await drawn({ subset: false });

    const count = addToUnicode(document.context);

    expect(count).to.equal(1);
    expect(await textsOf(await document.save())).to.deep.equal([word]);
  });

  it("are given one by way of the glyph that each code stands for", async () => {
    const { document, font } = await drawn({ subset: false });
    const descendant = font.lookup(PDFName.of("DescendantFonts"), PDFArray).lookup(0, PDFDict);
    const identity = Buffer.alloc(2 * 65_536);
    for (let code = 0; code < 65_536; code++) identity.writeUInt16BE(code, 2 * code);
    const map = PDFRawStream.of(document.context.obj({}), identity);
    descendant.set(PDFName.of("CIDToGIDMap"), document.context.register(map));

    const count = addToUnicode(document.context);

    expect(count).to.equal(1);
    expect(await textsOf(await document.save())).to.deep.equal([word]);
  });

  it("stay as they are where the program has no such table, or cannot be read", async () => {
    const { document: subset } = await drawn({ subset: true });
    const { document: damaged, font } = await drawn({ subset: false });
    const descendant = font.lookup(PDFName.of("DescendantFonts"), PDFArray).lookup(0, PDFDict);
    const descriptor = descendant.lookup(PDFName.of("FontDescriptor"), PDFDict);
    const noFont = PDFRawStream.of(damaged.context.obj({}), Buffer.from("no font at all"));
    descriptor.set(PDFName.of("FontFile2"), damaged.context.register(noFont));

    expect([addToUnicode(subset.context), addToUnicode(damaged.context)]).to.deep.equal([0, 0]);
  });

  it("are not given another map than the one they have", async () => {
    const document = await PDFDocument.load(await (await made({ subset: false })).save());

    expect(addToUnicode(document.context)).to.equal(0);
  });

  it("say it in what Document Engine is given for a page with redactions", async () => {
    const { document } = await drawn({ subset: false });

    const separated = await separate(await pdfium(), await document.save(), new Set([0]));

    expect(await textsOf(separated)).to.deep.equal([word]);
  });
});

async function made({ subset }: { subset: boolean }): Promise<PDFDocument> {
  const document = await PDFDocument.create();
  document.registerFontkit(fontkit);
  const font = await document.embedFont(program, { subset });
  document.addPage([400, 300]).drawText(word, { x: 40, y: 200, size: 12, font });
  return document;
}

/** A document whose only font has no ToUnicode map. */
async function drawn(options: { subset: boolean }): Promise<{ document: PDFDocument; font: PDFDict }> {
  const document = await PDFDocument.load(await (await made(options)).save());
  const fonts = document.getPage(0).node.Resources()?.lookup(PDFName.of("Font"), PDFDict);
  const font = fonts?.lookup(fonts.keys()[0] ?? PDFName.of("none"), PDFDict);
  if (!font) throw new Error("the page has no font");
  font.delete(PDFName.of("ToUnicode"));
  return { document, font };
}
