import type { WireError } from "../../contracts/errors.ts";
import type { PayloadDetail } from "../../contracts/events.ts";
import type { ExchangeContext } from "../../contracts/ids.ts";
import type { CopyReport, PrivilegedCounts } from "../../contracts/manifest.ts";
import type { ExchangeRequest } from "../../contracts/request.ts";
import type { ExchangeState, FinalState } from "../../contracts/states.ts";
import type { ExchangeOutputs } from "../../programs/exchange/config.ts";

/** An exchange as the registry holds it. Times are the database's clock, UTC. */
export interface ExchangeRecord {
  readonly id: string;
  readonly state: ExchangeState;
  readonly stateSince: Date;
  readonly context: ExchangeContext;
  readonly request: ExchangeRequest;
  /** How many documents the selection held when the request was accepted. */
  readonly selected: number;
  readonly facts: Facts;
  /** Why the exchange stays where it is; for people. */
  readonly waiting: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/**
 * What is known to have happened, in whatever order it became known. Decisions rest on facts, never on the order in
 * which events arrived.
 */
export interface Facts {
  /** ARNs and URLs of the exchange's stack, once it was up. */
  readonly outputs: ExchangeOutputs | null;
  readonly uploaderToldAt: Date | null;
  readonly uploaderReleasedAt: Date | null;
  /** Since when every command to the uploader has failed; null once one was sent. */
  readonly uploaderSilentSince: Date | null;
  readonly executionArn: string | null;
  readonly copyFinishedAt: Date | null;
  /** What each stage will see; present once every message of the payload was sent. */
  readonly payload: PayloadDetail | null;
  /** The cause of a failure that an event told of, or of the state that failed first. */
  readonly failure: WireError | null;
  /** How often draining began; each round has its own operations. */
  readonly drainRound: number;
  /** Since when every queue has been seen empty. */
  readonly quietSince: Date | null;
  /** Rows of each table as the record copy reported them. */
  readonly rows: CopyReport["rows"] | null;
  /** Privileged and held-back documents that the selection held when the request was accepted; null where unknown. */
  readonly privilegedSelected: number | null;
  /** The same as the record copy found and treated them, later. */
  readonly privilegedCopied: PrivilegedCounts | null;
  /** The final state that the destruction leads to. */
  readonly outcome: FinalState | null;
  /** What became of the rows that the record copy wrote; known once the destruction begins. */
  readonly records: RecordsFate | null;
  /** Since when the exchange is to end as cancelled. */
  readonly cancelRequestedAt: Date | null;
  /** When an operator last asked for the destruction at once: failures before it delay nothing. */
  readonly hurriedAt: Date | null;
}

/**
 * Rows are kept whole or removed whole. `none`: no copy ever ran. `kept`: the copy had finished. `removed`: it had not,
 * and what it had written was taken out. `partial`: rows on which somebody's work hangs had to stay, or taking out failed, as
 * the error says.
 */
export type RecordsFate =
  { readonly fate: "none" | "kept" | "removed" } | { readonly fate: "partial"; readonly error: WireError };

export const noFacts: Facts = {
  outputs: null,
  uploaderToldAt: null,
  uploaderReleasedAt: null,
  uploaderSilentSince: null,
  executionArn: null,
  copyFinishedAt: null,
  payload: null,
  failure: null,
  drainRound: 0,
  quietSince: null,
  rows: null,
  privilegedSelected: null,
  privilegedCopied: null,
  outcome: null,
  records: null,
  cancelRequestedAt: null,
  hurriedAt: null,
};

export type OperationKind = "up" | "destroy";
export type OperationState = "queued" | "running" | "succeeded" | "failed" | "cancelled" | "aborted";

/** One attempt of one Pulumi operation; the row is written before the operation starts. */
export interface Operation {
  readonly id: string;
  readonly kind: OperationKind;
  /** What it is for: `provision`, `drain:1`, `flush:1`, `destroy`. */
  readonly purpose: string;
  readonly attempt: number;
  readonly state: OperationState;
  readonly owner: string;
  readonly pid: number | null;
  readonly heartbeatAt: Date;
  readonly endedAt: Date | null;
  readonly error: (WireError & { retryable: boolean }) | null;
  readonly cancelRequested: boolean;
}
