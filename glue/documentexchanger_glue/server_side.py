"""The mover for two cases on one server: the rows never leave it.

A task is one short transaction: entries of the id map, rows, checkpoint. Under READ COMMITTED the server reads the
source without locks.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TypeGuard

import pymysql
from pymysql.connections import Connection

from .checkpoints import check_in
from .db import DUPLICATE, Row, execute, fetch, number_of, patiently, stream, transaction
from .domain import EXHIBITS, FILES, ROOT
from .errors import MisfitError
from .holes import despite_holes, refers_to_hole
from .idmap import of, shifts_of, spell_out
from .manifest import line
from .patch import set_column
from .plan import TablePlan
from .ranges import IdRange, TooFewIdsError, set_aside_more
from .server_sets import described, describing, measuring, waiting
from .server_sql import Statements, give_ids, recounting, statements, verifying
from .survey import Measuring, Survey
from .task import Claim, Count, Moved, Part, Task
from .work import Chunk, Work, target_of

_UPDATED_AT_ONCE = 1000
_LONGEST_LIST = 1 << 30


def measure_on_server(work: Work, part: Part) -> Survey:
    """Measure what one table holds for one chunk of documents."""

    def measure() -> Survey:
        asked, found = Measuring(work, work.plan.tables[part.table]), Survey()
        with target_of(work.settings) as target:
            for query in measuring(work, asked, part.chunk):
                found.add(asked.survey(fetch(target, query)))
        return found

    return patiently(measure, "measuring the selection")


def insert_on_server(work: Work, task: Task) -> Moved:
    """Move rows by statements of the destination's server, which has the source's schema too."""

    def move() -> Moved:
        with target_of(work.settings) as target:
            return moved_by(target, work, task)

    return patiently(move, f"copying table {task.table}")


def moved_by(target: Connection, work: Work, task: Task, *, staged: bool = False) -> Moved:
    """Move rows by statements of one connection; `staged`: it has the rows of the source itself."""
    settings, table = work.settings, work.plan.tables[task.table]
    collapsing = _collapsing(target, work, table)
    ids, is_fresh = task.ids, True
    while True:
        try:
            with transaction(target):
                now = replace(work, shifts=shifts_of(target, settings.exchange_id, held=True))
                sql = statements(now, table, task.chunk, collapsing, staged=staged)
                return _move_with(target, work, task, sql, ids, is_fresh=is_fresh)
        except TooFewIdsError as few:
            ids = set_aside_more(target, settings.target_schema, settings.exchange_id, table.table, few.wanted)
        except _UnnumberedError:
            spell_out(target, settings.exchange_id, work.numbers, [table])
        except pymysql.IntegrityError as cause:
            if refers_to_hole(target, work, table, cause):
                continue
            # Rows are there already: an earlier attempt's, or links that somebody made meanwhile.
            if number_of(cause) != DUPLICATE or not is_fresh:
                raise
            is_fresh = False


class _UnnumberedError(Exception):
    """The source has got rows that have no id yet."""


def _move_with(target: Connection, work: Work, task: Task, sql: Statements, ids: IdRange, *, is_fresh: bool) -> Moved:
    if sql.without_ids:
        given = execute(target, give_ids(work, work.plan.tables[task.table], sql.without_ids, ids.first))
        if given > ids.size:
            raise TooFewIdsError(given)
    moved = Moved(task.table)
    for insert in sql.inserts if is_fresh else sql.inserts_missing:
        if insert.links:
            execute(target, insert.links)
        moved.written += execute(target, insert.rows)
    found = 0
    for query in sql.reconciling:
        count, belong, unnumbered, keys, *notes, wanted, there, written = (int(n or 0) for n in fetch(target, query)[0])
        if unnumbered:
            raise _UnnumberedError
        moved.read += count
        moved.count.add(Count(belong, there))
        moved.keys += keys
        moved.checksum += wanted
        found += written
        moved.notes.update({name: number for name, number in zip(sql.notes, notes, strict=True) if number})
    # Fresh rows, which nobody else has seen yet, are what was read.
    if is_fresh and not sql.twins and moved.checksum != found:
        raise MisfitError(
            "CHECKSUM_DIFFERS",
            f"rows of table {task.table} changed on their way into the destination; nothing was kept",
        )
    check_in(target, work.settings.exchange_id, task.chunk.number, moved)
    return moved


def complete_on_server(work: Work, part: Part) -> Counter[str]:
    """Set the deferred columns of one table for one chunk; return what could not be set, for the report."""

    def complete(work: Work) -> Counter[str]:
        table, lost = work.plan.tables[part.table], Counter[str]()
        with target_of(work.settings) as reading, target_of(work.settings) as target:
            for column in table.deferred:
                for query in waiting(work, table, column, part.chunk):
                    for rows in _batches(stream(reading, query)):
                        values = [(key, value) for *key, value in rows if value is not None]
                        set_column(target, table, column, values)
                        lost[f"{table.name}.{column}"] += len(rows) - len(values)
        return lost

    return patiently(
        partial(despite_holes, complete, work, work.plan.tables[part.table]), f"completing table {part.table}"
    )


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while some := list(islice(rows, _UPDATED_AT_ONCE)):
        yield some


def count_on_server(work: Work, claim: Claim) -> Count:
    """Count the rows of one table that hang on one chunk of documents, by statements of the server."""

    def count() -> Count:
        table = work.plan.tables[claim.part.table]
        with target_of(work.settings) as target:
            if still_holds(claim.moved, target, recounting(work, table, claim.part.chunk)):
                return claim.moved.count
            return counted_by(target, work, claim.part)

    return patiently(count, "checking the copy")


def still_holds(moved: Moved | None, source: Connection, queries: Iterable[str]) -> TypeGuard[Moved]:
    """Say whether the source has the rows that were moved, and no others; `queries`: of `recounting`'s kind."""
    if moved is None:
        return False
    counted = [fetch(source, query)[0] for query in queries]
    rows, keys = (sum(int(row[position] or 0) for row in counted) for position in (0, 1))
    return (rows, keys) == (moved.read, moved.keys)


