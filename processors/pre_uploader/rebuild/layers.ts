/** Optional content (ISO 32000-1, 8.11): which of it a reader does not show when it opens the file. */
import { PDFArray, PDFDict, PDFName, PDFRef } from "@cantoo/pdf-lib";
import type { PDFObject } from "@cantoo/pdf-lib";
import { limits, Place, tooComplex } from "./faults.ts";
import { dictionaryOf, isDictionary, textOfName } from "./reading.ts";
import type { Dictionary, Reading } from "./reading.ts";

/**
 * The groups of a file that are off, by reference and by name. Document Engine drops the catalog's list of them, so that
 * the source has to say it: objects change their numbers on the way, names do not.
 */
export class Layers {
  readonly #reading: Reading;
  /** Off in the file that is read itself. */
  readonly #ownOff: ReadonlySet<PDFObject> | undefined;
  readonly #offNames: ReadonlySet<string>;
  readonly #isOffByDefault: boolean;
  readonly #knownNames: ReadonlySet<string>;

  /** @param catalog of the file that is read @param source the file that it was made from, and its catalog */
  constructor(reading: Reading, catalog: PDFDict, source: { reading: Reading; catalog: PDFDict }) {
    this.#reading = reading;
    const own = configurationOf(reading, catalog);
    this.#ownOff = own && new Set(own.off);
    const before = configurationOf(source.reading, source.catalog);
    const nameOf = (group: PDFObject) => groupName(source.reading, group);
    this.#knownNames = new Set(before?.groups.map(nameOf));
    // Of several groups of one name, one that is off decides: nothing hidden may show.
    this.#offNames = new Set(before?.off.map(nameOf));
    this.#isOffByDefault = before?.isOffByDefault ?? false;
  }

  get count(): number {
    return this.#offNames.size;
  }

  /** Whether what belongs to a group, or to several by a rule, shows. */
  isVisible(membership: PDFObject | undefined): boolean {
    const dictionary = this.#reading.resolve(membership);
    if (!(dictionary instanceof PDFDict)) return true;
    if (this.#reading.name(dictionary, "Type") !== "OCMD") return this.#isOn(membership);
    const expression = this.#reading.get(dictionary, "VE");
    if (expression instanceof PDFArray) return this.#evaluate(expression, 0);
    return this.#byPolicy(dictionary);
  }

  #byPolicy(membership: PDFDict): boolean {
    const raw = this.#reading.raw(membership, "OCGs");
    const groups = this.#reading.resolve(raw);
    const members =
      groups instanceof PDFArray
        ? groups.asArray().filter((group) => this.#reading.resolve(group) !== undefined)
        : groups instanceof PDFDict && raw !== undefined
          ? [raw]
          : [];
    if (members.length === 0) return true;
    const states = members.map((group) => this.#isOn(group));
    switch (this.#reading.name(membership, "P") ?? "AnyOn") {
      case "AllOn":
        return states.every(Boolean);
      case "AnyOff":
        return !states.every(Boolean);
      case "AllOff":
        return !states.some(Boolean);
      default:
        return states.some(Boolean);
    }
  }

  #evaluate(expression: PDFArray, depth: number): boolean {
    if (depth > limits.nesting) throw tooComplex("nesting", new Place("visibility expression"));
    const operator = this.#reading.resolve(expression.get(0));
    const states = expression
      .asArray()
      .slice(1)
      .map((operand) => {
        const value = this.#reading.resolve(operand);
        return value instanceof PDFArray ? this.#evaluate(value, depth + 1) : this.#isOn(operand);
      });
    switch (operator instanceof PDFName ? textOfName(operator) : "") {
      case "And":
        return states.every(Boolean);
      case "Not":
        return states[0] === false;
      default:
        return states.some(Boolean);
    }
  }

  #isOn(group: PDFObject | undefined): boolean {
    const dictionary = this.#reading.resolve(group);
    if (!(dictionary instanceof PDFDict)) return true;
    if (this.#ownOff !== undefined && group instanceof PDFRef) return !this.#ownOff.has(group);
    const name = groupName(this.#reading, dictionary);
    return this.#knownNames.has(name) ? !this.#offNames.has(name) : !this.#isOffByDefault;
  }
}

interface Configuration {
  groups: PDFObject[];
  off: PDFObject[];
  isOffByDefault: boolean;
}

/** The default configuration; a group that its own usage switches off for viewing is off as well. */
function configurationOf(reading: Reading, catalog: Dictionary): Configuration | undefined {
  const properties = reading.dictionary(catalog, "OCProperties");
  if (properties === undefined) return undefined;
  const configuration = reading.dictionary(properties, "D");
  const elements = (of: Dictionary | undefined, name: string) => {
    const array = of && reading.get(of, name);
    return array instanceof PDFArray ? array.asArray() : [];
  };
  const isOffByDefault = configuration !== undefined && reading.name(configuration, "BaseState") === "OFF";
  const [on, off] = [new Set(elements(configuration, "ON")), new Set(elements(configuration, "OFF"))];
  const groups = [...new Set([...elements(properties, "OCGs"), ...on, ...off])];
  return {
    groups,
    off: groups.filter(
      (group) => off.has(group) || (isOffByDefault && !on.has(group)) || isOffForViewing(reading, group),
    ),
    isOffByDefault,
  };
}

function isOffForViewing(reading: Reading, group: PDFObject): boolean {
  const dictionary = reading.resolve(group);
  if (!isDictionary(dictionary)) return false;
  const usage = reading.dictionary(dictionary, "Usage");
  const view = usage && reading.dictionary(usage, "View");
  return view !== undefined && reading.name(view, "ViewState") === "OFF";
}

function groupName(reading: Reading, group: PDFObject): string {
  const dictionary = reading.resolve(group);
  return isDictionary(dictionary) ? (reading.text(dictionaryOf(dictionary), "Name") ?? "") : "";
}
