import type { WireError } from "../../contracts/errors.ts";
import type { Stage } from "../../contracts/ledger.ts";
import { isFinal } from "../../contracts/states.ts";
import type { LivingState } from "./deadlines.ts";
import { fail, wait, type Action, type Decision, type Settings } from "./decision.ts";
import { drain } from "./drain.ts";
import { need } from "./operate.ts";
import { expectedUnits, progressOf, type Execution, type Observed } from "./observed.ts";
import type { ExchangeRecord } from "./record.ts";
import { endUnseen, windDown } from "./wind-down.ts";

/** How long the events of an ended execution may be on their way before its own word is taken. */
const eventGraceSeconds = 30;
/** How often the state machine is asked while its events are awaited. */
const describeSeconds = 15;

/**
 * What to do next about an exchange, from its record and what was seen outside; pure. Facts decide, not the order in
 * which they arrived: each state looks whether what it waits for is known.
 */
export function decide(record: ExchangeRecord, observed: Observed, now: Date, settings: Settings): Decision {
  const { state } = record;
  if (isFinal(state)) return wait(3600, "ended");
  const late = deadlineFailure(record, state, now, settings);
  const interrupted = cancelled(record, state) ?? destroyedOutside(observed);
  if (interrupted) return interrupted;
  switch (state) {
    case "ACCEPTED":
      return accepted(late);
    case "PROVISIONING":
      return provisioning(record, observed, now, late);
    case "STARTING":
      return starting(record, late);
    case "COPYING_RECORDS":
      return copyingRecords(record, observed, now, late);
    case "CONSTRUCTING_PAYLOAD":
      return constructingPayload(record, observed, now, late);
    case "PROCESSING":
      return processing(record, observed, settings, late);
    case "DRAINING":
      return drain(record, observed, now, settings, late);
    case "FAILING":
      return windDown(record, observed, now, settings, "FAILED", late);
    case "CANCELLING":
      return windDown(record, observed, now, settings, "CANCELLED", late);
    case "DESTROYING":
      return destroying(record, observed, now, late);
  }
}

/** What threw: the observation, or the action that was decided. */
export type Interruption = { readonly error: WireError; readonly during: "observation" | Action["do"] };

/**
 * What to do about an exchange whose observation or action threw; pure. Null: try again later, which no state does past its
 * deadline but two: DESTROYING never gives up, so that nothing is left, and STARTING waits for an uploader that
 * cannot be reached. A cancel is carried out although nothing can be seen.
 */
export function decideOnError(
  record: ExchangeRecord,
  { operations, abandoned }: Pick<Observed, "operations" | "abandoned">,
  now: Date,
  settings: Settings,
  { error, during }: Interruption,
): Decision | null {
  const { state } = record;
  if (isFinal(state) || state === "DESTROYING") return null;
  if (during === "observation") {
    const interrupted = cancelled(record, state);
    if (interrupted) return interrupted;
  }
  const late = deadlineFailure(record, state, now, settings);
  if (!late) return null;
  const failure = {
    code: late.code,
    message: `${late.message}; the last attempt ended with ${error.code}: ${error.message}`,
  };
  if (state === "FAILING" || state === "CANCELLING") {
    const outcome = state === "FAILING" ? "FAILED" : "CANCELLED";
    return endUnseen(record, { operations, abandoned }, now, settings, outcome, failure, during);
  }
  return state === "STARTING" && record.facts.uploaderSilentSince ? null : fail(failure);
}

/**
 * A cancel wins in every state that is not final. Where nothing was made yet it is the end; from DESTROYING on it only
 * changes what the destruction leads to.
 */
function cancelled({ facts }: ExchangeRecord, state: LivingState): Decision | null {
  if (!facts.cancelRequestedAt || state === "CANCELLING" || state === "DESTROYING") return null;
  return state === "ACCEPTED"
    ? {
        action: { do: "move", to: "CANCELLED", events: ["EXCHANGER_CANCELLED"] },
        reason: "cancelled before anything was made",
      }
    : { action: { do: "move", to: "CANCELLING" }, reason: "a cancel was asked for" };
}

