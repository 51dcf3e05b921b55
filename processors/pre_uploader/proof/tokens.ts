/**
 * What text is compared by: runs of letters and digits of at least four characters, whole words without their
 * punctuation (`555-01-99` and `5550199` are the same), and pairs of characters in scripts that put no space between
 * words. Case, width and ligatures make no difference.
 */
export interface Token {
  value: string;
  /** Where it begins and ends in the text, in code units. */
  start: number;
  end: number;
}

const shortestRun = 4;
const shortestWord = 5;

const words = /\S+/gu;
/** Most words are one run and nothing else. */
const plain = /^[a-z0-9]+$/;
const runs = /[\p{L}\p{N}\p{M}]+/gu;
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]{2,}/gu;

/** A text as it is compared: character by character, so that a text is the same in one and in several pieces. */
export function normalise(text: string): string {
  return text.replaceAll(/[^\0-\x7f]/gu, (character) => character.normalize("NFKC").toLowerCase()).toLowerCase();
}

/** The tokens of a normalised text. */
export function tokensOf(text: string): Token[] {
  return Array.from(text.matchAll(words), ({ 0: word, index }) => tokensIn(word, index)).flat();
}

/** The values of the tokens of any text: of each word once, for most of a text are words that it has already. */
export function tokenValues(text: string): Set<string> {
  const values = new Set<string>();
  for (const word of new Set(normalise(text).match(words))) {
    for (const { value } of tokensIn(word, 0)) values.add(value);
  }
  return values;
}

function tokensIn(word: string, at: number): Token[] {
  if (plain.test(word)) return word.length < shortestRun ? [] : [{ value: word, start: at, end: at + word.length }];
  const found: Token[] = [];
  const add = (value: string, start: number, end: number) => found.push({ value, start, end });
  for (const { 0: run, index } of word.matchAll(runs)) {
    if (run.length >= shortestRun) add(run, at + index, at + index + run.length);
  }
  const bare = word.replaceAll(/[^\p{L}\p{N}\p{M}]/gu, "");
  if (bare.length >= shortestWord && bare.length < word.length) add(bare, at, at + word.length);
  for (const { 0: run, index } of word.matchAll(unspaced)) {
    const characters = Array.from(run);
    let start = at + index;
    for (const [number, character] of characters.entries()) {
      const next = characters[number + 1];
      if (next !== undefined) add(character + next, start, start + character.length + next.length);
      start += character.length;
    }
  }
  return found;
}
