"""The job's memory in the destination: which row became which. It is what makes every write repeatable."""

from collections.abc import Iterable, Mapping
from itertools import islice

from pymysql.connections import Connection

from .db import execute, fetch
from .errors import MisfitError

#: Table → the number that stands for it in one exchange.
Numbers = Mapping[str, int]

_AT_ONCE = 5000

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
    """CREATE TABLE IF NOT EXISTS exchange_tables (
      -- Stands for one table of one exchange where there is an entry for each row.
      table_no INT UNSIGNED NOT NULL AUTO_INCREMENT,
      exchange_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      table_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
      PRIMARY KEY (table_no),
      UNIQUE KEY exchange_tables_name (exchange_id, table_name)
    ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4""",
    """CREATE TABLE IF NOT EXISTS exchange_id_map (
      table_no INT UNSIGNED NOT NULL,
      source_id BIGINT UNSIGNED NOT NULL,
      target_id BIGINT UNSIGNED NOT NULL,
      -- 1 where a row that the destination had already was used.
      merged TINYINT(1) NOT NULL DEFAULT 0,
      PRIMARY KEY (table_no, source_id)
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
      table_no INT UNSIGNED NOT NULL,
      -- The primary key of a row that has no id of its own, as text.
      row_key VARBINARY(700) NOT NULL,
      -- 1 where a row that the destination had already was used.
      merged TINYINT(1) NOT NULL DEFAULT 0,
      PRIMARY KEY (table_no, row_key)
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
    """Create the job's own tables where they are missing; tables of another build are refused."""
    for table in _TABLES:
        execute(target, table)
    for table, column in (("exchange_id_map", "table_no"), ("exchange_checkpoints", "first_document")):
        if not fetch(target, f"SHOW COLUMNS FROM {table} LIKE %s", (column,)):
            raise MisfitError(
                "BOOKKEEPING_FOREIGN",
                f"table {table} of the destination was made by another build; remove its exchanges with that build,"
                " then drop its tables exchange_*",
            )


def numbers_of(target: Connection, exchange_id: str, tables: Iterable[str]) -> Numbers:
    """Return the numbers that stand for tables of an exchange; those that have none get one."""
    known = _known_numbers(target, exchange_id)
    if missing := sorted(set(tables) - known.keys()):
        execute(
            target,
            "INSERT IGNORE INTO exchange_tables (exchange_id, table_name) VALUES "
            + ", ".join(["(%s, %s)"] * len(missing)),
            tuple(part for table in missing for part in (exchange_id, table)),
        )
        known = _known_numbers(target, exchange_id)
    return known


def _known_numbers(target: Connection, exchange_id: str) -> Numbers:
    rows = fetch(target, "SELECT table_name, table_no FROM exchange_tables WHERE exchange_id = %s", (exchange_id,))
    return {(table or b"").decode(): int(number or 0) for table, number in rows}


def lookup(target: Connection, numbers: Numbers, table: str, source_ids: Iterable[int]) -> dict[int, int]:
    """Return the target ids of those source ids that have one."""
    ids = ",".join(map(str, sorted(set(source_ids))))
    if not ids:
        return {}
    rows = fetch(
        target, f"SELECT source_id, target_id FROM exchange_id_map WHERE {of(numbers, table)} AND source_id IN ({ids})"
    )
    return {int(source or 0): int(found or 0) for source, found in rows}


def record(
    target: Connection,
    numbers: Numbers,
    table: str,
    pairs: Iterable[tuple[int, int]],
    *,
    merged: bool = False,
    replace: bool = False,
) -> None:
    """Remember which row became which; `replace` where a row's earlier counterpart is gone."""
    number = numbers[table]
    values = (f"({number}, {source}, {found}, {int(merged)})" for source, found in pairs)
    again = " ON DUPLICATE KEY UPDATE target_id = VALUES(target_id), merged = VALUES(merged)" if replace else ""
    while some := ", ".join(islice(values, _AT_ONCE)):
        execute(target, f"INSERT INTO exchange_id_map (table_no, source_id, target_id, merged) VALUES {some}{again}")


def of(numbers: Numbers, table: str, alias: str = "") -> str:
    """Return SQL of what singles out the entries of one table of one exchange, in the map or among links."""
    return f"{alias}.table_no = {numbers[table]}" if alias else f"table_no = {numbers[table]}"


def literal(text: str) -> str:
    """Return SQL that stands for a text."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def joined(alias: str, numbers: Numbers, table: str, source_id: str) -> str:
    """Return SQL that joins the map's entry of a row by its id in the source.

    While the map grows the server knows little of it, and might think that reading a whole table's entries is cheap.
    """
    on = f"{of(numbers, table, alias)} AND {alias}.source_id = {source_id}"
    return f"JOIN exchange_id_map {alias} FORCE INDEX (PRIMARY) ON {on}"
