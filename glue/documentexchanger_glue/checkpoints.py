"""What is done: a line for each table and chunk, written with the rows themselves. An attempt begins where they end."""

import json
from collections import Counter

from pymysql.connections import Connection

from .db import execute, fetch
from .task import Moved

_WRITE = (
    "INSERT INTO exchange_checkpoints (exchange_id, table_name, chunk, read_rows, written_rows, notes)"
    " VALUES (%s, %s, %s, %s, %s, %s) ON DUPLICATE KEY UPDATE read_rows = VALUES(read_rows),"
    " written_rows = written_rows + VALUES(written_rows), notes = VALUES(notes)"
)


def check_in(target: Connection, exchange_id: str, chunk: int, moved: Moved) -> None:
    """Note that all rows of one table and chunk are written."""
    notes = json.dumps(moved.notes, sort_keys=True)
    execute(target, _WRITE, (exchange_id, moved.table, chunk, moved.read, moved.written, notes))


def checked_in(target: Connection, exchange_id: str) -> dict[tuple[str, int], Moved]:
    """Return what earlier attempts and rounds finished, by table and chunk."""
    rows = fetch(
        target,
        "SELECT table_name, chunk, read_rows, written_rows, notes FROM exchange_checkpoints WHERE exchange_id = %s",
        (exchange_id,),
    )
    return {
        (name, int(chunk or 0)): Moved(name, int(read or 0), int(written or 0), Counter(json.loads(notes or b"{}")))
        for table, chunk, read, written, notes in rows
        for name in [(table or b"").decode()]
    }
