"""The job's memory in the destination: which row became which. It is what makes every write repeatable."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from pymysql.connections import Connection

from .db import execute, fetch, quoted, transaction
from .domain import ROOT
from .errors import MisfitError
from .plan import TablePlan
from .shifts import Shift, Shifts

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
      -- Where it is set: what is added to the ids of the source from the first to the last, which have no entries.
      shifted_by BIGINT NULL,
      first_source BIGINT UNSIGNED NULL,
      last_source BIGINT UNSIGNED NULL,
      -- 1 where the table's chunks are ranges of its own ids, and not of what its rows hang on.
      cut_by_id TINYINT(1) NOT NULL DEFAULT 0,
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
      -- Ids in the source: of the rows themselves where the table is cut by them, else of what these hang on.
      first_source BIGINT UNSIGNED NOT NULL,
      last_source BIGINT UNSIGNED NOT NULL,
      -- About as many as there were when the chunk was cut.
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

#: Columns by which tables of this build are known.
_SIGNS = (
    ("exchange_id_map", "table_no"),
    ("exchange_checkpoints", "first_source"),
    ("exchange_tables", "shifted_by"),
)


def ensure_tables(target: Connection) -> None:
    """Create the job's own tables where they are missing; tables of another build are refused."""
    for table in _TABLES:
        execute(target, table)
    for table, column in _SIGNS:
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


def shifts_of(target: Connection, exchange_id: str, *, held: bool = False) -> Shifts:
    """Return what is shifted; `held`: and stays so until the transaction ends."""
    rows = fetch(
        target,
        "SELECT table_name, shifted_by, first_source, last_source FROM exchange_tables"
        f" WHERE exchange_id = %s{' LOCK IN SHARE MODE' if held else ''}",
        (exchange_id,),
    )
    return {
        (table or b"").decode(): Shift(int(by), int(first or 0), int(last or 0))
        for table, by, first, last in rows
        if by is not None
    }


def remember_shift(target: Connection, numbers: Numbers, table: str, shift: Shift, *, cut_by_id: bool = False) -> None:
    """Remember how the ids of a table are shifted, of which no row has come yet."""
    execute(
        target,
        f"UPDATE exchange_tables SET shifted_by = {shift.by}, first_source = {shift.first}, last_source = {shift.last},"
        f" cut_by_id = {int(cut_by_id)} WHERE {of(numbers, table)}",
    )


def cut_by_id(target: Connection, exchange_id: str) -> frozenset[str]:
    """Name the tables whose chunks are ranges of their own ids."""
    sql = "SELECT table_name FROM exchange_tables WHERE exchange_id = %s AND cut_by_id"
    return frozenset((table or b"").decode() for (table,) in fetch(target, sql, (exchange_id,)))


def spell_out(target: Connection, exchange_id: str, numbers: Numbers, tables: Iterable[TablePlan]) -> bool:
    """Enter rows of shifted tables into the map one by one, as they are; say whether there was such a table."""
    with transaction(target):
        # Who writes rows of these tables has ended when this is answered, and waits from then on.
        fetch(target, "SELECT 1 FROM exchange_tables WHERE exchange_id = %s FOR UPDATE", (exchange_id,))
        shifts = shifts_of(target, exchange_id)
        shifted = {table.name: table for table in tables if table.name in shifts}
        for name, table in shifted.items():
            if name == ROOT:
                # All of these were selected, whatever became of them.
                ids = range(shifts[name].first, shifts[name].last + 1)
                record(target, numbers, name, ((source, source + shifts[name].by) for source in ids))
            else:
                _enter_rows(target, numbers, table, shifts[name])
            execute(target, f"UPDATE exchange_tables SET shifted_by = NULL WHERE {of(numbers, name)}")
    return bool(shifted)


def _enter_rows(target: Connection, numbers: Numbers, table: TablePlan, shift: Shift) -> None:
    key = quoted(table.id_column or "")
    execute(
        target,
        "INSERT INTO exchange_id_map (table_no, source_id, target_id)"
        f" SELECT {numbers[table.name]}, {key} - {shift.by}, {key} FROM {quoted(table.name)}"
        f" WHERE {key} BETWEEN {shift.first + shift.by} AND {shift.last + shift.by}",
    )


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


@dataclass(frozen=True)
class Entry:
    """How SQL tells the id in the destination of a row of the source."""

    #: NULL where the row has none.
    target_id: str
    #: Whether it has one.
    is_known: str
    #: What must be joined for it, if anything.
    join: str = ""


def entry_of(alias: str, numbers: Numbers, shifts: Shifts, table: str, source_id: str) -> Entry:
    """Return SQL that tells a row's id in the destination by that in the source.

    While the map grows the server knows little of it, and might think that reading a whole table's entries is cheap.
    """
    if table in shifts:
        is_known = shifts[table].contains(source_id)
        return Entry(f"IF({is_known}, {shifts[table].moved(source_id)}, NULL)", is_known)
    on = f"{of(numbers, table, alias)} AND {alias}.source_id = {source_id}"
    return Entry(
        f"{alias}.target_id",
        f"{alias}.target_id IS NOT NULL",
        f"JOIN exchange_id_map {alias} FORCE INDEX (PRIMARY) ON {on}",
    )
