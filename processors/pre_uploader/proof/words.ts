import type { PageContent } from "../pdf/reader.ts";
import type { FoundText } from "./place.ts";
import { isStandardName } from "./standard-names.ts";
import type { RedactedTerms } from "./terms.ts";

/**
 * Where terms that redactions hide can be read: in the text of a page, seen or unseen, and in any text that the file holds
 * elsewhere.
 */
export function wordFaults(pages: readonly PageContent[], texts: readonly FoundText[], terms: RedactedTerms): string[] {
  if (terms.count === 0) return [];
  const onPages = pages.flatMap(({ text }, index) =>
    terms.areIn(text) ? [`redacted words stand on page ${index + 1} outside of the redactions`] : [],
  );
  const elsewhere = new Set(
    texts.flatMap(({ text, place }) =>
      !isStandardName(text) && terms.areIn(text) ? [`redacted words stand in ${place.toString()}`] : [],
    ),
  );
  return [...onPages, ...elsewhere];
}
