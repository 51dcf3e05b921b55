"""Which tables travel, in which order, and how their keys are translated. Pure: decides from the catalogue alone.

A table is *owned* when its rows hang on documents by foreign keys, directly or through other owned tables: its rows are
copied as new rows. A table that owned rows refer to without being owned is a *lookup*: its rows are merged into what
the destination has. Links between lookups are *companions*.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .catalogue import Catalogue, Column, ForeignKey, Table
from .domain import (
    ANNOTATED_COLUMNS,
    CLEARED,
    COMPANIONS,
    DERIVED_COLUMNS,
    MERGED_BY,
    METADATA,
    NEEDED,
    NO_NATIVES,
    NO_TEXTS,
    NOT_COPIED,
    ROOT,
)
from .errors import MisfitError
from .order import order_of


@dataclass(frozen=True)
class Step:
    """One foreign key on the way from a row up to its document."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    #: Other foreign keys that must be empty, because they come first in saying whose row this is.
    absent: tuple[tuple[str, ...], ...] = ()


Way = tuple[Step, ...]


@dataclass(frozen=True)
class TablePlan:
    """How the rows of one table travel."""

    table: Table
    #: Column → table whose ids it holds.
    mapped: Mapping[str, str]
    #: Column → SQL that is written in place of what the source has.
    constants: Mapping[str, bytes]
    #: Columns that are set when all rows are there, because rows refer to each other in a circle.
    deferred: tuple[str, ...] = ()
    #: The ways by which a row may hang on a document; the documents' own is empty.
    ways: tuple[Way, ...] = ()
    #: The column by which every row hangs on a row of one table with ids of its own, and that table.
    anchor: tuple[str, str] | None = None
    #: Columns that tell one row of a lookup from another; empty: every row is new.
    natural_key: tuple[str, ...] = ()
    #: Columns that are made anew, besides `DERIVED_COLUMNS`.
    also_made: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.table.name

    @property
    def columns(self) -> tuple[Column, ...]:
        """Columns that are read and written."""
        return tuple(self.table.columns.values())

    @property
    def compared(self) -> tuple[Column, ...]:
        """Columns that the checksum takes: not what is made anew, waits for other rows, or is printed in two ways."""
        made = (*DERIVED_COLUMNS.get(self.name, ()), *self.also_made)
        return tuple(
            column
            for column in self.columns
            if column.prints_equally
            and column.data_type != "bit"
            and (column.name in self.constants or column.name not in made)
            and column.name not in self.deferred
        )

    @property
    def hangs_on(self) -> str:
        """The table whose rows say which rows of this one travel."""
        return self.anchor[1] if self.anchor else ROOT

    @property
    def id_column(self) -> str | None:
        """The primary key that is translated, if there is one."""
        return self.table.id_column


@dataclass(frozen=True)
class Plan:
    """Every table that travels."""

    #: Owned tables, parents before children; the tables of one level do not refer to each other.
    levels: tuple[tuple[str, ...], ...]
    #: Lookups, parents before children.
    lookups: tuple[str, ...]
    companions: tuple[str, ...]
    tables: Mapping[str, TablePlan]
    #: Table → SQL condition, with `{row}` for its alias, that its travelling rows meet.
    filters: Mapping[str, str]
    #: `table` or `table.column` that cannot travel.
    skipped: tuple[str, ...]

    @property
    def owned(self) -> tuple[str, ...]:
        """Owned tables, parents before children."""
        return tuple(name for level in self.levels for name in level)


