/** Form fields (ISO 32000-1, 12.7): live ones that do not quote and do not touch a redaction. */
import { PDFArray, PDFDict, PDFName, PDFRef, PDFStream } from "@cantoo/pdf-lib";
import type { PDFObject } from "@cantoo/pdf-lib";
import type { Copier, Scope } from "./copier.ts";
import { limits, Place, tooComplex } from "./faults.ts";
import { key, textOf, textOfName } from "./reading.ts";
import type { Reading } from "./reading.ts";

/** A node of the tree of fields, or a widget. */
interface Node {
  raw: PDFObject;
  dict: PDFDict;
  kids: Node[];
  /** What it is, or inherits. */
  type: string | undefined;
}

const texts = ["T", "TU", "TM", "V", "DV", "RV", "DS", "Opt", "DA"];
const captions = ["CA", "RC", "AC"];

/** The names of a field and of those above it. */
export function fullName(reading: Reading, dict: PDFDict): string {
  const names: string[] = [];
  let node: PDFDict | undefined = dict;
  for (let depth = 0; node !== undefined && depth < limits.nesting; depth++) {
    const name = reading.text(node, "T");
    if (name !== undefined) names.unshift(name);
    node = reading.dictionary(node, "Parent");
  }
  return names.join(".");
}

/** The form of a document. */
export class Form {
  readonly #copier: Copier;
  readonly #acroForm: PDFDict | undefined;
  readonly #touched: ReadonlySet<string>;
  readonly #roots: Node[];
  /** Widgets and fields that are not carried. */
  readonly #dropped = new Set<PDFDict>();
  readonly #widgets = new Map<PDFDict, PDFRef>();
  readonly #surroundings = new Map<PDFDict, { page: number | undefined; scope: Scope }>();
  removedFields = 0;
  removedSignatures = 0;

