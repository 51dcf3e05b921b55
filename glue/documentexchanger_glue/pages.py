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
#: So many ids are read together where their rows come as one, unless a chunk would be cut in too many places.
_NARROW = 500
_PLACES = 100

#: SQL that singles out what rows hang on, to follow its id, and one more condition.
Place = tuple[str, str]


def pages_of(target: Connection, work: Work, chunk: Chunk, table: str, *, narrow: bool = False) -> Iterator[str]:
    """Yield SQL that singles out those rows of a table whose source ids are in a range, some at a time, ascending."""
    if table in work.shifts:
        yield from _ranges(*work.shifts[table].among(chunk.first, chunk.last), narrow=narrow)
        return
    first = chunk.first
    while page := fetch(
        target,
        f"SELECT source_id FROM exchange_id_map WHERE {of(work.numbers, table)}"
        f" AND source_id BETWEEN {first} AND {chunk.last} ORDER BY source_id LIMIT {_NARROW if narrow else _PAGE}",
    ):
        ids = [int(source or 0) for (source,) in page]
        yield f"IN ({','.join(map(str, ids))})"
        first = ids[-1] + 1


def _ranges(first: int, last: int, *, narrow: bool) -> Iterator[str]:
    width = max(_NARROW if narrow else 1, (last - first) // (_PLACES if narrow else 1) + 1)
    for start in range(first, last + 1, width):
        yield f"BETWEEN {start} AND {min(start + width - 1, last)}"


def places_of(
    source: Connection, target: Connection, work: Work, table: TablePlan, chunk: Chunk, *, whole: bool, narrow: bool
) -> Iterator[Place]:
    """Say where a chunk's rows are; with `whole` it is one of documents, with `narrow` few rows are in one place."""
    if whole or table.name not in work.cut_by_id:
        pages = pages_of(target, work, chunk, ROOT if whole else table.hangs_on, narrow=narrow)
        yield from ((among, "") for among in pages)
        return
    for own in _own_ranges(work, table, chunk, narrow=narrow):
        above = EVERYTHING if table.hangs_on in work.shifts else _above(source, table, own)
        yield from ((among, own) for among in pages_of(target, work, above, table.hangs_on))


def _own_ranges(work: Work, table: TablePlan, chunk: Chunk, *, narrow: bool) -> Iterator[str]:
    """Cut a chunk of a table's own ids, if it is known how far they go."""
    own = f"t0.{quoted(table.id_column or '')}"
    if not narrow or table.name not in work.shifts:
        yield f"{own} BETWEEN {chunk.first} AND {chunk.last}"
        return
    first, last = work.shifts[table.name].among(chunk.first, chunk.last)
    yield from (f"{own} {within}" for within in _ranges(first, last, narrow=True))
    for start, end in ((chunk.first, min(first - 1, chunk.last)), (max(last + 1, chunk.first), chunk.last)):
        if start <= end:
            yield f"{own} BETWEEN {start} AND {end}"


def reading(
    source: Connection,
    target: Connection,
    work: Work,
    table: TablePlan,
    chunk: Chunk,
    select: str,
    extra: str = "",
) -> Iterator[str]:
    """Yield the queries that read a chunk's rows; `extra` is one more condition."""
    for among, own in places_of(source, target, work, table, chunk, whole=False, narrow=False):
        yield from queries(work.plan, table, select, among, " AND ".join(filter(None, (own, extra))))


def _above(source: Connection, table: TablePlan, own: str) -> Chunk:
    """Find the range of the ids that rows hang on: mostly a short one."""
    column = f"t0.{quoted(table.anchor[0])}" if table.anchor else "0"
    sql = f"SELECT COALESCE(MIN({column}), 1), COALESCE(MAX({column}), 0) FROM {quoted(table.name)} t0 WHERE {own}"
    ((first, last),) = fetch(source, sql)
    return Chunk(0, int(first or 0), int(last or 0))
