import { Font, type Matrix, type PDFObject, type Rect } from "mupdf";
import { entry, numbersOf } from "../objects.ts";
import { cidOf, codesIn, embeddedMap, predefinedMap, type CharacterMap } from "./codespace.ts";
import { matrixOf, transformed } from "./matrix.ts";
import { boundsOf } from "./cut.ts";
import { OperationReader, numbersIn } from "./tokens.ts";

/** One code of a string as a font shows it; lengths are in text space for a size of 1. */
export interface ShownCode {
  /** Number of bytes in the string. */
  length: number;
  /** How far the next glyph is: to the right, or down for vertical writing. */
  advance: number;
  isWordSpace: boolean;
  /** From the point where the text is to the origin of the glyph; not 0 in vertical writing. */
  shift: [number, number];
  /** Where the ink is expected to be, from the origin of the glyph. */
  ink: Rect;
  /** Whether the glyph itself says where its ink is. */
  isExact?: boolean;
}

export interface ContentFont {
  isVertical: boolean;
  codes(bytes: Uint8Array): ShownCode[];
}

const [descent, ascent] = [-0.2, 0.7];

/** Reads how a font of the file splits and measures strings; one that is missing or damaged does so as Helvetica. */
export function readFont(font: PDFObject): ContentFont {
  try {
    const kind = nameOf(font.get("Subtype"));
    if (kind === "Type0") return compositeFont(font);
    return kind === "Type3" ? type3Font(font) : simpleFont(font);
  } catch {
    const width = standardWidths("Helvetica");
    return oneByteFont((code) => measured(width(code) / 1000));
  }
}

function nameOf(object: PDFObject): string {
  return object.isName() ? object.asName() : "";
}

function widthsOf(font: PDFObject): (code: number) => number | undefined {
  const widths = numbersOf(font, "Widths");
  const first = font.get("FirstChar");
  const from = first.isNumber() ? first.asNumber() : 0;
  return (code) => widths[code - from];
}

function simpleFont(font: PDFObject): ContentFont {
  const given = widthsOf(font);
  const missing = font.get("FontDescriptor", "MissingWidth");
  const otherwise = missing.isNumber() ? missing.asNumber() : 0;
  const standard = font.get("Widths").isArray()
    ? undefined
    : standardWidths(nameOf(font.get("BaseFont")), differencesOf(font));
  return oneByteFont((code) => {
    return measured((standard ? standard(code) : (given(code) ?? otherwise)) / 1000);
  });
}

function measured(advance: number): { advance: number; ink: Rect } {
  return { advance, ink: [0, descent, advance, ascent] };
}

function oneByteFont(measure: (code: number) => Pick<ShownCode, "advance" | "ink" | "isExact">): ContentFont {
  const known = new Map<number, ShownCode>();
  return {
    isVertical: false,
    codes: (bytes) =>
      Array.from(bytes, (code) => {
        const found = known.get(code);
        if (found) return found;
        const shown: ShownCode = { length: 1, isWordSpace: code === 32, shift: [0, 0], ...measure(code) };
        known.set(code, shown);
        return shown;
      }),
  };
}

const standardKnown = new Map<string, readonly number[]>();

/** The widths of the fonts that every viewer brings along, in thousandths. */
function standardWidths(name: string, differences?: ReadonlyMap<number, string>): (code: number) => number {
  const standard = standardName(name);
  const widths = standardKnown.get(standard) ?? measuredWidths(standard);
  standardKnown.set(standard, widths);
  return (code) => widths[codeOfName(differences?.get(code)) ?? code] ?? 0;
}

const glyphNames = (
  "space exclam quotedbl numbersign dollar percent ampersand quotesingle parenleft parenright asterisk plus comma " +
  "hyphen period slash zero one two three four five six seven eight nine colon semicolon less equal greater question at"
).split(" ");

/** The code in the usual encoding of a glyph's name, for the names of ASCII. */
function codeOfName(name: string | undefined): number | undefined {
  if (name === undefined) return undefined;
  const index = glyphNames.indexOf(name);
  if (index >= 0) return 32 + index;
  return name.length === 1 ? name.charCodeAt(0) : undefined;
}

function measuredWidths(name: string): number[] {
  const decoder = new TextDecoder("windows-1252");
  const font = new Font(name);
  const widths = Array.from({ length: 256 }, (_, code) => {
    const character = decoder.decode(Uint8Array.of(code)).codePointAt(0) ?? 0;
    return Math.round(font.advanceGlyph(font.encodeCharacter(character)) * 1000);
  });
  font.destroy();
  return widths;
}

/** The standard font that stands for a name. */
function standardName(name: string): string {
  const plain = name.replace(/^[A-Z]{6}\+/, "");
  if (/^(?:Symbol|ZapfDingbats)$/.test(plain)) return plain;
  const [isBold, isSlanted] = [/bold|black/i.test(plain), /italic|oblique/i.test(plain)];
  if (/times|serif|roman/i.test(plain) && !/sans/i.test(plain)) {
    return `Times-${isBold ? "Bold" : ""}${isSlanted ? "Italic" : ""}`.replace(/-$/, "-Roman");
  }
  const family = /cour|mono/i.test(plain) ? "Courier" : "Helvetica";
  return `${family}-${isBold ? "Bold" : ""}${isSlanted ? "Oblique" : ""}`.replace(/-$/, "");
}

