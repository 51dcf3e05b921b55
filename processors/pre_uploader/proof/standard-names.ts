/** Names that say nothing about a document: those of the standards themselves. */
const names = new Set(
  (
    "Adobe Identity Identity-H Identity-V UCS Adobe-Identity-UCS Japan1 GB1 CNS1 Korea1 DefaultAppearance Helv ZaDb " +
    ".notdef space exclam quotedbl numbersign dollar percent ampersand quotesingle quoteright quoteleft parenleft " +
    "parenright asterisk plus comma hyphen period slash zero one two three four five six seven eight nine colon " +
    "semicolon less equal greater question at bracketleft backslash bracketright asciicircum underscore grave braceleft " +
    "bar braceright asciitilde exclamdown cent sterling fraction yen florin section currency quotedblleft guillemotleft " +
    "guilsinglleft guilsinglright fi fl endash dagger daggerdbl periodcentered paragraph bullet quotesinglbase " +
    "quotedblbase quotedblright guillemotright ellipsis perthousand questiondown acute circumflex tilde macron breve " +
    "dotaccent dieresis ring cedilla hungarumlaut ogonek caron emdash AE ordfeminine Lslash Oslash OE ordmasculine ae " +
    "dotlessi lslash oslash oe germandbls onesuperior logicalnot mu trademark Eth onehalf plusminus Thorn onequarter " +
    "divide brokenbar degree thorn threequarters twosuperior registered minus eth multiply threesuperior copyright " +
    "Euro nbspace sfthyphen infinity lessequal greaterequal partialdiff summation product pi integral Omega radical " +
    "approxequal Delta lozenge apple ff ffi ffl"
  ).split(" "),
);
/** Letters with accents, and glyphs that are named by number. */
const pattern =
  /^(?:[A-Za-z](?:acute|circumflex|dieresis|grave|tilde|ring|caron|cedilla|macron|breve|ogonek|dotaccent|hungarumlaut)?|(?:uni|u|g|gid|glyph|cid|index|G|C|a|c|x)\d[\dA-F]*)$/;

/** Names that the rebuild gives. */
const ours = /^(?:SUBSET\+Font|[A-Z][A-Za-z]{0,3})\d+$/;

export function isStandardName(name: string): boolean {
  return names.has(name) || pattern.test(name) || ours.test(name);
}
