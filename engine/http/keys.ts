import { createHash } from "node:crypto";
import type { ExchangeRequest } from "../../contracts/request.ts";

/**
 * The key that an exchange answers to. With an `Idempotency-Key` it is that key, and it is the caller's own. Without
 * one it is what makes two requests the same work: source, destination, selection and batch, whoever asks.
 */
export function dedupeKey(subject: string, header: string | undefined, request: ExchangeRequest): string {
  if (header !== undefined) return digest(["key", subject, header]);
  const { sourceCaseId, destinationCaseId, selection, batchId } = request;
  return digest(["natural", sourceCaseId, destinationCaseId, ordered(selection), batchId]);
}

/** Tells whether two requests are the same; absent and default values are equal, since the request is parsed. */
export function requestHash(request: ExchangeRequest): string {
  const { excludePrivileged, ...others } = request;
  // A field that came later is left out where it is not set, so that earlier requests keep their hash.
  const later = excludePrivileged ? { excludePrivileged } : {};
  return digest(ordered({ ...others, ...later, selection: ordered(request.selection) }));
}

/** Document ids are a set, and the order of a body's fields means nothing. */
function ordered(value: object): [string, unknown][] {
  return Object.entries(value)
    .map(([name, part]): [string, unknown] => [
      name,
      name === "documentIds" && Array.isArray(part) ? (part as string[]).toSorted() : part,
    ])
    .sort(([one], [other]) => (one < other ? -1 : 1));
}

function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