function type3Font(font: PDFObject): ContentFont {
  const matrix = matrixOf(numbersOf(font, "FontMatrix"));
  const width = widthsOf(font);
  const names = differencesOf(font);
  const whole = numbersOf(font, "FontBBox");
  return oneByteFont((code) => {
    const advance = (width(code) ?? 0) * matrix[0];
    const name = names.get(code);
    const own = name === undefined ? undefined : glyphBox(font.get("CharProcs", name));
    const box = own ?? (whole.some((edge) => edge !== 0) ? whole : undefined);
    return box ? { advance, ink: boxIn(box, matrix), isExact: own !== undefined } : measured(advance);
  });
}

function differencesOf(font: PDFObject): Map<number, string> {
  const names = new Map<number, string>();
  const list = font.get("Encoding", "Differences");
  let code = 0;
  for (let at = 0; list.isArray() && at < list.length; at++) {
    const item = list.get(at);
    if (item.isNumber()) code = item.asNumber();
    else if (item.isName()) names.set(code++, item.asName());
  }
  return names;
}

/** The box that a glyph's own description names. */
function glyphBox(procedure: PDFObject): number[] | undefined {
  if (!procedure.isStream()) return undefined;
  const [first] = new OperationReader(Uint8Array.from(procedure.readStream().asUint8Array())).read();
  if (first?.name !== "d1") return undefined;
  const box = numbersIn(first.operands).slice(2, 6);
  return box.length === 4 && box[2] !== box[0] && box[3] !== box[1] ? box : undefined;
}

function boxIn([left = 0, bottom = 0, right = 0, top = 0]: readonly number[], matrix: Matrix): Rect {
  return boundsOf([
    transformed([left, bottom], matrix),
    transformed([right, bottom], matrix),
    transformed([left, top], matrix),
    transformed([right, top], matrix),
  ]);
}

function compositeFont(font: PDFObject): ContentFont {
  const map = characterMap(font.get("Encoding"));
  const descendant = font.get("DescendantFonts", 0);
  const width = entry(descendant, "DW");
  const standard = width.isNumber() ? width.asNumber() : 1000;
  const widths = listed(entry(descendant, "W"), 1);
  const [originY = 880, down = -1000] = numbersOf(descendant, "DW2");
  const verticals = listed(entry(descendant, "W2"), 3);
  return {
    isVertical: map.isVertical,
    codes: (bytes) =>
      codesIn(bytes, map).map((code) => {
        const cid = cidOf(code, map);
        // The width of a glyph that only the predefined map knows: half for what has one byte.
        const [w0 = standard] = cid === undefined ? [code.length === 1 ? 500 : standard] : (widths.get(cid) ?? []);
        const [w1 = down, x = w0 / 2, y = originY] = verticals.get(cid ?? -1) ?? [];
        return {
          length: code.length,
          advance: (map.isVertical ? w1 : w0) / 1000,
          isWordSpace: code.length === 1 && code.value === 32,
          shift: map.isVertical ? [-x / 1000, -y / 1000] : [0, 0],
          ink: [0, descent, w0 / 1000, ascent],
        };
      }),
  };
}

function characterMap(encoding: PDFObject): CharacterMap {
  if (!encoding.isStream()) return predefinedMap(nameOf(encoding) || "Identity-H");
  const base = entry(encoding, "UseCMap");
  const used = base.isName() || base.isStream() ? characterMap(base) : undefined;
  const mode = encoding.get("WMode");
  const isVertical = mode.isNumber() && mode.asNumber() === 1;
  return embeddedMap(Uint8Array.from(encoding.readStream().asUint8Array()), used, isVertical);
}

/** Lists of a font by glyph: `first [a b …]` one by one, `first last a` for all between. */
function listed(list: PDFObject, size: number): Map<number, number[]> {
  const values = new Map<number, number[]>();
  const number = (at: number) => {
    const item = list.get(at);
    return item.isNumber() ? item.asNumber() : 0;
  };
  for (let at = 0; list.isArray() && at + 1 < list.length;) {
    const [first, next] = [number(at), list.get(at + 1)];
    if (next.isArray()) {
      for (let item = 0; item + size <= next.length; item += size) {
        const one = Array.from({ length: size }, (_, part) => next.get(item + part));
        values.set(
          first + item / size,
          one.map((part) => (part.isNumber() ? part.asNumber() : 0)),
        );
      }
      at += 2;
    } else {
      const all = Array.from({ length: size }, (_, part) => number(at + 2 + part));
      for (let cid = first; cid <= Math.min(number(at + 1), first + 65_535); cid++) values.set(cid, all);
      at += 2 + size;
    }
  }
  return values;
}
