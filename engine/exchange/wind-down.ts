import type { CopyRemoval } from "../../contracts/manifest.ts";
import type { WireError } from "../../contracts/errors.ts";
import type { FinalState } from "../../contracts/states.ts";
import { wait, type Action, type Decision, type Settings } from "./decision.ts";
import { abandon, backOffSeconds } from "./operate.ts";
import type { Observed } from "./observed.ts";
import type { ExchangeRecord, RecordsFate } from "./record.ts";

/** Failed runs of a removal before it is given up. */
const maxRemovals = 4;

/**
 * FAILING and CANCELLING. Enter: from any state, with the cause on the record. While: whatever still runs is stopped and
 * its end awaited: a Pulumi operation, the state machine, its Glue run (which ends with it on AWS only at best), the
 * uploader; then rows of a copy that had not finished are removed. Leave: to DESTROYING when the state machine and every
 * Glue run have ended. Past the deadline a removal that does not succeed is given up and told; what runs is never left
 * behind. If the process dies here: every step looks first what is still there.
 */
export function windDown(
  record: ExchangeRecord,
  observed: Observed,
  now: Date,
  settings: Settings,
  outcome: FinalState,
  late: WireError | null,
): Decision {
  const decision =
    stopOperation(observed) ??
    stopCopy(observed, settings) ??
    releaseUploader(record, now, settings) ??
    settleRecords(observed, now, settings, late);
  if ("action" in decision) return late ? { ...decision, reason: `${late.message}; ${decision.reason}` } : decision;
  const reason = `nothing runs any more; ${told(decision)}`;
  return { action: { do: "move", to: "DESTROYING", outcome, records: decision }, reason };
}

/** Actions of FAILING and CANCELLING that are about the record copy; while they fail nobody knows what it does. */
const copyActions: readonly (Action["do"] | "observation")[] = ["observation", "stop_execution", "stop_runs"];

/**
 * FAILING and CANCELLING past the deadline, when the record copy can be neither seen nor stopped: the stack is destroyed all
 * the same, and the fate of the rows is left to an operator, by name. Null: what threw has a bound of its own.
 */
export function endUnseen(
  record: ExchangeRecord,
  known: Pick<Observed, "operations" | "abandoned">,
  now: Date,
  settings: Settings,
  outcome: FinalState,
  failure: WireError,
  during: Action["do"] | "observation",
): Decision | null {
  if (!copyActions.includes(during)) return null;
  const reason = failure.message;
  const before = stopOperation(known) ?? releaseUploader(record, now, settings);
  if (before) return { ...before, reason: `${reason}; ${before.reason}` };
  const error = { code: "RECORDS_NOT_REMOVED", message: `it is not known whether records are still copied: ${reason}` };
  return { action: { do: "move", to: "DESTROYING", outcome, records: { fate: "partial", error } }, reason };
}

function stopOperation({ operations, abandoned }: Pick<Observed, "operations" | "abandoned">): Decision | null {
  const running = operations.find(({ state }) => state === "queued" || state === "running");
  if (!running) return null;
  if (abandoned.has(running.id)) return abandon(running);
  return running.cancelRequested
    ? wait(10, `${running.purpose} is being cancelled`)
    : { action: { do: "cancel_operation", operation: running }, reason: `${running.purpose} is not needed any more` };
}

/** The execution first, so that it starts no further run. */
function stopCopy({ execution, runs = [] }: Observed, { pollSeconds }: Settings): Decision | null {
  if (execution?.status === "RUNNING" || execution?.status === "PENDING_REDRIVE") {
    return { action: { do: "stop_execution" }, reason: "the state machine still runs", pauseSeconds: pollSeconds };
  }
  const running = runs.filter(({ state, removes }) => !removes && (state === "active" || state === "stopping"));
  if (running.length === 0) return null;
  const runIds = running.filter(({ state }) => state === "active").map(({ id }) => id);
  return runIds.length === 0
    ? wait(pollSeconds, "the Glue run stops")
    : { action: { do: "stop_runs", runIds }, reason: "the Glue run still runs", pauseSeconds: pollSeconds };
}

/** Also one that may have been told although that was not noted. It is missed after a while, never waited for in vain. */
export function releaseUploader({ facts, stateSince }: ExchangeRecord, now: Date, settings: Settings): Decision | null {
  if (!facts.outputs || facts.uploaderReleasedAt) return null;
  // Its silence in the states before says nothing: it is tried in this one at least once.
  const silentMs = facts.uploaderSilentSince
    ? now.getTime() - Math.max(facts.uploaderSilentSince.getTime(), stateSince.getTime())
    : 0;
  return silentMs > settings.releaseSeconds * 1000
    ? null
    : { action: { do: "release_uploader" }, reason: "the uploader has to let go of its queue" };
}

/** What becomes of the rows, or what to do until that is known. */
function settleRecords(
  { runs = [], copied = false, removal = null }: Observed,
  now: Date,
  settings: Settings,
  late: WireError | null,
): Decision | RecordsFate {
  if (runs.length === 0) return { fate: "none" };
  const removals = runs.filter(({ removes }) => removes);
  const last = removals.at(-1);
  if (last?.state === "succeeded" && removal) return removedBut(removal);
  if (last?.state === "active" || last?.state === "stopping") {
    return wait(settings.pollSeconds, "what was copied is being removed");
  }
  if (!last && copied) return { fate: "kept" };
  const why = last
    ? `removing what was copied failed (run ${last.id}): ${last.error ?? "it did not say that all is gone"}`
    : null;
  if (late || removals.length >= maxRemovals) {
    return { fate: "partial", error: { code: "RECORDS_NOT_REMOVED", message: why ?? late?.message ?? "not tried" } };
  }
  const due = last ? (last.endedAt ?? now).getTime() + backOffSeconds(removals.length) * 1000 : now.getTime();
  const left = (due - now.getTime()) / 1000;
  return left > 0
    ? wait(left, `${String(why)}: again soon`)
    : {
        action: { do: "remove_records" },
        reason: why === null ? "the record copy had not finished: what it wrote is removed" : `${why}: again`,
        pauseSeconds: settings.pollSeconds,
      };
}

/** Rows that are another exchange's from now on are none of this one's. */
function removedBut({ kept }: CopyRemoval): RecordsFate {
  const held = kept.filter(({ handedOver }) => !handedOver);
  if (held.length === 0) return { fate: "removed" };
  const which = held.map(({ table, rows, because }) => `${rows} of ${table} (${because})`).join(", ");
  const message = `rows on which somebody's work hangs stay in the destination: ${which}; all others are removed`;
  return { fate: "partial", error: { code: "RECORDS_HELD", message } };
}

function told(records: RecordsFate): string {
  switch (records.fate) {
    case "none":
      return "no record was copied";
    case "kept":
      return "every record is copied and kept";
    case "removed":
      return "what was copied is removed";
    case "partial":
      return `${records.error.code}: ${records.error.message}`;
  }
}
