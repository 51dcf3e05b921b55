"""Rows into the destination: only those that are not there yet, many to a statement."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from pymysql.connections import Connection

from .db import execute, fetch, quoted
from .errors import MisfitError
from .idmap import Numbers
from .links import Key, record_links
from .plan import TablePlan

#: Statements are kept near this size; a row that is larger goes alone.
STATEMENT_BYTES = 512 * 1024


@dataclass(frozen=True)
class NewRow:
    """A row as it will stand in the destination."""

    #: Raw values of the primary key, in its order.
    key: Key
    #: SQL literals in the order of the plan's columns.
    literals: Sequence[bytes]


def existing(target: Connection, table: TablePlan, keys: Iterable[Key]) -> set[Key]:
    """Return those keys that the destination has."""
    wanted = set(keys)
    if not wanted:
        return set()
    names = ", ".join(quoted(name) for name in table.table.primary_key).encode()
    sql = b"SELECT %s FROM %s WHERE %s" % (names, quoted(table.name).encode(), _among(table, wanted))
    return {tuple(value or b"" for value in row) for row in fetch(target, sql)} & wanted


def _among(table: TablePlan, keys: AbstractSet[Key]) -> bytes:
    """Return SQL of whether a row has one of these primary keys."""
    primary = [table.table.columns[name] for name in table.table.primary_key]
    names = ", ".join(quoted(column.name) for column in primary).encode()
    literals = [[column.literal(value) for column, value in zip(primary, key, strict=True)] for key in sorted(keys)]
    # The first column by itself lets the server use the key's index where it cannot for whole rows.
    first = b"%s IN (%s)" % (quoted(primary[0].name).encode(), b",".join({key[0] for key in literals}))
    if len(primary) == 1:
        return first
    return b"%s AND (%s) IN (%s)" % (first, names, b",".join(b"(" + b",".join(key) + b")" for key in literals))


def insert_missing(target: Connection, numbers: Numbers, table: TablePlan, rows: Sequence[NewRow]) -> None:
    """Write the rows that are not there yet, and remember which were and which were not.

    What is written belongs together: the caller opens a transaction.
    """
    present = existing(target, table, (row.key for row in rows))
    record_links(target, numbers, table.table, sorted(present), merged=True)
    missing = list({row.key: row for row in rows if row.key not in present}.values())
    if not missing:
        return
    record_links(target, numbers, table.table, (row.key for row in missing))
    names = ", ".join(quoted(column.name) for column in table.columns)
    head = f"INSERT INTO {quoted(table.name)} ({names}) VALUES ".encode()
    execute_rows(target, table.name, head, (b",".join(row.literals) for row in missing))


def execute_rows(target: Connection, table: str, head: bytes, rows: Iterable[bytes]) -> None:
    """Write rows, each given as its values, many to a statement."""
    most = _largest_statement(target) - len(head)
    some: list[bytes] = []
    size = 0
    for row in rows:
        if len(row) + 2 >= most:
            raise MisfitError(
                "ROW_TOO_LARGE", f"a row of table {table} is larger than max_allowed_packet of the destination"
            )
        if some and size + len(row) + 3 >= min(STATEMENT_BYTES, most):
            execute(target, head + b"(" + b"),(".join(some) + b")")
            some, size = [], 0
        some.append(row)
        size += len(row) + 3
    if some:
        execute(target, head + b"(" + b"),(".join(some) + b")")


def _largest_statement(target: Connection) -> int:
    ((size,),) = fetch(target, "SELECT @@max_allowed_packet")
    return int(size or 0) - 1024
