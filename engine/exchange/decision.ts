import type { WireError } from "../../contracts/errors.ts";
import type { EventType } from "../../contracts/events.ts";
import type { FinalState } from "../../contracts/states.ts";
import type { Phase } from "../../programs/exchange/config.ts";
import type { LivingState, Deadlines } from "./deadlines.ts";
import type { Operation, RecordsFate } from "./record.ts";

/** One Pulumi operation that a state needs before it can go on. */
export type OperationWish =
  | { readonly kind: "up"; readonly purpose: string; readonly phase: Phase }
  | { readonly kind: "destroy"; readonly purpose: string };

export type Action =
  | { readonly do: "wait"; readonly seconds: number }
  | {
      readonly do: "move";
      readonly to: LivingState | FinalState;
      readonly events?: readonly EventType[];
      /** Send the delayed message that makes the engine look again. */
      readonly recheck?: boolean;
      readonly failure?: WireError;
      /** The failure is the cause of the one that the record may have, and takes its place. */
      readonly isCause?: true;
      readonly outcome?: FinalState;
      readonly records?: RecordsFate;
    }
  | {
      readonly do: "operate";
      readonly wish: OperationWish;
      readonly attempt: number;
      /** The attempt before died with its owner: free the lock and settle pending operations first. */
      readonly recover: boolean;
    }
  | { readonly do: "abandon_operation"; readonly operation: Operation }
  | { readonly do: "cancel_operation"; readonly operation: Operation }
  | { readonly do: "tell_uploader" }
  | { readonly do: "release_uploader" }
  | { readonly do: "start_execution" }
  | { readonly do: "stop_execution" }
  | { readonly do: "stop_runs"; readonly runIds: readonly string[] }
  | { readonly do: "remove_records" }
  | { readonly do: "read_payload_from_manifest" }
  | { readonly do: "fail_missing_units" }
  | { readonly do: "note_quiet"; readonly quiet: boolean }
  | { readonly do: "remove_leftovers"; readonly leftovers: readonly string[] };

/** What to do next and why; the reason is the log line and the history's entry. */
export interface Decision {
  readonly action: Action;
  readonly reason: string;
  /** What was asked for takes a while to be seen: look again after these seconds and not at once. */
  readonly pauseSeconds?: number;
}

/** The configured times that decisions depend on. */
export interface Settings {
  readonly deadlineMinutes: Deadlines;
  readonly pollSeconds: number;
  readonly settlingSeconds: number;
  /** How long an uploader that cannot be reached keeps an exchange from going. */
  readonly releaseSeconds: number;
}

export function wait(seconds: number, reason: string): Decision {
  return { action: { do: "wait", seconds }, reason };
}

export function fail(failure: WireError): Decision {
  return { action: { do: "move", to: "FAILING", failure }, reason: `${failure.code}: ${failure.message}` };
}
