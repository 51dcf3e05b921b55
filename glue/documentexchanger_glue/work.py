"""What a Spark task is told: small, free of secrets, and the same on every attempt."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from pymysql.connections import Connection

from .db import connection, fetch
from .domain import ROOT
from .plan import Plan
from .secrets import fetch_login
from .settings import Settings


@dataclass(frozen=True)
class Chunk:
    """Some of the selected documents, by the range of their source ids; also one part of the manifest."""

    number: int
    first: int
    last: int


@dataclass(frozen=True)
class Work:
    """One record copy, planned."""

    settings: Settings
    plan: Plan
    #: Bit of a confidentiality code in the source → its bit in the destination.
    bits: Mapping[int, int] = field(default_factory=dict)


@contextmanager
def source_of(settings: Settings) -> Iterator[Connection]:
    """Open the source case; the server refuses every write on this connection."""
    with connection(fetch_login(settings.source_secret_id), settings.source_schema, read_only=True) as source:
        yield source


@contextmanager
def target_of(settings: Settings) -> Iterator[Connection]:
    """Open the destination case."""
    with connection(fetch_login(settings.target_secret_id), settings.target_schema) as target:
        yield target


def documents_of(target: Connection, settings: Settings, chunk: Chunk) -> dict[int, int]:
    """Return the chunk's documents: source id → target id."""
    rows = fetch(
        target,
        "SELECT source_id, target_id FROM exchange_id_map WHERE exchange_id = %s AND table_name = %s"
        " AND source_id BETWEEN %s AND %s ORDER BY source_id",
        (settings.exchange_id, ROOT, chunk.first, chunk.last),
    )
    return {int(source or 0): int(found or 0) for source, found in rows}