def make_plan(
    catalogue: Catalogue, metadata: frozenset[str], *, include_natives: bool, annotated: bool = False
) -> Plan:
    """Plan the copy of what both sides have, for the kinds of metadata that were chosen."""
    tables = _chosen(catalogue, metadata)
    owned, stuck = _owned(tables)
    companions = tuple(name for name in COMPANIONS if name in tables)
    lookups = _closed_upwards(tables, owned, companions)
    levels, deferred = order_of({name: tables[name] for name in owned}, first=ROOT)
    lookup_levels, lookup_circles = order_of({name: tables[name] for name in lookups}, first="")
    ways = _ways(tables, levels)
    return Plan(
        levels=levels,
        lookups=tuple(name for level in lookup_levels for name in level),
        companions=companions,
        tables={
            name: TablePlan(
                table=tables[name],
                mapped=_mapped(tables, name),
                constants=_constants(tables, name, owned, lookups, metadata, lookup_circles.get(name, ())),
                deferred=deferred.get(name, ()),
                ways=ways.get(name, ()),
                anchor=_anchor(tables, ways.get(name, ())),
                natural_key=_natural_key(tables[name]) if name in lookups else (),
                also_made=ANNOTATED_COLUMNS.get(name, ()) if annotated else (),
            )
            for name in sorted(owned | lookups | set(companions))
        },
        filters=_all_of(*([] if include_natives else [NO_NATIVES]), *([NO_TEXTS] if annotated else [])),
        skipped=tuple(sorted(stuck)),
    )


def _all_of(*filters: Mapping[str, str]) -> dict[str, str]:
    tables = {table for conditions in filters for table in conditions}
    return {
        table: " AND ".join(conditions[table] for conditions in filters if table in conditions)
        for table in sorted(tables)
    }


def travelling(catalogue: Catalogue, metadata: frozenset[str]) -> set[str]:
    """Name the tables that would travel if the destination had all that the source has."""
    tables = _chosen(catalogue, metadata)
    owned, _ = _owned(tables)
    companions = {name for name in COMPANIONS if name in tables}
    return owned | companions | _closed_upwards(tables, owned, companions)


def _chosen(catalogue: Catalogue, metadata: frozenset[str]) -> Catalogue:
    """Leave out the kinds of metadata that were not chosen, and tables that cannot be without what is left out."""
    for name in NEEDED:
        if name not in catalogue:
            raise MisfitError("TABLE_MISSING", f"table {name} is missing; both cases must have it")
        for column in NEEDED[name]:
            if column not in catalogue[name].columns:
                raise MisfitError("COLUMN_MISSING", f"column {name}.{column} is missing; both cases must have it")
    excluded = {table for kind, rule in METADATA.items() if kind not in metadata for table in rule.tables}
    tables = {name: table for name, table in catalogue.items() if name not in excluded | NOT_COPIED}
    while orphans := {
        name
        for name, table in tables.items()
        if any(key.parent not in tables and not _nullable(table, key) for key in table.foreign_keys)
    }:
        tables = {name: table for name, table in tables.items() if name not in orphans}
    return tables


def _owned(tables: Catalogue) -> tuple[set[str], set[str]]:
    """Walk down from the documents. A table without a key that can be translated stays, and so do its children."""
    owned, wave, stuck = {ROOT}, {ROOT}, set[str]()
    if tables[ROOT].id_column is None:
        raise MisfitError("KEY_UNKNOWN", f"table {ROOT} must have one whole number as its primary key")
    while wave:
        below = {
            name
            for name, table in tables.items()
            if name not in owned | stuck | MERGED_BY.keys() | COMPANIONS.keys()
            and any(key.parent in wave for key in table.foreign_keys)
        }
        stuck |= {name for name in below if not _has_key(tables, name)}
        wave = below - stuck
        owned |= wave
    return owned, stuck


def _has_key(tables: Catalogue, name: str) -> bool:
    table = tables[name]
    return table.id_column is not None or any(column in _mapped(tables, name) for column in table.primary_key)


def _mapped(tables: Catalogue, name: str) -> Mapping[str, str]:
    """Say of each column whose ids it holds, following foreign keys up through composite ones."""
    found = {column: _ids_in(tables, name, column, frozenset()) for column in tables[name].columns}
    return {column: parent for column, parent in found.items() if parent is not None}


