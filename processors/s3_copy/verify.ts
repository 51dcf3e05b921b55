/**
 * When is a copy a copy?
 *
 * 1. Source and destination have the same size.
 * 2. Every whole-object checksum that S3 keeps of the destination equals what is known of the content: the source's
 *    checksums of the same algorithm, and the SHA-256 that the source's database recorded. ETags prove nothing: they
 *    depend on encryption and on how parts were cut.
 * 3. Where the two sides have no algorithm in common, the bytes are read: the destination's SHA-256 is held against
 *    the recorded one, or, without a record, against the source's bytes.
 *
 * So that 3. stays rare, a copy asks S3 for the checksum that can be compared: see {@link checksumToAsk}.
 */
import type { ChecksumAlgorithm, S3Client } from "@aws-sdk/client-s3";
import { sha256OfContent } from "./objects.ts";
import type { Checksums, FoundObject } from "./objects.ts";

interface Expectation {
  algorithm: ChecksumAlgorithm;
  value: string;
  saidBy: string;
}

/** What the content must be, by whoever says so. @param sha256 hex, as recorded in the source's database */
export function expectationsOf(source: Checksums, sha256: string | null): Expectation[] {
  const bySource = Object.entries(source).map(([algorithm, value]) => ({
    algorithm: algorithm as ChecksumAlgorithm,
    value,
    saidBy: "the source object",
  }));
  if (sha256 === null) return bySource;
  return [...bySource, { algorithm: "SHA256", value: hexToBase64(sha256), saidBy: "the source's database record" }];
}

/** Checksums of the whole that S3 can derive from those of parts. */
const joinable = ["CRC64NVME", "CRC32C", "CRC32"] as const;

/** The checksum that S3 shall compute of the destination: one that can be held against what is known. */
export function checksumToAsk(source: Checksums, sha256: string | null, inParts: boolean): ChecksumAlgorithm {
  if (sha256 !== null && !inParts) return "SHA256";
  const possible = inParts ? joinable : ([...joinable, "SHA256", "SHA1"] as const);
  return possible.find((algorithm) => source[algorithm] !== undefined) ?? "CRC64NVME";
}

export type Comparison = { verdict: "equal" | "incomparable" } | { verdict: "different"; how: string };

/** Holds the checksums of a destination against what its content must be. */
export function compareChecksums(expected: Expectation[], actual: Checksums): Comparison {
  const comparable = expected.filter(({ algorithm }) => actual[algorithm] !== undefined);
  if (comparable.length === 0) return { verdict: "incomparable" };
  const wrong = comparable.find(({ algorithm, value }) => actual[algorithm] !== value);
  if (!wrong) return { verdict: "equal" };
  const { algorithm, value, saidBy } = wrong;
  return { verdict: "different", how: `its ${algorithm} is ${String(actual[algorithm])}, ${saidBy} says ${value}` };
}

/** How the destination differs from the source, in words; `undefined` when it is a true copy. */
export async function differenceOf(
  s3: S3Client,
  source: FoundObject,
  destination: FoundObject,
  sha256: string | null,
): Promise<string | undefined> {
  if (source.size !== destination.size) return `it has ${destination.size} bytes, the source has ${source.size}`;
  const kept = compareChecksums(expectationsOf(source.checksums, sha256), destination.checksums);
  const compared = kept.verdict === "incomparable" ? await compareBytes(s3, source, destination, sha256) : kept;
  return compared.verdict === "different" ? compared.how : undefined;
}

async function compareBytes(
  s3: S3Client,
  source: FoundObject,
  destination: FoundObject,
  sha256: string | null,
): Promise<Comparison> {
  const [actual, read] = await Promise.all([
    sha256OfContent(s3, destination),
    sha256 === null ? sha256OfContent(s3, source) : undefined,
  ]);
  return compareChecksums(expectationsOf(read === undefined ? {} : { SHA256: read }, sha256), { SHA256: actual });
}

function hexToBase64(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64");
}
