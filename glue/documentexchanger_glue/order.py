"""The order in which tables are filled: breadth first over the foreign keys, circles broken. Pure."""

from collections.abc import Iterable, Mapping

from .catalogue import ForeignKey, Table
from .errors import MisfitError

Levels = tuple[tuple[str, ...], ...]


def order_of(tables: Mapping[str, Table], first: str) -> tuple[Levels, dict[str, tuple[str, ...]]]:
    """Return levels of tables, parents before children, and the columns that must be filled afterwards.

    Self references are always filled afterwards. A circle is broken where a column may be empty: at `first` if
    possible, else at the first table by name, so that the same schema always gives the same order.
    """
    later = {name: _columns(table, _keys_to(table, name)) for name, table in tables.items()}
    waits = {
        name: {key.parent for key in table.foreign_keys if key.parent in tables and key.parent != name}
        for name, table in tables.items()
    }
    levels: list[tuple[str, ...]] = []
    while waits:
        ready = tuple(sorted(name for name, parents in waits.items() if not parents & waits.keys()))
        if ready:
            levels.append(ready)
            waits = {name: parents for name, parents in waits.items() if name not in ready}
            continue
        name, parent = _weakest_link(tables, waits, first)
        later[name] = tuple(dict.fromkeys(later[name] + _columns(tables[name], _keys_to(tables[name], parent))))
        waits[name] = waits[name] - {parent}
    return tuple(levels), {name: columns for name, columns in later.items() if columns}


def _weakest_link(tables: Mapping[str, Table], waits: Mapping[str, set[str]], first: str) -> tuple[str, str]:
    for name in sorted(waits, key=lambda name: (name != first, name)):
        for parent in sorted(waits[name] & waits.keys()):
            keys = _keys_to(tables[name], parent)
            can_be_empty = all(any(tables[name].columns[c].nullable for c in key.columns) for key in keys)
            if can_be_empty and _leads_to(waits, parent, name):
                return name, parent
    names = ", ".join(sorted(waits))
    raise MisfitError(
        "TABLES_ENTANGLED", f"tables {names} refer to each other in a circle where no column may be empty"
    )


def _leads_to(waits: Mapping[str, set[str]], start: str, end: str) -> bool:
    seen, wave = {start}, {start}
    while wave and end not in seen:
        wave = {parent for name in wave for parent in waits[name] if parent in waits} - seen
        seen |= wave
    return end in seen


def _keys_to(table: Table, parent: str) -> list[ForeignKey]:
    return [key for key in table.foreign_keys if key.parent == parent]


def _columns(table: Table, keys: Iterable[ForeignKey]) -> tuple[str, ...]:
    """Name the columns to leave for later: those that may be empty, or all where a row must name itself at first."""
    names: dict[str, None] = {}
    for key in keys:
        empty = [column for column in key.columns if table.columns[column].nullable]
        names |= dict.fromkeys(empty or key.columns)
    return tuple(names)
