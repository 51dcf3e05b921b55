/** Rebuilds a document with redactions from what the grammar allows: a new file in which nothing else can survive. */
import { EncryptedPDFError, PDFContext, PDFDict, PDFDocument, PDFRawStream, PDFWriter } from "@cantoo/pdf-lib";
import type { PDFRef } from "@cantoo/pdf-lib";
import { PermanentError } from "../../../contracts/errors.ts";
import type { Redaction } from "../redaction.ts";
import { boxesByPage, copyAnnotations, touchedFields } from "./annotations.ts";
import { Copier } from "./copier.ts";
import type { CopierOptions } from "./copier.ts";
import { Destinations } from "./destinations.ts";
import { draw, pageContent } from "./drawing.ts";
import { Budget, Place } from "./faults.ts";
import { Form } from "./fields.ts";
import { kinds } from "./grammar.ts";
import { handlers } from "./handlers.ts";
import { Layers } from "./layers.ts";
import { copyOutline, copyPageLabels } from "./outline.ts";
import { letterPage, pagesOf, rotationOf } from "./pages.ts";
import type { SourcePage } from "./pages.ts";
import { key, Reading } from "./reading.ts";
import { Removals } from "./removals.ts";
import { sweep } from "./sweep.ts";

export interface RebuildJob {
  /** As it was given to Document Engine. */
  source: Uint8Array;
  /** As Document Engine returned it: the redactions are applied. */
  produced: Uint8Array;
  redactions: readonly Redaction[];
  /** Whether a text has something of what the redactions hide. */
  isQuoting: (text: string) => boolean;
}

interface Rebuilt {
  pdf: Uint8Array;
  /** What was left out, by plural nouns. */
  removed: Record<string, number>;
}

/**
 * @throws PermanentError PDF_UNREADABLE_PART, PDF_TOO_COMPLEX, PDF_HIDDEN_TEXT_FLOW, PDF_ENCRYPTED, PDF_DAMAGED: they name
 * the place, and never quote
 */
export async function rebuild({ source, produced, redactions, ...job }: RebuildJob): Promise<Rebuilt> {
  const isQuoting = remembering(job.isQuoting);
  const budget = new Budget();
  const [before, after] = [await open(source, budget), await open(produced, budget)];
  if (before.pages.length !== after.pages.length) {
    const counts = `${after.pages.length} pages, not ${before.pages.length}`;
    throw new PermanentError("PDF_DAMAGED", `the produced PDF has ${counts}`);
  }
  const target = PDFContext.create();
  const options: CopierOptions = {
    reading: after.reading,
    target,
    isQuoting,
    handlers,
    layers: new Layers(after.reading, after.catalog, before),
  };
  const copier = new Copier(options);
  const removals = new Removals();
  removals.countDocumentParts(before.reading, before.catalog);
  const newPages = after.pages.map(() => target.nextRef());
  const pageTree = target.nextRef();
  const destinations = new Destinations(after, { target, newPages, isQuoting });
  copier.destination = (raw) => destinations.array(raw);
  defineAppearances(copier, after.catalog);
  const touched = [before, after].map(({ reading, pages }) => touchedFields(reading, pages, redactions));
  const form = new Form(copier, after.catalog, touched[0]?.union(touched[1] ?? new Set()) ?? new Set());
  const redacted = boxesByPage(redactions);
  for (const [index, page] of after.pages.entries()) {
    const place = new Place("page", index);
    const into = copyPage(copier, page, place);
    into.set(key("Parent"), pageTree);
    const boxes = redacted.get(index) ?? [];
    const annotations = copyAnnotations({ copier, form, destinations, removals, page, place, boxes });
    if (annotations.length > 0) into.set(key("Annots"), target.obj(annotations));
    target.assign(newPages[index] ?? pageTree, into);
  }
  target.assign(pageTree, target.obj({ Type: "Pages", Kids: newPages, Count: newPages.length }));
  const catalog = target.obj({ Type: "Catalog", Pages: pageTree });
  copier.scope = { own: undefined, page: undefined };
  form.write(catalog);
  removals.count("form fields", form.removedFields);
  removals.count("signatures", form.removedSignatures);
  removals.count("hidden layers", copier.layers.count);
  putBack({ before, copier: new Copier({ ...options, reading: before.reading }), catalog, newPages, removals });
  target.trailerInfo.Root = target.register(catalog);
  sweep(target);
  return { pdf: await PDFWriter.forContext(target, Infinity).serializeToBuffer(), removed: removals.counts };
}

