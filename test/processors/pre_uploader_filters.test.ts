/** What streams of a PDF are packed with. */
import { deflateSync } from "node:zlib";
import { expect } from "chai";
import fc from "fast-check";
import { decoded } from "../../processors/pre_uploader/proof/filters.ts";

describe("the filters of PDF streams", () => {
  const text = "(hidden text)";
  const rows: [title: string, dictionary: string, packed: Buffer | string, text: string | undefined][] = [
    ["none", "/Length 13", text, text],
    ["deflate", "/Filter /FlateDecode", deflateSync(text), text],
    // The example of ISO 32000-1, 7.4.4.2.
    ["LZW", "/Filter [/LZWDecode]", Buffer.from("800B6050220C0C8501", "hex"), "-----A---B"],
    ["runs", "/Filter/RunLengthDecode", Buffer.from([1, 0x28, 0x61, 254, 0x62, 0, 0x29, 128, 0x28]), "(abbb)"],
    ["ASCII85", "/Filter /ASCII85Decode", "-tm=*A7]\nX$FCf]=.0~>rest", text],
    ["ASCII85 with zeros", "/Filter /ASCII85Decode", "-ia5Iz@:E^q~>", "(\0\0\0\0\0\0\0abc)"],
    ["digits", "/Filter [ /ASCIIHexDecode ]", "28 68 69 2>00", "(hi "],
    ["two", "/Filter [/ASCIIHexDecode /FlateDecode]", `${deflateSync(text).toString("hex")}>`, text],
    ["a picture's", "/Filter /DCTDecode", text, undefined],
    ["one of text and a picture's", "/Filter [/ASCII85Decode /DCTDecode]", "-tm=*A7]X$FCf]=.0~>", undefined],
    ["one that is named elsewhere", "/Filter 7 0 R", text, undefined],
    ["deflate, damaged", "/Filter /FlateDecode", text, undefined],
    ["LZW up to its damage", "/Filter /LZWDecode", Buffer.from("80107FE0", "hex"), "A"],
  ];
  for (const [title, dictionary, packed, expected] of rows) {
    it(`are undone: ${title}`, () => {
      expect(decoded(dictionary, Buffer.from(packed))?.toString("latin1")).to.equal(expected);
    });
  }

  for (const early of [0, 1]) {
    it(`are undone: LZW of any bytes, at any length, that widens its codes ${early === 1 ? "early" : "late"}`, () => {
      const bytes = fc.array(fc.constantFrom(1, 2, 3), { maxLength: 40_000, size: "max" });
      fc.assert(
        fc.property(fc.oneof(bytes, fc.uint8Array({ maxLength: 9000, size: "max" })), (given) => {
          const content = Buffer.from(given);
          const dictionary = `/Filter /LZWDecode /DecodeParms << /EarlyChange ${early} >>`;
          expect(decoded(dictionary, lzw(content, early))?.equals(content)).to.equal(true);
        }),
        { numRuns: 30 },
      );
    });
  }
});

/** Packs as the standard says, with a table that begins anew when it is full. */
function lzw(content: Buffer, early: number): Buffer {
  const out: number[] = [];
  let [held, bits] = [0, 0];
  let table = new Map<string, number>();
  const put = (code: number) => {
    // The table is one entry ahead of its reader's.
    const width = Math.min(12, Math.max(9, 32 - Math.clz32(257 + table.size + early)));
    held = held * 2 ** width + code;
    for (bits += width; bits >= 8; bits -= 8) {
      out.push(Math.floor(held / 2 ** (bits - 8)));
      held %= 2 ** (bits - 8);
    }
  };
  const codeOf = (word: string) => (word.length === 1 ? word.charCodeAt(0) : table.get(word));
  put(256);
  let word = "";
  for (const byte of content) {
    const longer = word + String.fromCharCode(byte);
    if (codeOf(longer) !== undefined) {
      word = longer;
      continue;
    }
    put(codeOf(word)!);
    table.set(longer, 258 + table.size);
    word = String.fromCharCode(byte);
    if (table.size < 4095 - 258) continue;
    put(256);
    table = new Map();
  }
  if (word !== "") put(codeOf(word)!);
  put(257);
  if (bits > 0) out.push(held * 2 ** (8 - bits));
  return Buffer.from(out);
}
