import type { WireError } from "../../contracts/errors.ts";
import { contentRemoved, missedContent, notCarried, removedText } from "../../contracts/redactions.ts";
import type { ExchangeRecord } from "../exchange/record.ts";
import type { LedgerRow } from "../registry/ledger.ts";
import type { DocumentTotals } from "../registry/totals.ts";

/** What the caller should know although nothing is wrong; `count`: of how many, where that is known. */
export interface Warning extends WireError {
  readonly count?: number;
}

/** What is known of an exchange's documents beyond its record. */
interface DocumentKnowledge extends DocumentTotals {
  /** Documents of which annotations did not travel, because they quote or touch what a redaction hides. */
  readonly withheld: number;
  /** Whether every document has ended, so that what is counted is all there is. */
  readonly isComplete: boolean;
}

/** The same at any time: what `POST` answers, the first time and ever again. */
export function warningsOfRequest({ request, facts }: ExchangeRecord): Warning[] {
  const { excludePrivileged, includeNatives, annotations } = request;
  const privileged = facts.privilegedSelected ?? 0;
  return [
    ...privilegedWarnings(
      excludePrivileged ? { included: 0, excluded: privileged } : { included: privileged, excluded: 0 },
    ),
    ...nativesWarning(includeNatives, annotations),
    ...redactionsWarning(annotations, null),
  ];
}

/** With the numbers that became known since. */
export function warningsOf(record: ExchangeRecord, known: DocumentKnowledge): Warning[] {
  const { id, request, facts } = record;
  return [
    ...(facts.privilegedCopied
      ? privilegedWarnings(facts.privilegedCopied)
      : warningsOfRequest(record).filter(isAboutPrivilege)),
    ...nativesWarning(request.includeNatives, request.annotations),
    ...redactionsWarning(request.annotations, known),
    ...notCarriedWarning(id, known.withheld),
    ...removedWarning(known),
  ];
}

const isAboutPrivilege = ({ code }: Warning): boolean => code.startsWith("PRIVILEGED_");

function privilegedWarnings({ included, excluded }: { included: number; excluded: number }): Warning[] {
  const isIncluded = {
    code: "PRIVILEGED_INCLUDED",
    message: `${included} documents of the selection are privileged or held back and travel: excludePrivileged leaves such documents out`,
    count: included,
  };
  const isExcluded = {
    code: "PRIVILEGED_EXCLUDED",
    message: `${excluded} documents are privileged or held back and are left out: GET …/documents?state=excluded names them once the records are copied`,
    count: excluded,
  };
  return [...(included > 0 ? [isIncluded] : []), ...(excluded > 0 ? [isExcluded] : [])];
}

type Annotations = ExchangeRecord["request"]["annotations"];

function nativesWarning(includeNatives: boolean, annotations: Annotations): Warning[] {
  if (!includeNatives || annotations?.redactionsAs !== "brand_in") return [];
  const message =
    "natives travel as they were collected: what a redaction hides in a document can be read in its native";
  return [{ code: "NATIVES_UNREDACTED", message }];
}

/** `known`: null where nothing is counted yet. */
function redactionsWarning(annotations: Annotations, known: DocumentKnowledge | null): Warning[] {
  if (annotations && annotations.redactionsAs !== "leave") return [];
  const count = known?.redactions?.left;
  const soFar = known?.isComplete === true ? "" : " (counted so far)";
  const number = count === undefined ? "" : `${count} `;
  const why = annotations ? "redactionsAs is leave" : "the request has no annotations";
  const uncounted = known && known.uncounted > 0 ? `; those of ${known.uncounted} documents could not be counted` : "";
  const message = `${why}: ${number}redactions of the source case${count === undefined ? "" : soFar} are not applied, and what they hide can be read in the destination case${uncounted}`;
  return [{ code: "REDACTIONS_NOT_APPLIED", message, ...(count !== undefined && { count }) }];
}

function notCarriedWarning(id: string, count: number): Warning[] {
  if (count === 0) return [];
  const message = `annotations of ${count} documents quote or touch what a redaction hides and were not carried: see the warnings of GET /exchanges/${id}/documents?state=done`;
  return [{ code: notCarried, message, count }];
}

function removedWarning({ missed, missedFrom }: DocumentTotals): Warning[] {
  if (missedFrom === 0) return [];
  const message = `${removedText(missed)} (from ${missedFrom} documents)`;
  return [{ code: contentRemoved, message, count: missedFrom }];
}

/** What should be known of a row of the ledger although it is no failure. */
export function warningsOfRow(row: LedgerRow): Warning[] {
  const { error, removed } = row;
  const missed = missedContent(removed ?? {});
  return [
    // What was removed is counted in a column of its own.
    ...(error && !isFailure(row) && error.code !== contentRemoved ? [error] : []),
    ...(missed.length > 0 ? [{ code: contentRemoved, message: removedText(missed) }] : []),
  ];
}

/** Whether a row's error is why its file did not arrive, and not a warning. */
export function isFailure({ state }: LedgerRow): boolean {
  return state === "failed" || state === "not_found";
}