def _ids_in(tables: Catalogue, name: str, column: str, seen: frozenset[tuple[str, str]]) -> str | None:
    if (name, column) in seen or name not in tables:
        return None
    if tables[name].id_column == column and seen:
        return name
    for key in tables[name].foreign_keys:
        if column in key.columns:
            above = key.parent_columns[key.columns.index(column)]
            if found := _ids_in(tables, key.parent, above, seen | {(name, column)}):
                return found
    return None


def _closed_upwards(tables: Catalogue, owned: set[str], companions: Iterable[str]) -> set[str]:
    """Find every table that travelling rows refer to and that is not owned."""
    lookups: set[str] = set()
    wave = owned | set(companions)
    while wave:
        wave = {key.parent for name in wave for key in tables[name].foreign_keys if key.parent in tables}
        wave -= owned | lookups
        lookups |= wave
    return lookups


def _constants(
    tables: Catalogue,
    name: str,
    owned: set[str],
    lookups: set[str],
    metadata: frozenset[str],
    circles: tuple[str, ...],
) -> Mapping[str, bytes]:
    """Say which columns are not copied, and what they hold instead."""
    table = tables[name]
    written = dict(CLEARED.get(name, {}))
    for kind, rule in METADATA.items():
        if kind not in metadata:
            written |= rule.columns.get(name, {})
    for key in table.foreign_keys:
        reachable = lookups if name in lookups else owned | lookups
        if key.parent not in reachable or (name in lookups and set(key.columns) & set(circles) and key.parent != name):
            if not _nullable(table, key):
                raise MisfitError(
                    "TABLES_ENTANGLED", f"{name}.{key.columns[0]} refers to {key.parent}, which cannot come along"
                )
            written |= {column: b"NULL" for column in key.columns if table.columns[column].nullable}
    return {column: value for column, value in written.items() if column in table.columns}


def _nullable(table: Table, key: ForeignKey) -> bool:
    return any(table.columns[column].nullable for column in key.columns)


def _natural_key(table: Table) -> tuple[str, ...]:
    wanted = MERGED_BY.get(table.name, ())
    if wanted and all(column in table.columns for column in wanted):
        return wanted
    if table.id_column is None:
        if not table.primary_key:
            raise MisfitError("KEY_UNKNOWN", f"table {table.name} must have a primary key")
        return table.primary_key
    return min((key for key in table.unique_keys if all(c in table.columns for c in key)), default=())


def _anchor(tables: Catalogue, ways: tuple[Way, ...]) -> tuple[str, str] | None:
    """Find what says by itself whose a row is: the map has every row above that travels, under its id."""
    if len(ways) != 1 or not ways[0]:
        return None
    step = ways[0][0]
    is_id = step.parent_columns == (tables[step.parent].id_column,)
    return (step.columns[0], step.parent) if is_id else None


def _ways(tables: Catalogue, levels: tuple[tuple[str, ...], ...]) -> dict[str, tuple[Way, ...]]:
    """Find for each owned table the ways up to the documents; one is enough where a row cannot be without it."""
    ways: dict[str, tuple[Way, ...]] = {ROOT: ((),)}
    depth = {name: number for number, names in enumerate(levels) for name in names}
    for name in (name for level in levels for name in level if name != ROOT):
        table = tables[name]
        upward = sorted(
            (key for key in table.foreign_keys if depth.get(key.parent, len(levels)) < depth[name]),
            key=lambda key: (_nullable(table, key), depth[key.parent], key.parent, key.columns),
        )
        if not upward:
            raise MisfitError("TABLES_ENTANGLED", f"table {name} hangs on documents in a circle that cannot be broken")
        owners = upward if _nullable(table, upward[0]) else upward[:1]
        ways[name] = tuple(
            (Step(key.columns, key.parent, key.parent_columns, tuple(k.columns for k in owners[:rank])), *above)
            for rank, key in enumerate(owners)
            for above in ways[key.parent]
        )
    return ways
