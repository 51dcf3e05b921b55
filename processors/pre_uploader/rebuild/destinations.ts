/** Destinations (ISO 32000-1, 12.3.2): where bookmarks and links lead, by page and not by name. */
import { PDFArray, PDFDict, PDFName, PDFNumber, PDFRef } from "@cantoo/pdf-lib";
import type { PDFContext, PDFObject } from "@cantoo/pdf-lib";
import { destinationKinds } from "./grammar.ts";
import { nameOrText, treeEntries } from "./pages.ts";
import type { SourcePage } from "./pages.ts";
import { isDictionary, key, textOfName } from "./reading.ts";
import type { Dictionary, Reading } from "./reading.ts";
import { uriString } from "./uris.ts";

/** The destinations of one file, on pages of the new one. */
export class Destinations {
  readonly #reading: Reading;
  readonly #target: PDFContext;
  readonly #isQuoting: (text: string) => boolean;
  readonly #catalog: PDFDict;
  readonly #newPages: readonly PDFRef[];
  readonly #numbers = new Map<PDFObject, number>();
  #named: Map<string, PDFObject> | undefined;

  constructor(
    { reading, catalog, pages }: { reading: Reading; catalog: PDFDict; pages: readonly SourcePage[] },
    {
      target,
      newPages,
      isQuoting,
    }: { target: PDFContext; newPages: readonly PDFRef[]; isQuoting: (text: string) => boolean },
  ) {
    this.#reading = reading;
    this.#target = target;
    this.#catalog = catalog;
    this.#newPages = newPages;
    this.#isQuoting = isQuoting;
    for (const [number, { reference, dict }] of pages.entries()) this.#numbers.set(reference ?? dict, number);
  }

  /** Keys of a link or bookmark that say where it leads; undefined where it leads nowhere that it may. */
  target(source: Dictionary): { Dest: PDFArray } | { A: PDFDict } | undefined {
    const reading = this.#reading;
    const own = reading.raw(source, "Dest");
    const destination = own === undefined ? undefined : this.array(own);
    if (destination) return { Dest: destination };
    const action = reading.dictionary(source, "A");
    if (action === undefined) return undefined;
    if (reading.name(action, "S") === "GoTo") {
      const array = this.array(reading.raw(action, "D"));
      return array && { Dest: array };
    }
    if (reading.name(action, "S") !== "URI") return undefined;
    const uri = uriString(reading.text(action, "URI"), this.#isQuoting);
    return uri && { A: this.#target.obj({ S: "URI", URI: uri }) };
  }

  /** A destination, also by name, as an array. */
  array(raw: PDFObject | undefined, depth = 0): PDFArray | undefined {
    const value = this.#reading.resolve(raw);
    if (depth > 2 || value === undefined) return undefined;
    if (isDictionary(value)) return this.array(this.#reading.raw(value, "D"), depth + 1);
    if (!(value instanceof PDFArray)) {
      const name = nameOrText(this.#reading, value);
      return name === undefined ? undefined : this.array(this.#namedDestinations().get(name), depth + 1);
    }
    return this.#copy(value);
  }

  #copy(array: PDFArray): PDFArray | undefined {
    if (array.size() === 0) return undefined;
    const page = array.get(0);
    const number = page instanceof PDFNumber ? page.asNumber() : this.#numbers.get(page);
    const reference = number === undefined ? undefined : this.#newPages[number];
    if (reference === undefined) return undefined;
    const elements = array.asArray().map((element) => this.#reading.resolve(element));
    const kind = elements[1] instanceof PDFName ? textOfName(elements[1]) : "";
    const count = destinationKinds[kind];
    if (count === undefined) return this.#target.obj([reference, "Fit"]);
    const numbers = Array.from({ length: count }, (_, index) => {
      const value = elements[index + 2];
      return value instanceof PDFNumber && Number.isFinite(value.asNumber()) ? value.asNumber() : null;
    });
    return this.#target.obj([reference, kind, ...numbers]);
  }

  #namedDestinations(): Map<string, PDFObject> {
    if (this.#named) return this.#named;
    const named = new Map<string, PDFObject>();
    const old = this.#reading.dictionary(this.#catalog, "Dests");
    for (const [name, value] of old?.entries() ?? []) named.set(name.decodeText(), value);
    const names = this.#reading.dictionary(this.#catalog, "Names");
    for (const [name, value] of treeEntries(this.#reading, names && this.#reading.raw(names, "Dests"), "Names")) {
      const text = nameOrText(this.#reading, name);
      if (text !== undefined) named.set(text, value);
    }
    return (this.#named = named);
  }
}

export function setTarget(into: PDFDict, target: { Dest: PDFArray } | { A: PDFDict } | undefined): void {
  for (const [name, value] of Object.entries(target ?? {})) into.set(key(name), value as PDFObject);
}
