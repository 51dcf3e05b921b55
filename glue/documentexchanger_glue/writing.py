"""Rows into the destination: only those that are not there yet, many to a statement, in short transactions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pymysql.connections import Connection

from .db import execute, fetch, quoted, transaction
from .errors import MisfitError
from .idmap import record
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
    #: The row's own entry in the id map, unless it has one already or needs none.
    pair: tuple[int, int] | None = None


def existing(target: Connection, table: TablePlan, keys: Iterable[Key]) -> set[Key]:
    """Return those keys that the destination has."""
    primary = [table.table.columns[name] for name in table.table.primary_key]
    wanted = sorted(set(keys))
    if not wanted:
        return set()
    literals = [[column.literal(value) for column, value in zip(primary, key, strict=True)] for key in wanted]
    # The first column by itself lets the server use the key's index where it cannot for whole rows.
    first = b"%s IN (%s)" % (quoted(primary[0].name).encode(), b",".join({key[0] for key in literals}))
    names = ", ".join(quoted(column.name) for column in primary).encode()
    rows = b",".join(b"(" + b",".join(key) + b")" for key in literals)
    sql = b"SELECT %s FROM %s WHERE %s" % (names, quoted(table.name).encode(), first)
    if len(primary) > 1:
        sql += b" AND (%s) IN (%s)" % (names, rows)
    return {tuple(value or b"" for value in row) for row in fetch(target, sql)} & set(wanted)


def insert_missing(
    target: Connection, exchange_id: str, table: TablePlan, rows: Sequence[NewRow], *, shared: bool = False
) -> int:
    """Write the rows that are not there yet, and remember which became which; return how many were new.

    `shared`: rows that are there already may serve others too, so that they are used is remembered as well.
    """
    present = existing(target, table, (row.key for row in rows))
    if shared:
        record_links(target, exchange_id, table.table, sorted(present), merged=True)
    missing = list({row.key: row for row in rows if row.key not in present}.values())
    pairs = [row.pair for row in rows if row.pair]
    if not missing and not pairs:
        return 0
    head = b"INSERT INTO %s (%s) VALUES " % (
        quoted(table.name).encode(),
        ", ".join(quoted(column.name) for column in table.columns).encode(),
    )
    most = _largest_statement(target) - len(head)
    with transaction(target):
        record(target, exchange_id, table.name, pairs)
        if not table.id_column:
            record_links(target, exchange_id, table.table, (row.key for row in missing))
        for values in _statements(table, missing, most):
            execute(target, head + values)
    return len(missing)


def _statements(table: TablePlan, rows: Sequence[NewRow], most: int) -> Iterator[bytes]:
    some: list[bytes] = []
    size = 0
    for row in rows:
        values = b"(" + b",".join(row.literals) + b")"
        if len(values) >= most:
            raise MisfitError(
                "ROW_TOO_LARGE", f"a row of table {table.name} is larger than max_allowed_packet of the destination"
            )
        if some and size + len(values) >= min(STATEMENT_BYTES, most):
            yield b",".join(some)
            some, size = [], 0
        some.append(values)
        size += len(values) + 1
    if some:
        yield b",".join(some)


def _largest_statement(target: Connection) -> int:
    ((size,),) = fetch(target, "SELECT @@max_allowed_packet")
    return int(size or 0) - 1024
