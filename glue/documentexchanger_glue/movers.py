"""Which mover fits: what the job finds decides, by asking the servers and never by comparing their names."""

import uuid
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

import pymysql
from pymysql.connections import Connection

from .db import fetch, named_lock, number_of, patiently, quoted
from .errors import InvalidInputError
from .mover import describe_rows, measure_rows, stream_rows, verify_rows
from .patch import patch_rows
from .server_side import (
    complete_on_server,
    count_on_server,
    describe_on_server,
    insert_on_server,
    measure_on_server,
)
from .settings import Settings
from .task import Mover
from .work import Pace, source_of, target_of

SERVER_SIDE, STREAMING = "server_side", "streaming"

MOVERS: Mapping[str, Mover] = MappingProxyType(
    {
        SERVER_SIDE: Mover(
            Pace(rows=20_000, grain=100, documents=20_000),
            measure_on_server,
            insert_on_server,
            complete_on_server,
            count_on_server,
            describe_on_server,
        ),
        STREAMING: Mover(
            Pace(rows=10_000, grain=100, documents=10_000),
            measure_rows,
            stream_rows,
            patch_rows,
            verify_rows,
            describe_rows,
        ),
    }
)

_DENIED = frozenset({1044, 1142, 1143})


def chosen_mover(settings: Settings) -> str:
    """Return the mover that was asked for, or the quickest that can do the work."""
    if settings.mover == STREAMING:
        return STREAMING
    fits = patiently(partial(_destination_reads_source, settings), "comparing the servers")
    if settings.mover == SERVER_SIDE and not fits:
        raise InvalidInputError(
            "MOVER_IMPOSSIBLE",
            "--mover server_side needs both cases on one server and a destination login that may read the source;"
            " use auto",
        )
    return SERVER_SIDE if fits else STREAMING


def _destination_reads_source(settings: Settings) -> bool:
    with source_of(settings) as source, target_of(settings) as target:
        return _one_server(source, target) and _may_read(source, target, settings.source_schema)


def _one_server(one: Connection, other: Connection) -> bool:
    """Say whether a lock that one connection takes is seen by the other as that connection's."""
    name = f"exchange-probe:{uuid.uuid4().hex}"
    with named_lock(other, name, 0):
        return fetch(one, "SELECT IS_USED_LOCK(%s)", (name,)) == [(str(other.thread_id()).encode(),)]


def _may_read(source: Connection, target: Connection, schema: str) -> bool:
    """Say whether the destination's login may read every table that the source's login sees."""
    tables = fetch(
        source,
        "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'BASE TABLE'",
        (schema,),
    )
    try:
        for (table,) in tables:
            fetch(target, f"SELECT * FROM {quoted(schema)}.{quoted((table or b'').decode())} LIMIT 0")
    except pymysql.MySQLError as cause:
        if number_of(cause) in _DENIED:
            return False
        raise
    return True
