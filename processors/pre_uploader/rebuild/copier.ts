/** Copies objects into a new document by the grammar: what no rule names stays behind. */
import {
  PDFArray,
  PDFBool,
  PDFDict,
  PDFHexString,
  PDFName,
  PDFNumber,
  PDFRawStream,
  PDFRef,
  PDFString,
} from "@cantoo/pdf-lib";
import type { PDFContext, PDFObject } from "@cantoo/pdf-lib";
import { deflateSync } from "node:zlib";
import { limits, Place, tooComplex } from "./faults.ts";
import { kinds, variants } from "./grammar.ts";
import type { Kind, Rule, StreamContent } from "./grammar.ts";
import { isDictionary, key, textOf, textOfName } from "./reading.ts";
import type { Dictionary, Reading } from "./reading.ts";
import type { Layers } from "./layers.ts";
import { uriString } from "./uris.ts";

/** Smaller numbers draw nothing, and would be written with more digits than the proof takes. */
const leastNumber = 1e-15;

/** What the grammar leaves to code. */
export interface Handlers {
  /** The bytes of a stream; keys that depend on them are set in the new dictionary. */
  streams: Readonly<Record<StreamContent, (job: StreamJob) => Uint8Array>>;
  /** Mends a new dictionary, whose keys are copied. */
  finish: Partial<Record<Kind, (job: ObjectJob) => void>>;
  colorSpace: (copier: Copier, raw: PDFObject, place: Place) => PDFObject | undefined;
}

export interface ObjectJob {
  copier: Copier;
  kind: Kind;
  source: Dictionary;
  into: PDFDict;
  place: Place;
}

export interface StreamJob extends ObjectJob {
  source: PDFRawStream;
}

/** The resources that names of a content stream stand for. */
export interface Scope {
  own: PDFDict | undefined;
  page: PDFDict | undefined;
}

export interface CopierOptions {
  reading: Reading;
  target: PDFContext;
  layers: Layers;
  isQuoting: (text: string) => boolean;
  handlers: Handlers;
}

export class Copier {
  readonly reading: Reading;
  readonly target: PDFContext;
  readonly layers: Layers;
  readonly isQuoting: (text: string) => boolean;
  scope: Scope = { own: undefined, page: undefined };
  /** Resources by the object that they are copied from. */
  readonly used = new Map<PDFObject, { name: string; value: PDFObject } | undefined>();
  readonly counts = new Map<string, number>();
  /** A destination on a page of the new document; undefined for one on none. */
  destination: (raw: PDFObject) => PDFArray | undefined = () => undefined;
  /** What default appearances of form fields use. */
  readonly formResources: PDFDict;
  /** Writes the operators of a default appearance anew. */
  appearance: (operators: string, place: Place) => string | undefined = () => undefined;
  readonly #handlers: Handlers;
  readonly #names = new Map<unknown, string>();
  readonly #copied = new Map<PDFObject, Map<Kind, PDFObject>>();
  readonly #copiedOn = new Map<PDFDict, Map<PDFObject, Map<Kind, PDFObject>>>();
  #depth = 0;

  constructor({ reading, target, layers, isQuoting, handlers }: CopierOptions) {
    this.reading = reading;
    this.target = target;
    this.formResources = target.obj({});
    this.layers = layers;
    this.isQuoting = isQuoting;
    this.#handlers = handlers;
  }

  /** A name of ours: the kind's letter and a number. */
  newName(letter: string): string {
    const count = (this.counts.get(letter) ?? 0) + 1;
    this.counts.set(letter, count);
    return `${letter}${count}`;
  }

