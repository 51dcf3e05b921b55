/**
 * A text as people compare it: compatibility forms and case make no difference, nor do spaces, control and format
 * characters, dashes, dots between letters and underscores.
 */
export function fold(text: string): string {
  return text.normalize("NFKD").toUpperCase().toLowerCase().replaceAll("ς", "σ").normalize("NFKD").replace(unread, "");
}

const unread = /[\s\p{Z}\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Pd}_\u00b7\u2022]+/gu;

/** The shortest text that is looked for within longer ones; a shorter one has to stand as a token of its own. */
const shortest = { latin: 5, other: 2 };

/** Texts that nobody may read any more. */
export class RedactedTexts {
  readonly #within: readonly string[];
  readonly #tokens: ReadonlySet<string>;
  readonly #long: readonly string[];

  constructor(texts: Iterable<string>) {
    const folded = [...new Set([...texts].map(fold))].filter((text) => text !== "");
    this.#within = folded.filter((text) => {
      return lengthOf(text) >= (isLatin(text) ? shortest.latin : shortest.other);
    });
    this.#tokens = new Set(folded.filter((text) => !this.#within.includes(text)));
    this.#long = this.#within.filter((text) => lengthOf(text) >= (isLatin(text) ? 6 : 3));
  }

  get count(): number {
    return this.#within.length + this.#tokens.size;
  }

  /** Those of them that a person finds in a text, forwards or backwards. */
  in(text: string): string[] {
    const folded = fold(text);
    const backwards = isRightToLeft.test(text) ? reversed(folded) : "";
    const within = this.#within.filter((one) => folded.includes(one) || backwards.includes(one));
    if (this.#tokens.size === 0) return within;
    const tokens = new Set(text.split(gaps).map(fold));
    return [...within, ...[...this.#tokens].filter((token) => tokens.has(token))];
  }

  /** Those that are too long to stand in arbitrary bytes by chance. */
  inBytes(text: string): string[] {
    if (this.#long.length === 0) return [];
    const folded = fold(text);
    return this.#long.filter((one) => folded.includes(one));
  }
}

/** In code points. */
const lengthOf = (text: string) => Array.from(text).length;
/** Code point by code point. */
export const reversed = (text: string) => Array.from(text).reverse().join("");
/** Letters of other alphabets than Latin, Greek and Cyrillic, where a letter says more. */
const isLatin = (text: string) => !/(?![\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}])\p{L}/u.test(text);
const isRightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/;
const gaps = /[\s\p{Z}\p{Cc},;:()[\]{}<>"'!?]+/u;
