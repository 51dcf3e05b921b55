/** Image formats without what makes no picture. */
import { expect } from "chai";
import { withoutTexts } from "../../../../processors/pre_uploader/rebuild/color.ts";
import { withoutExtensions } from "../../../../processors/pre_uploader/rebuild/jbig2.ts";
import { withoutComments } from "../../../../processors/pre_uploader/rebuild/jpeg2000.ts";
import { withoutApplicationData } from "../../../../processors/pre_uploader/rebuild/jpeg.ts";
import { secret } from "./rebuild.fixture.ts";

const bytes = (...parts: (number[] | string | Buffer)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(part))));
const u16 = (number: number) => [number >> 8, number & 255];
const u32 = (number: number) => [...u16(number >>> 16), ...u16(number & 0xffff)];

describe("a JPEG image of a rebuilt document", () => {
  const segment = (marker: number, content: Buffer) => bytes([0xff, marker], u16(content.length + 2), content);
  const tables = segment(0xdb, bytes([0], "quantization"));
  const frame = segment(0xc0, bytes([8, 0, 1, 0, 1, 1, 1, 17, 0]));
  const scan = bytes(segment(0xda, bytes([1, 1, 0, 0, 63, 0])), [1, 0xff, 0, 2, 0xff, 0xd0, 3]);
  const jfif = (rest: string) => segment(0xe0, bytes("JFIF\0", [1, 1, 0, 0, 72, 0, 72], rest));
  const adobe = (rest: string) => segment(0xee, bytes("Adobe", [0, 100, 0, 0, 0, 0, 1], rest));
  const [start, end] = [bytes([0xff, 0xd8]), bytes([0xff, 0xd9])];

  it("keeps tables, frames and scans, and of its headers what says how it is coloured", () => {
    const image = bytes(
      ...["before", start, jfif(`\x03\x01${secret}`), adobe(secret), segment(0xe1, bytes(`Exif\0\0${secret}`))],
      ...[segment(0xfe, bytes(secret)), segment(0xe2, bytes(`ICC_PROFILE\0${secret}`)), [0xff], tables, frame, scan],
      ...[segment(0xfe, bytes(secret)), tables, scan, end, secret],
    );
    const expected = bytes(start, jfif("\0\0"), adobe(""), tables, frame, scan, tables, scan, end);
    expect(withoutApplicationData(image).equals(expected)).to.equal(true);
  });

  it("ends where it was cut, and is none without a picture", () => {
    expect(withoutApplicationData(bytes(start, frame, scan)).equals(bytes(start, frame, scan, end))).to.equal(true);
    for (const image of [bytes("no image"), bytes(start, frame, end), bytes(start, [0xff, 0xdb, 0, 0])]) {
      expect(() => withoutApplicationData(image)).to.throw(/JPEG image/);
    }
  });
});