  /** The value as the rule allows it; undefined where it does not. */
  value(rule: Rule, raw: PDFObject | undefined, place: Place): PDFObject | undefined {
    if (raw === undefined) return undefined;
    if ("is" in rule) return this.#simple(rule.is, this.reading.resolve(raw), place);
    if ("names" in rule) {
      const name = this.reading.resolve(raw);
      return name instanceof PDFName && rule.names.includes(textOfName(name)) ? name : undefined;
    }
    if ("list" in rule) return this.#list(rule.list, raw, place);
    if ("map" in rule) return this.#map(rule.map, raw, place);
    if ("object" in rule) return this.object(rule.object, raw, place);
    if ("by" in rule) {
      const kind = this.variantOf(rule, raw);
      return kind && this.object(kind, raw, place);
    }
    if ("either" in rule) {
      for (const one of rule.either) {
        const value = this.value(one, raw, place);
        if (value !== undefined) return value;
      }
      return undefined;
    }
    if ("tagged" in rule) return this.#handlers.colorSpace(this, raw, place);
    if ("destination" in rule) return this.destination(raw);
    return undefined;
  }

  variantOf(rule: Extract<Rule, { by: string }>, raw: PDFObject): Kind | undefined {
    const source = this.reading.resolve(raw);
    if (!isDictionary(source)) return undefined;
    const tag = this.reading.get(source, rule.by);
    const text =
      tag instanceof PDFName ? textOfName(tag) : tag instanceof PDFNumber ? String(tag.asNumber()) : undefined;
    return text !== undefined && Object.hasOwn(rule.of, text) ? rule.of[text] : undefined;
  }

  /** A copy of an object of a kind: a reference where it was one, and for every stream. */
  object(kind: Kind, raw: PDFObject, place: Place): PDFObject | undefined {
    const variant = variants[kind];
    if (variant !== undefined) return this.value(variant, raw, place);
    const source = this.reading.resolve(raw);
    if (!isDictionary(source) || kind === "resources") return undefined;
    const { stream } = kinds[kind];
    if (stream !== undefined && !(source instanceof PDFRawStream)) return undefined;
    const known = this.known(source, kind);
    if (known !== undefined) return known;
    return this.nested(place, () => this.#copy(kind, raw, source, place));
  }

  #copy(kind: Kind, raw: PDFObject, source: Dictionary, place: Place): PDFObject {
    const { stream } = kinds[kind];
    this.reading.budget.spend("objects", 1, place);
    const into = this.target.obj({});
    const reference = stream !== undefined || raw instanceof PDFRef ? this.target.nextRef() : undefined;
    // Known before it is complete: what leads back to it finds it.
    if (reference) this.remember(source, kind, reference);
    const there = new Place(kind, place.page);
    this.copyKeys(kind, source, into, there);
    const job = { copier: this, kind, into, place: there };
    this.#handlers.finish[kind]?.({ ...job, source });
    if (reference) {
      const object =
        stream !== undefined && source instanceof PDFRawStream
          ? PDFRawStream.of(into, this.#handlers.streams[stream]({ ...job, source }))
          : into;
      this.target.assign(reference, object);
    }
    return reference ?? into;
  }

  copyKeys(kind: Kind, source: Dictionary, into: PDFDict, place: Place): void {
    for (const [name, rule] of Object.entries(kinds[kind].keys)) {
      const raw = this.reading.raw(source, name);
      // Glyphs need the resources of their font.
      if (raw === undefined || name === "CharProcs") continue;
      const value = this.value(rule, raw, place.at(name));
      if (value !== undefined) into.set(key(name), value);
    }
  }

