import { destinationKinds, kinds, variants } from "../rebuild/grammar.ts";
import type { Kind, Rule } from "../rebuild/grammar.ts";
import { nameOf, readFile } from "./file.ts";
import type { PdfFile } from "./file.ts";
import { checkResources, isPrimitive } from "./values.ts";
import { Place } from "./place.ts";
import type { FoundText } from "./place.ts";
import type { Aside } from "./probe.ts";
import { StreamReader } from "./stream-reader.ts";
import { Fault, Name, Reference, Stream } from "./syntax.ts";
import type { Dictionary, Value } from "./syntax.ts";
import { textOfString } from "./text-string.ts";

/** A fault of the structure, with its place. */
export class StructureFault extends Error {
  override readonly name = "StructureFault";
  constructor(place: Place, fault: Fault) {
    super(`${place.toString()}: ${fault.message}`, { cause: fault });
  }
}

export interface Structure {
  /** Texts outside of page content: names, strings, and what fonts and profiles say. */
  readonly texts: readonly FoundText[];
  /** What draws outside of page content. */
  readonly asides: readonly Aside[];
}

/**
 * Reads a rebuilt file and accepts nothing that the grammar of rebuilt files does not allow: every byte belongs to an
 * object, every object is reached from the trailer by allowed keys, every stream is unpacked and holds what its kind holds.
 *
 * @throws StructureFault
 */
export function checkStructure(bytes: Uint8Array): Structure {
  const place = new Place("file");
  const file = faultsAt(place, () => readFile(bytes));
  const walk = new Walk(file);
  walk.run();
  return walk;
}

function faultsAt<Result>(place: Place, read: () => Result): Result {
  try {
    return read();
  } catch (fault) {
    throw fault instanceof Fault ? new StructureFault(place, fault) : fault;
  }
}

interface Visit {
  value: Map<string, Value> | Stream;
  kind: Kind;
  place: Place;
}

class Walk implements Structure {
  readonly texts: FoundText[] = [];
  readonly asides: Aside[] = [];
  readonly #file: PdfFile;
  readonly #streams: StreamReader;
  /** The kinds as which each object was reached. */
  readonly #reached = new Map<number, Set<Kind>>();
  /** Objects that hold a single value. */
  readonly #values = new Set<number>();
  readonly #backs: { number: number; kinds: Kind[]; place: Place }[] = [];
  readonly #queue: Visit[] = [];
  /** What draws, and the names that its content uses. */
  readonly #drawn: Visit[] = [];
  readonly #names = new Map<Stream, ReadonlySet<string>>();
  #pages = 0;

  constructor(file: PdfFile) {
    this.#file = file;
    this.#streams = new StreamReader((value) => this.#resolve(value));
  }

  run(): void {
    const place = new Place("trailer");
    faultsAt(place, () => {
      this.#trailer(place);
    });
    // In the order of the pages, so that what pages share counts as of the first.
    for (let visit = this.#queue.pop(); visit; visit = this.#queue.pop()) {
      const { value, kind, place: at } = visit;
      faultsAt(at, () => {
        this.#object(value, kind, at);
      });
    }
    for (const { value, kind, place: at } of this.#drawn) {
      faultsAt(at.at("Resources"), () => {
        checkResources(dictionaryOf(value).get("Resources"), this.#namesOf(value, kind), (one) => this.#resolve(one));
      });
    }
    for (const { number, kinds: wanted, place: at } of this.#backs) {
      const reached = this.#reached.get(number);
      if (!wanted.some((kind) => reached?.has(kind))) {
        throw new StructureFault(at, new Fault("it refers to an object that is no part of the document"));
      }
    }
    for (const number of this.#file.objects.keys()) {
      if (!this.#reached.has(number) && !this.#values.has(number)) {
        throw new StructureFault(new Place("file"), new Fault(`object ${number} is no part of the document`));
      }
    }
  }

  #trailer(place: Place): void {
    const { trailer } = this.#file;
    for (const [key, value] of trailer) {
      if (key === "Root") this.#value(value, { object: "catalog" }, place.at(key));
      else if (key === "ID") this.#identifier(value);
      else if (key !== "Size") throw new Fault("the trailer has a key that is not allowed");
    }
    if (!trailer.has("Root")) throw new Fault("the trailer has no catalog");
  }

