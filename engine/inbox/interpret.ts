import { z } from "zod";
import { event, failureDetail, payloadDetail, type ExchangeEvent } from "../../contracts/events.ts";
import { exchangerRecheck } from "../../contracts/messages.ts";
import { PermanentError, type WireError } from "../../contracts/errors.ts";
import type { Heard } from "../registry/inbox.ts";

/** How much of a failure's cause is kept: its end says most. */
const longestCause = 2000;

export type Interpreted = { kind: "recheck"; exchangeId: string } | { kind: "event"; heard: Heard };

/** What a message of the queue `exch-orch` says; throws INVALID_MESSAGE for what is none. */
export function interpret(body: string): Interpreted {
  const json = parseJson(body);
  const recheck = exchangerRecheck.safeParse(json);
  if (recheck.success) return { kind: "recheck", exchangeId: recheck.data.exchangeId };
  const parsed = event.safeParse(json);
  if (!parsed.success) throw invalid(parsed.error);
  const { eventId, eventType, jobId } = parsed.data;
  return { kind: "event", heard: { eventId, eventType, exchangeId: jobId, fact: factOf(parsed.data) } };
}

function factOf({ eventType, detail }: ExchangeEvent): Heard["fact"] {
  if (eventType === "DB_COPY_FINISHED") return { kind: "copy_finished" };
  if (eventType === "GLUE_JOB_FAILED" || eventType === "PAYLOAD_CONSTRUCTION_FAILED") {
    return { kind: "failure", failure: failureOf(eventType, detail) };
  }
  if (eventType !== "PAYLOAD_CONSTRUCTION_FINISHED") return { kind: "none" };
  const payload = payloadDetail.safeParse(detail);
  if (!payload.success) throw invalid(payload.error);
  return { kind: "payload", payload: payload.data };
}

/** What Step Functions caught; of a Glue run (JSON in `cause`) its error message, which carries the end of its log. */
export function failureOf(code: string, detail: unknown): WireError {
  const told = failureDetail.safeParse(detail);
  if (!told.success) return { code, message: "the state machine gave no reason" };
  const { error, cause } = told.data;
  const text = glueRun.safeParse(parseJson(cause)).data?.ErrorMessage ?? cause;
  return { code, message: `${error}: ${text.length > longestCause ? `…${text.slice(-longestCause)}` : text}` };
}

const glueRun = z.object({ ErrorMessage: z.string() });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function invalid(error: z.ZodError): PermanentError {
  const fields = error.issues.map((issue) => issue.path.join(".") || "body").join(", ");
  return new PermanentError("INVALID_MESSAGE", `a message of the orchestration queue is not understood: ${fields}`);
}
