import { randomUUID } from "node:crypto";
import type { Request, RequestHandler } from "express";
import { z } from "zod";
import { exchangeId } from "../../contracts/ids.ts";
import type { CopyProgress } from "../../contracts/manifest.ts";
import { exchangeRequestBody, type ExchangeRequest } from "../../contracts/request.ts";
import type { CaseReader } from "../cases/reader.ts";
import type { ExchangeRecord } from "../exchange/record.ts";
import type { Registry } from "../registry/database.ts";
import {
  accept,
  find,
  findByKey,
  history,
  list,
  requestEnd,
  TooManyWaiting,
  type Acceptance,
  type Known,
} from "../registry/exchanges.ts";
import { documentCounts, page, stageCounts } from "../registry/ledger.ts";
import { documentTotals } from "../registry/totals.ts";
import { callerOf, mayTouch, type Caller } from "./auth.ts";
import { dedupeKey, requestHash } from "./keys.ts";
import { Problem } from "./problem.ts";
import { documentsQuery, invalid, listQuery, parsed } from "./query.ts";
import { accepted, documentEntry, ending, entry, full } from "./view.ts";

export interface ExchangeRoutes {
  readonly db: Registry;
  readonly cases: CaseReader;
  /** How far the record copy of an exchange is; null where nobody can tell. */
  readonly copyProgress: (exchangeId: string) => Promise<CopyProgress | null>;
  /** Whether there is a Document Engine, without which no annotation travels. */
  readonly hasDocumentEngine: boolean;
  /** How long an exchange may wait for admission. */
  readonly admissionSeconds: number;
  /** How many exchanges may wait for admission at once. */
  readonly maxWaiting: number;
  /** Called when a new exchange was accepted. */
  readonly accepted: (record: ExchangeRecord) => void;
  /** Called when an exchange has become due. */
  readonly due: () => void;
}

/** About what one exchange takes to give its place free. */
const retryAfterSeconds = 60;

const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, "must be 1 to 200 visible ASCII characters")
  .optional();

/** `POST /exchanges`: the same key and body always name the same exchange. */
export function create(routes: ExchangeRoutes): RequestHandler {
  return async (httpRequest, response) => {
    if (!httpRequest.is("application/json")) {
      throw new Problem(415, "UNSUPPORTED_MEDIA_TYPE", "send the body as application/json");
    }
    const caller = callerOf(httpRequest);
    const header = parsed(
      z.object({ "Idempotency-Key": idempotencyKey }),
      { "Idempotency-Key": httpRequest.get("Idempotency-Key") },
      "the header",
    )["Idempotency-Key"];
    const request = parsed(exchangeRequestBody, httpRequest.body, "the body");
    permit(caller, request);
    const record = await acceptOnce(request, caller, header, routes);
    response.status(202).location(`/exchanges/${record.id}`).json(accepted(record));
  };
}

/** A case that does not exist and one that the caller may not touch look the same. */
function permit(caller: Caller, request: ExchangeRequest): void {
  const forbidden = (["sourceCaseId", "destinationCaseId"] as const).filter(
    (field) => !mayTouch(caller, request[field]),
  );
  if (forbidden.length === 0) return;
  const errors = forbidden.map((field) => ({ field, message: "is not a case that the token permits" }));
  throw new Problem(403, "CASE_NOT_PERMITTED", `the token does not permit ${forbidden.join(" and ")}`, { errors });
}

async function acceptOnce(
  request: ExchangeRequest,
  caller: Caller,
  header: string | undefined,
  routes: ExchangeRoutes,
): Promise<ExchangeRecord> {
  const key = dedupeKey(caller.subject, header, request);
  const hash = requestHash(request);
  const natural = header === undefined;
  const known = await findByKey(routes.db, key, natural);
  if (known) return same(known, hash, natural);

  const { selected, privileged } = await check(request, routes);
  const acceptance = { id: randomUUID(), subject: caller.subject, dedupeKey: key, natural, requestHash: hash };
  const now = await acceptUnlessFull({ ...acceptance, request, selected, privileged }, routes);
  if (now.created) routes.accepted(now.record);
  return same(now, hash, natural);
}

async function acceptUnlessFull(acceptance: Acceptance, routes: ExchangeRoutes) {
  try {
    return await accept(routes.db, acceptance, routes.admissionSeconds, routes.maxWaiting);
  } catch (error) {
    if (!(error instanceof TooManyWaiting)) throw error;
    throw new Problem(503, error.code, error.message, { headers: { "Retry-After": String(retryAfterSeconds) } });
  }
}

function same(known: Known, hash: string, natural: boolean): ExchangeRecord {
  if (known.requestHash === hash) return known.record;
  const detail = natural
    ? `exchange ${known.record.id} copies this selection with other settings: send an Idempotency-Key of its own or another batchId`
    : `this Idempotency-Key was used with another body, for exchange ${known.record.id}`;
  throw new Problem(422, "IDEMPOTENCY_KEY_REUSED", detail);
}

