"""What there is to do and what is done: a line for each table and chunk, cut once, filled in with the rows themselves.

An attempt begins where these lines end.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping

from pymysql.connections import Connection

from .db import execute, fetch
from .ranges import EXTRA
from .task import Moved
from .work import EVERYTHING, Chunk, Pace


def cut(counts: Mapping[int, int], pace: Pace, number: int) -> list[tuple[Chunk, int]]:
    """Cut a table into chunks of about equally many rows; `counts`: rows by grain of what they are cut by.

    The first chunk has this number. Pure.
    """
    chunks: list[tuple[Chunk, int]] = []
    first = rows = 0
    for grain in sorted(counts):
        if rows and rows + counts[grain] > pace.rows:
            last = grain * pace.grain - 1
            chunks.append((Chunk(number + len(chunks), first, last), rows))
            first, rows = last + 1, 0
        rows += counts[grain]
    # Chunks of a table cover all ids, so that rows which appear later belong to one of them.
    return [*chunks, (Chunk(number + len(chunks), first, EVERYTHING.last), rows)]


def plan_chunks(target: Connection, exchange_id: str, table: str, counts: Mapping[int, int], pace: Pace) -> None:
    """Cut a table, unless that was done before."""
    known = "SELECT 1 FROM exchange_checkpoints WHERE exchange_id = %s AND table_name = %s LIMIT 1"
    if fetch(target, known, (exchange_id, table)):
        return
    # Ranges that a removal has left behind are not used again.
    ((after,),) = fetch(
        target,
        "SELECT COALESCE(MAX(chunk) + 1, 0) FROM exchange_id_ranges"
        " WHERE exchange_id = %s AND table_name = %s AND chunk < %s",
        (exchange_id, table, EXTRA),
    )
    chunks = cut(counts, pace, int(after or 0))
    lines = (f"(%s, %s, {chunk.number}, {chunk.first}, {chunk.last}, {rows})" for chunk, rows in chunks)
    execute(
        target,
        "INSERT INTO exchange_checkpoints (exchange_id, table_name, chunk, first_source, last_source, total_rows)"
        f" VALUES {', '.join(lines)}",
        (exchange_id, table) * len(chunks),
    )


def planned(target: Connection, exchange_id: str, tables: Iterable[str]) -> list[tuple[str, Chunk, int]]:
    """Return the chunks of some tables, table by table, and the rows that they had when they were cut."""
    return [
        (table, Chunk(int(number or 0), int(first or 0), int(last or 0)), int(rows or 0))
        for table in tables
        for number, first, last, rows in fetch(
            target,
            "SELECT chunk, first_source, last_source, total_rows FROM exchange_checkpoints"
            " WHERE exchange_id = %s AND table_name = %s ORDER BY chunk",
            (exchange_id, table),
        )
    ]


def check_in(target: Connection, exchange_id: str, chunk: int, moved: Moved) -> None:
    """Note that all rows of one table and chunk are written."""
    notes = json.dumps(moved.notes, sort_keys=True)
    execute(
        target,
        "UPDATE exchange_checkpoints SET read_rows = %s, written_rows = written_rows + %s, checksum = %s, notes = %s"
        " WHERE exchange_id = %s AND table_name = %s AND chunk = %s",
        (moved.read, moved.written, moved.checksum, notes, exchange_id, moved.table, chunk),
    )


def checked_in(target: Connection, exchange_id: str) -> dict[tuple[str, int], Moved]:
    """Return what is done, by table and chunk."""
    rows = fetch(
        target,
        "SELECT table_name, chunk, read_rows, written_rows, checksum, notes FROM exchange_checkpoints"
        " WHERE exchange_id = %s AND read_rows IS NOT NULL",
        (exchange_id,),
    )
    return {
        (name, int(chunk or 0)): Moved(
            name, int(read or 0), int(written or 0), int(checksum or 0), Counter(json.loads(notes or b"{}"))
        )
        for table, chunk, read, written, checksum, notes in rows
        for name in [(table or b"").decode()]
    }


def how_far(target: Connection, exchange_id: str) -> dict[str, tuple[int, int]]:
    """Return the rows of every table that are done, and all of them."""
    rows = fetch(
        target,
        "SELECT table_name, COALESCE(SUM(read_rows), 0), SUM(COALESCE(read_rows, total_rows))"
        " FROM exchange_checkpoints WHERE exchange_id = %s GROUP BY table_name ORDER BY table_name",
        (exchange_id,),
    )
    return {(table or b"").decode(): (int(done or 0), int(total or 0)) for table, done, total in rows}
