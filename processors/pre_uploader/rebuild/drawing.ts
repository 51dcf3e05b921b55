/** Content streams with their resources: what the content uses is copied and named, all else is left out. */
import { PDFArray, PDFDict, PDFName, PDFRawStream, PDFRef } from "@cantoo/pdf-lib";
import type { PDFObject } from "@cantoo/pdf-lib";
import { rewriteContent } from "./content.ts";
import type { Category, Surroundings } from "./content.ts";
import type { Copier, ObjectJob, Scope, StreamJob } from "./copier.ts";
import { unreadable } from "./faults.ts";
import type { Place } from "./faults.ts";
import { fontRule, patternRule, shadingRule, xObjectRule } from "./grammar.ts";
import type { Rule } from "./grammar.ts";
import { dictionaryOf, isDictionary, key } from "./reading.ts";

const categories: Readonly<Record<Category, { letter: string; rule: Rule }>> = {
  Font: { letter: "F", rule: fontRule },
  XObject: { letter: "X", rule: xObjectRule },
  ExtGState: { letter: "G", rule: { object: "graphicsState" } },
  ColorSpace: { letter: "C", rule: { object: "colorSpace" } },
  Pattern: { letter: "P", rule: patternRule },
  Shading: { letter: "S", rule: shadingRule },
};
/** Spaces that stand in for those of the device, under the names that readers look for. */
const defaultSpaces = ["DefaultGray", "DefaultRGB", "DefaultCMYK"];

/** A content written anew, and the resources that it needs. */
interface Drawing {
  content: Buffer;
  resources: PDFDict;
}

export function draw(copier: Copier, content: Buffer, scope: Scope, place: Place, isOnlyState = false): Drawing {
  const outer = copier.scope;
  copier.scope = scope;
  const resources = copier.target.obj({});
  const around = { ...surroundings(copier, scope, resources, place), isOnlyState };
  for (const name of defaultSpaces) {
    const space = around.find("ColorSpace", name);
    const copy = space && copier.value(categories.ColorSpace.rule, space, place);
    if (copy) subDictionary(copier, resources, "ColorSpace").set(key(name), copy);
  }
  const rewritten = rewriteContent(content, around);
  copier.scope = outer;
  return { content: rewritten, resources };
}

function surroundings(copier: Copier, scope: Scope, resources: PDFDict, place: Place): Surroundings {
  const { reading } = copier;
  const find = (category: string, name: string): PDFObject | undefined => {
    for (const dictionary of [scope.own, scope.page]) {
      const entries = dictionary && reading.dictionary(dictionary, category);
      const value = entries?.get(PDFName.of(name));
      if (value !== undefined && reading.resolve(value) !== undefined) return value;
    }
    return undefined;
  };
  const use = (category: Category, raw: PDFObject | undefined, there: Place): string | undefined => {
    const resource = copyResource(copier, category, raw, there);
    if (resource === undefined) return undefined;
    subDictionary(copier, resources, category).set(key(resource.name), resource.value);
    return resource.name;
  };
  return {
    reading,
    place,
    find,
    use,
    useImage: (image, there) => use("XObject", image, there),
    isVisible: (membership) => copier.layers.isVisible(membership),
    isHiddenObject: (raw) => {
      const object = reading.resolve(raw);
      return isDictionary(object) && !copier.layers.isVisible(reading.raw(object, "OC"));
    },
  };
}

function subDictionary(copier: Copier, resources: PDFDict, category: string): PDFDict {
  const known = resources.get(key(category));
  if (known instanceof PDFDict) return known;
  const made = copier.target.obj({});
  resources.set(key(category), made);
  return made;
}

interface Resource {
  name: string;
  value: PDFObject;
}

