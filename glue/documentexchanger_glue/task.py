"""One table for one chunk of documents: the piece of work that movers do, check in, and may do again at any time."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from .ranges import IdRange
from .work import Chunk, Work


@dataclass(frozen=True)
class Task:
    """One table for one chunk of documents, and the ids for its new rows."""

    table: str
    chunk: Chunk
    ids: IdRange


@dataclass
class Moved:
    """What a mover did."""

    table: str
    read: int = 0
    written: int = 0
    #: `table` or `table.column` → rows that could not travel, or lost this value.
    notes: Counter[str] = field(default_factory=Counter)


class Mover(Protocol):
    """Moves the rows of one task; rows that are there stay as they are, and what is missing is written."""

    def __call__(self, work: Work, task: Task) -> Moved:
        """Move them."""
