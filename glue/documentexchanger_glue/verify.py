"""Proves that every selected row has its row in the destination, by looking for each of them."""

from collections.abc import Sequence

from pymysql.connections import Connection

from .db import patiently, stream
from .idmap import lookup
from .mover import batches
from .plan import TablePlan
from .reading import queries
from .task import Count, Part
from .translate import Placed, Stays, Values, first_columns, id_maps, key_of, place
from .work import Work, pages_of, source_of, target_of
from .writing import existing


def verify_rows(work: Work, part: Part) -> Count:
    """Count the rows of one table that hang on one chunk of documents."""
    return patiently(lambda: _verify(work, part), "checking the copy")


def _verify(work: Work, part: Part) -> Count:
    table, counted = work.plan.tables[part.table], Count()
    needed = {*table.table.primary_key, *first_columns(table)}
    columns = [column for column in table.table.columns.values() if column.name in needed]
    select = ", ".join(column.read("t0") for column in columns)
    with source_of(work.settings) as source, target_of(work.settings) as target:
        for above in pages_of(target, work, part.chunk, table.hangs_on):
            for query in queries(work.plan, table, select, above):
                for found in batches(stream(source, query)):
                    rows = [dict(zip((column.name for column in columns), row, strict=True)) for row in found]
                    counted.add(_look_for(target, work, table, rows))
    return counted


def _look_for(target: Connection, work: Work, table: TablePlan, rows: Sequence[Values]) -> Count:
    columns = first_columns(table)
    maps = id_maps(target, work, table, rows, columns)
    placed = [(row, place(work, table, row, maps, columns)) for row in rows]
    travelling = [(row, found) for row, found in placed if found is not Stays.FOREIGN]
    own: dict[int, int] = {}
    if table.id_column:
        ids = [int(row[table.id_column] or 0) for row, _ in travelling]
        own = lookup(target, work.numbers, table.name, ids)
    keys = [
        key_of(table, row, found, own.get(int(row[table.id_column] or 0), 0) if table.id_column else 0)
        for row, found in travelling
        if isinstance(found, Placed)
    ]
    present = existing(target, table, keys)
    return Count(len(travelling), sum(key in present for key in keys))
