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
    #: Of the rows in the destination, whatever their order.
    checksum: int = 0
    #: `table` or `table.column` → rows that could not travel, or lost this value.
    notes: Counter[str] = field(default_factory=Counter)


@dataclass
class Count:
    """Rows that travel, and those of them that were found in the destination."""

    source: int = 0
    target: int = 0

    def add(self, other: "Count") -> None:
        """Take in what was counted elsewhere."""
        self.source += other.source
        self.target += other.target


class Move(Protocol):
    """Moves the rows of one task; rows that are there stay as they are, and what is missing is written."""

    def __call__(self, work: Work, task: Task) -> Moved:
        """Move them."""


class Verify(Protocol):
    """Counts the rows of every owned table that hang on one chunk of documents."""

    def __call__(self, work: Work, chunk: Chunk) -> dict[str, Count]:
        """Count them."""


@dataclass(frozen=True)
class Mover:
    """A way for rows to travel, and to see that they have arrived."""

    move: Move
    verify: Verify
