import type { ColumnType, Generated } from "kysely";
import type { excludedState, selectionStage, Stage, UnitState } from "../../contracts/ledger.ts";
import type { ExchangeState, FinalState } from "../../contracts/states.ts";
import type { OperationKind, OperationState } from "../exchange/record.ts";

/** JSON columns are written as text; MySQL gives them back parsed, MariaDB as text: read them with `fromJson`. */
export type Json = ColumnType<unknown, string, string>;
export type NullableJson = ColumnType<unknown, string | null, string | null>;

interface ExchangeTable {
  /** Grows in the order of acceptance; pages and fairness follow it. */
  seq: Generated<number>;
  id: string;
  state: ExchangeState;
  state_since: Date;
  /** Unique while the exchange answers to its idempotency key; null once a failed one gave its natural key free. */
  dedupe_key: string | null;
  request_hash: string;
  subject: string;
  source_case_id: number;
  destination_case_id: number;
  batch_id: string;
  request: Json;
  selected: number;
  created_at: Date;
  updated_at: Date;
  /** When the exchange should next be looked at. */
  wake_at: Date;
  /** Grows with every fact that comes from outside, so that a worker notices what arrived while it worked. */
  signals: number;
  /** Privileged and held-back documents that the selection held when the request was accepted; null where unknown. */
  privileged_selected: number | null;
  privileged_copied: NullableJson;
  lease_owner: string | null;
  lease_until: Date | null;
  waiting: string | null;
  outputs: NullableJson;
  uploader_told_at: Date | null;
  uploader_released_at: Date | null;
  uploader_silent_since: Date | null;
  execution_arn: string | null;
  copy_finished_at: Date | null;
  payload: NullableJson;
  failure: NullableJson;
  drain_round: number;
  quiet_since: Date | null;
  table_rows: NullableJson;
  outcome: FinalState | null;
  records: NullableJson;
  cancel_requested_at: Date | null;
  hurried_at: Date | null;
}

interface TransitionTable {
  id: Generated<number>;
  exchange_id: string;
  from_state: ExchangeState | null;
  to_state: ExchangeState;
  reason: string;
  at: Date;
}

interface OperationTable {
  id: string;
  exchange_id: string;
  kind: OperationKind;
  purpose: string;
  attempt: number;
  state: OperationState;
  owner: string;
  pid: number | null;
  heartbeat_at: Date;
  cancel_requested: number;
  error: NullableJson;
  created_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
}

interface OutboxTable {
  id: Generated<number>;
  /** The event's id; a message that is written twice is sent as one. */
  message_id: string;
  exchange_id: string;
  channel: "topic" | "orchestration";
  body: Json;
  delay_seconds: number;
  attempts: number;
  next_at: Date;
  created_at: Date;
  published_at: Date | null;
}

interface InboxTable {
  event_id: string;
  exchange_id: string;
  event_type: string;
  received_at: Date;
}

interface LedgerTable {
  exchange_id: string;
  stage: Stage | typeof selectionStage;
  unit_id: string;
  document_id: string;
  state: UnitState | typeof excludedState;
  event_id: string;
  error: NullableJson;
  redactions_fetched: number | null;
  redactions_branded: number | null;
  redactions_layered: number | null;
  redactions_left: number | null;
  removed: NullableJson;
  occurred_at: Date;
}

interface StatusTable {
  exchange_id: string;
  status: string;
  event_id: string;
  detail: Json;
  occurred_at: Date;
}

export interface RegistrySchema {
  exchanges: ExchangeTable;
  transitions: TransitionTable;
  operations: OperationTable;
  outbox: OutboxTable;
  inbox: InboxTable;
  exchange_documents: LedgerTable;
  exchange_statuses: StatusTable;
  /** One row a thing that only one transaction may decide at a time. */
  gates: { name: string };
}
