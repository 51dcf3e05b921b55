/** Records and observations for the tables of decisions. */
import { metadataKinds } from "../../contracts/request.ts";
import type { ExchangeState } from "../../contracts/states.ts";
import { defaultDeadlineMinutes } from "../../engine/exchange/deadlines.ts";
import type { Settings } from "../../engine/exchange/decision.ts";
import type { Observed } from "../../engine/exchange/observed.ts";
import {
  noFacts,
  type ExchangeRecord,
  type Facts,
  type Operation,
  type OperationState,
} from "../../engine/exchange/record.ts";

export const now = new Date("2026-01-01T12:00:00Z");
export const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
export const settings: Settings = {
  deadlineMinutes: defaultDeadlineMinutes,
  pollSeconds: 5,
  settlingSeconds: 60,
  releaseSeconds: 60,
};
export const id = "6f0c2f60-6d3e-4d62-9f5b-2f7a1b1f5f10";
export const outputs = { queues: {}, processors: {} };
export const payload = { parts: [{ part: "a", documents: 2, copy: 3, upload: 2 }] };
export const annotated = {
  parts: [{ part: "a", documents: 2, copy: 1, pre_upload: 2, upload: 2, re_ocr: 2, search: 2 }],
};
export const failure = { code: "GLUE_JOB_FAILED", message: "no free bit" };

export function record(state: ExchangeState, facts: Partial<Facts> = {}, sinceSeconds = 1): ExchangeRecord {
  return {
    id,
    state,
    stateSince: ago(sinceSeconds),
    context: { exchangeId: id, sourceCaseId: 1, caseId: 2, batchId: "b" },
    request: {
      sourceCaseId: 1,
      destinationCaseId: 2,
      batchId: "b",
      selection: { by: "all" },
      includeNatives: false,
      excludePrivileged: false,
      metadata: [...metadataKinds],
    },
    selected: 2,
    facts: { ...noFacts, ...facts },
    waiting: null,
    createdAt: ago(100),
    updatedAt: ago(1),
  };
}

export function operation(purpose: string, state: OperationState, more: Partial<Operation> = {}): Operation {
  return {
    id: `${purpose}-${more.attempt ?? 1}`,
    kind: purpose === "destroy" ? "destroy" : "up",
    purpose,
    attempt: 1,
    state,
    owner: "host/1/a",
    pid: 5,
    heartbeatAt: ago(1),
    endedAt: state === "queued" || state === "running" ? null : ago(0),
    error:
      state === "failed" || state === "aborted" ? { code: "THROTTLED", message: "slow down", retryable: true } : null,
    cancelRequested: false,
    ...more,
  };
}

export const seen = (more: Partial<Observed> = {}): Observed => ({ operations: [], abandoned: new Set(), ...more });
export const done = (units: number) => ({ done: units, not_found: 0, failed: 0 });
export const full = { copy: { done: 1, not_found: 1, failed: 1 }, upload: done(2) };
export const annotatedFull = { copy: done(1), pre_upload: done(2), upload: done(2), re_ocr: done(2), search: done(2) };
export const empty = { visible: 0, inFlight: 0, delayed: 0 };
export const drained = (more: Partial<Observed>) =>
  seen({ operations: [operation("drain:1", "succeeded")], mappings: { s3_copy: "Disabled" }, ...more });
export const quiet = { queues: { s3_copy: empty, doc_uploader: empty } };
export const up = (purpose: string, phase: "running" | "draining") => ({ kind: "up" as const, purpose, phase });
export const late = (state: keyof typeof defaultDeadlineMinutes) => defaultDeadlineMinutes[state] * 60 + 1;
export const deadline = (state: keyof typeof defaultDeadlineMinutes) => ({
  code: "DEADLINE_EXCEEDED",
  message: `${state} took longer than ${defaultDeadlineMinutes[state]} minutes`,
});
export const provisioning = operation("provision", "running");
