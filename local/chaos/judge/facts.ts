import type { FileRole } from "../../../contracts/manifest.ts";
import type { Stage, UnitState } from "../../../contracts/ledger.ts";
import type { ExchangeState, FinalState } from "../../../contracts/states.ts";
import type { Examination } from "../../check/check.ts";
import type { ExchangeView } from "../../platform/client.ts";

/** Everything that an outsider has found out about one run; nothing of it was told by a log. */
export interface Facts {
  /** What the caller was answered; absent when no request was ever answered with 202. */
  readonly exchangeId: string | undefined;
  /** The states in which the exchange may have ended. */
  readonly ends: readonly FinalState[];
  /** How many files may not arrive, and have to be told as failed. */
  readonly costs: number;
  /** The API has promised the end as CANCELLED. */
  readonly cancelled: boolean;
  /** The API's last word; absent when the exchange had not ended in time. */
  readonly view: ExchangeView | undefined;
  /** What the API says became of the records of an exchange that did not finish; they stay or go as a whole. */
  readonly records: "none" | "kept" | "removed" | "partial" | "undecided" | undefined;
  /** What the API says was copied, by table. */
  readonly rows: Readonly<Record<string, { source: number; target: number }>> | undefined;
  /** Files as the API lists them. */
  readonly documents: readonly Unit[];
  readonly registry: RegistryFacts;
  /** What was published about the lives of exchanges, in the order of arrival; doubles included. */
  readonly events: readonly PublishedEvent[];
  /** Every file that the selection means. */
  readonly planned: readonly PlannedFile[];
  /** Source ids of the files that the manifest on S3 lists. */
  readonly manifest: readonly string[];
  /** What the uploader remembers of each file that it was handed. */
  readonly uploader: ReadonlyMap<string, "SUCCESS" | "ERROR">;
  /** Messages in each long-lived queue, whatever their state. */
  readonly queues: Readonly<Record<string, number>>;
  /** Both cases and the account. */
  readonly examination: Examination;
  /** State in Pulumi's backend, processes, folders and runs that are still there. */
  readonly remains: readonly string[];
}

export interface RegistryFacts {
  /** Every exchange into the run's destination case. */
  readonly exchanges: readonly {
    readonly id: string;
    readonly state: ExchangeState;
    readonly waiting: string | null;
  }[];
  readonly transitions: readonly { readonly from: ExchangeState | null; readonly to: ExchangeState }[];
  /** Operations that have not ended, by their purpose. */
  readonly openOperations: readonly string[];
  /** Messages that never left. */
  readonly unpublished: readonly string[];
  readonly ledger: readonly Unit[];
  /** What users of the product are shown. */
  readonly status: string | undefined;
}

/** One file in one stage. */
export interface Unit {
  readonly stage: Stage;
  readonly fileId: string;
  readonly documentId: string;
  readonly state: UnitState;
}

export interface PublishedEvent {
  readonly eventId: string;
  readonly eventType: string;
  readonly body: string;
}

export interface PlannedFile {
  readonly fileId: string;
  readonly documentId: string;
  readonly role: FileRole;
}
