import type { PageContent } from "../pdf/reader.ts";
import type { Redaction } from "../redaction.ts";
import { Secrets } from "./secrets.ts";
import { tokenValues } from "./tokens.ts";

export interface TermsData {
  words: string[];
}

export function redactedTerms(
  pages: readonly PageContent[],
  redactions: readonly Redaction[],
  allowedTexts: readonly string[],
): TermsData {
  const secrets = new Secrets(pages, redactions, allowedTexts);
  const words = new Set(pages.flatMap(({ text }) => [...tokenValues(text)]));
  return { words: [...words].filter((word) => secrets.standIn(word)) };
}

export class RedactedTerms {
  readonly #words: Set<string>;

  constructor({ words }: TermsData) {
    this.#words = new Set(words);
  }

  get count(): number {
    return this.#words.size;
  }

  areIn(text: string): boolean {
    return !tokenValues(text).isDisjointFrom(this.#words);
  }
}
