"""The statements by which the rows of one task travel inside one server, and are found there. Pure; see server_rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .db import quoted
from .domain import ROOT
from .links import recording
from .plan import TablePlan
from .reading import Path
from .server_rows import Rows
from .work import Chunk, Work


@dataclass(frozen=True)
class Insert:
    """Writes the rows of one way."""

    rows: str
    #: Goes first; none where the id map remembers the rows.
    links: str | None


@dataclass(frozen=True)
class Statements:
    """SQL for one table and one chunk of documents."""

    #: Source ids that have no entry in the map yet; none where the table has no ids of its own.
    without_ids: str | None
    #: Remembers and writes the rows, all of them, or only those that are not there yet.
    inserts: tuple[Insert, ...]
    inserts_missing: tuple[Insert, ...]
    #: To be added up: rows in all, those that belong here and those that lack an id, keys of the source, the `notes`,
    #: what the rows that travel add up to; rows that are here, and what these add up to.
    reconciling: tuple[str, ...]
    #: What is noted of rows, in the report's words.
    notes: tuple[str, ...]
    #: Whether rows may be written once for several, which need not add up to the same then.
    twins: bool


def statements(
    work: Work, table: TablePlan, chunk: Chunk, collapsing: Sequence[str], *, staged: bool = False
) -> Statements:
    """Write the statements; `collapsing` are lookups of which several source rows became one in the destination."""
    moving = _Moving(work, table, chunk, staged=staged)
    twins = not table.id_column and any(table.mapped.get(name) in collapsing for name in table.table.primary_key)
    notes = moving.notes()
    return Statements(
        without_ids=moving.without_ids(),
        inserts=tuple(moving.insert(way, twins=twins, missing=False) for way in moving.ways),
        inserts_missing=tuple(moving.insert(way, twins=twins, missing=True) for way in moving.ways),
        reconciling=tuple(moving.reconciling(notes.values())),
        notes=tuple(notes),
        twins=twins,
    )


def verifying(work: Work, table: TablePlan, chunk: Chunk, *, staged: bool = False) -> list[str]:
    """Count the rows that travel and those of them that are found in the destination; one row a query.

    Also a row that waits for a lookup travels: it is missing so far.
    """
    rows = Rows(work, table, chunk, staged=staged)
    found = f"COUNT(x.{quoted(table.table.primary_key[0])})"
    parents, where = [*rows.needed, *rows.key_parents], rows.known(rows.needed)
    return [
        rows.select(f"COUNT(*), {found}", way, own="LEFT ", parents=parents, there="LEFT ", where=where)
        for way in rows.ways
    ]


def recounting(work: Work, table: TablePlan, chunk: Chunk) -> list[str]:
    """Count the rows of the source, and add up their keys; one row a query."""
    rows = Rows(work, table, chunk)
    return [rows.select(f"COUNT(*), {keys_of(table)}", way) for way in rows.ways]


def keys_of(table: TablePlan) -> str:
    """Return SQL that tells by one number which rows of the source these are, in any order."""
    key = ", ".join(f"t0.{quoted(name)}" for name in table.table.primary_key)
    return f"COALESCE(SUM(CRC32(CONCAT_WS(',', {key}))), 0)"


def give_ids(work: Work, table: TablePlan, without_ids: str, first: int) -> str:
    """Enter rows into the map under the ids from `first` on, in the order of their source ids."""
    return (
        "INSERT INTO exchange_id_map (table_no, source_id, target_id)"
        f" SELECT {work.numbers[table.name]}, w.id, {first - 1} + ROW_NUMBER() OVER (ORDER BY w.id)"
        f" FROM ({without_ids}) w"
    )


class _Moving(Rows):
    """Statements of one task."""

    def notes(self) -> dict[str, str]:
        """Return what the report tells of rows: its words → SQL of whether it holds."""
        found: dict[str, str] = {}
        if self.needed:
            found[self.table.name] = f"NOT ({' AND '.join(self.known(self.needed))})"
        for column in self.first:
            if not self.is_lookup(column) and self.nullable(column) and column != self.anchor:
                found[f"{self.table.name}.{column}"] = " AND ".join([*self.travels, self.absent(column)])
        for column, value in self.derived.items():
            if value.lost:
                found[f"{self.table.name}.{column}"] = " AND ".join([*self.travels, f"({value.lost})"])
        return found

    def without_ids(self) -> str | None:
        if not self.own.join or self.table.name == ROOT:
            return None
        parents = [*self.needed, *self.awaited]
        row, where = f"t0.{quoted(self.table.id_column)} AS id", [*self.travels, "own.target_id IS NULL"]
        return " UNION ALL ".join(self.select(row, way, own="LEFT ", parents=parents, where=where) for way in self.ways)

    def insert(self, way: Path, *, twins: bool, missing: bool) -> Insert:
        columns = self.table.table.columns
        names = ", ".join(quoted(name) for name in columns)
        values = {name: self.value(name) for name in columns}
        there = "LEFT " if missing else ""
        absent = [f"x.{quoted(self.table.table.primary_key[0])} IS NULL"] if missing else []
        rest = self.rows(way, own="STRAIGHT_", parents=self.first, there=there, where=[*self.travels, *absent])
        keys = {name: self.key(name) for name in self.table.table.primary_key}
        links = None if self.table.id_column else recording(self.work.numbers, self.table.table, keys, rest)
        into = f"INSERT INTO {quoted(self.table.name)} ({names})"
        if not twins:
            return Insert(f"{into} SELECT STRAIGHT_JOIN {', '.join(values.values())} {rest}", links)
        key = ", ".join(keys.values())
        order = ", ".join(f"t0.{quoted(name)}" for name in keys)
        selected = ", ".join(f"{value} AS {quoted(name)}" for name, value in values.items())
        return Insert(
            f"{into} SELECT {names} FROM (SELECT STRAIGHT_JOIN {selected},"
            f" ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY {order}) AS `exchange twin` {rest}) r"
            " WHERE r.`exchange twin` = 1",
            links,
        )

    def reconciling(self, notes: Iterable[str]) -> list[str]:
        """Add up what is read and what is written, without what is made anew here or waits for other rows.

        Where the chunk's rows are all that a range of ids can hold in the destination, both are read by themselves.
        """
        columns = self.table.compared
        there, travels = (
            f"x.{quoted(self.table.table.primary_key[0])} IS NOT NULL",
            " AND ".join(self.travels) or "TRUE",
        )
        unnumbered = f"{travels} AND NOT ({self.own.is_known})" if self.table.id_column else "FALSE"
        read = [
            "COUNT(*)",
            _sum(" AND ".join(self.known(self.needed)) or "TRUE"),
            _sum(unnumbered),
            keys_of(self.table),
            *(_sum(note) for note in notes),
            _checksum(travels, [column.printed(self.value(column.name)) for column in columns]),
        ]
        written = [_sum(there), _checksum(there, [column.printed(f"x.{quoted(column.name)}") for column in columns])]
        if not self.written or any(value.shows_in_row for value in self.derived.values()):
            sums = ", ".join([*read, *written])
            return [self.select(sums, way, own="LEFT ", parents=self.first, there="LEFT ") for way in self.ways]
        nothing = ", ".join(["0"] * len(read))
        return [
            *(self.select(", ".join([*read, "0", "0"]), way, own="LEFT ", parents=self.first) for way in self.ways),
            f"SELECT {nothing}, {', '.join(written)} FROM {quoted(self.table.name)} x WHERE {self.written}",
        ]


def _sum(value: str) -> str:
    return f"COALESCE(SUM({value}), 0)"


def _checksum(which: str, printed: Sequence[str]) -> str:
    return _sum(f"IF({which}, CRC32(CONCAT_WS('#', {', '.join(printed)})), 0)")
