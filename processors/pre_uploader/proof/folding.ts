/**
 * Texts as people compare them: without case, accents, width, ligatures and invisible characters.
 *
 * Sources: Unicode Standard 3.13 (full case folding), UAX #15 (NFKD), UAX #24 (scripts).
 */

/** What a UTF-16 code unit of a folded text is. */
export const unitKinds = { separator: 0, letter: 1, digit: 2, unspaced: 3, continuation: 4 } as const;
type UnitKind = (typeof unitKinds)[keyof typeof unitKinds];

/** Scripts that put no spaces between words. */
const unspacedScripts = [
  ...["Han", "Hiragana", "Katakana", "Bopomofo", "Yi"],
  ...["Thai", "Lao", "Khmer", "Myanmar", "Tibetan", "Tai_Le", "New_Tai_Lue", "Tai_Tham", "Tai_Viet"],
];
const unspaced = new RegExp(`^[${unspacedScripts.map((name) => String.raw`\p{scx=${name}}`).join("")}]$`, "u");
const word = /^[\p{L}\p{N}\p{M}\p{Co}]$/u;

const ignorable = /\p{Default_Ignorable_Code_Point}+/gu;
/** Accents that stand beside their letter, as TeX prints them; an acute one also serves as an apostrophe. */
const spacingAccents = / ?[\u00a8\u00af\u00b8\u02c6-\u02dd] ?| ?\u00b4(?=[aeiouy])/giu;
/** Accents of alphabets and vowel points that readers may leave out; vowels of Indic scripts and kana marks are letters. */
const accentRanges: readonly (readonly [number, number])[] = [
  // Latin, Greek, Cyrillic.
  ...([
    [0x300, 0x36f],
    [0x483, 0x487],
    [0x1ab0, 0x1aff],
    [0x1dc0, 0x1dff],
    [0x20d0, 0x20ff],
    [0xfe20, 0xfe2f],
  ] as const),
  // Hebrew.
  ...([
    [0x591, 0x5bd],
    [0x5bf, 0x5bf],
    [0x5c1, 0x5c2],
    [0x5c4, 0x5c5],
    [0x5c7, 0x5c7],
  ] as const),
  // Arabic.
  ...([
    [0x610, 0x61a],
    [0x640, 0x640],
    [0x64b, 0x65f],
    [0x670, 0x670],
    [0x6d6, 0x6dc],
    [0x6df, 0x6ed],
  ] as const),
];
const accents = new RegExp(
  `[${accentRanges.map(([first, last]) => `\\u{${first.toString(16)}}-\\u{${last.toString(16)}}`).join("")}]+`,
  "gu",
);

const ascii = /^[\0-\x7f]*$/;

/** A text as it is compared. Its length differs from that of the text. */
export function fold(text: string): string {
  if (ascii.test(text)) return text.toLowerCase();
  return (
    text
      .replaceAll(ignorable, "")
      .replaceAll(spacingAccents, "")
      .normalize("NFKD")
      .replaceAll(accents, "")
      // By both maps, as sharp s has a capital of its own, and lower case last.
      .toLowerCase()
      .toUpperCase()
      .toLowerCase()
      .replaceAll("ς", "σ")
      .normalize("NFC")
  );
}

/** So many code units are folded at a time: normalising may multiply a text by eighteen. */
const pieceLength = 65_536;

/** A text folded in pieces, each cut before an ASCII character where there is one nearby. */
export function* foldedPieces(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    let end = Math.min(start + pieceLength, text.length);
    for (let tried = 0; tried < 1024 && end < text.length && text.charCodeAt(end) > 0x7f; tried++) end++;
    if (isLowSurrogate(text.charCodeAt(end))) end++;
    yield fold(text.slice(start, end));
    start = end;
  }
}

/** The letters, digits and marks of a text, folded, without anything between them. */
export function bareOf(text: string): string {
  const folded = fold(text);
  let bare = "";
  for (let index = 0; index < folded.length; index++) {
    if (kindAt(folded, index) !== unitKinds.separator) bare += folded.charAt(index);
  }
  return bare;
}

const unknown = 255;
const kinds = new Uint8Array(0x10000).fill(unknown);

/** The kind of a code unit of a folded text: a table, because all texts of a document pass through it. */
export function kindAt(folded: string, index: number): UnitKind {
  const unit = folded.charCodeAt(index);
  if (unit >= 0xd800 && unit <= 0xdfff) {
    return isLowSurrogate(unit) && index > 0 ? unitKinds.continuation : kindOf(folded.codePointAt(index) ?? unit);
  }
  const known = kinds[unit];
  if (known !== undefined && known !== unknown) return known as UnitKind;
  return (kinds[unit] = kindOf(unit));
}

function kindOf(codePoint: number): UnitKind {
  const character = String.fromCodePoint(codePoint);
  if (!word.test(character)) return unitKinds.separator;
  if (unspaced.test(character)) return unitKinds.unspaced;
  if (/\p{M}/u.test(character)) return unitKinds.continuation;
  return /\p{N}/u.test(character) ? unitKinds.digit : unitKinds.letter;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
