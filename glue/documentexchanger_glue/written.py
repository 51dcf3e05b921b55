"""What an exchange wrote into the destination, told in SQL by what the job remembers of it."""

from dataclasses import dataclass

from pymysql.connections import Connection

from .catalogue import Table
from .db import fetch, quoted
from .idmap import Numbers, literal, numbers_of, of
from .links import key_sql
from .ranges import EXTRA

Span = tuple[int, int]


def kept_of(exchange_id: str, table: str, alias: str = "") -> str:
    """Return SQL of what singles out the rows of one table that a removal of one exchange leaves."""
    prefix = f"{alias}." if alias else ""
    return f"{prefix}exchange_id = {literal(exchange_id)} AND {prefix}table_name = {literal(table)}"


@dataclass(frozen=True)
class Written:
    """The rows of one table that an exchange wrote."""

    exchange_id: str
    numbers: Numbers
    table: Table
    #: Ids that nobody else has been given, first and last; none where rows share their ids' counter with others.
    spans: tuple[Span, ...] = ()

    @property
    def memory(self) -> str:
        """The table of the job's own that remembers these rows."""
        return "exchange_id_map" if self.table.id_column else "exchange_links"

    @property
    def named_by(self) -> str:
        """The column there that names a row of the destination."""
        return "target_id" if self.table.id_column else "row_key"

    def key(self, row: str) -> str:
        """Return SQL of the text that names a row."""
        return key_sql(self.table, {name: f"{row}.{quoted(name)}" for name in self.table.primary_key})

    def is_own(self, row: str) -> str:
        """Return SQL of whether the exchange wrote a row."""
        mine = of(self.numbers, self.table.name)
        if not self.table.id_column:
            named = f"row_key = {self.key(row)}"
            return f"EXISTS (SELECT 1 FROM exchange_links WHERE {mine} AND merged = 0 AND {named})"
        column = f"{row}.{quoted(self.table.id_column)}"
        if self.spans:
            return "(" + " OR ".join(f"{column} BETWEEN {first} AND {last}" for first, last in self.spans) + ")"
        return f"{column} IN (SELECT target_id FROM exchange_id_map WHERE {mine} AND merged = 0)"

    def is_kept(self, row: str) -> str:
        """Return SQL of whether a removal leaves a row."""
        mine = kept_of(self.exchange_id, self.table.name)
        return f"EXISTS (SELECT 1 FROM exchange_kept WHERE {mine} AND row_key = {self.key(row)})"


def written_by(target: Connection, exchange_id: str, tables: dict[str, Table]) -> dict[str, Written]:
    """Return, of every table that the exchange may have written to, what it wrote."""
    numbers = numbers_of(target, exchange_id, ())
    spans = _spans(target, exchange_id)
    return {
        name: Written(exchange_id, numbers, tables[name], spans.get(name, ()))
        for name in sorted(numbers)
        if name in tables
    }


def _spans(target: Connection, exchange_id: str) -> dict[str, tuple[Span, ...]]:
    """Put ranges that follow each other together. Lookups, which have ids of other making too, are left out."""
    found: dict[str, list[Span]] = {}
    owned: set[str] = set()
    for table, chunk, first_id, size in fetch(
        target,
        "SELECT table_name, chunk, first_id, size FROM exchange_id_ranges WHERE exchange_id = %s AND size > 0"
        " ORDER BY table_name, first_id",
        (exchange_id,),
    ):
        name, first = (table or b"").decode(), int(first_id or 0)
        spans = found.setdefault(name, [])
        before = spans.pop() if spans and spans[-1][1] + 1 == first else (first, first - 1)
        spans.append((before[0], first + int(size or 0) - 1))
        if int(chunk or 0) < EXTRA:
            owned.add(name)
    return {name: tuple(spans) for name, spans in found.items() if name in owned}