  /** Runs one level deeper. @throws PermanentError PDF_TOO_COMPLEX */
  nested<Result>(place: Place, copy: () => Result): Result {
    if (this.#depth > limits.nesting) throw tooComplex("nesting", place);
    this.#depth++;
    const result = copy();
    this.#depth--;
    return result;
  }

  /** The copy that was made of an object of a kind. */
  known(source: PDFObject, kind: Kind): PDFObject | undefined {
    return this.#copiesOf(source, kind).get(source)?.get(kind);
  }

  /** The name of ours for something that has one already: always the same. */
  nameFor(what: unknown, letter: string): string {
    let name = this.#names.get(what);
    if (name === undefined) this.#names.set(what, (name = this.newName(letter)));
    return name;
  }

  remember(source: PDFObject, kind: Kind, copy: PDFObject): void {
    const copies = this.#copiesOf(source, kind);
    let known = copies.get(source);
    if (known === undefined) copies.set(source, (known = new Map<Kind, PDFObject>()));
    known.set(kind, copy);
  }

  /** A form without resources of its own takes those of its page: it is another one on each. */
  #copiesOf(source: PDFObject, kind: Kind): Map<PDFObject, Map<Kind, PDFObject>> {
    const { page } = this.scope;
    const isBound = kind === "form" && page !== undefined && source instanceof PDFRawStream;
    if (!isBound || this.reading.dictionary(source, "Resources") !== undefined) return this.#copied;
    let copies = this.#copiedOn.get(page);
    if (copies === undefined) this.#copiedOn.set(page, (copies = new Map<PDFObject, Map<Kind, PDFObject>>()));
    return copies;
  }

  #simple(
    type: Extract<Rule, { is: string }>["is"],
    value: PDFObject | undefined,
    place: Place,
  ): PDFObject | undefined {
    switch (type) {
      case "boolean":
        return value instanceof PDFBool ? value : undefined;
      case "integer":
        if (!(value instanceof PDFNumber) || !Number.isFinite(value.asNumber())) return undefined;
        return Number.isInteger(value.asNumber()) ? value : PDFNumber.of(Math.trunc(value.asNumber()));
      case "number":
        if (!(value instanceof PDFNumber) || !Number.isFinite(value.asNumber())) return undefined;
        return Math.abs(value.asNumber()) < leastNumber ? PDFNumber.of(0) : value;
      case "name":
        return value instanceof PDFName && !this.isQuoting(textOfName(value)) ? value : undefined;
      case "text": {
        const text = textOf(value);
        return text === undefined || this.isQuoting(text) ? undefined : PDFHexString.fromText(text);
      }
      case "bytes":
        return value instanceof PDFString || value instanceof PDFHexString
          ? PDFHexString.fromBytes(value.asBytes())
          : undefined;
      case "uri":
        return uriString(textOf(value), this.isQuoting);
      case "appearance": {
        const operators = value instanceof PDFString || value instanceof PDFHexString ? value.asBytes() : undefined;
        const rewritten = operators && this.appearance(Buffer.from(operators).toString("latin1"), place);
        return rewritten === undefined ? undefined : PDFHexString.fromBytes(Buffer.from(rewritten, "latin1"));
      }
    }
  }

  #list(rule: Rule, raw: PDFObject, place: Place): PDFArray | undefined {
    const source = this.reading.resolve(raw);
    if (!(source instanceof PDFArray)) return undefined;
    const copy = PDFArray.withContext(this.target);
    for (let index = 0; index < source.size(); index++) {
      const element = this.value(rule, source.get(index), place);
      // One left out would give those behind it another meaning.
      if (element === undefined) return undefined;
      copy.push(element);
    }
    this.reading.budget.spend("objects", source.size() / 100, place);
    return copy;
  }

  #map(rule: Rule, raw: PDFObject, place: Place): PDFDict | undefined {
    const source = this.reading.resolve(raw);
    if (!(source instanceof PDFDict)) return undefined;
    const copy = this.target.obj({});
    for (const [index, [name, value]] of source.entries().entries()) {
      if (this.isQuoting(textOfName(name))) continue;
      const copied = this.value(rule, value, place.at(index));
      if (copied !== undefined) copy.set(name, copied);
    }
    return copy;
  }

  /** Packs bytes as the content of a stream. */
  pack(bytes: Uint8Array, into: PDFDict): Uint8Array {
    into.set(key("Filter"), key("FlateDecode"));
    return deflateSync(bytes);
  }
}
