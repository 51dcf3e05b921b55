import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { PermanentError } from "../../contracts/errors.ts";
import { copySource } from "../../processors/s3_copy/keys.ts";
import { assertWithinCases } from "../../processors/shared/keys.ts";
import { needsParts, partRanges, taggingHeader } from "../../processors/s3_copy/transfer.ts";
import { checksumToAsk, compareChecksums, expectationsOf } from "../../processors/s3_copy/verify.ts";
import { copyMessage, newExchange } from "./support.ts";

const gibibyte = 1024 ** 3;
const hex = createHash("sha256").update("hello").digest("hex");
const base64 = createHash("sha256").update("hello").digest("base64");

describe("the rules of the S3 copy", () => {
  describe("parts", () => {
    it("cover every byte once, are numbered from 1 and are at most 10,000", () => {
      const size = fc.bigInt({ min: 1n, max: 50n * 1024n ** 4n }).map(Number);
      const partBytes = fc.integer({ min: 5 * 1024 ** 2, max: 5 * gibibyte });
      fc.assert(
        fc.property(size, partBytes, (bytes, length) => {
          const parts = partRanges(bytes, length);
          const bounds = parts.map(({ range }) => /^bytes=(\d+)-(\d+)$/.exec(range)!.slice(1).map(Number));
          const numbered = parts.every(({ number }, index) => number === index + 1);
          const adjoining = bounds.every(([first], index) => first === (bounds[index - 1]?.[1] ?? -1) + 1);
          expect(parts.length).to.be.at.most(10_000);
          expect([numbered, adjoining, bounds.at(-1)![1]]).to.deep.equal([true, true, bytes - 1]);
        }),
        { numRuns: 50 },
      );
    });

    it("are needed only above the threshold", () => {
      const limits = { thresholdBytes: 5 * gibibyte, partBytes: 1 };
      expect([5 * gibibyte, 5 * gibibyte + 1].map((size) => needsParts(size, limits))).to.deep.equal([false, true]);
    });

    it("are given the tags of the source as a query string", () => {
      const tags = [
        { Key: "matter", Value: "a&b = c" },
        { Key: "ключ", Value: "" },
      ];
      expect([...new URLSearchParams(taggingHeader(tags))]).to.deep.equal([
        ["matter", "a&b = c"],
        ["ключ", ""],
      ]);
    });
  });

  describe("keys", () => {
    it("are encoded segment by segment in the copy source", () => {
      expect(copySource("bucket", "case_1/a b/#%+?&/😀")).to.equal("bucket/case_1/a%20b/%23%25%2B%3F%26/%F0%9F%98%80");
    });

    const exchange = { ...newExchange(), sourceCaseId: 1, caseId: 2 };
    const refused: Record<string, { sourceKey?: string; destinationKey?: string }> = {
      "a source in another case": { sourceKey: "case_10/a" },
      "a source in the destination case": { sourceKey: "case_2/a" },
      "a source outside of cases": { sourceKey: "exchanges/x" },
      "a source that is a folder": { sourceKey: "case_1/" },
      "a source that only begins alike": { sourceKey: "case_1" },
      "a destination in the source case": { destinationKey: "case_1/a" },
      "a destination in another case": { destinationKey: "case_21/a" },
      "a key that is not Unicode": { sourceKey: "case_1/\uD800" },
    };
    for (const [what, keys] of Object.entries(refused)) {
      it(`refuse ${what}`, () => {
        const check = () => {
          assertWithinCases(copyMessage(exchange, "bucket", keys));
        };
        expect(check).to.throw(PermanentError, JSON.stringify(Object.values(keys)[0]));
      });
    }
  });

  describe("checksums", () => {
    it("agree when all that both sides know are equal", () => {
      const expected = expectationsOf({ CRC32: "c", CRC64NVME: "n" }, hex);
      expect(compareChecksums(expected, { SHA256: base64 })).to.deep.equal({ verdict: "equal" });
      expect(compareChecksums(expected, { CRC32: "c", SHA256: base64 })).to.deep.equal({ verdict: "equal" });
    });

    it("differ when one that both sides know differs, and say who says what", () => {
      const expected = expectationsOf({ CRC32: "c" }, hex);
      expect(compareChecksums(expected, { CRC32: "c", SHA256: "other" })).to.deep.equal({
        verdict: "different",
        how: `its SHA256 is other, the source's database record says ${base64}`,
      });
      expect(compareChecksums(expected, { CRC32: "d", SHA256: base64 })).to.deep.equal({
        verdict: "different",
        how: "its CRC32 is d, the source object says c",
      });
    });

    it("prove nothing when the sides have no algorithm in common", () => {
      expect(compareChecksums(expectationsOf({ SHA1: "s" }, null), { CRC32: "c" })).to.deep.equal({
        verdict: "incomparable",
      });
      expect(compareChecksums([], {})).to.deep.equal({ verdict: "incomparable" });
    });

    it("are asked for in an algorithm that can be compared afterwards", () => {
      const asked = [
        checksumToAsk({ CRC32: "c" }, hex, false),
        checksumToAsk({ CRC32: "c" }, null, false),
        checksumToAsk({ CRC32: "c" }, hex, true),
        checksumToAsk({ CRC64NVME: "n" }, null, true),
        checksumToAsk({ SHA1: "s" }, null, false),
        checksumToAsk({ SHA256: "s" }, null, true),
        checksumToAsk({}, null, false),
      ];
      expect(asked).to.deep.equal(["SHA256", "CRC32", "CRC32", "CRC64NVME", "SHA1", "CRC64NVME", "CRC64NVME"]);
    });
  });
});
