"""Ids that move all by the same number: a table of which this is so needs no entries in the id map. Pure.

The range that is set aside is as wide as the ids of the source are, holes and all, so nobody else's row is in it. A row
that refers to a hole is refused by the destination's own foreign key; then the ids of that table are spelled out in the
map, and all goes on with that.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .plan import Plan, TablePlan

#: Ids of eight bytes are not used up by ranges of this width, nor do they grow past what every client can hold.
_PLENTY = 1 << 32
_LAST_ID = (1 << 63) - 1


@dataclass(frozen=True)
class Shift:
    """Where the ids of a table are in the source, and what is added to them."""

    by: int
    first: int
    last: int

    def contains(self, source_id: str) -> str:
        """Return SQL of whether an id is one of these."""
        return f"{source_id} BETWEEN {self.first} AND {self.last}"

    def moved(self, source_id: str) -> str:
        """Return SQL of the id in the destination. Numbers without a sign must not fall below zero on the way."""
        return f"({source_id} {'+' if self.by >= 0 else '-'} {abs(self.by)})"

    def among(self, first: int, last: int) -> tuple[int, int]:
        """Return what a range of ids has in common with these, first and last; they cross where that is nothing."""
        return max(self.first, first), min(self.last, last)


#: Table → its shift; a table that is not there has entries in the id map.
Shifts = Mapping[str, Shift]


def shiftable(plan: Plan) -> dict[str, bool]:
    """Name the tables whose ids may be shifted, and say whether rows refer to them.

    The destination must have a foreign key for every such reference, and a counter that hands out the table's ids.
    """
    found: dict[str, bool] = {}
    for name in plan.owned:
        table = plan.tables[name]
        holders = [(other, column) for other in plan.tables.values() for column in _holders(other, name)]
        is_counted = table.id_column and table.table.columns[table.id_column].auto_increment
        if is_counted and all(_is_guarded(other, column) for other, column in holders):
            found[name] = bool(holders)
    return found


def _holders(table: TablePlan, parent: str) -> Iterator[str]:
    yield from (name for name, above in table.mapped.items() if above == parent and name not in table.constants)


def _is_guarded(table: TablePlan, column: str) -> bool:
    """Say whether the destination refuses an id that is not there; a key that is empty in part is not looked at."""
    columns = table.table.columns
    return all(
        key.enforced and not any(columns[other].nullable for other in key.columns if other != column)
        for key in table.table.foreign_keys
        if column in key.columns
    )


def is_dense(table: TablePlan, first: int, last: int, rows: int) -> bool:
    """Say whether so many rows are worth a range of ids that is as wide as theirs."""
    is_wide = table.table.columns[table.id_column or ""].data_type == "bigint"
    is_affordable = is_close(first, last, rows) or (is_wide and last - first < _PLENTY)
    return rows > 0 and first >= 0 and last <= _LAST_ID and is_affordable


def is_close(first: int, last: int, rows: int) -> bool:
    """Say whether at least every second id has a row."""
    return last - first + 1 <= 2 * rows