def counted_by(target: Connection, work: Work, part: Part, *, staged: bool = False) -> Count:
    """Count rows by statements of one connection, as in `moved_by`."""
    found = Count()
    for query in verifying(work, work.plan.tables[part.table], part.chunk, staged=staged):
        ((source, there),) = fetch(target, query)
        found.add(Count(int(source or 0), int(there or 0)))
    return found


def describe_on_server(work: Work, chunk: Chunk) -> list[str]:
    """Return the lines of the manifest for one chunk of documents."""

    def describe() -> list[str]:
        with target_of(work.settings) as target:
            return described_by(target, work, chunk)

    return patiently(describe, "writing the manifest")


def described_by(
    target: Connection, work: Work, chunk: Chunk, fill: Callable[[str, Sequence[str]], None] | None = None
) -> list[str]:
    """Return the lines by statements of one connection; `fill` stages columns of a table where it has to be."""
    execute(target, f"SET SESSION group_concat_max_len = {_LONGEST_LIST}")
    told: dict[str, dict[int, str]] = {}
    for name, columns in described(work).items():
        if fill:
            fill(name, columns)
        told[name] = _joined(target, describing(work, name, chunk, staged=fill is not None))
    return [
        line(head, told[EXHIBITS].get(document, ""), told[FILES].get(document, ""))
        for document, head in sorted(told[ROOT].items())
    ]


def _joined(target: Connection, queries: Iterable[str]) -> dict[int, str]:
    """Put together what each way gives for a document."""
    found: dict[int, str] = {}
    for query in queries:
        for document, text in fetch(target, query):
            before = found.get(int(document or 0))
            found[int(document or 0)] = (f"{before}, " if before else "") + (text or b"").decode()
    return found


def _collapsing(target: Connection, work: Work, table: TablePlan) -> list[str]:
    """Name the lookups in the table's key of which several rows became one; rows that name them may then be twins."""
    lookups = {table.mapped.get(name, "") for name in table.table.primary_key} & set(work.plan.lookups)
    return [name for name in sorted(lookups) if _collapsed(target, work, name)]


def _collapsed(target: Connection, work: Work, lookup: str) -> bool:
    sql = f"SELECT COUNT(*) > COUNT(DISTINCT target_id) FROM exchange_id_map WHERE {of(work.numbers, lookup)}"
    return fetch(target, sql) == [(b"1",)]
