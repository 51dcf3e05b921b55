"""Ids for new rows, set aside before they are used.

A range lies above everything that the table holds, and the table's AUTO_INCREMENT counter is raised past it before the
range is used: nobody who works in the destination meanwhile can be given one of its ids.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

import pymysql
from pymysql.connections import Connection

from .catalogue import Table
from .db import execute, fetch, named_lock, number_of, quoted
from .errors import DatabaseError

_LOCK_WAIT_TIMEOUT = 1205
#: How long others may have to queue behind us.
LOCK_SECONDS = 2
_ATTEMPTS = 40
#: Ranges that a chunk takes when the source has grown since its own was measured are numbered from here.
EXTRA = 1 << 30


@dataclass(frozen=True)
class IdRange:
    """Target ids that belong to one chunk of one table of one exchange."""

    first: int = 1
    size: int = 0


class TooFewIdsError(Exception):
    """The source has grown since a range was set aside; so many ids are needed."""

    def __init__(self, wanted: int) -> None:
        super().__init__(wanted)
        self.wanted = wanted


def set_aside(
    target: Connection, schema: str, exchange_id: str, table: Table, sizes: Mapping[int, int]
) -> dict[int, IdRange]:
    """Give every chunk its range of ids; a chunk that got one in an earlier attempt, and did not use it, keeps it."""
    ranges = {
        int(chunk or 0): IdRange(int(first or 0), int(size or 0))
        for chunk, first, size in fetch(
            target,
            "SELECT chunk, first_id, size FROM exchange_id_ranges WHERE exchange_id = %s AND table_name = %s",
            (exchange_id, table.name),
        )
    }
    wanted = {chunk: size for chunk, size in sizes.items() if size and chunk not in ranges}
    if wanted:
        with _reserving(target, schema):
            first = _reserve(target, table, sum(wanted.values()))
            for chunk, size in wanted.items():
                ranges[chunk] = IdRange(first, size)
                first += size
            _record(target, exchange_id, table.name, {chunk: ranges[chunk] for chunk in wanted})
    return {chunk: ranges.get(chunk, IdRange()) for chunk in sizes}


def set_aside_more(target: Connection, schema: str, exchange_id: str, table: Table, size: int) -> IdRange:
    """Give a chunk more ids, because the source has grown since its range was measured."""
    with _reserving(target, schema):
        ((last,),) = fetch(
            target,
            "SELECT MAX(chunk) FROM exchange_id_ranges WHERE exchange_id = %s AND table_name = %s",
            (exchange_id, table.name),
        )
        more = IdRange(_reserve(target, table, size), size)
        _record(target, exchange_id, table.name, {max(int(last or 0) + 1, EXTRA): more})
    return more


def _reserving(target: Connection, schema: str):  # noqa: ANN202 (the context manager of named_lock)
    return named_lock(target, f"exchange-ids:{schema}", 60)


def _record(target: Connection, exchange_id: str, table: str, ranges: Mapping[int, IdRange]) -> None:
    execute(
        target,
        "INSERT INTO exchange_id_ranges (exchange_id, table_name, chunk, first_id, size) VALUES "
        + ", ".join(f"(%s, %s, {chunk}, {ids.first}, {ids.size})" for chunk, ids in ranges.items()),
        (exchange_id, table) * len(ranges),
    )


def _reserve(target: Connection, table: Table, size: int) -> int:
    """Return the first of `size` ids that are free and will not be given to anybody else."""
    name, key = quoted(table.name), quoted(table.primary_key[0])
    first = max(_highest(target, name, key), _highest_range(target, table.name)) + 1
    if not table.columns[table.primary_key[0]].auto_increment:
        return first
    for _ in range(_ATTEMPTS):
        first = max(first, _counter(target, name))
        # In-place: the counter alone changes. It waits for open transactions on the table, so none can have an id of
        # the range without its row being visible afterwards.
        _without_long_wait(
            target, f"ALTER TABLE {name} AUTO_INCREMENT = {first + size}, ALGORITHM = INPLACE, LOCK = NONE"
        )
        highest = _highest(target, name, key)
        if highest < first:
            return first
        first = highest + 1
    raise DatabaseError("IDS_CONTENDED", f"no range of {size} ids could be set aside in table {table.name}; try again")


def _without_long_wait(target: Connection, alter: str) -> None:
    """Give up quickly and try again, so that those who work in the destination do not queue behind us."""
    execute(target, f"SET SESSION lock_wait_timeout = {LOCK_SECONDS}")
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            execute(target, alter)
        except pymysql.MySQLError as cause:
            if number_of(cause) != _LOCK_WAIT_TIMEOUT or attempt == _ATTEMPTS:
                raise
            time.sleep(0.5)
        else:
            return


def _counter(target: Connection, name: str) -> int:
    # The information schema may be a day old on MySQL 8; this is what the table really has.
    ((_, definition),) = fetch(target, f"SHOW CREATE TABLE {name}")
    options = (definition or b"").rpartition(b")")[2]
    found = re.search(rb"AUTO_INCREMENT=(\d+)", options)
    return int(found[1]) if found else 1


def _highest(target: Connection, name: str, key: str) -> int:
    ((highest,),) = fetch(target, f"SELECT MAX({key}) FROM {name}")
    return max(int(highest or 0), 0)


def _highest_range(target: Connection, table: str) -> int:
    ((highest,),) = fetch(
        target, "SELECT MAX(first_id + size - 1) FROM exchange_id_ranges WHERE table_name = %s", (table,)
    )
    return int(highest or 0)
