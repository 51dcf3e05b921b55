"""Rows of the source, told in the keys of the destination."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from pymysql.connections import Connection

from .db import Raw
from .idmap import lookup
from .plan import TablePlan
from .work import Work

#: A row as it was read: column → raw value.
Values = Mapping[str, Raw]
#: Table → source id → target id.
IdMaps = Mapping[str, Mapping[int, int]]


class Stays(Enum):
    """Why a row is not written."""

    #: It needs a row that was not selected.
    FOREIGN = "foreign"
    #: It refers to a lookup row that appeared while the copy ran; the next round takes it along.
    WAITING = "waiting"


@dataclass(frozen=True)
class Placed:
    """The keys of one row in the destination."""

    #: Mapped column → target id.
    ids: Mapping[str, int]
    #: Columns that are emptied, because what they refer to was not selected.
    emptied: tuple[str, ...] = ()


def id_maps(
    target: Connection,
    work: Work,
    table: TablePlan,
    rows: Sequence[Values],
    columns: Iterable[str],
    *,
    own: bool = False,
) -> IdMaps:
    """Fetch the translations of every id that these rows hold in `columns`, and on demand of their own ids."""
    wanted: dict[str, set[int]] = defaultdict(set)
    holders = [(column, table.mapped[column]) for column in columns]
    if own and table.id_column:
        holders.append((table.id_column, table.name))
    for column, parent in holders:
        wanted[parent] |= {int(value) for row in rows if (value := row[column]) is not None}
    return {name: _found(target, work, name, ids) for name, ids in wanted.items()}


def _found(target: Connection, work: Work, name: str, ids: set[int]) -> Mapping[int, int]:
    if name not in work.shifts:
        return lookup(target, work.numbers, name, ids)
    shift = work.shifts[name]
    return {source: source + shift.by for source in ids if shift.first <= source <= shift.last}


def place(work: Work, table: TablePlan, row: Values, maps: IdMaps, columns: Iterable[str]) -> Placed | Stays:
    """Translate the ids that a row holds in `columns`."""
    ids: dict[str, int] = {}
    emptied: list[str] = []
    for column in columns:
        value, parent = row[column], table.mapped[column]
        if value is None:
            continue
        found = maps[parent].get(int(value))
        if found is not None:
            ids[column] = found
        elif parent in work.plan.lookups:
            return Stays.WAITING
        elif table.table.columns[column].nullable:
            emptied.append(column)
        else:
            return Stays.FOREIGN
    return Placed(ids, tuple(emptied))


def key_of(table: TablePlan, row: Values, placed: Placed, own_id: int) -> tuple[bytes, ...]:
    """Return the row's primary key in the destination, raw."""
    key: list[bytes] = []
    for name in table.table.primary_key:
        if name == table.id_column:
            key.append(str(own_id).encode())
        elif name in placed.ids:
            key.append(str(placed.ids[name]).encode())
        else:
            key.append(row[name] or b"")
    return tuple(key)


def first_columns(table: TablePlan) -> tuple[str, ...]:
    """Name the mapped columns that are written with the row itself."""
    return tuple(c for c in table.mapped if c not in table.deferred and c not in table.constants)
