/** What a rebuilt document does not have any more, by the nouns that people know. */
import { PDFArray, PDFDict } from "@cantoo/pdf-lib";
import { treeEntries } from "./pages.ts";
import type { Reading } from "./reading.ts";

export class Removals {
  readonly #counts: Record<string, number> = {};

  count(noun: string, number = 1): void {
    if (number > 0) this.#counts[noun] = (this.#counts[noun] ?? 0) + number;
  }

  get counts(): Record<string, number> {
    return { ...this.#counts };
  }

  /** Counts what the rebuild copies from no document. */
  countDocumentParts(reading: Reading, catalog: PDFDict): void {
    const names = reading.dictionary(catalog, "Names");
    const entries = (name: string) => (names ? treeEntries(reading, reading.raw(names, name), "Names") : []);
    const attachments = entries("EmbeddedFiles").map(([, file]) => reading.resolve(file));
    this.count("attachments", attachments.length);
    const openAction = reading.dictionary(catalog, "OpenAction");
    const runsAtOnce = openAction !== undefined && reading.name(openAction, "S") === "JavaScript";
    this.count("scripts", entries("JavaScript").length + (runsAtOnce ? 1 : 0));
    const form = reading.dictionary(catalog, "AcroForm");
    this.count("XFA forms", form && reading.get(form, "XFA") !== undefined ? 1 : 0);
    this.count("structure trees", reading.get(catalog, "StructTreeRoot") === undefined ? 0 : 1);
    const info = reading.resolve(reading.context.trailerInfo.Info);
    this.count("document properties", info instanceof PDFDict ? info.entries().length : 0);
    this.count("metadata streams", reading.get(catalog, "Metadata") === undefined ? 0 : 1);
    const associated = reading.get(catalog, "AF");
    // An attachment may be associated with the document too: it is removed once.
    const files = associated instanceof PDFArray ? associated.asArray().map((file) => reading.resolve(file)) : [];
    this.count("associated files", files.filter((file) => !attachments.includes(file)).length);
  }
}
