"""What the selected documents bring along, measured in the source before their rows are copied."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from .db import Row, quoted
from .domain import CODES, EXHIBITS
from .plan import TablePlan
from .work import Work

#: A lookup and the columns that rows name it by → the values that they name.
Needs = dict[tuple[str, tuple[str, ...]], set[tuple[bytes, ...]]]

_MASK = "confidentiality_status"


@dataclass
class Survey:
    """Of some documents: rows per owned table, lookup rows that are referred to, confidentiality bits in use."""

    #: Table → grain of what its rows hang on → rows.
    counts: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    needs: Needs = field(default_factory=lambda: defaultdict(set))
    mask: int = 0
    #: Table → the first and the last id of its rows, where they have ids.
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, other: "Survey") -> None:
        """Take in what was found elsewhere."""
        for table, counts in other.counts.items():
            self.counts[table].update(counts)
        for key, values in other.needs.items():
            self.needs[key] |= values
        self.mask |= other.mask
        for table, span in other.spans.items():
            self.widen(table, *span)

    def widen(self, table: str, first: int, last: int) -> None:
        """Take in ids of a table."""
        before = self.spans.get(table, (first, last))
        self.spans[table] = min(before[0], first), max(before[1], last)


def is_near(work: Work, name: str) -> bool:
    """Say whether a table can be measured by what it hangs on, because it is known where that begins and ends."""
    table = work.plan.tables[name]
    return table.anchor is not None and table.hangs_on in work.shifts


class Measuring:
    """One question to the source about a table, all that is asked at once. Pure.

    Rows are counted by grain of what they hang on and by what they refer to.
    """

    def __init__(self, work: Work, table: TablePlan) -> None:
        self.work, self.table = work, table
        self.keys = [
            key
            for key in table.table.foreign_keys
            if key.parent in work.plan.lookups and not set(key.columns) & table.constants.keys()
        ]
        self.columns = tuple(dict.fromkeys(column for key in self.keys for column in key.columns))
        self.has_mask = table.name == EXHIBITS and CODES in work.plan.lookups and _MASK in table.table.columns

    def selects(self, document: str) -> list[tuple[str, str]]:
        """Return what is selected, and by what it is grouped; `document`: SQL of the document's id.

        What rows refer to is asked for by itself where reading them again is cheap: groups are many otherwise.
        """
        above = f"t0.{quoted(self.table.anchor[0])}" if self.table.anchor else document
        mask = f"BIT_OR(t0.{_MASK})" if self.has_mask else "0"
        own = f"t0.{quoted(self.table.id_column)}" if self.table.id_column else "NULL"
        counts, grain = f"COUNT(*), {mask}, MIN({own}), MAX({own})", f"{above} DIV {self.work.pace.grain}"
        named = [f"t0.{quoted(name)}" for name in self.columns]
        if not named or not is_near(self.work, self.table.name):
            groups = ", ".join([grain, *named])
            return [(f"{counts}, {groups}", groups)]
        nothing, names = ", ".join(["NULL"] * len(named)), ", ".join(named)
        return [(f"{counts}, {grain}, {nothing}", grain), (f"0, 0, NULL, NULL, NULL, {names}", names)]

    def survey(self, rows: Iterable[Row]) -> Survey:
        """Take in the answer."""
        found = Survey()
        for count, mask, first, last, grain, *values in rows:
            if grain is not None:
                found.counts[self.table.name][int(grain)] += int(count or 0)
            found.mask |= int(mask or 0)
            if first is not None and last is not None:
                found.widen(self.table.name, int(first), int(last))
            row = dict(zip(self.columns, values, strict=True))
            for key in self.keys:
                named = tuple(value for column in key.columns if (value := row[column]) is not None)
                if len(named) == len(key.columns):
                    found.needs[key.parent, key.parent_columns].add(named)
        return found