const longestRemembered = 100;

/** Names of glyphs and keys come again and again. */
function remembering(isQuoting: (text: string) => boolean): (text: string) => boolean {
  const answers = new Map<string, boolean>();
  return (text) => {
    if (text.length > longestRemembered) return isQuoting(text);
    let answer = answers.get(text);
    if (answer === undefined) answers.set(text, (answer = isQuoting(text)));
    return answer;
  };
}

interface Opened {
  reading: Reading;
  catalog: PDFDict;
  pages: SourcePage[];
}

async function open(bytes: Uint8Array, budget: Budget): Promise<Opened> {
  const reading = new Reading((await load(bytes)).context, budget);
  const catalog = reading.resolve(reading.context.trailerInfo.Root);
  if (!(catalog instanceof PDFDict)) throw new PermanentError("PDF_DAMAGED", "the PDF has no catalog");
  return { reading, catalog, pages: pagesOf(reading, catalog) };
}

async function load(bytes: Uint8Array): Promise<PDFDocument> {
  // Slices of a `Buffer` are views: the content of streams is not copied.
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  try {
    return await PDFDocument.load(file, { updateMetadata: false, parseSpeed: Infinity, preserveXFA: true });
  } catch (cause) {
    if (cause instanceof EncryptedPDFError) {
      throw new PermanentError("PDF_ENCRYPTED", "the PDF is encrypted: remove the encryption in the source case", {
        cause,
      });
    }
    // What pdf-lib says of it may quote the file.
    throw new PermanentError("PDF_DAMAGED", "the objects of the PDF cannot be read: repair it in the source case");
  }
}

const boxes = ["MediaBox", "CropBox", "BleedBox", "TrimBox", "ArtBox", "UserUnit", "Group"];

function copyPage(copier: Copier, page: SourcePage, place: Place): PDFDict {
  const { target, reading } = copier;
  const into = target.obj({ Type: "Page" });
  const resources = reading.resolve(page.get("Resources"));
  const own = resources instanceof PDFDict ? resources : undefined;
  copier.scope = { own, page: own };
  for (const name of boxes) {
    const rule = kinds.page.keys[name];
    const value = rule && copier.value(rule, page.get(name), place.at(name));
    if (value !== undefined) into.set(key(name), value);
  }
  if (into.get(key("MediaBox")) === undefined) into.set(key("MediaBox"), target.obj(letterPage));
  const rotation = rotationOf(reading, page);
  if (rotation !== 0) into.set(key("Rotate"), target.obj(rotation));
  const content = pageContent(copier, page.get("Contents"), place);
  const drawing = draw(copier, content, { own, page: own }, place);
  into.set(key("Resources"), drawing.resources);
  const dict = target.obj({});
  const packed = copier.pack(drawing.content, dict);
  into.set(key("Contents"), target.register(PDFRawStream.of(dict, packed)));
  return into;
}

/** Default appearances of form fields name fonts of the form. */
function defineAppearances(copier: Copier, catalog: PDFDict): void {
  const form = copier.reading.dictionary(catalog, "AcroForm");
  const own = form && copier.reading.dictionary(form, "DR");
  copier.appearance = (operators, place) => {
    const drawing = draw(copier, Buffer.from(operators, "latin1"), { own, page: undefined }, place, true);
    for (const [category, entries] of drawing.resources.entries()) {
      const known = copier.formResources.get(category);
      if (!(known instanceof PDFDict)) copier.formResources.set(category, entries);
      else if (entries instanceof PDFDict) for (const [name, value] of entries.entries()) known.set(name, value);
    }
    return drawing.content.toString("latin1").trim().replaceAll("\n", " ");
  };
}

interface PutBackJob {
  before: Opened;
  copier: Copier;
  catalog: PDFDict;
  newPages: readonly PDFRef[];
  removals: Removals;
}

/** What Document Engine may drop or change, and readers miss. */
function putBack({ before, copier, catalog, newPages, removals }: PutBackJob): void {
  const { target, isQuoting } = copier;
  const destinations = new Destinations(before, { target, newPages, isQuoting });
  const { outlines, removed } = copyOutline({ ...before, target, destinations, isQuoting });
  removals.count("bookmarks", removed);
  if (outlines) catalog.set(key("Outlines"), outlines);
  const labels = copyPageLabels(copier, before.catalog, newPages.length);
  if (labels) catalog.set(key("PageLabels"), target.register(labels));
}
