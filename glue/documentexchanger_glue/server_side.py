"""The mover for two cases on one server: the rows never leave it.

A task is one short transaction: entries of the id map, rows, checkpoint. Under READ COMMITTED the server reads the
source without locks.
"""

from functools import partial

from pymysql.connections import Connection

from .checkpoints import check_in
from .db import execute, fetch, patiently, transaction
from .idmap import entry
from .plan import TablePlan
from .ranges import IdRange, set_aside_more
from .server_sql import Statements, give_ids, statements
from .task import Moved, Task
from .work import Work, target_of


class _TooFewIdsError(Exception):
    """The source has grown since the range was set aside."""

    def __init__(self, wanted: int) -> None:
        super().__init__(wanted)
        self.wanted = wanted


def insert_on_server(work: Work, task: Task) -> Moved:
    """Move rows by statements of the destination's server, which has the source's schema too."""
    return patiently(partial(_move, work, task), f"copying table {task.table}")


def _move(work: Work, task: Task) -> Moved:
    settings, table = work.settings, work.plan.tables[task.table]
    with target_of(settings) as target:
        sql = statements(work, table, task.chunk, _collapsing(target, work, table))
        ids = task.ids
        while True:
            try:
                return _move_with(target, work, task, sql, ids)
            except _TooFewIdsError as few:
                ids = set_aside_more(target, settings.target_schema, settings.exchange_id, table.table, few.wanted)


def _move_with(target: Connection, work: Work, task: Task, sql: Statements, ids: IdRange) -> Moved:
    with transaction(target):
        if sql.without_ids:
            _give_ids(target, work, work.plan.tables[task.table], sql.without_ids, ids)
        moved = Moved(task.table)
        for query in sql.counts:
            ((count, *notes),) = fetch(target, query)
            moved.read += int(count or 0)
            moved.notes.update(
                {name: int(note or 0) for name, note in zip(sql.notes, notes, strict=True) if int(note or 0)}
            )
        is_fresh = not any(fetch(target, probe) for probe in sql.probes)
        moved.written = sum(execute(target, insert) for insert in (sql.inserts if is_fresh else sql.inserts_missing))
        check_in(target, work.settings.exchange_id, task.chunk.number, moved)
    return moved


def _give_ids(target: Connection, work: Work, table: TablePlan, without_ids: str, ids: IdRange) -> None:
    """Enter the rows into the map that it lacks, under the ids of the range that follow those in use."""
    exchange_id, name = entry(work.settings.exchange_id, table.name)
    end = ids.first + ids.size
    ((last,),) = fetch(
        target,
        f"SELECT MAX(target_id) FROM exchange_id_map WHERE exchange_id = {exchange_id} AND table_name = {name}"
        f" AND target_id >= {ids.first} AND target_id < {end}",
    )
    first = ids.first if last is None else int(last) + 1
    given = execute(target, give_ids(work, table, without_ids, first))
    if given > end - first:
        raise _TooFewIdsError(given)


def _collapsing(target: Connection, work: Work, table: TablePlan) -> list[str]:
    """Name the lookups in the table's key of which several rows became one; rows that name them may then be twins."""
    lookups = {table.mapped.get(name, "") for name in table.table.primary_key} & set(work.plan.lookups)
    return [name for name in sorted(lookups) if _collapsed(target, work.settings.exchange_id, name)]


def _collapsed(target: Connection, exchange_id: str, lookup: str) -> bool:
    exchange, name = entry(exchange_id, lookup)
    sql = (
        "SELECT COUNT(*) > COUNT(DISTINCT target_id) FROM exchange_id_map"
        f" WHERE exchange_id = {exchange} AND table_name = {name}"
    )
    return fetch(target, sql) == [(b"1",)]
