/** What a rebuilt PDF may consist of, as the proof reads it. */
import { deflateSync } from "node:zlib";
import { expect } from "chai";
import { checkStructure } from "../../../../processors/pre_uploader/proof/structure.ts";
import { parts, writePdf } from "./written-pdf.ts";
import type { Body } from "./written-pdf.ts";

describe("the structure of a rebuilt PDF", () => {
  const faultOf = (pdf: Uint8Array): string | undefined => {
    try {
      checkStructure(pdf);
      return undefined;
    } catch (fault) {
      expect(fault).to.have.property("name", "StructureFault");
      return (fault as Error).message;
    }
  };
  const withPart = (number: number, body: Body, more: Record<number, Body> = {}) =>
    writePdf({ ...parts(), [number]: body, ...more });
  const replacing = (number: number, from: string, to: string, more: Record<number, Body> = {}) => {
    const body = parts()[number];
    if (typeof body !== "string" || !body.includes(from)) throw new Error(`object ${number} does not have ${from}`);
    return withPart(number, body.replace(from, to), more);
  };

  it("passes where every object is reached by an allowed key and every stream holds", () => {
    expect(faultOf(writePdf(parts()))).to.equal(undefined);
  });

  it("gives the names and strings that it holds outside of page content, with their places", () => {
    const titled = replacing(1, "/Pages 2 0 R", "/Pages 2 0 R /Outlines 9 0 R", {
      9: "<< /Type /Outlines /First 10 0 R /Last 10 0 R /Count 1 >>",
      10: "<< /Title <FEFF00480069> /Parent 9 0 R /Dest [3 0 R /Fit] >>",
    });
    const texts = checkStructure(titled).texts.map(({ text, place }) => `${text} (${place.toString()})`);
    expect(texts).to.include.members([
      "Hi (the document, bookmark at /Root/Outlines/First/Title)",
      "Helvetica (page 1, type1 at /Resources/Font/BaseFont)",
      "F0 (page 1, resources at /Resources/Font)",
    ]);
  });

  const image = (content: Uint8Array, filter: string): Body => ({
    dictionary: `/Type /XObject /Subtype /Image /Width 2 /Height 2 /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /${filter}`,
    content,
    isPacked: false,
  });
  const jpeg = (...segments: number[][]) =>
    Uint8Array.from([0xff, 0xd8, ...segments.flat(), 0xff, 0xda, 0, 2, 1, 2, 3, 0xff, 0xd9]);
  const comment = [0xff, 0xfe, 0, 6, 0x48, 0x69, 0x21, 0x21];
  const adler = (content: string) => {
    const raw = deflateSync(content);
    raw[raw.length - 1] = (raw.at(-1) ?? 0) ^ 1;
    return { dictionary: "/Filter /FlateDecode", content: raw, isPacked: false };
  };
  const font = (tag: string) => {
    const program = Buffer.alloc(32);
    program.writeUInt32BE(0x00010000, 0);
    program.writeUInt16BE(1, 4);
    program.write(tag, 12, "latin1");
    program.writeUInt32BE(28, 20);
    program.writeUInt32BE(4, 24);
    return program;
  };
  const withFont = (program: Uint8Array) =>
    replacing(6, "/Subtype /Type1", "/Subtype /TrueType /FontDescriptor 9 0 R", {
      9: "<< /Type /FontDescriptor /FontName /Helvetica /Flags 4 /FontFile2 10 0 R >>",
      10: { dictionary: "", content: program },
    });
  const content = (operators: string) => withPart(4, { dictionary: "", content: operators });
  const drawing = "/F0 9 Tf /X0 Do /X1 Do";

  const passing: Record<string, () => Uint8Array> = {
    "a JPEG without comments": () => withPart(8, image(jpeg(), "DCTDecode")),
    "a font with tables that draw": () => withFont(font("glyf")),
    "a font given by a known name": () => content(`${drawing} BT (a\\)\\050\\101) Tj [(b) -20 <63>] TJ ET`),
  };
  for (const [what, make] of Object.entries(passing)) {
    it(`passes with ${what}`, () => {
      expect(faultOf(make())).to.equal(undefined);
    });
  }

  const faults: Record<string, [make: () => Uint8Array, fault: RegExp]> = {
    "an object that nothing refers to": [
      () => withPart(9, "<< /Left (secret) >>"),
      /object 9 is no part of the document/,
    ],
    "a key that is not allowed": [
      () => replacing(3, "/MediaBox", "/PieceInfo << >> /MediaBox"),
      /^page 1, page: it has a key that is not allowed$/,
    ],
    "information about the document": [
      () => writePdf(parts(), (file) => file.replace("/Root 1 0 R", "/Root 1 0 R /Info 1 0 R")),
      /the trailer has a key that is not allowed/,
    ],
    "a key that stands twice": [() => replacing(3, "/Type /Page", "/Type /Page /Type /Page"), /a key stands twice/],
    "a value of another kind": [
      () => replacing(3, "[0 0 400 300]", "[0 0 400 (secret)]"),
      /page 1, page at \/MediaBox: it is of another kind/,
    ],
    "a reference to nothing": [
      () => replacing(3, "4 0 R", "44 0 R"),
      /page 1, page at \/Contents: a reference leads to nothing/,
    ],
    "a destination that is no page": [
      () =>
        replacing(
          3,
          "/MediaBox",
          "/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /Dest [6 0 R /Fit] >>] /MediaBox",
        ),
      /it refers to an object that is no part of the document/,
    ],
    "a kind of annotation that is not allowed": [
      () =>
        replacing(3, "/MediaBox", "/Annots [<< /Type /Annot /Subtype /FileAttachment /Rect [0 0 9 9] >>] /MediaBox"),
      /its Subtype is not allowed/,
    ],
    "a comment between objects": [
      () => writePdf(parts(), (file) => file.replace("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "%PDF-1.7\n%secr\n")),
      /the file has an unusual header/,
    ],
    "bytes between objects": [
      () => writePdf(parts(), (file) => file.replace("endobj\n2", "endobj%a\n2")),
      /the file: the word endobj|endobj is missing|delimiter/,
    ],
    "bytes behind its end": [
      () => writePdf(parts(), (file) => `${file}secret`),
      /something stands behind the end of the file/,
    ],
    "an earlier revision behind its end": [
      () => writePdf(parts(), (file) => `${file}${Buffer.from(writePdf(parts())).toString("latin1")}`),
      /something stands behind the end of the file/,
    ],
    "an object that its table does not name": [
      () => writePdf(parts(), (file) => file.replace(/\d{10} 00000 n (?=\ntrailer)/, "0000000000 00000 f ")),
      /does not name all of them/,
    ],
    "a table that names another place": [
      () =>
        writePdf(parts(), (file) =>
          file.replace(/xref\n0 9\n(.{20}\n?)\d{10}/s, (all) => `${all.slice(0, -10)}0000000001`),
        ),
      /does not say where an object is/,
    ],
    "a checksum that does not hold": [() => withPart(4, adler(drawing)), /their checksum do not hold/],
    "bytes behind compressed data": [
      () =>
        withPart(4, {
          dictionary: "/Filter /FlateDecode",
          content: Buffer.concat([deflateSync(drawing), Buffer.from("secret")]),
          isPacked: false,
        }),
      /something stands behind its compressed data/,
    ],
    "a filter that is not allowed": [
      () => withPart(4, { dictionary: "/Filter /ASCIIHexDecode", content: "41>", isPacked: false }),
      /it has a filter that is not allowed/,
    ],
    "a comment in page content": [
      () => content(`${drawing} % secret`),
      /page 1, content at \/Contents: a delimiter opens nothing/,
    ],
    "a string that is not shown": [() => content(`${drawing} (secret) pop`), /an operator that does not draw/],
    "an operand too many": [() => content(`(secret) 1 w ${drawing}`), /operands that are not its own/],
    "properties of marked content": [
      () => content(`/Span << /ActualText (secret) >> BDC ${drawing} EMC`),
      /the content has marks/,
    ],
    "an inline image": [() => content(`${drawing} BI /W 1 /H 1 ID x EI`), /an operator that does not draw/],
    "page content that ends within a string": [() => content(`${drawing} (secret`), /a string has no end/],
    "a form that no content draws": [
      () => content("/F0 9 Tf /X1 Do"),
      /page 1, page at \/Resources: it has resources that nothing uses/,
    ],
    "a comment in a JPEG": [
      () => withPart(8, image(jpeg(comment), "DCTDecode")),
      /a JPEG has a segment that makes no pixels/,
    ],
    "bytes behind a JPEG": [
      () => withPart(8, image(Uint8Array.from([...jpeg(), 1]), "DCTDecode")),
      /something stands behind the end of a JPEG/,
    ],
    "an image with more than its pixels": [
      () =>
        withPart(8, {
          dictionary: "/Type /XObject /Subtype /Image /Width 2 /Height 2 /ColorSpace /DeviceGray /BitsPerComponent 8",
          content: new Uint8Array(40),
        }),
      /more than its pixels/,
    ],
    "a font with a table that does not draw": [() => withFont(font("meta")), /a font has a table that does not draw/],
    "a font of no known kind": [() => withFont(Buffer.from("secret")), /a font is of no known kind/],
    "objects that are nested too deeply": [() => replacing(3, "[0 0 400 300]", "[".repeat(200)), /nested too deeply/],
  };
  for (const [what, [make, fault]] of Object.entries(faults)) {
    it(`fails with ${what}`, () => {
      const found = faultOf(make());
      expect(found).to.match(fault);
      expect(found).not.to.include("secret");
    });
  }
});
