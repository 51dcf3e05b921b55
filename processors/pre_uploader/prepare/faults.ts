import { PermanentError } from "../../../contracts/errors.ts";

/** @param budget what the PDF has more of than a document is allowed to */
export function tooComplex(budget: string): PermanentError {
  return new PermanentError(
    "PDF_TOO_COMPLEX",
    `the PDF has more than ${budget}: print it to a simpler PDF in the source case`,
  );
}