/** Whatever else is known to have failed is a consequence of this. */
function destroyedOutside({ missing = [] }: Observed): Decision | null {
  if (missing.length === 0) return null;
  const failure = {
    code: "STACK_DESTROYED_OUTSIDE",
    message: `the stack was destroyed by somebody else while the exchange needed it: ${missing.join(", ")} is gone`,
  };
  return {
    action: { do: "move", to: "FAILING", failure, isCause: true },
    reason: `${failure.code}: ${failure.message}`,
  };
}

/**
 * ACCEPTED. Enter: the request was written. While: nothing exists yet; admission lets the oldest in when a place is
 * free. Leave: to PROVISIONING by admission, to CANCELLED, or to FAILING when no place came free in time. If the process dies here:
 * nothing happened; whoever runs next admits it.
 */
function accepted(late: WireError | null): Decision {
  return late ? fail(late) : wait(60, "waits for a free place");
}

/**
 * PROVISIONING. Enter: admitted. While: an `up` runs in a process of its own. Leave: to STARTING with the outputs, or
 * to FAILING. If the process dies here: the operation is given up once its owner is known dead, and a new attempt
 * recovers the stack; `up` is idempotent.
 */
function provisioning(record: ExchangeRecord, observed: Observed, now: Date, late: WireError | null): Decision {
  if (late) return fail(late);
  const pending = need({ kind: "up", purpose: "provision", phase: "running" }, observed, now);
  if (pending) return pending;
  return record.facts.outputs
    ? { action: { do: "move", to: "STARTING" }, reason: "the stack is up" }
    : fail({ code: "NO_OUTPUTS", message: "the stack came up without outputs" });
}

/**
 * STARTING. Enter: the stack is up. While: the uploader is told of its queue, then the state machine is started under
 * the exchange's id. Leave: to COPYING_RECORDS, saying EXCHANGER_INITIATED, or to FAILING past the deadline, but never for
 * an uploader that cannot be reached. If the process dies here: both steps are repeated, and repeating them changes
 * nothing.
 */
function starting(record: ExchangeRecord, late: WireError | null): Decision {
  const { facts } = record;
  if (late && !facts.uploaderSilentSince) return fail(late);
  if (!facts.uploaderToldAt) return { action: { do: "tell_uploader" }, reason: "the uploader has to know its queue" };
  if (!facts.executionArn) return { action: { do: "start_execution" }, reason: "the record copy has to start" };
  return {
    action: { do: "move", to: "COPYING_RECORDS", events: ["EXCHANGER_INITIATED"] },
    reason: "the uploader knows its queue and the state machine runs",
  };
}

/**
 * COPYING_RECORDS. Enter: the state machine runs. While: Glue copies rows; the state machine is asked now and then, so
 * that a lost event cannot wedge the exchange. Leave: to CONSTRUCTING_PAYLOAD, or to FAILING with Glue's error. If the
 * process dies here: the state machine goes on, its events wait in the queue.
 */
function copyingRecords(record: ExchangeRecord, observed: Observed, now: Date, late: WireError | null): Decision {
  const { facts } = record;
  if (facts.copyFinishedAt || facts.payload || observed.execution?.status === "SUCCEEDED") {
    return { action: { do: "move", to: "CONSTRUCTING_PAYLOAD" }, reason: "the records are copied" };
  }
  return failedExecution(record, observed, now) ?? (late ? fail(late) : wait(describeSeconds, "records are copied"));
}

/**
 * CONSTRUCTING_PAYLOAD. Enter: the records are copied. While: a message for every file is sent, part by part. Leave: to
 * PROCESSING, saying EXCHANGER_DELETE_INITIATED and sending the delayed re-check, or to FAILING. If the process dies
 * here: as in COPYING_RECORDS.
 */
function constructingPayload(record: ExchangeRecord, observed: Observed, now: Date, late: WireError | null): Decision {
  if (record.facts.payload) {
    const { documents, copy, pre_upload } = expectedUnits(record.facts.payload);
    return {
      action: { do: "move", to: "PROCESSING", events: ["EXCHANGER_DELETE_INITIATED"], recheck: true },
      reason: `${documents} documents with ${copy + pre_upload} files are on their way`,
    };
  }
  if (observed.execution?.status === "SUCCEEDED") {
    const since = ended(observed.execution, now);
    return since < eventGraceSeconds
      ? wait(eventGraceSeconds - since, "the state machine ended; its event is on its way")
      : { action: { do: "read_payload_from_manifest" }, reason: "the state machine ended but its event never came" };
  }
  return failedExecution(record, observed, now) ?? (late ? fail(late) : wait(describeSeconds, "messages are made"));
}