/** Looks in both cases; returns how many documents are selected, and how many privileged ones the selection holds. */
async function check(
  request: ExchangeRequest,
  { cases, hasDocumentEngine }: Pick<ExchangeRoutes, "cases" | "hasDocumentEngine">,
): Promise<{ selected: number; privileged: number | null }> {
  if (request.annotations && !hasDocumentEngine) {
    throw new Problem(422, "NOT_SUPPORTED", "annotations cannot travel: this environment has no Document Engine", {
      errors: [{ field: "annotations", message: "needs a Document Engine, and this environment has none" }],
    });
  }
  const fields = ["sourceCaseId", "destinationCaseId"] as const;
  const exist = await Promise.all(fields.map((field) => cases.exists(request[field])));
  const missing = fields.filter((_, index) => exist[index] !== true);
  if (missing.length > 0) throw invalid(missing.map((field) => ({ field, message: "is not a case that exists" })));

  const { documents, privileged, unknownIds } = await cases.select(request.sourceCaseId, request.selection);
  if (unknownIds.length > 0) {
    const message = `has documents that the source case lacks: ${unknownIds.join(", ")}`;
    throw invalid([{ field: "selection.documentIds", message }]);
  }
  if (documents === 0) throw invalid([{ field: "selection", message: "selects no document of the source case" }]);
  return { selected: documents - excludedOf(request, documents, privileged), privileged };
}

/** How many documents the request leaves out of those that are selected. */
function excludedOf({ excludePrivileged }: ExchangeRequest, documents: number, privileged: number | null): number {
  if (!excludePrivileged) return 0;
  const because = (message: string) => invalid([{ field: "excludePrivileged", message }]);
  if (privileged === null) {
    throw because("cannot be followed: the source case has neither documents.status nor exhibits.relevancy");
  }
  if (privileged === documents) throw because("leaves out every document of the selection");
  return privileged;
}

/** `GET /exchanges` */
export function index(routes: ExchangeRoutes): RequestHandler {
  return async (request, response) => {
    const { state, after, limit } = parsed(listQuery, request.query, "the query");
    const { cases } = callerOf(request);
    const { records, next } = await list(routes.db, { cases, state, before: after, limit });
    response.json({ exchanges: records.map(entry), next });
  };
}

/** `GET /exchanges/:id` */
export function show(routes: ExchangeRoutes): RequestHandler {
  return async (request, response) => {
    const record = await visible(request, routes.db);
    const [past, counts, totals, stages, progress] = await Promise.all([
      history(routes.db, record.id),
      documentCounts(routes.db, record.id),
      documentTotals(routes.db, record.id),
      stageCounts(routes.db, record.id),
      record.state === "COPYING_RECORDS" ? routes.copyProgress(record.id) : null,
    ]);
    response.json({ ...full(record, past, { counts, totals, stages }), ...(progress && { copying: progress.rows }) });
  };
}

/** `POST /exchanges/:id/cancel`: the answer promises that the exchange ends as CANCELLED. */
export function cancel(routes: ExchangeRoutes): RequestHandler {
  return end(routes, false);
}

/** `DELETE /exchanges/:id`: as a cancel, and a destruction under way is tried again now. */
export function forceDestroy(routes: ExchangeRoutes): RequestHandler {
  return end(routes, true);
}

function end(routes: ExchangeRoutes, hurry: boolean): RequestHandler {
  return async (request, response) => {
    const { id } = await visible(request, routes.db);
    const requested = await requestEnd(routes.db, id, hurry);
    const record = await visible(request, routes.db);
    if (!requested && record.state !== "CANCELLED") {
      throw new Problem(409, "ALREADY_ENDED", `exchange ${id} has ended as ${record.state}`);
    }
    if (requested) routes.due();
    response.status(202).location(`/exchanges/${id}`).json(ending(record));
  };
}

/** `GET /exchanges/:id/documents`: the ledger's rows, that is which files did not arrive or were left out, and why. */
export function documents(routes: ExchangeRoutes): RequestHandler {
  return async (request, response) => {
    const { state, after, limit } = parsed(documentsQuery, request.query, "the query");
    const record = await visible(request, routes.db);
    const { entries, next } = await page(routes.db, record.id, { state, after, limit });
    response.json({
      documents: entries.map(documentEntry),
      next: next && `${next.stage}:${next.unitId}`,
    });
  };
}

/** An exchange whose cases the caller may not see does not exist for it. */
async function visible(request: Request, db: Registry): Promise<ExchangeRecord> {
  const caller = callerOf(request);
  const id = exchangeId.safeParse(request.params["id"]);
  const record = id.success ? await find(db, id.data.toLowerCase()) : null;
  if (!record || !mayTouch(caller, record.context.sourceCaseId) || !mayTouch(caller, record.context.caseId)) {
    throw new Problem(404, "EXCHANGE_NOT_FOUND", `there is no exchange ${String(request.params["id"])}`);
  }
  return record;
}
