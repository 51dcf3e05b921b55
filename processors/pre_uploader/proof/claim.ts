import type { Box } from "../pdf/geometry.ts";
import type { Redaction } from "../redaction.ts";
import type { TermsData } from "./terms.ts";

/** What became part of a page besides redactions. */
export interface Drawn {
  pageIndex: number;
  /** The text that must be readable there; empty where the drawing has none that must be. */
  text: string;
  box: Box;
}

/** What was to happen to a PDF. */
export interface Claim {
  /** The PDF that Document Engine was given. */
  source: Uint8Array;
  redactions: readonly Redaction[];
  terms: TermsData;
  /** All that became part of the pages: outside of it and of the redactions nothing may have changed. */
  drawn: readonly Drawn[];
  /** Whether the PDF was rebuilt from what is allowed, as one with redactions is. */
  isRebuilt: boolean;
  /** What the rebuild left out, by plural nouns: fields and links that quote go, and are reported. */
  removed?: Readonly<Record<string, number>>;
}