describe("a JPEG 2000 image of a rebuilt document", () => {
  const box = (type: string, ...content: Buffer[]) => {
    const whole = bytes(...content);
    return bytes(u32(whole.length + 8), type, whole);
  };
  const segment = (marker: number, content: string) => bytes(u16(marker), u16(content.length + 2), content);
  const tile = (header: Buffer, data: string) => {
    const rest = bytes(header, [0xff, 0x93], data);
    return bytes(u16(0xff90), u16(10), [0, 0], u32(rest.length + 12), [0, 1], rest);
  };
  const stream = (comment: Buffer, inTile: Buffer) =>
    bytes(
      [0xff, 0x4f],
      segment(0xff51, "size"),
      comment,
      segment(0xff52, "coding"),
      tile(inTile, "pixels"),
      [0xff, 0xd9],
    );
  const comment = segment(0xff64, secret);
  const none = Buffer.alloc(0);

  it("keeps boxes and segments that make the picture", () => {
    const image = bytes(
      box("jP  ", bytes("\r\n\x87\n")),
      box("ftyp", bytes("jp2 ")),
      box("jp2h", box("ihdr", bytes("header")), box("res ", bytes(secret)), box("colr", bytes([1, 0, 0, 0, 0, 0, 16]))),
      box("xml ", bytes(secret)),
      box("uuid", bytes(secret)),
      box("jp2c", bytes(stream(bytes(comment, segment(0xff55, "lengths")), comment), secret)),
      box("free", bytes(secret)),
    );
    const expected = bytes(
      box("jP  ", bytes("\r\n\x87\n")),
      box("ftyp", bytes("jp2 ")),
      box("jp2h", box("ihdr", bytes("header")), box("colr", bytes([1, 0, 0, 0, 0, 0, 16]))),
      box("jp2c", stream(none, none)),
    );
    expect(withoutComments(image).equals(expected)).to.equal(true);
  });

  it("may be a bare code stream, and is none where a segment is cut", () => {
    expect(withoutComments(stream(comment, none)).equals(stream(none, none))).to.equal(true);
    expect(() => withoutComments(stream(none, none).subarray(0, 14))).to.throw(/JPEG 2000 image/);
    expect(() => withoutComments(bytes("short"))).to.throw("no JPEG 2000 image");
  });
});

describe("a JBIG2 image of a rebuilt document", () => {
  const segment = (number: number, type: number, data: Buffer | string) =>
    bytes(u32(number), [type, 0, 1], u32(data.length), data);
  const information = segment(0, 48, "page information");
  const region = segment(1, 38, "pixels");
  const open = bytes(u32(2), [38, 0, 1], u32(0xffffffff), Buffer.alloc(18), "data", [0xff, 0xac], u32(7));

  it("keeps the segments that make the picture", () => {
    const given = bytes(information, segment(5, 62, secret), region, open, segment(6, 49, ""), segment(7, 51, ""));
    const expected = bytes(information, region, open, segment(6, 49, ""));
    expect(withoutExtensions(given).equals(expected)).to.equal(true);
  });

  it("is none where a segment is cut, unknown, or does not end", () => {
    const wrong = [region.subarray(0, 12), segment(1, 33, ""), open.subarray(0, 30), bytes(information, secret)];
    for (const image of wrong) expect(() => withoutExtensions(image)).to.throw(/JBIG2 image|range/);
  });
});

describe("an ICC profile of a rebuilt document", () => {
  const profile = (tags: readonly [tag: string, data: string][], header = "") => {
    let offset = 132 + 12 * tags.length;
    const entries = tags.map(([tag, data]) => {
      const entry = bytes(tag, u32(offset), u32(data.length));
      offset += Math.ceil(data.length / 4) * 4;
      return entry;
    });
    const data = tags.map(([, content]) => bytes(content.padEnd(Math.ceil(content.length / 4) * 4, "\0")));
    const start = Buffer.alloc(128);
    start.write("RGB XYZ ", 16, "latin1");
    start.write("acsp", 36, "latin1");
    start.write(header, 80, "latin1");
    start.writeUInt32BE(offset, 0);
    return bytes(start, u32(tags.length), ...entries, ...data);
  };

  it("keeps the tags that make colours, not the texts", () => {
    const kept: [string, string][] = [
      ["rXYZ", "XYZ \0\0\0\0abc"],
      ["rTRC", "curv\0\0\0\0"],
    ];
    const given = profile([["desc", `desc\0\0\0\0${secret}`], ...kept, ["gXYZ", `text\0\0\0\0${secret}`]], secret);
    expect(withoutTexts(given)?.equals(profile(kept))).to.equal(true);
  });

  it("is none where it is damaged", () => {
    const cut = profile([["rXYZ", "XYZ \0\0\0\0abc"]]).subarray(0, 150);
    expect([withoutTexts(Buffer.from("short")), withoutTexts(cut)]).to.deep.equal([undefined, undefined]);
  });
});
