import { z } from "zod";

/** How an error is treated by whoever meets it. */
export type ErrorKind = "invalid" | "recoverable" | "permanent" | "already_done";

/** An error as it travels in messages, events and records: no stack, no secrets. */
export const wireError = z.strictObject({ code: z.string(), message: z.string() });
export type WireError = z.infer<typeof wireError>;

/**
 * The base of every error that we raise. The message starts in lower case, names the wrong value and says what to do;
 * `code` is what programs match on.
 */
export abstract class ExchangerError extends Error {
  abstract readonly kind: ErrorKind;
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }

  toWire(): WireError {
    return { code: this.code, message: this.message };
  }
}

/** What was given is wrong; trying again cannot help until the input changes. */
export class InvalidInputError extends ExchangerError {
  readonly kind = "invalid";
}

/** A passing fault: the same work may succeed later. */
export class RecoverableError extends ExchangerError {
  readonly kind = "recoverable";
}

/** Trying again cannot help: the work is given up and reported. */
export class PermanentError extends ExchangerError {
  readonly kind = "permanent";
}

/** The work was done before: a success, logged as such. */
export class AlreadyDone extends ExchangerError {
  readonly kind = "already_done";
}

/** Whatever was thrown, as an error of ours; an unknown one is taken for a passing fault. */
export function toExchangerError(thrown: unknown): ExchangerError {
  if (thrown instanceof ExchangerError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new RecoverableError("UNEXPECTED", message, { cause: thrown });
}
