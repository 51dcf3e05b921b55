"""Rows of a case on another server, put into a table that only one connection to the destination sees while it lives.

The source's server writes the rows as SQL itself, so that they pass through this process untouched.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pymysql.connections import Connection

from .catalogue import Column
from .db import Row, execute, fetch, fetch_clean, quoted, stream
from .derive_sql import MORE, STAGE
from .errors import MisfitError
from .pages import places_of
from .plan import TablePlan
from .reading import queries
from .task import Part
from .work import Work
from .writing import STATEMENT_BYTES, execute_rows

_ROWS = 2000
_BYTES = 1024 * 1024

#: Ends one row's values and begins the next one's.
_BETWEEN = b"),("


def stage(
    source: Connection, target: Connection, work: Work, part: Part, names: Sequence[str], *, whole: bool = False
) -> None:
    """Put the named columns of a part's rows into the table `STAGE`; ids stay those of the source.

    `whole`: the part is one of documents, whatever the table hangs on.
    """
    table = work.plan.tables[part.table]
    columns = [table.table.columns[name] for name in names]
    more = MORE.get(table.name, "NULL")
    keys = {name for name in names if name == table.id_column or name in table.mapped}
    execute(target, f"DROP TEMPORARY TABLE IF EXISTS {STAGE}")
    held = ", ".join(_held(column, is_key=column.name in keys) for column in columns)
    execute(
        target,
        f"CREATE TEMPORARY TABLE {STAGE} (more LONGTEXT CHARACTER SET utf8mb4 NULL) ENGINE=InnoDB"
        f" AS SELECT {held} FROM {quoted(table.name)} LIMIT 0",
    )
    # Bytes come as they are: in digits they would be twice as long.
    texts, blobs = ([c for c in columns if c.comes_as_bytes is wanted] for wanted in (False, True))
    written = (
        "CONCAT("
        + ", ',', ".join([f"QUOTE(CONVERT({more} USING utf8mb4))", *(c.as_sql(f"t0.{quoted(c.name)}") for c in texts)])
        + ")"
    )
    compared = [c for c in columns if c in table.compared]
    into = ", ".join(["more", *(quoted(column.name) for column in (*texts, *blobs))])
    head = f"INSERT INTO {STAGE} ({into}) VALUES ".encode()
    told = Telling(_checksum(compared, keys), written, tuple(blobs))
    checksums: list[int] = []
    places = places_of(source, target, work, table, part.chunk, whole=whole, narrow=not blobs)
    queries_at = (partial(queries, work.plan, table, among=among, extra=own, whole=whole) for among, own in places)
    execute_rows(target, table.name, head, _told(source, table, told, queries_at, checksums))
    ((staged,),) = fetch(target, f"SELECT COALESCE(SUM({_checksum(compared, keys)}), 0) FROM {STAGE} t0")
    if int(staged or 0) != sum(checksums):
        raise MisfitError(
            "CHECKSUM_DIFFERS", f"rows of table {table.name} changed on their way to the destination; run it again"
        )


@dataclass(frozen=True)
class Telling:
    """How the source tells a row: by SQL of its checksum and of its values as SQL, and by bytes as they are."""

    checksum: str
    written: str
    blobs: tuple[Column, ...] = ()

    @property
    def together(self) -> str:
        """Select rows as one: what they add up to, and all their values."""
        return f"SUM({self.checksum}), GROUP_CONCAT({self.written} SEPARATOR '{_BETWEEN.decode()}')"

    @property
    def one_by_one(self) -> str:
        """Select rows each by itself."""
        return ", ".join([self.checksum, self.written, *(f"t0.{quoted(column.name)}" for column in self.blobs)])


def _told(
    source: Connection,
    table: TablePlan,
    telling: Telling,
    places: Iterable[Callable[[str], list[str]]],
    checksums: list[int],
) -> Iterator[bytes]:
    """Yield rows as SQL, those of one place together where they are not too long for that; note what they add up to."""
    execute(source, f"SET SESSION group_concat_max_len = {STATEMENT_BYTES}")
    for queries_for in places:
        for together, one_by_one in zip(queries_for(telling.together), queries_for(telling.one_by_one), strict=True):
            found = None if telling.blobs else fetch_clean(source, together)
            if found is None:
                for row in stream(source, one_by_one):
                    checksums.append(int(row[0] or 0))
                    yield _values(table, row, telling.blobs)
            elif found[1] is not None:
                checksums.append(int(found[0] or 0))
                yield found[1]


def _held(column: Column, *, is_key: bool) -> str:
    name = quoted(column.name)
    return f"CAST({name} AS UNSIGNED) AS {name}" if is_key and column.is_integer else name


def _checksum(columns: Sequence[Column], keys: set[str]) -> str:
    ids = {column.name for column in columns if column.name in keys and column.is_integer}
    values = [(column, f"t0.{quoted(column.name)}") for column in columns]
    printed = [f"COALESCE({value} + 0, '~')" if c.name in ids else c.printed(value) for c, value in values]
    # A checksum of nothing, where nothing is compared, is the same everywhere.
    listed = ", ".join(["'#'", "''", *printed])
    return f"CRC32(CONCAT_WS({listed}))"


def _values(table: TablePlan, row: Row, blobs: Sequence[Column]) -> bytes:
    _, written, *raw = row
    if written is None:
        raise MisfitError(
            "ROW_TOO_LARGE", f"a row of table {table.name} is larger than max_allowed_packet of the source"
        )
    return b",".join([written, *(column.literal(value) for column, value in zip(blobs, raw, strict=True))])


def batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Cut a stream of rows into pieces of bounded size."""
    some: list[Row] = []
    size = 0
    for row in rows:
        some.append(row)
        size += sum(len(value) for value in row if value)
        if len(some) >= _ROWS or size >= _BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some
