"""Sets the columns that had to wait until all rows were there: parents within a table, circles between tables."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

from pymysql.connections import Connection

from .db import Raw, execute, patiently, quoted, stream
from .holes import despite_holes
from .pages import reading
from .plan import TablePlan
from .stage import batches
from .task import Part
from .translate import Stays, Values, first_columns, id_maps, key_of, place
from .work import Work, source_of, target_of


def patch_rows(work: Work, part: Part) -> Counter[str]:
    """Set the deferred columns of one table for one chunk; return what could not be set, for the report."""
    table = work.plan.tables[part.table]
    return patiently(partial(despite_holes, partial(_patch, part), work, table), f"completing table {part.table}")


def _patch(part: Part, work: Work) -> Counter[str]:
    table = work.plan.tables[part.table]
    notes: Counter[str] = Counter()
    columns = [column for column in table.table.columns.values() if column.name in _needed(table)]
    select = ", ".join(column.read("t0") for column in columns)
    waiting = " OR ".join(f"t0.{quoted(column)} IS NOT NULL" for column in table.deferred)
    with source_of(work.settings) as source, target_of(work.settings) as target:
        for query in reading(source, target, work, table, part.chunk, select, extra=f"({waiting})"):
            for found in batches(stream(source, query)):
                rows = [dict(zip((column.name for column in columns), row, strict=True)) for row in found]
                notes += _patch_rows(target, work, table, rows)
    return notes


def _needed(table: TablePlan) -> set[str]:
    return {*table.table.primary_key, *table.mapped, *table.deferred}


def _patch_rows(target: Connection, work: Work, table: TablePlan, rows: list[Values]) -> Counter[str]:
    notes: Counter[str] = Counter()
    maps = id_maps(target, work, table, rows, [c for c in table.mapped if c not in table.constants], own=True)
    for column in table.deferred:
        values: list[tuple[Sequence[Raw], Raw]] = []
        for row in rows:
            placed = place(work, table, row, maps, first_columns(table))
            own_id = maps[table.name].get(int(row[table.id_column] or 0)) if table.id_column else 0
            if isinstance(placed, Stays) or own_id is None or row[column] is None:
                continue
            value = row[column]
            if column in table.mapped:
                translated = maps[table.mapped[column]].get(int(value or 0))
                if translated is None:
                    notes[f"{table.name}.{column}"] += 1
                    continue
                value = str(translated).encode()
            values.append((key_of(table, row, placed, own_id), value))
        set_column(target, table, column, values)
    return notes


def set_column(target: Connection, table: TablePlan, column: str, values: Iterable[tuple[Sequence[Raw], Raw]]) -> None:
    """Set one column of rows that are named by their primary keys, raw."""
    columns = [table.table.columns[name] for name in (*table.table.primary_key, column)]
    rows = [
        _values([of.literal(part) for of, part in zip(columns, (*key, value), strict=True)]) for key, value in values
    ]
    if rows:
        execute(target, _update(table, column, rows))


def _values(literals: list[bytes]) -> bytes:
    """Name the key's parts k0, k1 … and the value v; in a union the first row's names count."""
    *key, value = literals
    parts = [b"%s AS k%d" % (part, number) for number, part in enumerate(key)]
    return b"SELECT " + b", ".join([*parts, value + b" AS v"])


def _update(table: TablePlan, column: str, values: list[bytes]) -> bytes:
    """Touch only what the job itself left open, so that nobody's later change is undone."""
    primary = table.table.primary_key
    open_value = "IS NULL" if table.table.columns[column].nullable else f"= t.{quoted(primary[0])}"
    on = " AND ".join(f"t.{quoted(name)} = p.k{number}" for number, name in enumerate(primary))
    # A column that stamps updates would otherwise say that the row was changed just now.
    stamps = "".join(
        f", t.{quoted(c.name)} = t.{quoted(c.name)}" for c in table.columns if c.stamps_updates and c.name != column
    )
    return b"".join(
        [
            f"UPDATE {quoted(table.name)} t JOIN (".encode(),
            b" UNION ALL ".join(values),
            f") p ON {on} SET t.{quoted(column)} = p.v{stamps} WHERE t.{quoted(column)} {open_value}".encode(),
        ]
    )
