import { fail, wait, type Decision, type OperationWish } from "./decision.ts";
import type { Observed } from "./observed.ts";
import type { Operation } from "./record.ts";

/** Failures of an `up` before it is given up; a `destroy` is tried for ever: an exchange may never leave something. */
const maxUpFailures = 4;

/** Seconds before the next attempt: 2, 4, 8 … at most 5 minutes. */
export function backOffSeconds(attempt: number): number {
  return Math.min(300, 2 ** attempt);
}

/** The last attempt of what the wish is for. */
export function lastAttempt(operations: readonly Operation[], purpose: string): Operation | undefined {
  return operations
    .filter((operation) => operation.purpose === purpose)
    .reduce<Operation | undefined>((last, next) => (last && last.attempt > next.attempt ? last : next), undefined);
}

/**
 * What to do about an operation that a state needs: start it, wait for it, try it again, or give up. Null when it has
 * succeeded. An operation without a living owner is given up, never resumed: a new attempt begins by recovering. The
 * back-off counts anew from `hurriedAt`.
 */
export function need(
  wish: OperationWish,
  observed: Observed,
  now: Date,
  hurriedAt: Date | null = null,
): Decision | null {
  const last = lastAttempt(observed.operations, wish.purpose);
  if (!last) return start(wish, 1, observed, `${wish.purpose} begins`);
  switch (last.state) {
    case "succeeded":
      return null;
    case "queued":
    case "running":
      return observed.abandoned.has(last.id)
        ? abandon(last)
        : wait(heartbeatCheckSeconds, `${wish.purpose} is ${last.state}`);
    case "failed":
    case "cancelled":
    case "aborted":
      return again(wish, last, observed, now, hurriedAt);
  }
}

export function abandon(operation: Operation): Decision {
  return {
    action: { do: "abandon_operation", operation },
    reason: `${operation.purpose}: its owner ${operation.owner} shows no sign of life`,
  };
}

/** An operation's end wakes its exchange; so often it is looked at for the case that its owner died, and now its process. */
const heartbeatCheckSeconds = 5;

function again(wish: OperationWish, last: Operation, observed: Observed, now: Date, hurriedAt: Date | null): Decision {
  const error = last.error ?? { code: "UNKNOWN", message: "no reason was recorded", retryable: true };
  const failures = observed.operations.filter(
    ({ purpose, state }) => purpose === wish.purpose && state === "failed",
  ).length;
  if (wish.kind === "up" && (!error.retryable || failures >= maxUpFailures)) {
    return fail({ code: error.code, message: error.message });
  }
  const counted = hurriedAt ? attemptsSince(hurriedAt, wish.purpose, observed.operations) : last.attempt;
  const due = counted === 0 ? now.getTime() : (last.endedAt ?? now).getTime() + backOffSeconds(counted) * 1000;
  const left = (due - now.getTime()) / 1000;
  const why = `${wish.purpose} ${last.state} (attempt ${last.attempt}, ${error.code}: ${error.message})`;
  return left > 0 ? wait(left, `${why}: again soon`) : start(wish, last.attempt + 1, observed, `${why}: again`);
}

function attemptsSince(since: Date, purpose: string, operations: readonly Operation[]): number {
  return operations.filter(({ purpose: of, endedAt }) => of === purpose && endedAt && endedAt > since).length;
}

/** After an operation that did not end by itself, the stack may be locked and have pending operations until one succeeds. */
function start(wish: OperationWish, attempt: number, observed: Observed, reason: string): Decision {
  const since = observed.operations.slice(observed.operations.findLastIndex(({ state }) => state === "succeeded") + 1);
  const recover = since.some(({ state }) => state === "aborted" || state === "cancelled");
  return { action: { do: "operate", wish, attempt, recover }, reason };
}
