import { z } from "zod";

const count = z.int().nonnegative();

/** What became of the redactions of an exhibit, a document or an exchange: each that was found is branded, layered or left. */
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
export const contentRemoved = "CONTENT_REMOVED";

/** What every rebuilt document loses and no reader of its pages sees: it is counted, and no reason to warn. */
const unseen: ReadonlySet<string> = new Set(["document properties", "metadata streams", "structure trees"]);

/** What a document has no longer, as far as its readers can miss it; plural nouns with their counts, by name. */
export function missedContent(removed: Readonly<Record<string, number>>): [noun: string, count: number][] {
  return Object.entries(removed)
    .filter(([noun, count]) => count > 0 && !unseen.has(noun))
    .sort(([one], [other]) => (one < other ? -1 : 1));
}

/** E.g. `attachments removed: 2, bookmarks removed: 1`. */
export function removedText(missed: readonly (readonly [noun: string, count: number])[]): string {
  return missed.map(([noun, count]) => `${noun} removed: ${count}`).join(", ");
}
