"""One table for one chunk of documents: the piece of work that movers do, check in, and may do again at any time."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from .ranges import IdRange
from .survey import Survey
from .work import Chunk, Pace, Work


@dataclass(frozen=True)
class Part:
    """One table for one chunk of documents."""

    table: str
    chunk: Chunk


@dataclass(frozen=True)
class Task(Part):
    """A part that is to be moved, and ids for its new rows that nothing has used yet."""

    ids: IdRange


@dataclass
class Count:
    """Rows that travel, and those of them that were found in the destination."""

    source: int = 0
    target: int = 0

    def add(self, other: "Count") -> None:
        """Take in what was counted elsewhere."""
        self.source += other.source
        self.target += other.target


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
    #: What was there when all was written, and a checksum of the source rows' keys; not remembered.
    count: Count = field(default_factory=Count)
    keys: int = 0


class Measure(Protocol):
    """Measures what one table holds for one chunk of documents; only reads."""

    def __call__(self, work: Work, part: Part) -> Survey:
        """Measure it."""


class Move(Protocol):
    """Moves the rows of one task; rows that are there stay as they are, and what is missing is written."""

    def __call__(self, work: Work, task: Task) -> Moved:
        """Move them."""


class Complete(Protocol):
    """Sets the deferred columns of a part's rows; returns what could not be set, for the report."""

    def __call__(self, work: Work, part: Part) -> Counter[str]:
        """Set them."""


@dataclass(frozen=True)
class Claim:
    """A part, and what its mover said when it was moved a moment ago, if it was."""

    part: Part
    moved: Moved | None


class Verify(Protocol):
    """Counts the rows of a part; where the source has still the rows that were moved, their mover's count stands."""

    def __call__(self, work: Work, claim: Claim) -> Count:
        """Count them."""


class Describe(Protocol):
    """Writes the lines of the manifest for one chunk of documents."""

    def __call__(self, work: Work, chunk: Chunk) -> Iterable[str]:
        """Write them."""


@dataclass(frozen=True)
class Mover:
    """A way for rows to travel, and to see that they have arrived."""

    pace: Pace
    measure: Measure
    move: Move
    complete: Complete
    verify: Verify
    describe: Describe
