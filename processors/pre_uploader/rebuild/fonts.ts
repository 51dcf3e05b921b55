/** Fonts: names of ours for those whose program is in the file, mappings and programs without texts. */
import { PDFName, PDFNumber, PDFRawStream, PDFString } from "@cantoo/pdf-lib";
import type { PDFDict, PDFObject } from "@cantoo/pdf-lib";
import { rewriteCMap } from "./cmap.ts";
import type { Copier, ObjectJob, StreamJob } from "./copier.ts";
import { unreadable } from "./faults.ts";
import { FilterFault } from "./filters.ts";
import { characterCollections } from "./grammar.ts";
import { withoutFontTexts } from "./programs.ts";
import { dictionaryOf, isDictionary, key, textOfName } from "./reading.ts";

const programKeys = ["FontFile", "FontFile2", "FontFile3"];

export function finishFont({ copier, source, into }: ObjectJob): void {
  const { reading } = copier;
  const descendants = reading.list(reading.raw(source, "DescendantFonts"));
  const described = descendants?.[0] ?? source;
  const descriptor = isDictionary(described) ? reading.dictionary(described, "FontDescriptor") : undefined;
  setName(copier, into, "BaseFont", descriptor);
}

export function finishDescriptor({ copier, source, into }: ObjectJob): void {
  setName(copier, into, "FontName", dictionaryOf(source));
}

/** Readers know their widths by these names, also where the file has a font of its own under one. */
const standardFonts = new Set([
  ...["Courier", "Courier-Bold", "Courier-Oblique", "Courier-BoldOblique", "Helvetica", "Helvetica-Bold"],
  ...["Helvetica-Oblique", "Helvetica-BoldOblique", "Times-Roman", "Times-Bold", "Times-Italic", "Times-BoldItalic"],
  ...["Symbol", "ZapfDingbats"],
]);

/** The name of a font that is not in the file decides how it looks; any other is replaced. */
function setName(copier: Copier, into: PDFDict, name: string, descriptor: PDFDict | undefined): void {
  const isEmbedded =
    descriptor !== undefined && programKeys.some((program) => copier.reading.get(descriptor, program) !== undefined);
  const current = into.get(key(name));
  if (current instanceof PDFName && standardFonts.has(textOfName(current))) return;
  if (isEmbedded) into.set(key(name), PDFName.of(`SUBSET+${copier.nameFor(descriptor, "Font")}`));
  else if (current === undefined) into.set(key(name), PDFName.of("Unnamed"));
}

/** Names of glyphs that quote become names of ours; the font's own list of glyphs does not have those. */
export function finishEncoding({ copier, source, into }: ObjectJob): void {
  const differences = copier.reading.list(copier.reading.raw(source, "Differences"));
  if (differences === undefined) return;
  const copies = differences.flatMap((one): PDFObject[] => {
    if (one instanceof PDFNumber) return [one];
    return one instanceof PDFName ? [glyphName(copier, one)] : [];
  });
  into.set(key("Differences"), copier.target.obj(copies));
}

function glyphName(copier: Copier, name: PDFName): PDFName {
  const text = textOfName(name);
  return copier.isQuoting(text) ? PDFName.of(copier.nameFor(`glyph ${text}`, "g")) : name;
}

export function finishCollection({ copier, source, into }: ObjectJob): void {
  const ordering = copier.reading.text(source, "Ordering") ?? "";
  const known = characterCollections.includes(ordering) ? ordering : "Identity";
  into.set(key("Registry"), PDFString.of("Adobe"));
  into.set(key("Ordering"), PDFString.of(known));
  if (into.get(key("Supplement")) === undefined) into.set(key("Supplement"), PDFNumber.of(0));
}

export function finishCMap({ copier, into }: ObjectJob): void {
  if (into.get(key("CMapName")) !== undefined) into.set(key("CMapName"), PDFName.of(copier.newName("CMap")));
}

export function cmapContent({ copier, source, into, place }: StreamJob): Uint8Array {
  const content = copier.reading.decode(source, place);
  return copier.pack(rewriteCMap(content, place, copier.isQuoting), into);
}

const lengths = ["Length1", "Length2", "Length3"];

export function programContent({ copier, source, into, place }: StreamJob): Uint8Array {
  const { bytes, packed } = copier.reading.unpack(source, place);
  try {
    const program = withoutFontTexts(bytes, copier.isQuoting);
    for (const name of lengths) into.delete(key(name));
    if (program.lengths.length > 0 && place.kind !== "compactProgram") {
      for (const [index, length] of program.lengths.entries())
        into.set(key(lengths[index] ?? ""), PDFNumber.of(length));
    }
    if (packed !== undefined && program.bytes.equals(bytes)) {
      into.set(key("Filter"), key("FlateDecode"));
      return packed;
    }
    return copier.pack(program.bytes, into);
  } catch (cause) {
    if (cause instanceof FilterFault || cause instanceof RangeError) {
      throw unreadable(place, cause instanceof FilterFault ? cause.message : "its font program is cut short", cause);
    }
    throw cause;
  }
}

/** The glyphs of a Type 3 font, by names that do not quote. */
export function finishType3(copyGlyph: (job: ObjectJob, raw: PDFObject) => PDFObject | undefined) {
  return (job: ObjectJob): void => {
    const { copier, source, into } = job;
    const glyphs = copier.reading.dictionary(source, "CharProcs");
    const copies = copier.target.obj({});
    for (const [name, raw] of glyphs?.entries() ?? []) {
      const glyph = copier.reading.resolve(raw) instanceof PDFRawStream ? copyGlyph(job, raw) : undefined;
      if (glyph !== undefined) copies.set(glyphName(copier, name), glyph);
    }
    into.set(key("CharProcs"), copies);
  };
}
