/** Fonts that say which glyph each code is, and not which character: their own programs may say it. */
import { deflateSync } from "node:zlib";
import fontkit from "@cantoo/fontkit";
import type { Font } from "@cantoo/fontkit";
import { PDFArray, PDFDict, PDFName, PDFRawStream } from "@cantoo/pdf-lib";
import type { PDFContext } from "@cantoo/pdf-lib";
import { PermanentError } from "../../../contracts/errors.ts";
import { Budget, Place } from "../rebuild/faults.ts";
import { Reading } from "../rebuild/reading.ts";
import { reach, rootsOf } from "./graph.ts";

/** Codes of two bytes. */
const mostCodes = 65_536;

/**
 * Gives each composite font without a ToUnicode map one, made from the table in its embedded program that says which
 * glyph a character has. Without it nobody could look for words in what the font draws.
 *
 * @returns how many fonts were given a map
 * @throws PermanentError PDF_TOO_COMPLEX
 */
export function addToUnicode(context: PDFContext): number {
  const dictionaries = [...reach(context, rootsOf(context)).containers].filter((one) => one instanceof PDFDict);
  const reading = new Reading(context, new Budget());
  const made = dictionaries.filter(isUnmapped).filter((font) => {
    const characters = charactersOf(font, reading);
    if (characters.size === 0) return false;
    font.set(PDFName.of("ToUnicode"), context.register(cmapStream(context, characters)));
    return true;
  });
  return made.length;
}

const nameIn = (dictionary: PDFDict, key: string) => {
  const value = dictionary.lookup(PDFName.of(key));
  return value instanceof PDFName ? value.decodeText() : undefined;
};

/** Its codes are numbers of glyphs, and nothing says what these stand for. */
function isUnmapped(font: PDFDict): boolean {
  return (
    nameIn(font, "Type") === "Font" &&
    nameIn(font, "Subtype") === "Type0" &&
    /^Identity-[HV]$/.test(nameIn(font, "Encoding") ?? "") &&
    font.lookup(PDFName.of("ToUnicode")) === undefined
  );
}

/** The character of each code, as far as the program knows it. */
function charactersOf(font: PDFDict, reading: Reading): Map<number, number> {
  const descendants = font.lookup(PDFName.of("DescendantFonts"));
  const descendant = descendants instanceof PDFArray ? descendants.lookup(0) : undefined;
  if (!(descendant instanceof PDFDict)) return new Map();
  const characters = charactersOfGlyphs(programOf(descendant, reading));
  const map = descendant.lookup(PDFName.of("CIDToGIDMap"));
  if (!(map instanceof PDFRawStream)) return characters;
  const glyphs = contentOf(map, reading) ?? new Uint8Array();
  const view = new DataView(glyphs.buffer, glyphs.byteOffset, glyphs.byteLength);
  const codes = Array.from({ length: Math.min(mostCodes, glyphs.byteLength >> 1) }, (_, code) => code);
  return new Map(
    codes.flatMap((code) => {
      const character = characters.get(view.getUint16(2 * code));
      return character === undefined ? [] : [[code, character] as const];
    }),
  );
}

function programOf(descendant: PDFDict, reading: Reading): Font | undefined {
  const descriptor = descendant.lookup(PDFName.of("FontDescriptor"));
  if (!(descriptor instanceof PDFDict)) return undefined;
  const file = ["FontFile2", "FontFile3"]
    .map((key) => descriptor.lookup(PDFName.of(key)))
    .find((stream) => stream instanceof PDFRawStream);
  const program = file && contentOf(file, reading);
  if (!program) return undefined;
  try {
    const parsed = fontkit.create(Buffer.from(program));
    return "fonts" in parsed ? undefined : parsed;
  } catch {
    // A program that is damaged, or has no such table, leaves the font as it is.
    return undefined;
  }
}

/** What a stream holds; undefined where it cannot be read. */
function contentOf(stream: PDFRawStream, reading: Reading): Uint8Array | undefined {
  try {
    return reading.decode(stream, new Place("font"));
  } catch (thrown) {
    if (thrown instanceof PermanentError && thrown.code === "PDF_UNREADABLE_PART") return undefined;
    throw thrown;
  }
}

/** Of several characters of a glyph the first one counts; private ones say nothing. */
function charactersOfGlyphs(font: Font | undefined): Map<number, number> {
  const characters = new Map<number, number>();
  if (!font) return characters;
  try {
    for (const character of font.characterSet.slice(0, mostCodes)) {
      if (character < 0x20 || isPrivate(character)) continue;
      const id = font.glyphForCodePoint(character)?.id ?? 0;
      if (id > 0 && id < mostCodes && !characters.has(id)) characters.set(id, character);
    }
  } catch {
    return new Map();
  }
  return characters;
}

function isPrivate(character: number): boolean {
  return (character >= 0xe000 && character <= 0xf8ff) || character >= 0xf0000;
}

const hex = (bytes: Buffer) => bytes.toString("hex").toUpperCase();

function cmapStream(context: PDFContext, characters: ReadonlyMap<number, number>): PDFRawStream {
  const entries = [...characters].map(([code, character]) => {
    const utf16 = Buffer.from(String.fromCodePoint(character), "utf16le").swap16();
    return `<${code.toString(16).padStart(4, "0").toUpperCase()}> <${hex(utf16)}>`;
  });
  // A section holds a hundred entries at most (Adobe Technical Note 5014).
  const sections = Array.from({ length: Math.ceil(entries.length / 100) }, (_, index) => {
    const section = entries.slice(100 * index, 100 * index + 100);
    return `${section.length} beginbfchar\n${section.join("\n")}\nendbfchar\n`;
  });
  const cmap = [
    "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n",
    "/CMapName /ToUnicode def\n/CMapType 2 def\n",
    "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n",
    ...sections,
    "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n",
  ].join("");
  return PDFRawStream.of(context.obj({ Filter: "FlateDecode" }), deflateSync(cmap));
}
