import type { RowDataPacket } from "mysql2/promise";
import type { Stage, UnitState } from "../../../contracts/ledger.ts";
import type { ExchangeState } from "../../../contracts/states.ts";
import type { Reader } from "../../check/case-rows.ts";
import type { RegistryFacts } from "./facts.ts";

const schema = "documentexchanger";

/** Reads what the registry holds of the exchanges into one destination case. */
export async function readRegistry(
  connection: Reader,
  destinationCaseId: number,
  exchangeId: string | undefined,
): Promise<RegistryFacts> {
  const rows = async <Row>(sql: string, value: unknown): Promise<Row[]> => {
    const [found] = await connection.query<RowDataPacket[]>(sql.replaceAll("@", `${schema}.`), [value]);
    return found as Row[];
  };
  const id = exchangeId ?? "";
  const [exchanges, transitions, operations, outbox, ledger, statuses] = await Promise.all([
    rows<{ id: string; state: ExchangeState; waiting: string | null }>(
      "SELECT id, state, waiting FROM @exchanges WHERE destination_case_id = ? ORDER BY seq",
      destinationCaseId,
    ),
    rows<{ from: ExchangeState | null; to: ExchangeState }>(
      "SELECT from_state AS `from`, to_state AS `to` FROM @transitions WHERE exchange_id = ? ORDER BY id",
      id,
    ),
    rows<{ purpose: string }>(
      "SELECT purpose FROM @operations WHERE exchange_id = ? AND state IN ('queued', 'running')",
      id,
    ),
    rows<{ name: string }>("SELECT message_id AS name FROM @outbox WHERE exchange_id = ? AND published_at IS NULL", id),
    rows<{ stage: Stage; fileId: string; documentId: string; state: UnitState }>(
      "SELECT stage, unit_id AS fileId, document_id AS documentId, state FROM @exchange_documents WHERE exchange_id = ?",
      id,
    ),
    rows<{ status: string }>("SELECT status FROM @exchange_statuses WHERE exchange_id = ?", id),
  ]);
  return {
    exchanges,
    transitions,
    openOperations: operations.map(({ purpose }) => purpose),
    unpublished: outbox.map(({ name }) => name),
    ledger,
    status: statuses[0]?.status,
  };
}
