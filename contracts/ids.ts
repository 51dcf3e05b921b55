import { z } from "zod";

/** A case number. It is part of schema names, S3 prefixes and queue names, hence a plain positive integer. */
export const caseId = z.int().positive().max(2_147_483_647);

/** A batch of the destination case. Part of Lambda names (at most 64 characters), hence short and plain. */
export const batchId = z.string().regex(/^[A-Za-z0-9_-]{1,16}$/, "must be 1 to 16 letters, digits, '_' or '-'");

/** A BIGINT UNSIGNED key on the wire: a decimal string, because JSON numbers lose digits beyond 2^53. */
export const rowId = z.string().regex(/^[1-9]\d{0,19}$/, "must be a positive whole number");

/**
 * What a unit of work is called: the id of its file or, of a record in the manifest that names no file, its place there:
 * `line-<part>-<line>`.
 */
export const unitId = z.union([rowId, z.string().regex(/^line-\d{1,6}-\d{1,7}$/)], {
  error: "must be the id of a file, or the place of a record in the manifest",
});

/** The id of an exchange, also called `jobId` in events. */
export const exchangeId = z.uuid();

/** What identifies one exchange wherever it is spoken of: in events, messages, logs and state machine input. */
export const exchangeContext = z.strictObject({
  exchangeId,
  sourceCaseId: caseId,
  /** The destination case. */
  caseId,
  batchId,
});
export type ExchangeContext = z.infer<typeof exchangeContext>;
