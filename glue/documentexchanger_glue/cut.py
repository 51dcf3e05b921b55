"""The line between what goes and what stays when an exchange is taken out, and the going.

Rows of others that hang on the exchange's rows are never touched: what they need stays, with all that it needs itself.
The order is children first; a row goes only while it is locked and nobody's row refers to it, so people may work in
the destination meanwhile.
"""

from collections.abc import Iterator, Sequence

from pymysql.connections import Connection

from .catalogue import Catalogue, ForeignKey
from .db import execute, fetch, quoted, transaction
from .domain import CODES, EXHIBITS, ROOT
from .idmap import literal, of
from .links import key_literals
from .log import Log
from .order import order_of
from .written import Written, kept_of, written_by

#: How the reason begins for which rows are left to another exchange.
HANDED_OVER = "exchange "

_ROWS = 1000


class NewcomerError(Exception):
    """A row of somebody else refers to a row that was about to go."""


class Cut:
    """One look at what goes and what stays."""

    def __init__(self, target: Connection, exchange_id: str, tables: Catalogue) -> None:
        self.target, self.exchange_id, self.tables = target, exchange_id, tables
        self.written = written_by(target, exchange_id, tables)
        levels, _ = order_of({name: tables[name] for name in self.written}, first=ROOT)
        self.order = [name for level in reversed(levels) for name in level]

    def make(self, log: Log) -> None:
        """Note what stays, and delete the rest; `NewcomerError` when it has to be looked anew."""
        execute(
            self.target,
            f"DELETE FROM exchange_kept WHERE exchange_id = {literal(self.exchange_id)}"
            f" AND because NOT LIKE {literal(HANDED_OVER + '%')}",
        )
        for written in self.written.values():
            if not written.spans:
                self._hand_over(written)
        # What was handed over is not the exchange's own any more.
        while self._keep_referred_to() + self._keep_codes():
            pass
        for name in self.order:
            gone = sum(self._delete(self.written[name], keys) for keys in self._keys(self.written[name]))
            log("rows removed", table=name, rows=gone)

    def _hand_over(self, written: Written) -> None:
        """Leave the rows that another exchange uses to that one: they are its own from now on."""
        name = written.table.name
        others = f"n.exchange_id <> {literal(self.exchange_id)} AND n.table_name = {literal(name)}"
        theirs = f"{written.memory} o JOIN exchange_tables n ON n.table_no = o.table_no AND {others}"
        heir = f"CONCAT({literal(HANDED_OVER)}, {{}}, ' uses them')"
        with transaction(self.target):
            self._keep(
                name,
                f"own.{written.named_by}",
                heir.format("MIN(n.exchange_id)"),
                f"FROM {theirs} JOIN {written.memory} own ON own.{written.named_by} = o.{written.named_by}"
                f" WHERE {of(written.numbers, name, 'own')} AND own.merged = 0 GROUP BY own.{written.named_by}",
            )
            execute(
                self.target,
                f"UPDATE {theirs} JOIN exchange_kept k ON {kept_of(self.exchange_id, name, 'k')}"
                f" AND k.row_key = CONCAT(o.{written.named_by}) AND k.because = {heir.format('n.exchange_id')}"
                " SET o.merged = 0",
            )
            execute(
                self.target,
                f"DELETE own FROM {written.memory} own JOIN exchange_kept k ON {kept_of(self.exchange_id, name, 'k')}"
                f" AND k.row_key = CONCAT(own.{written.named_by}) WHERE {of(written.numbers, name, 'own')}",
            )

    def _keep_referred_to(self) -> int:
        """Keep every row that a row refers to which stays; return how many are new."""
        return sum(
            self._keep(
                name,
                self.written[name].key("t"),
                literal(f"rows of {child} refer to them"),
                f"FROM {quoted(name)} t JOIN {quoted(child)} c ON {_equal(key)}"
                f" WHERE {self.written[name].is_own('t')} AND {self._stays(child, 'c')}",
            )
            for name in self.order
            for child, key in self._references(name)
        )

    def _keep_codes(self) -> int:
        """Masks refer to codes without a foreign key."""
        if CODES not in self.written or EXHIBITS not in self.tables:
            return 0
        code = self.written[CODES]
        return self._keep(
            CODES,
            code.key("t"),
            literal(f"{EXHIBITS} are marked with them"),
            f"FROM {quoted(CODES)} t WHERE {code.is_own('t')} AND EXISTS (SELECT 1 FROM {quoted(EXHIBITS)} c"
            f" WHERE (c.confidentiality_status >> t.bit_index) & 1 AND {self._stays(EXHIBITS, 'c')})",
        )

    def _references(self, parent: str) -> Iterator[tuple[str, ForeignKey]]:
        for name, table in self.tables.items():
            yield from ((name, key) for key in table.foreign_keys if key.parent == parent)

    def _stays(self, table: str, row: str) -> str:
        if table not in self.written:
            return "TRUE"
        written = self.written[table]
        return f"(NOT {written.is_own(row)} OR {written.is_kept(row)})"

    def _keep(self, table: str, key: str, because: str, rows: str) -> int:
        return execute(
            self.target,
            "INSERT IGNORE INTO exchange_kept (exchange_id, table_name, row_key, because)"
            f" SELECT {literal(self.exchange_id)}, {literal(table)}, {key}, {because} {rows}",
        )

    def _keys(self, written: Written) -> Iterator[list[str]]:
        """Yield the keys of what goes, some at a time."""
        table = written.table
        if written.spans:
            rows, column = f"{quoted(table.name)} t WHERE {written.is_own('t')}", f"t.{quoted(table.primary_key[0])}"
        else:
            mine = of(written.numbers, table.name, "t")
            rows, column = f"{written.memory} t WHERE {mine} AND t.merged = 0", f"t.{written.named_by}"
        mine = kept_of(self.exchange_id, table.name, "k")
        kept = f"SELECT 1 FROM exchange_kept k WHERE {mine} AND k.row_key = CONCAT({column})"
        after = ""
        while found := fetch(
            self.target,
            f"SELECT {column} FROM {rows} AND NOT EXISTS ({kept}){after} ORDER BY {column} LIMIT {_ROWS}",
        ):
            keys = [(key or b"").decode() for (key,) in found]
            yield keys
            after = f" AND {column} > {keys[-1] if table.id_column else literal(keys[-1])}"

    def _delete(self, written: Written, keys: Sequence[str]) -> int:
        """Delete rows that nobody refers to; they are locked before that is looked at."""
        table = written.table
        names = [f"t.{quoted(name)}" for name in table.primary_key]
        parts = [key_literals(table, key) for key in keys]
        # The first column by itself lets the server use the key's index where it cannot for whole rows.
        chosen = f"{names[0]} IN ({', '.join({first for first, *_ in parts})})"
        if len(names) > 1:
            chosen += f" AND ({', '.join(names)}) IN ({', '.join('(' + ', '.join(part) + ')' for part in parts)})"
        with transaction(self.target):
            fetch(self.target, f"SELECT 1 FROM {quoted(table.name)} t WHERE {chosen} FOR UPDATE")
            for child, key in self._references(table.name):
                newcomer = (
                    f"SELECT 1 FROM {quoted(table.name)} t JOIN {quoted(child)} c ON {_equal(key)}"
                    f" WHERE {chosen} AND {self._stays(child, 'c')} LIMIT 1"
                )
                if fetch(self.target, newcomer):
                    raise NewcomerError
            gone = execute(self.target, f"DELETE t FROM {quoted(table.name)} t WHERE {chosen}")
            execute(
                self.target,
                "INSERT INTO exchange_removals (exchange_id, table_name, removed_rows) VALUES (%s, %s, %s)"
                " ON DUPLICATE KEY UPDATE removed_rows = removed_rows + VALUES(removed_rows)",
                (self.exchange_id, table.name, gone),
            )
        return gone


def _equal(key: ForeignKey) -> str:
    pairs = zip(key.columns, key.parent_columns, strict=True)
    return " AND ".join(f"c.{quoted(column)} = t.{quoted(above)}" for column, above in pairs)
