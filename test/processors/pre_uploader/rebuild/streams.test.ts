/** Streams of a rebuilt document, and what one may cost. */
import { deflateSync } from "node:zlib";
import { expect } from "chai";
import { withoutTrailer } from "../../../../processors/pre_uploader/rebuild/fax.ts";
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
import type { Parts } from "./rebuild.fixture.ts";
import type { PDFRawStream } from "@cantoo/pdf-lib";

const content = "BT\n/F1 20 Tf\n20 40 Td\n(Hello) Tj\nET\n";
const packed = deflateSync(hello);
const png = (rows: readonly number[][]) => deflateSync(Buffer.from(rows.flat()));
const up = Array.from(Buffer.from(hello), (byte, index) =>
  index < 4 ? byte : (byte - hello.charCodeAt(index - 4)) & 255,
);
const differences = (text: string) =>
  Buffer.from(
    Array.from(Buffer.from(text), (byte, index) => (byte - (index === 0 ? 0 : text.charCodeAt(index - 1))) & 255),
  );

function damaged(bytes: Buffer, fromEnd: number): Buffer {
  const copy = Buffer.from(bytes);
  const place = copy.length - fromEnd;
  copy[place] = (copy[place] ?? 0) ^ 255;
  return copy;
}

const readable: Readonly<Record<string, { keys: string; data: Buffer | string; more?: Parts }>> = {
  "no filter": { keys: "", data: hello },
  deflate: { keys: "/Filter /FlateDecode", data: packed },
  "a filter that is named elsewhere": {
    keys: "/Filter 6 0 R",
    data: packed,
    more: { 6: "[7 0 R]", 7: "/FlateDecode" },
  },
  "a filter with an escaped name": { keys: "/Filter /Flate#44ecode", data: packed },
  "a checksum that does not hold": { keys: "/Filter /FlateDecode", data: damaged(packed, 1) },
  "data that are cut short": { keys: "/Filter /FlateDecode", data: packed.subarray(0, -3) },
  "digits and deflate": { keys: "/Filter [/ASCIIHexDecode /FlateDecode]", data: `${packed.toString("hex")}>` },
  "the rows of PNG": {
    keys: "/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 4 >>",
    data: png(Array.from({ length: Math.ceil(up.length / 4) }, (_, row) => [2, ...up.slice(4 * row, 4 * row + 4)])),
  },
  "the differences of TIFF": {
    keys: `/Filter [/FlateDecode] /DecodeParms [<< /Predictor 2 /Columns ${hello.length} >>]`,
    data: deflateSync(differences(hello)),
  },
  runs: {
    keys: "/Filter /RunLengthDecode",
    data: Buffer.concat([Buffer.from([hello.length - 1]), Buffer.from(hello), Buffer.from([128])]),
  },
};

const unreadable: Readonly<Record<string, { keys: string; data: Buffer | string }>> = {
  "a filter that is unknown": { keys: `/Filter /${secret}`, data: hello },
  "a filter of images": { keys: "/Filter /DCTDecode", data: hello },
  "a filter that is none": { keys: "/Filter [(a)]", data: hello },
  "data of another kind": { keys: "/Filter /FlateDecode", data: secret },
  "a row with an unknown predictor": {
    keys: "/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 4 >>",
    data: png([[9, 1, 2, 3, 4]]),
  },
  "an unknown predictor": { keys: "/Filter /FlateDecode /DecodeParms << /Predictor 3 >>", data: packed },
  "a run that is cut short": { keys: "/Filter /RunLengthDecode", data: Buffer.from([9, 1]) },
  "a digit that is none": { keys: "/Filter /ASCIIHexDecode", data: "4x>" },
  "a code that stands for nothing": { keys: "/Filter /LZWDecode", data: Buffer.from([0x80, 0x7f, 0xe0, 0]) },
};

const tooComplex: Readonly<Record<string, { parts: () => Parts; budget: string }>> = {
  "strings without an operator": {
    parts: () => ({ 4: flate("(A)".repeat(20_000)) }),
    budget: "operands before an operator",
  },
  "arrays in arrays": { parts: () => ({ 4: flate("[".repeat(100)) }), budget: "levels of nesting" },
  "saved states": { parts: () => ({ 4: flate("q ".repeat(10_001)) }), budget: "saved graphics states" },
  "a stream that unpacks to a quarter of a gibibyte": {
    parts: () => ({
      4: { keys: "/Filter [/FlateDecode /FlateDecode]", data: deflateSync(deflateSync(Buffer.alloc(2 ** 28 + 1))) },
    }),
    budget: "decoded bytes in a stream",
  },
  "a colour space within itself": {
    parts: () => ({
      3: `<< ${page} /Resources << /ColorSpace << /C 6 0 R >> >> >>`,
      4: { data: "/C cs" },
      6: "[/Indexed 6 0 R 1 (a)]",
    }),
    budget: "levels of nesting",
  },
};

