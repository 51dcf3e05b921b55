"""What a Spark task is told: small, free of secrets, and the same on every attempt."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from pymysql.connections import Connection

from .db import connection, execute, named_lock, patiently
from .idmap import Numbers
from .plan import Plan
from .secrets import fetch_login
from .settings import Settings
from .shifts import Shifts

_GUARD_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class Chunk:
    """Some of the selected documents, or of the rows that others hang on, by the range of their source ids."""

    number: int
    first: int
    last: int


#: All ids that a table can hold.
EVERYTHING = Chunk(0, 0, (1 << 64) - 1)


@dataclass(frozen=True)
class Pace:
    """How much is done at once."""

    #: Rows of one task, unless more hang on rows whose ids are close together.
    rows: int
    #: So many ids that follow each other stay together.
    grain: int
    #: Documents that are surveyed together.
    documents: int


@dataclass(frozen=True)
class Work:
    """One record copy, planned."""

    settings: Settings
    plan: Plan
    pace: Pace
    #: Table → the number that stands for it in the job's own tables.
    numbers: Numbers = field(default_factory=dict)
    #: What is shifted, as far as it was known when this was written down.
    shifts: Shifts = field(default_factory=dict)
    #: Tables whose chunks are ranges of their own ids.
    cut_by_id: frozenset[str] = frozenset()
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


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Keep other runs of this exchange out, by a connection of its own that does nothing else."""

    def enter() -> ExitStack:
        with ExitStack() as stack:
            guard = stack.enter_context(target_of(settings))
            execute(guard, f"SET SESSION wait_timeout = {_GUARD_SECONDS}")
            stack.enter_context(named_lock(guard, f"exchange:{settings.exchange_id}", 60))
            return stack.pop_all()

    with patiently(enter, "locking the exchange"):
        yield
