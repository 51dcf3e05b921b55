"""The rows of one table for some documents, as SQL inside one server. Pure: text in, text out.

The source's tables are named with their schema, the destination's stand in the connection's own. Aliases: `t0` is
the row, `t1` and up what it hangs on, `x` the row that may be in the destination already; where ids are not shifted,
`d` is the map's entry of the uppermost of what it hangs on, `own` its own, `p0` and up those of the rows that it names.
"""

from collections.abc import Iterable

from .db import quoted
from .derive_sql import DERIVED_SQL, STAGE, DerivedSql, SqlDerivation
from .domain import ROOT
from .idmap import Entry, entry_of, of
from .plan import TablePlan
from .reading import Path, paths
from .translate import first_columns
from .work import EVERYTHING, Chunk, Work

#: The entry of what the row hangs on, which is where the reading begins.
_ABOVE = Entry("d.target_id", "TRUE")


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
        #: The column by which rows are found; what it refers to travels.
        self.anchor = table.anchor[0] if table.anchor and not whole and not staged else None
        self.own = self._own_entry()
        columns = [column for column in table.mapped if column not in table.constants]
        self.entries = {name: self._entry(name, number) for number, name in enumerate(columns)}
        self.first = first_columns(table)
        self.ids = {column: self.entries[column].target_id for column in self.first}
        of_row = SqlDerivation(work, self.own.target_id, self.ids, is_staged=staged)
        self.derived: dict[str, DerivedSql] = {
            name: rule(of_row)
            for name, rule in DERIVED_SQL.get(table.name, {}).items()
            if name in table.table.columns and name not in table.constants
        }

    def _own_entry(self) -> Entry:
        """Tell the row's own id; a row without one has the entry that never is."""
        if not self.table.id_column:
            return Entry("NULL", "FALSE")
        if self.table.name == ROOT and not self.is_staged and ROOT not in self.work.shifts:
            return _ABOVE
        row = f"t0.{quoted(self.table.id_column)}"
        return entry_of("own", self.work.numbers, self.work.shifts, self.table.name, row)

    def _entry(self, column: str, number: int) -> Entry:
        parent = self.table.mapped[column]
        if column == self.anchor and parent not in self.work.shifts:
            return _ABOVE
        return entry_of(f"p{number}", self.work.numbers, self.work.shifts, parent, f"t0.{quoted(column)}")

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
        """Return FROM and WHERE, read downwards from what the table hangs on: a short range of a key.

        A SELECT must keep this order: a lookup that stands first would bring along every row that refers to it.
        """
        start, chosen = self._start(way)
        tables = [start, *(f"STRAIGHT_JOIN {table} ON {on}" for table, on in way.tables[1:])]
        if own and self.own.join:
            tables.append(own + self.own.join)
        elif own.startswith("STRAIGHT") and self.table.id_column:
            chosen = [*chosen, self.own.is_known]
        tables += [f"LEFT {self.entries[name].join}" for name in dict.fromkeys(parents) if self.entries[name].join]
        if there:
            tables.append(f"{there}JOIN {quoted(self.table.name)} x ON {self.same_key()}")
        return f"{' '.join(tables)} WHERE {' AND '.join([*chosen, *way.conditions, *where])}"

    def _start(self, way: Path) -> tuple[str, list[str]]:
        """Return where rows are read from, and conditions of the chunk's."""
        root, chunk, own = way.tables[0][0], self.chunk, list[str]()
        if self.is_staged:
            return f"FROM {root}", ["TRUE"]
        if self.anchor and self.table.name in self.work.cut_by_id:
            own = [f"t0.{quoted(self.table.id_column or '')} BETWEEN {chunk.first} AND {chunk.last}"]
            chunk = EVERYTHING
        if self.above in self.work.shifts:
            first, last = self.work.shifts[self.above].among(chunk.first, chunk.last)
            return f"FROM {root}", [*own, f"{way.above} BETWEEN {first} AND {last}"]
        entries, mine = "exchange_id_map d FORCE INDEX (PRIMARY)", of(self.work.numbers, self.above, "d")
        if own:
            return f"FROM {root} STRAIGHT_JOIN {entries} ON {mine} AND d.source_id = {way.above}", own
        return (
            f"FROM {entries} STRAIGHT_JOIN {root} ON {way.above} = d.source_id",
            [mine, f"d.source_id BETWEEN {chunk.first} AND {chunk.last}"],
        )

    @property
    def written(self) -> str:
        """Return the condition of the chunk's rows in the destination, `x`, where their ids say which these are."""
        name, column = self.table.name, quoted(self.table.id_column or "")
        if name not in self.work.shifts or name not in {ROOT, *self.work.cut_by_id}:
            return ""
        shift = self.work.shifts[name]
        first, last = shift.among(self.chunk.first, self.chunk.last)
        return f"x.{column} BETWEEN {first + shift.by} AND {last + shift.by}"

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
            if not self.is_lookup(column) and not self.nullable(column) and column != self.anchor
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
        """Conditions: what these columns refer to travels."""
        return [f"NOT {self.absent(column)}" for column in columns]

    def absent(self, column: str) -> str:
        """Return SQL of whether what a column refers to does not travel."""
        return f"(t0.{quoted(column)} IS NOT NULL AND NOT ({self.entries[column].is_known}))"

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
            return self.own.target_id
        return self.ids.get(name, f"t0.{quoted(name)}")

    def value(self, name: str) -> str:
        """Return SQL of what a column is written with."""
        if name in self.table.constants:
            return self.table.constants[name].decode()
        if name == self.table.id_column:
            return self.own.target_id
        if name in self.table.deferred:
            # A row that may not be without a parent is its own until the rest is there.
            return "NULL" if self.nullable(name) else self.own.target_id
        if name in self.derived:
            return self.derived[name].value
        return self.ids.get(name, f"t0.{quoted(name)}")
