import { z } from "zod";

const count = z.int().nonnegative();

/** What became of the redactions of an exhibit, a document or an exchange: each of those that were found is in one of the others. */
export const redactionCounts = z
  .strictObject({
    /** Found in Document Engine. */
    fetched: count,
    /** Made part of the pages. */
    branded: count,
    /** Carried as a layer: what they hide can still be read. */
    layered: count,
    /** Left behind: what they hide can be read. */
    left: count,
  })
  .refine(({ fetched, branded, layered, left }) => fetched === branded + layered + left, {
    error: "fetched must be the sum of branded, layered and left",
  });
export type RedactionCounts = z.infer<typeof redactionCounts>;

export function sumOfRedactions(counts: readonly RedactionCounts[]): RedactionCounts {
  const sum = (name: keyof RedactionCounts) => counts.reduce((total, one) => total + one[name], 0);
  return { fetched: sum("fetched"), branded: sum("branded"), layered: sum("layered"), left: sum("left") };
}

/** The codes of warnings about a document: of some annotations that did not travel, and of redactions of unknown number. */
export const notCarried = "ANNOTATIONS_NOT_CARRIED";
export const notCounted = "REDACTIONS_NOT_COUNTED";
