"""What the selected documents bring along, measured in the source before anything is written."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from .db import fetch, patiently
from .domain import CODES, EXHIBITS
from .reading import columns_of, queries
from .work import Work, source_of

#: A lookup and the columns that rows name it by → the values that they name.
Needs = dict[tuple[str, tuple[str, ...]], set[tuple[bytes, ...]]]


@dataclass
class Survey:
    """Of some documents: rows per owned table, lookup rows that are referred to, confidentiality bits in use."""

    counts: dict[str, int] = field(default_factory=dict)
    needs: Needs = field(default_factory=lambda: defaultdict(set))
    mask: int = 0

    def add(self, other: "Survey") -> None:
        """Take in what was found for other documents."""
        for table, count in other.counts.items():
            self.counts[table] = self.counts.get(table, 0) + count
        for key, values in other.needs.items():
            self.needs[key] |= values
        self.mask |= other.mask


def survey(work: Work, documents: Iterable[int]) -> Survey:
    """Measure what hangs on some documents. Only reads the source."""
    chosen = tuple(documents)
    return patiently(lambda: _survey(work, chosen), "measuring the selection")


def _survey(work: Work, documents: tuple[int, ...]) -> Survey:
    plan, found = work.plan, Survey()
    with source_of(work.settings) as source:
        for name in plan.owned:
            table = plan.tables[name]
            found.counts[name] = sum(
                int(fetch(source, query)[0][0] or 0) for query in queries(plan, table, "COUNT(*)", documents)
            )
            for key in table.table.foreign_keys:
                if key.parent in plan.lookups and not set(key.columns) & table.constants.keys():
                    for query in queries(plan, table, f"DISTINCT {columns_of(key.columns)}", documents):
                        rows = [tuple(v for v in row if v is not None) for row in fetch(source, query)]
                        full = {row for row in rows if len(row) == len(key.columns)}
                        found.needs[key.parent, key.parent_columns] |= full
        exhibits = plan.tables[EXHIBITS]
        if CODES in plan.lookups and "confidentiality_status" in exhibits.table.columns:
            for query in queries(plan, exhibits, "BIT_OR(t0.confidentiality_status)", documents):
                found.mask |= int(fetch(source, query)[0][0] or 0)
    return found
