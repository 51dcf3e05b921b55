"""What a schema looks like, read from the server: columns, keys, foreign keys."""

from collections import defaultdict
from dataclasses import dataclass, field, replace

from pymysql.connections import Connection

from .db import fetch, quoted
from .errors import MisfitError

#: The job's own tables in a case database; they are no part of a case.
BOOKKEEPING = (
    "exchange_checkpoints",
    "exchange_copies",
    "exchange_id_map",
    "exchange_id_ranges",
    "exchange_kept",
    "exchange_links",
    "exchange_removals",
    "exchange_tables",
)

_INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint"})
_NUMBERS = _INTEGERS | {"decimal", "float", "double", "year"}
_BYTES = frozenset(
    {"bit", "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
    | {"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"}
    | {"geometrycollection", "geomcollection", "vector"}
)


@dataclass(frozen=True)
class Column:
    """A column as the server describes it."""

    name: str
    data_type: str
    nullable: bool
    generated: bool = False
    has_default: bool = False
    auto_increment: bool = False
    stamps_updates: bool = False
    #: The type in full. Only columns of one type on both sides print equal values equally.
    full_type: str = ""
    prints_equally: bool = True

    @property
    def is_integer(self) -> bool:
        """Whether its values can be keys that are translated."""
        return self.data_type in _INTEGERS

    @property
    def holds_bytes(self) -> bool:
        """Whether its values are no text and are printed as they are."""
        return self.data_type in _BYTES

    def read(self, row: str) -> str:
        """Return SQL that reads the exact value; a FLOAT is printed with six digits unless it is widened first."""
        return f"{row}.{quoted(self.name)} * 1e0" if self.data_type == "float" else f"{row}.{quoted(self.name)}"

    def printed(self, value: str) -> str:
        """Return SQL of a value as a checksum takes it: text in one character set, and NULL unlike every text."""
        if self.holds_bytes:
            shown = f"CRC32({value})"
        elif self.data_type in _NUMBERS:
            shown = f"{value} * 1e0" if self.data_type == "float" else value
        else:
            shown = f"CONVERT({value} USING utf8mb4)"
        if not self.nullable:
            return shown
        is_text = not self.holds_bytes and self.data_type not in _NUMBERS
        return f"COALESCE(CONCAT('=', {shown}), '~')" if is_text else f"COALESCE({shown}, '~')"

    @property
    def comes_as_bytes(self) -> bool:
        """Whether its values are read as they are; others are written as SQL by the server that has them."""
        return self.holds_bytes and self.data_type != "bit"

    def as_sql(self, value: str) -> str:
        """Return SQL that writes a value as SQL."""
        if self.data_type == "float":
            return f"COALESCE({value} * 1e0, 'NULL')"
        if self.data_type == "bit":
            return f"COALESCE({value} + 0, 'NULL')"
        return f"COALESCE({value}, 'NULL')" if self.data_type in _NUMBERS else f"QUOTE(CONVERT({value} USING utf8mb4))"

    def literal(self, value: bytes | None) -> bytes:
        """Return SQL that stands for exactly the value that was read."""
        if value is None:
            return b"NULL"
        if self.data_type in _NUMBERS:
            return value
        text = value.replace(b"\\", b"\\\\").replace(b"'", b"\\'").replace(b"\0", b"\\0")
        return (b"_binary'" if self.holds_bytes else b"_utf8mb4'") + text + b"'"


@dataclass(frozen=True)
class ForeignKey:
    """Columns of a table that name a row of a parent table."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    #: The destination has it, and refuses what it forbids.
    enforced: bool = field(default=True, compare=False)


@dataclass(frozen=True)
class Table:
    """A table as the server describes it."""

    name: str
    columns: dict[str, Column]
    primary_key: tuple[str, ...] = ()
    unique_keys: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()

    @property
    def id_column(self) -> str | None:
        """The primary key, where it is one whole number; such keys are translated."""
        if len(self.primary_key) == 1 and self.columns[self.primary_key[0]].is_integer:
            return None if any(key.columns == self.primary_key for key in self.foreign_keys) else self.primary_key[0]
        return None


Catalogue = dict[str, Table]


def read_catalogue(to: Connection, schema: str) -> Catalogue:
    """Read every base table of a schema. Needs no more than SELECT on it."""
    columns: dict[str, dict[str, Column]] = defaultdict(dict)
    for table, name, data_type, nullable, default, extra, expression, full_type in _texts(
        to,
        "SELECT c.table_name, c.column_name, c.data_type, c.is_nullable, c.column_default IS NOT NULL, c.extra,"
        " c.generation_expression, c.column_type FROM information_schema.columns c JOIN information_schema.tables t"
        " ON t.table_schema = c.table_schema AND t.table_name = c.table_name AND t.table_type = 'BASE TABLE'"
        " WHERE c.table_schema = %s ORDER BY c.table_name, c.ordinal_position",
        schema,
    ):
        columns[table][name] = Column(
            name=name,
            data_type=data_type.lower(),
            nullable=nullable == "YES",
            generated=bool(expression),
            has_default=default == "1" or nullable == "YES",
            auto_increment="auto_increment" in extra.lower(),
            stamps_updates="on update" in extra.lower(),
            full_type=full_type,
        )
    keys: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for table, key, column in _texts(
        to,
        "SELECT table_name, index_name, column_name FROM information_schema.statistics"
        " WHERE table_schema = %s AND non_unique = 0 ORDER BY table_name, index_name, seq_in_index",
        schema,
    ):
        keys[table][key].append(column)
    references: dict[str, dict[str, list[tuple[str, str, str]]]] = defaultdict(lambda: defaultdict(list))
    for table, key, column, parent, parent_column in _texts(
        to,
        "SELECT table_name, constraint_name, column_name, referenced_table_name, referenced_column_name"
        " FROM information_schema.key_column_usage WHERE table_schema = %s AND referenced_table_schema = table_schema"
        " ORDER BY table_name, constraint_name, ordinal_position",
        schema,
    ):
        references[table][key].append((column, parent, parent_column))
    return {
        table: Table(
            name=table,
            columns=found,
            primary_key=tuple(keys[table].get("PRIMARY", ())),
            unique_keys=tuple(tuple(key) for name, key in keys[table].items() if name != "PRIMARY"),
            foreign_keys=tuple(
                ForeignKey(tuple(c for c, _, _ in parts), parts[0][1], tuple(p for _, _, p in parts))
                for parts in references[table].values()
            ),
        )
        for table, found in columns.items()
        if table not in BOOKKEEPING
    }


def _texts(to: Connection, sql: str, schema: str) -> list[tuple[str, ...]]:
    return [tuple("" if value is None else value.decode() for value in row) for row in fetch(to, sql, (schema,))]


def common(source: Catalogue, target: Catalogue) -> Catalogue:
    """Keep the tables and columns that both sides have and that can be written; foreign keys count from either side."""
    both: Catalogue = {}
    for name in sorted(source.keys() & target.keys()):
        ours, theirs = source[name], target[name]
        if ours.primary_key != theirs.primary_key:
            raise MisfitError(
                "KEYS_DIFFER", f"table {name} has another primary key in the destination than in the source"
            )
        columns = {
            column: replace(
                theirs.columns[column],
                prints_equally=ours.columns[column].full_type == theirs.columns[column].full_type,
            )
            for column in ours.columns
            if column in theirs.columns and not theirs.columns[column].generated
        }
        both[name] = Table(
            name=name,
            columns=columns,
            primary_key=ours.primary_key,
            unique_keys=theirs.unique_keys,
            foreign_keys=tuple(
                replace(key, enforced=key in theirs.foreign_keys)
                for key in dict.fromkeys(theirs.foreign_keys + ours.foreign_keys)
                if all(column in columns for column in key.columns)
            ),
        )
    return both


def one_sided_columns(source: Table, target: Table) -> list[str]:
    """Name the columns that cannot travel; a column that the destination must have filled is a misfit."""
    missing = [column for column in source.columns if column not in target.columns]
    added = [column for column in target.columns if column not in source.columns]
    for column in added:
        found = target.columns[column]
        if not (found.has_default or found.generated or found.auto_increment):
            raise MisfitError(
                "VALUE_MISSING",
                f"column {target.name}.{column} exists in the destination only and needs a value; give it a default",
            )
    return [f"{source.name}.{column}" for column in sorted(missing + added)]
