"""The rows of one table for some documents, as SQL inside one server. Pure: text in, text out.

The source's tables are named with their schema, the destination's stand in the connection's own. Aliases: `t0` is
the row, `t1` and up what it hangs on, `d` the map's entry of the uppermost of these, `own` its own entry, `p0` and up
those of the rows that it names, `x` the row that may be in the destination already.
"""

from collections.abc import Iterable

from .db import quoted
from .derive_sql import DERIVED_SQL, STAGE, DerivedSql, SqlDerivation
from .domain import ROOT
from .idmap import joined, of
from .plan import TablePlan
from .reading import Path, paths
from .translate import first_columns
from .work import Chunk, Work


class Rows:
    """What all statements about one table and chunk have in common.

    `whole`: they begin at the documents; `staged`: the chunk's rows have come from another server.
    """

    def __init__(
        self, work: Work, table: TablePlan, chunk: Chunk, *, whole: bool = False, staged: bool = False
    ) -> None:
        self.work, self.table, self.chunk, self.is_staged = work, table, chunk, staged
        self.ways = (
            [Path(((f"{STAGE} t0", ""),), (), "")]
            if staged
            else paths(work.plan, table, work.settings.source_schema, whole=whole)
        )
        self.above = ROOT if whole else table.hangs_on
        self.own = "d" if table.name == ROOT and not staged else "own"
        anchor = table.anchor[0] if table.anchor and not whole and not staged else None
        columns = [column for column in table.mapped if column not in table.constants]
        self.parents = {name: "d" if name == anchor else f"p{number}" for number, name in enumerate(columns)}
        self.first = first_columns(table)
        self.ids = {column: f"{self.parents[column]}.target_id" for column in self.first}
        of_row = SqlDerivation(work, f"{self.own}.target_id", self.ids, is_staged=staged)
        self.derived: dict[str, DerivedSql] = {
            name: rule(of_row)
            for name, rule in DERIVED_SQL.get(table.name, {}).items()
            if name in table.table.columns and name not in table.constants
        }

    def select(
        self,
        columns: str,
        way: Path,
        *,
        own: str = "",
        parents: Iterable[str] = (),
        there: str = "",
        where: Iterable[str] = (),
    ) -> str:
        """Select rows by one way.

        `own` and `there`: how the row's own entry and its row in the destination are joined, if at all; `parents`: of
        which columns' rows the entries are needed; `where`: more conditions.
        """
        return f"SELECT STRAIGHT_JOIN {columns} {self.rows(way, own=own, parents=parents, there=there, where=where)}"

    def rows(
        self, way: Path, *, own: str = "", parents: Iterable[str] = (), there: str = "", where: Iterable[str] = ()
    ) -> str:
        """Return FROM and WHERE, read downwards from what the table hangs on: a short range of the map's key.

        A SELECT must keep this order: a lookup that stands first would bring along every row that refers to it.
        """
        ((root, _), *below) = way.tables
        tables = [
            f"FROM {root}"
            if self.is_staged
            else f"FROM exchange_id_map d FORCE INDEX (PRIMARY) STRAIGHT_JOIN {root} ON {way.above} = d.source_id"
        ]
        tables += [f"STRAIGHT_JOIN {table} ON {on}" for table, on in below]
        if own and self.own == "own" and self.table.id_column:
            row = f"t0.{quoted(self.table.id_column)}"
            tables.append(own + joined("own", self.work.numbers, self.table.name, row))
        for column in dict.fromkeys(parents):
            if self.parents[column] != "d":
                value = f"t0.{quoted(column)}"
                entry = joined(self.parents[column], self.work.numbers, self.table.mapped[column], value)
                tables.append(f"LEFT {entry}")
        if there:
            tables.append(f"{there}JOIN {quoted(self.table.name)} x ON {self.same_key()}")
        chosen = (
            ["TRUE"]
            if self.is_staged
            else [
                of(self.work.numbers, self.above, "d"),
                f"d.source_id BETWEEN {self.chunk.first} AND {self.chunk.last}",
            ]
        )
        return f"{' '.join(tables)} WHERE {' AND '.join([*chosen, *way.conditions, *where])}"

    @property
    def key_parents(self) -> tuple[str, ...]:
        """Columns of the key that hold the id of another row."""
        return tuple(column for column in self.first if column in self.table.table.primary_key)

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns without whose row a row of an owned table stays."""
        return tuple(
            column
            for column in self.first
            if not self.is_lookup(column) and not self.nullable(column) and self.parents[column] != "d"
        )

    @property
    def awaited(self) -> tuple[str, ...]:
        """Columns whose lookup row may still be to come."""
        return tuple(column for column in self.first if self.is_lookup(column))

    @property
    def travels(self) -> list[str]:
        """Conditions of rows that are written: none of what they need was left out or is still to come."""
        return self.known([*self.needed, *self.awaited])

    def known(self, columns: Iterable[str]) -> list[str]:
        """Conditions: what these columns refer to is in the map."""
        return [f"NOT {self.absent(column)}" for column in columns]

    def absent(self, column: str) -> str:
        """Return SQL of whether what a column refers to is not in the map."""
        return f"(t0.{quoted(column)} IS NOT NULL AND {self.parents[column]}.target_id IS NULL)"

    def is_lookup(self, column: str) -> bool:
        """Say whether a column refers to a lookup."""
        return self.table.mapped[column] in self.work.plan.lookups

    def nullable(self, column: str) -> bool:
        """Say whether a column may be empty."""
        return self.table.table.columns[column].nullable

    def same_key(self) -> str:
        """Join the row in the destination."""
        return " AND ".join(f"x.{quoted(name)} = {self.key(name)}" for name in self.table.table.primary_key)

    def key(self, name: str) -> str:
        """Return SQL of a column of the primary key, as it is in the destination."""
        if name == self.table.id_column:
            return f"{self.own}.target_id"
        return self.ids.get(name, f"t0.{quoted(name)}")

    def value(self, name: str) -> str:
        """Return SQL of what a column is written with."""
        if name in self.table.constants:
            return self.table.constants[name].decode()
        if name == self.table.id_column:
            return f"{self.own}.target_id"
        if name in self.table.deferred:
            # A row that may not be without a parent is its own until the rest is there.
            return "NULL" if self.nullable(name) else f"{self.own}.target_id"
        if name in self.derived:
            return self.derived[name].value
        return self.ids.get(name, f"t0.{quoted(name)}")