/**
 * PROCESSING. Enter: every message was sent, or a drain found some left. While: the ledger fills; nothing is taken
 * away. Leave: to DRAINING when every expected unit has a final row and the queues look empty; past the deadline what
 * is missing is failed by name first. If the process dies here: nothing is lost, the ledger is written by Lambdas.
 */
function processing(record: ExchangeRecord, observed: Observed, settings: Settings, late: WireError | null): Decision {
  const { payload } = record.facts;
  if (!payload) return fail({ code: "NO_PAYLOAD", message: "the exchange processes documents but knows of none" });
  const stages = progressOf(payload, observed.ledger);
  const progress =
    stages.map(({ stage, expected, ended }) => `${ended} of ${expected} ${passed[stage]}`).join(", ") || "no files";
  if (stages.some(({ expected, ended }) => ended < expected)) {
    return late
      ? { action: { do: "fail_missing_units" }, reason: `${late.message}: ${progress}, the rest has failed` }
      : wait(settings.pollSeconds, progress);
  }
  const busy = Object.entries(observed.queues ?? {}).filter(([, depth]) => depth.visible + depth.delayed > 0);
  if (busy.length > 0 && !late) {
    return wait(settings.pollSeconds, `${progress}; messages left in ${busy.map(([kind]) => kind).join(", ")}`);
  }
  return { action: { do: "move", to: "DRAINING" }, reason: progress };
}

const passed: Record<Stage, string> = {
  copy: "files copied",
  pre_upload: "given their annotations",
  upload: "uploaded",
  re_ocr: "read again",
  search: "indexed",
};

/**
 * DESTROYING. Enter: nothing runs any more; the outcome is on the record. While: the stack is destroyed and removed,
 * then AWS is searched for what the stack did not know of. Leave: to the outcome, saying it. Past the deadline it goes
 * on trying and says so: an exchange is never given up with something left. If the process dies here: destroying again
 * finds less, or nothing.
 */
function destroying(record: ExchangeRecord, observed: Observed, now: Date, late: WireError | null): Decision {
  const pending = need({ kind: "destroy", purpose: "destroy" }, observed, now, record.facts.hurriedAt);
  if (pending) return late ? { ...pending, reason: `${late.message}; ${pending.reason}` } : pending;
  const leftovers = observed.leftovers ?? [];
  if (leftovers.length > 0) {
    return { action: { do: "remove_leftovers", leftovers }, reason: `left behind: ${leftovers.join(", ")}` };
  }
  const outcome = record.facts.cancelRequestedAt ? "CANCELLED" : (record.facts.outcome ?? "FAILED");
  return {
    action: { do: "move", to: outcome, events: [`EXCHANGER_${outcome}`] },
    reason: "the stack is gone and nothing is left",
  };
}

function deadlineFailure(record: ExchangeRecord, state: LivingState, now: Date, settings: Settings): WireError | null {
  const minutes = settings.deadlineMinutes[state];
  if (now.getTime() - record.stateSince.getTime() <= minutes * 60_000) return null;
  const waiting = record.waiting === null ? "" : ` (${record.waiting})`;
  return { code: "DEADLINE_EXCEEDED", message: `${state} took longer than ${minutes} minutes${waiting}` };
}

function ended(execution: Execution, now: Date): number {
  return execution.stoppedAt ? Math.floor((now.getTime() - execution.stoppedAt.getTime()) / 1000) : 0;
}

/** A failure that an event told of or, when no event came in time, that the state machine itself shows. */
function failedExecution(record: ExchangeRecord, observed: Observed, now: Date): Decision | null {
  if (record.facts.failure) return fail(record.facts.failure);
  const { execution } = observed;
  if (!execution || !["FAILED", "TIMED_OUT", "ABORTED"].includes(execution.status)) return null;
  const since = ended(execution, now);
  if (since < eventGraceSeconds) {
    return wait(eventGraceSeconds - since, `the state machine ${execution.status}; its event is on its way`);
  }
  const message = [execution.error, execution.cause].filter(Boolean).join(": ");
  return fail({ code: `EXECUTION_${execution.status}`, message: message || "the state machine gave no reason" });
}
