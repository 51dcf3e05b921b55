"""Rows into the destination: only those that are not there yet, many to a statement."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from pymysql.connections import Connection

from .db import execute, fetch, quoted
from .errors import MisfitError
from .idmap import Numbers, record
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
    #: Checksum of what is read.
    checksum: int | None = None


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


def insert_missing(
    target: Connection, numbers: Numbers, table: TablePlan, rows: Sequence[NewRow], *, shared: bool = False
) -> int:
    """Write the rows that are not there yet, and remember which became which; return how many were new.

    What is written belongs together: the caller opens a transaction.
    `shared`: rows that are there already may serve others too, so that they are used is remembered as well.
    """
    present = existing(target, table, (row.key for row in rows))
    if shared:
        record_links(target, numbers, table.table, sorted(present), merged=True)
    missing = list({row.key: row for row in rows if row.key not in present}.values())
    pairs = [row.pair for row in rows if row.pair]
    if not missing and not pairs:
        return 0
    head = b"INSERT INTO %s (%s) VALUES " % (
        quoted(table.name).encode(),
        ", ".join(quoted(column.name) for column in table.columns).encode(),
    )
    most = _largest_statement(target) - len(head)
    record(target, numbers, table.name, pairs)
    if not table.id_column:
        record_links(target, numbers, table.table, (row.key for row in missing))
    for values in _statements(table, missing, most):
        execute(target, head + values)
    _must_be_equal(target, table, [row for row in missing if row.checksum is not None])
    return len(missing)


def _must_be_equal(target: Connection, table: TablePlan, rows: Sequence[NewRow]) -> None:
    """Compare what was written with what was read, while nobody else can have changed it."""
    if not rows:
        return
    parts = ", ".join(column.printed(f"t.{quoted(column.name)}") for column in table.compared)
    sql = f"SELECT SUM(CRC32(CONCAT_WS('#', {parts}))) FROM {quoted(table.name)} t WHERE ".encode()
    ((found,),) = fetch(target, sql + _among(table, {row.key for row in rows}))
    if int(found or 0) != sum(row.checksum or 0 for row in rows):
        raise MisfitError(
            "CHECKSUM_DIFFERS", f"rows of table {table.name} changed on their way into the destination; run it again"
        )


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
