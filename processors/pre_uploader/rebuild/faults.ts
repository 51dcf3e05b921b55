import { PermanentError } from "../../../contracts/errors.ts";
import type { Place } from "../place.ts";

export { Place } from "../place.ts";

/** Something that cannot be read, and so cannot be sent on. @param what what is wrong, without quoting the file */
export function unreadable(place: Place, what: string, cause?: unknown): PermanentError {
  return new PermanentError("PDF_UNREADABLE_PART", `${place.toString()}: ${what}; repair the PDF in the source case`, {
    cause,
  });
}

/** What one document may cost; what needs more was made to fill memories. */
export const limits = {
  /** Of all streams together, decoded. */
  decodedBytes: 1024 * 1024 * 1024,
  /** Of one stream, decoded. */
  streamBytes: 256 * 1024 * 1024,
  objects: 1_000_000,
  /** Objects within objects, forms within forms. */
  nesting: 60,
  /** Graphics states that are saved one upon the other. */
  savedStates: 10_000,
  /** Sequences of marked content within each other. */
  markedContent: 100_000,
  /** In all content streams together. */
  operators: 5_000_000,
  /** Before one operator. */
  operands: 10_000,
  /** Of one array or string within a content stream, in bytes. */
  operandBytes: 16 * 1024 * 1024,
};

type Limit = keyof typeof limits;

export function tooComplex(limit: Limit, place: Place): PermanentError {
  return new PermanentError("PDF_TOO_COMPLEX", `${place.toString()}: more than ${limits[limit]} ${budgetNames[limit]}`);
}

const budgetNames: Readonly<Record<Limit, string>> = {
  decodedBytes: "decoded bytes in the document",
  streamBytes: "decoded bytes in a stream",
  objects: "objects",
  nesting: "levels of nesting",
  savedStates: "saved graphics states",
  markedContent: "sequences of marked content within each other",
  operators: "operators",
  operands: "operands before an operator",
  operandBytes: "bytes in an operand",
};

/** What a document has cost so far. */
export class Budget {
  readonly #spent = { decodedBytes: 0, objects: 0, operators: 0 };

  /** @throws PermanentError PDF_TOO_COMPLEX */
  spend(limit: "decodedBytes" | "objects" | "operators", amount: number, place: Place): void {
    this.#spent[limit] += amount;
    if (this.#spent[limit] > limits[limit]) throw tooComplex(limit, place);
  }
}