function flate(data: string) {
  return { keys: "/Filter /FlateDecode", data: deflateSync(data) };
}

function failureOf(parts: Parts): Promise<{ code: string; message: string }> {
  return rebuildOf(pdfOf(parts)).then(
    () => ({ code: "", message: "" }),
    (error: unknown) => error as { code: string; message: string },
  );
}

describe("a stream of a rebuilt document", () => {
  for (const [title, { keys, data, more }] of Object.entries(readable)) {
    it(`is packed anew, by deflate and without parameters: one with ${title}`, async () => {
      const { document } = await rebuildOf(pdfOf({ 4: { keys, data }, ...more }));
      expect(operatorsOf(document)).to.equal(content);
      const stream = at(document, "Pages", "Kids", 0, "Contents") as PDFRawStream;
      expect(stream.dict.keys().map(String)).to.have.members(["/Filter", "/Length"]);
    });
  }

  for (const [title, stream] of Object.entries(unreadable)) {
    it(`is refused by name and place for ${title}`, async () => {
      const { code, message } = await failureOf({ 4: stream });
      expect(code).to.equal("PDF_UNREADABLE_PART");
      expect(message)
        .to.match(/^page 1, page at \/Contents/)
        .and.not.contain(secret);
    });
  }

  it("of pixels keeps its predictor, row by row, and nothing behind them", async () => {
    const image = (predictor: string, data: Buffer): Uint8Array =>
      pdfOf({
        3: `<< ${page} /Resources << /XObject << /I 6 0 R >> >> >>`,
        4: { data: "q 90 0 0 90 5 5 cm /I Do Q" },
        6: {
          keys: `/Subtype /Image /Width 2 /Height 2 /BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter /FlateDecode ${predictor}`,
          data,
        },
      });
    const rows = [2, 250, 9, 9, 9, 200, 9, 1, 1, 2, 3, 4, 5, 6];
    const parms = "/DecodeParms << /Predictor 15 /Colors 3 /Columns 2 >>";
    const source = image(parms, deflateSync(Buffer.concat([Buffer.from(rows), Buffer.from(`\0${secret}`)])));
    const { document, pdf } = await rebuildOf(source);
    const copy = at(document, "Pages", "Kids", 0, "Resources", "XObject", "X1") as PDFRawStream;
    expect([...contentOf(copy)]).to.deep.equal(rows);
    expect(await picturesOf(pdf)).to.deep.equal(await picturesOf(source));
  });

  it("of a fax ends with its picture, and is refused where a text follows that quotes", async () => {
    const picture = Buffer.from([0x26, 0xa0, 0x01, 0x00, 0x10]);
    expect([...withoutTrailer(Buffer.concat([picture, Buffer.from([0x0f]), Buffer.from(secret)]), -1)]).to.deep.equal([
      ...picture,
    ]);
    const fax = (k: number): Parts => ({
      3: `<< ${page} /Resources << /XObject << /I 6 0 R >> >> >>`,
      4: { data: "q 90 0 0 90 5 5 cm /I Do Q" },
      6: {
        keys: `/Subtype /Image /Width 8 /Height 1 /ImageMask true /Filter /CCITTFaxDecode /DecodeParms << /K ${k} /Columns 8 >>`,
        data: Buffer.concat([picture, Buffer.from(secret)]),
      },
    });
    expect(isQuoting(await everythingIn((await rebuildOf(pdfOf(fax(-1)))).pdf))).to.equal(false);
    expect((await failureOf(fax(0))).message)
      .to.match(/^page 1, image: it has bytes/)
      .and.not.contain(secret);
  });
});

describe("a document that costs too much to rebuild", () => {
  for (const [title, { parts, budget }] of Object.entries(tooComplex)) {
    it(`is refused by the name of the budget: ${title}`, async () => {
      const { code, message } = await failureOf(parts());
      expect([code, message.includes(budget)]).to.deep.equal(["PDF_TOO_COMPLEX", true]);
    });
  }

  it("is none for objects that lead back to themselves", async () => {
    const source = pdfOf({
      2: "<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 1 >>",
      3: `<< ${page} /Resources << /XObject << /X 6 0 R >> >> >>`,
      4: { data: "/X Do" },
      6: { keys: "/Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >>", data: "/X Do /X Do" },
    });
    const { document } = await rebuildOf(source);
    expect(operatorsOf(document)).to.equal("/X1 Do\n");
  });
});