  #identifier(value: Value): void {
    const isIdentifier =
      Array.isArray(value) &&
      value.every((part) => part instanceof Uint8Array && part.length <= 16 && value.length === 2);
    if (!isIdentifier) throw new Fault("the identifier of the file is none");
  }

  /** What a reference leads to. @throws Fault */
  #resolve(value: Value | undefined): Value | Stream | undefined {
    if (!(value instanceof Reference)) return value;
    const target = this.#file.objects.get(value.number);
    if (target === undefined || target instanceof Reference) throw new Fault("a reference leads to nothing");
    return target;
  }

  #value(given: Value, rule: Rule, place: Place): void {
    if ("back" in rule) {
      this.#back(given, [rule.back], place);
      return;
    }
    if ("either" in rule) {
      this.#either(given, rule.either, place);
      return;
    }
    if ("object" in rule || "by" in rule) {
      this.#enqueue(given, rule, place);
      return;
    }
    const value = this.#resolve(given);
    if (given instanceof Reference) this.#values.add(given.number);
    if (value === undefined || value instanceof Stream || !this.#fits(value, rule)) {
      throw new Fault("it is of another kind");
    }
    if ("list" in rule && Array.isArray(value)) for (const item of value) this.#value(item, rule.list, place);
    else if ("map" in rule && value instanceof Map) {
      for (const [name, item] of value) {
        this.texts.push({ text: name, place });
        this.#value(item, rule.map, place);
      }
    } else if ("tagged" in rule && Array.isArray(value)) this.#tagged(value, rule.tagged, place);
    else if ("destination" in rule && Array.isArray(value)) this.#destination(value, place);
    else if ("is" in rule) this.#text(value, rule.is, place);
  }

  #text(value: Value, is: string, place: Place): void {
    if (value instanceof Name) this.texts.push({ text: value.value, place });
    if (!(value instanceof Uint8Array)) return;
    if (is === "text") this.texts.push({ text: textOfString(value), place });
    else this.texts.push({ text: Buffer.from(value).toString("latin1"), place });
  }

  #back(value: Value, kindsOfTarget: Kind[], place: Place): void {
    if (!(value instanceof Reference)) throw new Fault("what must be a reference is none");
    this.#backs.push({ number: value.number, kinds: kindsOfTarget, place });
  }

  #either(value: Value, rules: readonly Rule[], place: Place): void {
    const backs = rules.flatMap((rule) => ("back" in rule ? [rule.back] : []));
    if (backs.length === rules.length) {
      this.#back(value, backs, place);
      return;
    }
    const target = this.#resolve(value);
    const rule = rules.find((one) => this.#fits("back" in one ? value : target, one));
    if (!rule) throw new Fault("it is of none of its kinds");
    this.#value(value, rule, place);
  }

  /** Whether a value has the form that a rule wants, without what is in it. */
  #fits(value: Value | Stream | undefined, rule: Rule): boolean {
    if ("is" in rule) return isPrimitive(value, rule.is);
    if ("names" in rule) return value instanceof Name && rule.names.includes(value.value);
    if ("list" in rule || "destination" in rule) return Array.isArray(value);
    if ("tagged" in rule) {
      const tag = Array.isArray(value) ? nameOf(value[0]) : undefined;
      return tag !== undefined && Object.hasOwn(rule.tagged, tag);
    }
    if ("map" in rule) return value instanceof Map;
    if ("by" in rule) return value instanceof Map || value instanceof Stream;
    if ("either" in rule) return rule.either.some((one) => this.#fits(value, one));
    if ("back" in rule) {
      const target = value instanceof Reference ? this.#resolve(value) : undefined;
      return target instanceof Map && (rule.back !== "widget" || nameOf(target.get("Subtype")) === "Widget");
    }
    const variant = variants[rule.object];
    if (variant) return this.#fits(value, variant);
    return kinds[rule.object].stream === undefined ? value instanceof Map : value instanceof Stream;
  }

  #tagged([tag, ...rest]: readonly Value[], rules: Readonly<Record<string, readonly Rule[]>>, place: Place): void {
    const name = nameOf(tag) ?? "";
    const parts = rules[name] ?? [];
    if (rest.length > parts.length) throw new Fault("an array is longer than its kind");
    for (const [index, value] of rest.entries()) this.#value(value, parts[index] as Rule, place.at(name));
  }

  #destination([page, kind, ...numbers]: readonly Value[], place: Place): void {
    this.#back(page ?? null, ["page"], place);
    const most = destinationKinds[nameOf(kind) ?? ""];
    if (most === undefined || numbers.length > most) throw new Fault("a destination is of no known kind");
    if (!numbers.every((number) => typeof number === "number" || number === null)) {
      throw new Fault("a destination has something that is no number");
    }
  }

  /** Looks at an object later, once for each kind as which it is reached. */
  #enqueue(given: Value, rule: { object: Kind } | Extract<Rule, { by: string }>, place: Place): void {
    const value = this.#resolve(given);
    const variant = "object" in rule ? variants[rule.object] : undefined;
    if (variant) {
      this.#value(given, variant, place);
      return;
    }
    if (!(value instanceof Map) && !(value instanceof Stream)) throw new Fault("what must be an object is none");
    const kind = "object" in rule ? rule.object : this.#kindBy(value, rule);
    if (kinds[kind].stream === undefined ? value instanceof Stream : value instanceof Map) {
      throw new Fault(`what must be of kind ${kind} is ${value instanceof Stream ? "a stream" : "no stream"}`);
    }
    if (given instanceof Reference) {
      const reached = this.#reached.get(given.number) ?? new Set<Kind>();
      this.#reached.set(given.number, reached);
      if (reached.has(kind)) return;
      reached.add(kind);
      this.#addAside(given.number, value, kind, place);
    }
    this.#queue.push({ value, kind, place: kind === "page" ? new Place(kind, this.#pages++) : place.of(kind) });
  }

  /** Notes what draws outside of page content. */
  #addAside(stream: number, value: Dictionary | Stream, kind: Kind, from: Place): void {
    const isAside = kind === "tilingPattern" || (kind === "form" && asideParents.has(from.kind));
    if (!isAside) return;
    const resources = dictionaryOf(value).get("Resources") ?? new Map<string, Value>();
    const mustBeReadable = kind === "tilingPattern" || from.kind === "softMask";
    this.asides.push({ stream, resources, place: from.of(kind), mustBeReadable });
  }

  #addGlyphs(font: Dictionary, place: Place): void {
    const resources = font.get("Resources");
    if (resources === undefined) return;
    for (const glyph of this.#glyphs(font)) {
      if (glyph instanceof Reference) {
        this.asides.push({ stream: glyph.number, resources, place: place.at("CharProcs"), mustBeReadable: false });
      }
    }
  }

  #kindBy(value: Dictionary | Stream, { by, of }: Extract<Rule, { by: string }>): Kind {
    const selector = dictionaryOf(value).get(by);
    const key = selector instanceof Name ? selector.value : typeof selector === "number" ? String(selector) : "";
    const kind = Object.hasOwn(of, key) ? of[key] : undefined;
    if (kind === undefined) throw new Fault(`its ${by} is not allowed`);
    return kind;
  }

  #object(value: Dictionary | Stream, kind: Kind, place: Place): void {
    const { keys, stream } = kinds[kind];
    const dictionary = dictionaryOf(value);
    // The last that is put on the queue is the first that is looked at.
    for (const [key, item] of [...dictionary].reverse()) {
      if (stream !== undefined && streamKeys.has(key)) continue;
      const rule = Object.hasOwn(keys, key) ? keys[key] : undefined;
      if (!rule) throw new Fault("it has a key that is not allowed");
      faultsAt(place.at(key), () => {
        this.#value(item, rule, place.at(key));
      });
    }
    if (kind === "type3") this.#addGlyphs(dictionary, place);
    if (usesResources.has(kind)) this.#drawn.push({ value, kind, place });
    if (stream === undefined || !(value instanceof Stream)) return;
    const parms = dictionary.get("DecodeParms");
    if (parms !== undefined) {
      if (kind !== "image") throw new Fault("it has parameters of a filter");
      this.#value(parms, { object: "decodeParms" }, place.at("DecodeParms"));
    }
    const texts = this.#streams.read(value, stream);
    if (stream === "operators") this.#names.set(value, new Set(texts));
    for (const text of texts) this.texts.push({ text, place });
  }

  /** The names that the content of an object uses. */
  #namesOf(value: Dictionary | Stream, kind: Kind): Set<string> {
    const dictionary = dictionaryOf(value);
    const contents =
      kind === "page" ? [dictionary.get("Contents")] : kind === "type3" ? this.#glyphs(dictionary) : [value];
    return new Set(
      contents.flatMap((content) => {
        const stream = content instanceof Stream ? content : this.#resolve(content);
        return stream instanceof Stream ? [...(this.#names.get(stream) ?? [])] : [];
      }),
    );
  }

  #glyphs(font: Dictionary): Value[] {
    const glyphs = this.#resolve(font.get("CharProcs"));
    return glyphs instanceof Map ? [...glyphs.values()] : [];
  }
}

/** From these a form is not part of page content. */
const asideParents: ReadonlySet<string> = new Set<Kind>(["appearances", "softMask", "characteristics"]);
const usesResources: ReadonlySet<Kind> = new Set<Kind>(["page", "form", "tilingPattern", "type3"]);

const streamKeys = new Set(["Length", "Filter", "DecodeParms"]);

function dictionaryOf(value: Dictionary | Stream): Dictionary {
  return value instanceof Stream ? value.dictionary : value;
}
