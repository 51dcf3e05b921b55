"""The statements by which the rows of one task travel inside one server. Pure: text in, text out.

The source's tables are named with their schema, the destination's stand in the connection's own. Aliases: `t0` is
the row, `t1` and up what it hangs on, `d` the map's entry of its document, `own` its own entry, `p0` and up those of
the rows that it names, `x` the row that may be in the destination already.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .db import quoted
from .derive_sql import DERIVED_SQL, DerivedSql, SqlDerivation
from .domain import ROOT
from .idmap import entry, joined
from .plan import TablePlan
from .reading import Path, paths
from .translate import first_columns
from .work import Chunk, Work


@dataclass(frozen=True)
class Statements:
    """SQL for one table and one chunk of documents."""

    #: Counts: travelling or not, `notes` in their order; one row a query.
    counts: tuple[str, ...]
    #: What the columns of `counts` after the first are, in the report's words.
    notes: tuple[str, ...]
    #: Source ids that have no entry in the map yet; none where the table has no ids of its own.
    without_ids: str | None
    #: Finds one row that the destination has already.
    probes: tuple[str, ...]
    #: Writes the rows, all of them, or only those that are not there yet.
    inserts: tuple[str, ...]
    inserts_missing: tuple[str, ...]


def statements(work: Work, table: TablePlan, chunk: Chunk, collapsing: Sequence[str]) -> Statements:
    """Write the statements; `collapsing` are lookups of which several source rows became one in the destination."""
    server = _Server(work, table, chunk)
    ways = paths(work.plan, table, work.settings.source_schema)
    twins = not table.id_column and any(table.mapped.get(name) in collapsing for name in table.table.primary_key)
    notes = server.notes()
    return Statements(
        counts=tuple(server.count(way, list(notes.values())) for way in ways),
        notes=tuple(notes),
        without_ids=server.without_ids(ways),
        probes=tuple(server.probe(way) for way in ways),
        inserts=tuple(server.insert(way, twins=twins, missing=False) for way in ways),
        inserts_missing=tuple(server.insert(way, twins=twins, missing=True) for way in ways),
    )


def give_ids(work: Work, table: TablePlan, without_ids: str, first: int) -> str:
    """Enter rows into the map under the ids from `first` on, in the order of their source ids."""
    head = ", ".join(entry(work.settings.exchange_id, table.name))
    return (
        "INSERT INTO exchange_id_map (exchange_id, table_name, source_id, target_id)"
        f" SELECT {head}, w.id, {first - 1} + ROW_NUMBER() OVER (ORDER BY w.id) FROM ({without_ids}) w"
    )


class _Server:
    """What the statements of one table and chunk have in common."""

    def __init__(self, work: Work, table: TablePlan, chunk: Chunk) -> None:
        self.work, self.table, self.chunk = work, table, chunk
        self.exchange_id = work.settings.exchange_id
        self.parents = {column: f"p{number}" for number, column in enumerate(first_columns(table))}
        self.own = "d" if table.name == ROOT else "own"
        self.ids = {column: f"{alias}.target_id" for column, alias in self.parents.items()}
        of = SqlDerivation(work, f"{self.own}.target_id", self.ids)
        derived = DERIVED_SQL.get(table.name, {})
        self.derived: dict[str, DerivedSql] = {
            name: rule(of)
            for name, rule in derived.items()
            if name in table.table.columns and name not in table.constants
        }

    def notes(self) -> dict[str, str]:
        """Return what the report tells of rows: its words → SQL of whether it holds."""
        found: dict[str, str] = {}
        if foreign := self._foreign():
            found[self.table.name] = f"NOT ({' AND '.join(foreign)})"
        for column, alias in self.parents.items():
            if not self._is_lookup(column) and self._nullable(column):
                found[f"{self.table.name}.{column}"] = self._stands(f"{self._absent(column, alias)}")
        for column, value in self.derived.items():
            if value.lost:
                found[f"{self.table.name}.{column}"] = self._stands(f"({value.lost})")
        return found

    def count(self, way: Path, notes: Sequence[str]) -> str:
        sums = "".join(f", COALESCE(SUM({note}), 0)" for note in notes)
        return f"SELECT COUNT(*){sums} {self._from(way, own=None)} {self._where(way)}"

    def without_ids(self, ways: Sequence[Path]) -> str | None:
        if not self.table.id_column or self.table.name == ROOT:
            return None
        row = f"t0.{quoted(self.table.id_column)}"
        return " UNION ALL ".join(
            f"SELECT {row} AS id {self._from(way, own='LEFT JOIN')}"
            f" {self._where(way, *self._travels(), 'own.target_id IS NULL')}"
            for way in ways
        )

    def probe(self, way: Path) -> str:
        there = f"JOIN {quoted(self.table.name)} x ON {self._same_key()}"
        return f"SELECT 1 {self._from(way)} {there} {self._where(way, *self._travels())} LIMIT 1"

    def insert(self, way: Path, *, twins: bool, missing: bool) -> str:
        names = ", ".join(quoted(name) for name in self.table.table.columns)
        values = {name: self._value(name) for name in self.table.table.columns}
        there = f"LEFT JOIN {quoted(self.table.name)} x ON {self._same_key()}" if missing else ""
        absent = [f"x.{quoted(self.table.table.primary_key[0])} IS NULL"] if missing else []
        rest = f"{self._from(way)} {there} {self._where(way, *self._travels(), *absent)}"
        if not twins:
            return f"INSERT INTO {quoted(self.table.name)} ({names}) SELECT {', '.join(values.values())} {rest}"
        key = ", ".join(self._key(name) for name in self.table.table.primary_key)
        order = ", ".join(f"t0.{quoted(name)}" for name in self.table.table.primary_key)
        selected = ", ".join(f"{value} AS {quoted(name)}" for name, value in values.items())
        return (
            f"INSERT INTO {quoted(self.table.name)} ({names}) SELECT {names} FROM (SELECT {selected},"
            f" ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY {order}) AS `exchange twin` {rest}) r"
            " WHERE r.`exchange twin` = 1"
        )

    def _from(self, way: Path, own: str | None = "JOIN") -> str:
        """Read downwards from the documents: their entries in the map are a short range of its key."""
        ((root, _), *below) = way.tables
        tables = [f"FROM exchange_id_map d STRAIGHT_JOIN {root} ON {way.document} = d.source_id"]
        tables += [f"STRAIGHT_JOIN {table} ON {on}" for table, on in below]
        if own and self.table.id_column and self.table.name != ROOT:
            row = f"t0.{quoted(self.table.id_column)}"
            tables.append(own.replace("JOIN", joined("own", self.exchange_id, self.table.name, row)))
        for column, alias in self.parents.items():
            value = f"t0.{quoted(column)}"
            tables.append("LEFT " + joined(alias, self.exchange_id, self.table.mapped[column], value))
        return " ".join(tables)

    def _where(self, way: Path, *more: str) -> str:
        exchange_id, name = entry(self.exchange_id, ROOT)
        documents = [
            f"d.exchange_id = {exchange_id}",
            f"d.table_name = {name}",
            f"d.source_id BETWEEN {self.chunk.first} AND {self.chunk.last}",
        ]
        return "WHERE " + " AND ".join([*documents, *way.conditions, *more])

    def _travels(self) -> list[str]:
        """Conditions of rows that are written: none of what they need was left out or is still to come."""
        waiting = [f"NOT {self._absent(c, alias)}" for c, alias in self.parents.items() if self._is_lookup(c)]
        return [*self._foreign(), *waiting]

    def _foreign(self) -> list[str]:
        return [
            f"NOT {self._absent(column, alias)}"
            for column, alias in self.parents.items()
            if not self._is_lookup(column) and not self._nullable(column)
        ]

    def _stands(self, condition: str) -> str:
        return "(" + " AND ".join([*self._travels(), condition]) + ")"

    def _absent(self, column: str, alias: str) -> str:
        return f"(t0.{quoted(column)} IS NOT NULL AND {alias}.target_id IS NULL)"

    def _is_lookup(self, column: str) -> bool:
        return self.table.mapped[column] in self.work.plan.lookups

    def _nullable(self, column: str) -> bool:
        return self.table.table.columns[column].nullable

    def _same_key(self) -> str:
        return " AND ".join(f"x.{quoted(name)} = {self._key(name)}" for name in self.table.table.primary_key)

    def _key(self, name: str) -> str:
        if name == self.table.id_column:
            return f"{self.own}.target_id"
        return self.ids.get(name, f"t0.{quoted(name)}")

    def _value(self, name: str) -> str:
        if name in self.table.constants:
            return self.table.constants[name].decode()
        if name == self.table.id_column:
            return f"{self.own}.target_id"
        if name in self.table.deferred:
            # A row that may not be without a parent is its own until the rest is there.
            return "NULL" if self._nullable(name) else f"{self.own}.target_id"
        if name in self.derived:
            return self.derived[name].value
        return self.ids.get(name, f"t0.{quoted(name)}")
