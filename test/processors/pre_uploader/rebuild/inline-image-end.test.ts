import { deflateSync } from "node:zlib";
import { expect } from "chai";
import { endOfImageData } from "../../../../processors/pre_uploader/rebuild/inline-image-end.ts";

/** Data that holds what looks like the end of an inline image. */
const deceiving = Buffer.from(" EI Q\nq 1 0 0 1 0 0 cm EI ");

describe("the end of an inline image's data", () => {
  const lzw = Buffer.from("800B6050220C0C8501", "hex");
  const jpeg = Buffer.from("ffd8ffe0000a 20454920510a20 20ffda0004010241ff0020454920ffd9".replaceAll(" ", ""), "hex");
  const deflated = deflateSync(deceiving, { level: 0 });
  for (const [what, filter, data] of [
    ["by length without a filter", undefined, deceiving],
    ["by inflating", "FlateDecode", deflated],
    ["of base-85 digits", "ASCII85Decode", Buffer.from(" EI !!~>")],
    ["of hexadecimal digits", "ASCIIHexDecode", Buffer.from("41 4\n2>")],
    ["of run lengths", "RunLengthDecode", Buffer.from([3, 0x20, 0x45, 0x49, 0x20, 250, 7, 128])],
    ["of LZW codes", "LZWDecode", lzw],
    ["of a JPEG", "DCTDecode", jpeg],
    ["of a fax by what follows", "CCITTFaxDecode", Buffer.from("\x01\x02 EI \x03\x04", "latin1")],
    ["of damaged data by what follows", "FlateDecode", Buffer.from("\x01\x02 EI \x03\x04", "latin1")],
    ["of data that are cut short by what follows", "FlateDecode", deflated.subarray(0, 5)],
  ] as const) {
    it(`is found ${what}`, () => {
      const before = Buffer.from("q BI /W 1 ID ");
      const content = Buffer.concat([before, data, Buffer.from("\nEI Q 1 w")]);

      const end = endOfImageData(content, before.length, { filter, length: data.length, earlyChange: 1 });

      const rest = content.subarray(end?.operator).toString();
      expect([end?.data, rest]).to.deep.equal([before.length + data.length, " Q 1 w"]);
    });
  }

  it("is found behind data that are longer than their size says", () => {
    const content = Buffer.from("abcd\nEI Q");

    const end = endOfImageData(content, 0, { filter: undefined, length: 1, earlyChange: 1 });

    expect(end).to.deep.equal({ data: 4, operator: 7 });
  });

  for (const [what, content, length] of [
    ["there is no operator", "x", 1],
    ["the data are shorter than their size", "x EI", 9],
  ] as const) {
    it(`is none where ${what}`, () => {
      const end = endOfImageData(Buffer.from(content), 0, { filter: undefined, length, earlyChange: 1 });

      expect(end).to.equal(undefined);
    });
  }
});
