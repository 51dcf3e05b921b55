"""The job's memory in the destination: which row became which. It is what makes every write repeatable."""

from collections.abc import Iterable

from pymysql.connections import Connection

from .db import execute, fetch

_TABLES = (
    """CREATE TABLE IF NOT EXISTS exchange_copies (
      exchange_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      source_case_id INT UNSIGNED NOT NULL,
      batch_id VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      -- Names what was asked for; a run that asks for something else is refused.
      request_hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      documents_per_part INT UNSIGNED NOT NULL,
      -- Set when the selected documents are in the map; from then on the selection stands.
      selected_at DATETIME(6) NULL,
      finished_at DATETIME(6) NULL,
      PRIMARY KEY (exchange_id)
    ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4""",
    """CREATE TABLE IF NOT EXISTS exchange_id_map (
      exchange_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      table_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
      source_id BIGINT UNSIGNED NOT NULL,
      target_id BIGINT UNSIGNED NOT NULL,
      -- 1 where a row that the destination had already was used.
      merged TINYINT(1) NOT NULL DEFAULT 0,
      PRIMARY KEY (exchange_id, table_name, source_id)
    ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4""",
    """CREATE TABLE IF NOT EXISTS exchange_id_ranges (
      exchange_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      table_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
      chunk INT UNSIGNED NOT NULL,
      first_id BIGINT UNSIGNED NOT NULL,
      size BIGINT UNSIGNED NOT NULL,
      PRIMARY KEY (exchange_id, table_name, chunk),
      KEY exchange_id_ranges_table (table_name, first_id)
    ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4""",
    """CREATE TABLE IF NOT EXISTS exchange_checkpoints (
      exchange_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      table_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
      chunk INT UNSIGNED NOT NULL,
      -- The documents whose rows these are, by the range of their ids in the source.
      first_document BIGINT UNSIGNED NOT NULL,
      last_document BIGINT UNSIGNED NOT NULL,
      -- As many as there were when the chunk was cut.
      total_rows BIGINT UNSIGNED NOT NULL,
      -- From here on: set in the transaction that writes the rows.
      read_rows BIGINT UNSIGNED NULL,
      written_rows BIGINT UNSIGNED NOT NULL DEFAULT 0,
      -- Sum of the rows' CRC-32, the same in the source, translated, and in the destination.
      checksum BIGINT UNSIGNED NOT NULL DEFAULT 0,
      -- JSON: what could not travel, in the report's words, and how many rows lost it.
      notes TEXT CHARACTER SET utf8mb4 NULL,
      PRIMARY KEY (exchange_id, table_name, chunk)
    ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4""",
    """CREATE TABLE IF NOT EXISTS exchange_links (
      exchange_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      table_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
      -- The primary key of a row that has no id of its own, as text.
      row_key VARBINARY(700) NOT NULL,
      -- 1 where a row that the destination had already was used.
      merged TINYINT(1) NOT NULL DEFAULT 0,
      PRIMARY KEY (exchange_id, table_name, row_key)
    ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4""",
    """CREATE TABLE IF NOT EXISTS exchange_kept (
      exchange_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      table_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
      -- A row that a removal leaves, and what it is left for.
      row_key VARBINARY(700) NOT NULL,
      because VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
      PRIMARY KEY (exchange_id, table_name, row_key)
    ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4""",
    """CREATE TABLE IF NOT EXISTS exchange_removals (
      exchange_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      table_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
      removed_rows BIGINT UNSIGNED NOT NULL,
      PRIMARY KEY (exchange_id, table_name)
    ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4""",
)


def ensure_tables(target: Connection) -> None:
    """Create the job's own tables where they are missing."""
    for table in _TABLES:
        execute(target, table)


def lookup(target: Connection, exchange_id: str, table: str, source_ids: Iterable[int]) -> dict[int, int]:
    """Return the target ids of those source ids that have one."""
    ids = ",".join(map(str, sorted(set(source_ids))))
    if not ids:
        return {}
    rows = fetch(
        target,
        "SELECT source_id, target_id FROM exchange_id_map"
        f" WHERE exchange_id = %s AND table_name = %s AND source_id IN ({ids})",
        (exchange_id, table),
    )
    return {int(source or 0): int(found or 0) for source, found in rows}


def record(
    target: Connection,
    exchange_id: str,
    table: str,
    pairs: Iterable[tuple[int, int]],
    *,
    merged: bool = False,
    replace: bool = False,
) -> None:
    """Remember which row became which; `replace` where a row's earlier counterpart is gone."""
    values = [f"(%s, %s, {source}, {found}, {int(merged)})" for source, found in pairs]
    again = " ON DUPLICATE KEY UPDATE target_id = VALUES(target_id), merged = VALUES(merged)" if replace else ""
    for start in range(0, len(values), 1000):
        some = values[start : start + 1000]
        execute(
            target,
            "INSERT INTO exchange_id_map (exchange_id, table_name, source_id, target_id, merged) VALUES"
            f" {', '.join(some)}{again}",
            (exchange_id, table) * len(some),
        )


def of(exchange_id: str, table: str, alias: str = "") -> str:
    """Return SQL of what singles out the entries of one table of one exchange, in any table of the job's own."""
    exchange, name = entry(exchange_id, table)
    prefix = f"{alias}." if alias else ""
    return f"{prefix}exchange_id = {exchange} AND {prefix}table_name = {name}"


def entry(exchange_id: str, table: str) -> tuple[str, str]:
    """Return SQL literals of the first two columns of the map's key."""
    return literal(exchange_id), literal(table)


def literal(text: str) -> str:
    """Return SQL that stands for a text."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def joined(alias: str, exchange_id: str, table: str, source_id: str) -> str:
    """Return SQL that joins the map's entry of a row by its id in the source.

    While the map grows the server knows little of it, and might think that reading a whole table's entries is cheap.
    """
    on = f"{of(exchange_id, table, alias)} AND {alias}.source_id = {source_id}"
    return f"JOIN exchange_id_map {alias} FORCE INDEX (PRIMARY) ON {on}"
