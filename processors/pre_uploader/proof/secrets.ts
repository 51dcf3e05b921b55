import { isCentredIn } from "../pdf/geometry.ts";
import type { Box } from "../pdf/geometry.ts";
import type { Character, PageContent } from "../pdf/reader.ts";
import type { Redaction } from "../redaction.ts";
import { normalise, tokensOf, tokenValues } from "./tokens.ts";

/**
 * The words that a document would lose to its redactions: those that stand under one, with most of their letters if not
 * with all, and nowhere else on its pages. A word that also stands elsewhere gives nothing away.
 *
 * Pages without redactions are looked at only when one of the words is met: mostly none is, and they need not be read.
 */
export class Secrets {
  readonly #words: Set<string>;
  #openPages: readonly PageContent[];

  /** @param innocent texts that may be printed whatever they say: overlays and stamps */
  constructor(pages: readonly PageContent[], redactions: readonly Redaction[], innocent: readonly string[]) {
    const hidden = new Set<string>();
    const shown = new Set(innocent.flatMap((text) => [...tokenValues(text)]));
    const redacted = new Set(redactions.map(({ pageIndex }) => pageIndex));
    for (const index of redacted) {
      const { text, covered } = textOf(pages[index]?.characters ?? [], boxesOn(index, redactions));
      for (const { value, start, end } of tokensOf(text)) {
        const letters = covered.slice(start, end).filter((_, at) => !isPunctuation(text, start + at));
        const under = letters.filter((one) => one).length;
        (2 * under > letters.length ? hidden : shown).add(value);
      }
    }
    this.#words = hidden.difference(shown);
    this.#openPages = pages.filter((_, index) => !redacted.has(index));
  }

  /** Whether one of them stands in a text. @param own words that are the text's own */
  standIn(text: string, own: ReadonlySet<string> = new Set()): boolean {
    if (this.#words.size === 0) return false;
    const met = tokenValues(text).intersection(this.#words).difference(own);
    if (met.size > 0) this.#lookAtOpenPages();
    return !met.isDisjointFrom(this.#words);
  }

  #lookAtOpenPages(): void {
    for (const { text } of this.#openPages) for (const value of tokenValues(text)) this.#words.delete(value);
    this.#openPages = [];
  }
}

/** The boxes of all redactions of a page. */
export function boxesOn(pageIndex: number, redactions: readonly Redaction[]): Box[] {
  return redactions.filter((redaction) => redaction.pageIndex === pageIndex).flatMap(({ boxes }) => boxes);
}

/** Whether a character is one that could be read and stands under one of the boxes. */
export function isUnder({ text, box }: Character, boxes: readonly Box[]): boolean {
  return box !== undefined && text.trim() !== "" && boxes.some((outer) => isCentredIn(box, outer));
}

/** Whether any text within a value quotes a secret. */
export function quotes(value: unknown, secrets: Secrets): boolean {
  return secrets.standIn(textsIn(value).join("\n"));
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** The text of a page as it is compared, and which of its code units stand under a redaction. */
function textOf(characters: readonly Character[], boxes: readonly Box[]): { text: string; covered: boolean[] } {
  const covered: boolean[] = [];
  const parts = characters.map((character) => {
    const part = normalise(character.text);
    const under = isUnder(character, boxes);
    for (let unit = 0; unit < part.length; unit++) covered.push(under);
    return part;
  });
  return { text: parts.join(""), covered };
}

function isPunctuation(text: string, at: number): boolean {
  return !/[\p{L}\p{N}\p{M}\p{Cs}]/u.test(text.charAt(at));
}
