"""A chunk's rows in the source, read some at a time where they must be named one by one."""

from collections.abc import Iterator

from pymysql.connections import Connection

from .db import fetch, quoted
from .domain import ROOT
from .idmap import of
from .plan import TablePlan
from .reading import queries
from .work import EVERYTHING, Chunk, Work

_PAGE = 1000


def pages_of(target: Connection, work: Work, chunk: Chunk, table: str) -> Iterator[str]:
    """Yield SQL that singles out those rows of a table whose source ids are in a range, some at a time, ascending."""
    if table in work.shifts:
        first, last = work.shifts[table].among(chunk.first, chunk.last)
        if first <= last:
            yield f"BETWEEN {first} AND {last}"
        return
    first = chunk.first
    while page := fetch(
        target,
        f"SELECT source_id FROM exchange_id_map WHERE {of(work.numbers, table)}"
        f" AND source_id BETWEEN {first} AND {chunk.last} ORDER BY source_id LIMIT {_PAGE}",
    ):
        ids = [int(source or 0) for (source,) in page]
        yield f"IN ({','.join(map(str, ids))})"
        first = ids[-1] + 1


def reading(
    source: Connection,
    target: Connection,
    work: Work,
    table: TablePlan,
    chunk: Chunk,
    select: str,
    *,
    extra: str = "",
    whole: bool = False,
) -> Iterator[str]:
    """Yield the queries that read a chunk's rows; `extra` and `whole` as `queries` takes them."""
    above = chunk
    if table.name in work.cut_by_id and not whole:
        own = f"t0.{quoted(table.id_column or '')} BETWEEN {chunk.first} AND {chunk.last}"
        extra = f"{own} AND {extra}" if extra else own
        above = EVERYTHING if table.hangs_on in work.shifts else _above(source, table, own)
    for among in pages_of(target, work, above, ROOT if whole else table.hangs_on):
        yield from queries(work.plan, table, select, among, extra, whole=whole)


def _above(source: Connection, table: TablePlan, own: str) -> Chunk:
    """Find the range of the ids that rows hang on: mostly a short one."""
    column = f"t0.{quoted(table.anchor[0])}" if table.anchor else "0"
    sql = f"SELECT COALESCE(MIN({column}), 1), COALESCE(MAX({column}), 0) FROM {quoted(table.name)} t0 WHERE {own}"
    ((first, last),) = fetch(source, sql)
    return Chunk(0, int(first or 0), int(last or 0))