/** One copy and one name for each object, whoever uses it. */
function copyResource(
  copier: Copier,
  category: Category,
  raw: PDFObject | undefined,
  place: Place,
): Resource | undefined {
  if (raw === undefined) return category === "Font" ? stockFont(copier) : undefined;
  const known = copier.used.get(raw);
  if (known !== undefined && !needsScope(copier, raw)) return known;
  const { letter, rule } = categories[category];
  const copy = copier.value(rule, raw, place);
  if (copy === undefined) return category === "Font" ? stockFont(copier) : undefined;
  const value = copy instanceof PDFDict || copy instanceof PDFArray ? copier.target.register(copy) : copy;
  // Something within it may have used it, too.
  const current = copier.used.get(raw);
  const resource = current?.value === value ? current : { name: copier.newName(letter), value };
  copier.used.set(raw, resource);
  return resource;
}

/** A form without resources of its own takes those of its page: it is another one on each. */
function needsScope(copier: Copier, raw: PDFObject | undefined): boolean {
  const object = copier.reading.resolve(raw);
  return (
    object instanceof PDFRawStream &&
    copier.reading.name(object, "Subtype") === "Form" &&
    copier.reading.dictionary(object, "Resources") === undefined
  );
}

const missingFont = PDFName.of("MissingFont");

/** What readers take where a font is missing. */
function stockFont(copier: Copier): Resource {
  let known = copier.used.get(missingFont);
  if (known === undefined) {
    const font = { Type: "Font", Subtype: "Type1", BaseFont: "Helvetica", Encoding: "WinAnsiEncoding" };
    known = { name: copier.newName("F"), value: copier.target.register(copier.target.obj(font)) };
    copier.used.set(missingFont, known);
  }
  return known;
}

/** The content of forms, patterns and soft masks. */
export function operatorContent({ copier, source, into, place }: StreamJob): Uint8Array {
  const own = copier.reading.dictionary(source, "Resources");
  const scope = { own, page: copier.scope.page };
  const { content, resources } = draw(copier, copier.reading.decode(source, place), scope, place);
  if (resources.entries().length > 0) into.set(key("Resources"), resources);
  return copier.pack(content, into);
}

/** A glyph of a Type 3 font finds its resources in the font, else on the page. */
export function copyGlyph(resources: PDFDict): (job: ObjectJob, raw: PDFObject) => PDFRef | undefined {
  return ({ copier, source, place }, raw) => {
    const stream = copier.reading.resolve(raw);
    if (!(stream instanceof PDFRawStream)) return undefined;
    const { reading } = copier;
    const own = reading.dictionary(stream, "Resources") ?? reading.dictionary(source, "Resources");
    const scope = { own, page: copier.scope.page };
    const drawing = draw(copier, copier.reading.decode(stream, place.at("CharProcs")), scope, place.at("CharProcs"));
    mergeResources(copier, resources, drawing.resources);
    const into = copier.target.obj({});
    return copier.target.register(PDFRawStream.of(into, copier.pack(drawing.content, into)));
  };
}

function mergeResources(copier: Copier, into: PDFDict, from: PDFDict): void {
  for (const [category, entries] of from.entries()) {
    if (!(entries instanceof PDFDict)) continue;
    const target = subDictionary(copier, into, category.asString().slice(1));
    for (const [name, value] of entries.entries()) target.set(name, value);
  }
}

/** All content of a page as one stream. */
export function pageContent(copier: Copier, raw: PDFObject | undefined, place: Place): Buffer {
  const contents = copier.reading.resolve(raw);
  const streams =
    contents instanceof PDFArray ? (copier.reading.list(contents) ?? []) : contents === undefined ? [] : [contents];
  const parts: Buffer[] = [];
  for (const stream of streams) {
    if (stream === undefined) continue;
    if (!(stream instanceof PDFRawStream)) throw unreadable(place.at("Contents"), "its content is no stream");
    parts.push(copier.reading.decode(stream, place.at("Contents")), Buffer.from("\n"));
  }
  return Buffer.concat(parts);
}

/** Whether something has a content of its own that a layer hides. */
export function isHidden(copier: Copier, source: PDFDict | PDFRawStream): boolean {
  return !copier.layers.isVisible(dictionaryOf(source).get(key("OC")));
}