  /** @param touched the full names of the fields that touch a redaction, in the source or in what is read */
  constructor(copier: Copier, catalog: PDFDict, touched: ReadonlySet<string>) {
    this.#copier = copier;
    this.#acroForm = copier.reading.dictionary(catalog, "AcroForm");
    this.#touched = touched;
    const visited = new Set<PDFDict>();
    const fields = this.#acroForm && copier.reading.get(this.#acroForm, "Fields");
    this.#roots = this.#read(fields, undefined, visited, 0);
    for (const root of this.#roots) this.#judge(root);
  }

  /** A copy of a widget for its page; undefined where its field goes. */
  widget(dict: PDFDict, page: number | undefined): PDFRef | undefined {
    if (this.#dropped.has(dict)) return undefined;
    const known = this.#widgets.get(dict);
    if (known) return known;
    const isLost = this.#isTouched(dict) || this.#quotes(dict) || this.#typeOf(dict) === "Sig";
    if (isLost) {
      this.#count(this.#typeOf(dict));
      this.#dropped.add(dict);
      return undefined;
    }
    const reference = this.#copier.target.nextRef();
    this.#widgets.set(dict, reference);
    this.#surroundings.set(dict, { page, scope: this.#copier.scope });
    return reference;
  }

  /** Writes fields and widgets, once the pages have said which widgets they show. */
  write(catalog: PDFDict): void {
    const { target } = this.#copier;
    const fields = this.#roots.flatMap((root) => this.#write(root, undefined) ?? []);
    for (const [dict, reference] of this.#widgets) {
      if (target.lookup(reference) === undefined) this.#writeWidget(dict, reference, undefined);
    }
    if (this.#acroForm === undefined || fields.length === 0) return;
    const form = target.obj({});
    this.#copier.copyKeys("acroForm", this.#acroForm, form, new Place("acroForm"));
    form.set(key("Fields"), target.obj(fields));
    if (this.#copier.formResources.entries().length > 0) form.set(key("DR"), this.#copier.formResources);
    catalog.set(key("AcroForm"), target.register(form));
  }

  #read(raw: PDFObject | undefined, type: string | undefined, visited: Set<PDFDict>, depth: number): Node[] {
    const { reading } = this.#copier;
    if (depth > limits.nesting) throw tooComplex("nesting", new Place("form field"));
    const array = reading.resolve(raw);
    if (!(array instanceof PDFArray)) return [];
    return array.asArray().flatMap((one) => {
      const dict = reading.resolve(one);
      if (!(dict instanceof PDFDict) || visited.has(dict)) return [];
      visited.add(dict);
      reading.budget.spend("objects", 1, new Place("form field"));
      const own = reading.name(dict, "FT") ?? type;
      return [{ raw: one, dict, type: own, kids: this.#read(reading.raw(dict, "Kids"), own, visited, depth + 1) }];
    });
  }

  /** A field goes whole, with all its widgets: a value that one of them shows, all of them show. */
  #judge(node: Node): void {
    const isTerminal = node.kids.every(({ dict }) => !this.#isField(dict));
    if (this.#quotes(node.dict) || node.type === "Sig") {
      this.#drop(node);
      return;
    }
    if (isTerminal) {
      const isTouched = [node, ...node.kids].some(({ dict }) => this.#isTouched(dict) || this.#quotes(dict));
      if (isTouched) this.#drop(node);
      return;
    }
    for (const kid of node.kids) this.#judge(kid);
  }

  #drop(node: Node): void {
    const mark = (one: Node): number => {
      this.#dropped.add(one.dict);
      const below = one.kids.filter(({ dict }) => this.#isField(dict));
      for (const kid of one.kids) if (!below.includes(kid)) this.#dropped.add(kid.dict);
      const fields = below.reduce((sum, kid) => sum + mark(kid), 0);
      if (below.length === 0) this.#count(one.type);
      return fields;
    };
    mark(node);
  }

  #count(type: string | undefined): void {
    if (type === "Sig") this.removedSignatures++;
    else this.removedFields++;
  }

  #isTouched(dict: PDFDict): boolean {
    return this.#touched.has(fullName(this.#copier.reading, dict));
  }

  #isField(dict: PDFDict): boolean {
    const { reading } = this.#copier;
    return reading.get(dict, "T") !== undefined || reading.name(dict, "Subtype") !== "Widget";
  }

  /** Also what it inherits, for widgets that no form lists. */
  #typeOf(dict: PDFDict): string | undefined {
    const { reading } = this.#copier;
    let node: PDFDict | undefined = dict;
    for (let depth = 0; node !== undefined && depth < limits.nesting; depth++) {
      const type = reading.name(node, "FT");
      if (type !== undefined) return type;
      node = reading.dictionary(node, "Parent");
    }
    return undefined;
  }

  #quotes(dict: PDFDict): boolean {
    const { reading, isQuoting } = this.#copier;
    const quotes = (raw: PDFObject | undefined, depth: number): boolean => {
      const value = reading.resolve(raw);
      if (value instanceof PDFArray) return depth < 4 && value.asArray().some((one) => quotes(one, depth + 1));
      if (value instanceof PDFName) return isQuoting(textOfName(value));
      if (value instanceof PDFStream) return false;
      const text = textOf(value);
      return text !== undefined && isQuoting(text);
    };
    const look = reading.dictionary(dict, "MK");
    return (
      texts.some((name) => quotes(reading.raw(dict, name), 0)) ||
      (look !== undefined && captions.some((name) => quotes(reading.raw(look, name), 0)))
    );
  }

  #write(node: Node, parent: PDFRef | undefined): PDFRef | undefined {
    const { reading, target } = this.#copier;
    if (this.#dropped.has(node.dict)) return undefined;
    if (reading.name(node.dict, "Subtype") === "Widget" && node.kids.length === 0) {
      const reference = this.#widgets.get(node.dict);
      if (reference) this.#writeWidget(node.dict, reference, parent);
      return reference;
    }
    const reference = target.nextRef();
    const kids = node.kids.flatMap((kid) => this.#write(kid, reference) ?? []);
    if (kids.length === 0 && node.kids.length > 0) return undefined;
    const into = target.obj({});
    this.#copier.copyKeys("field", node.dict, into, new Place("field"));
    if (parent) into.set(key("Parent"), parent);
    into.delete(key("Kids"));
    if (kids.length > 0) into.set(key("Kids"), target.obj(kids));
    target.assign(reference, into);
    return reference;
  }

  #writeWidget(dict: PDFDict, reference: PDFRef, parent: PDFRef | undefined): void {
    const around = this.#surroundings.get(dict);
    if (around) this.#copier.scope = around.scope;
    const into = this.#copier.target.obj({});
    this.#copier.copyKeys("widget", dict, into, new Place("widget", around?.page));
    if (parent) into.set(key("Parent"), parent);
    this.#copier.target.assign(reference, into);
  }
}
