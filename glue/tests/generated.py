"""Random tables that hang on documents, and rows in them.

Every row has a tag that no other row has, and belongs to one document or to none. What a row is and what it refers to
is told in tags, so that two cases can be compared whatever ids their rows have.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

BASE = """
CREATE TABLE documents (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, parent_id BIGINT UNSIGNED NULL,
  file_name VARCHAR(100) NOT NULL, tag VARCHAR(40) NOT NULL, FOREIGN KEY (parent_id) REFERENCES documents (id));
CREATE TABLE document_variants (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, document_id BIGINT UNSIGNED NOT NULL,
  role VARCHAR(10) NOT NULL, s3_key VARCHAR(100) NOT NULL, size BIGINT NOT NULL, sha256 CHAR(64) NULL,
  FOREIGN KEY (document_id) REFERENCES documents (id));
CREATE TABLE exhibits (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, document_id BIGINT UNSIGNED NOT NULL,
  tag VARCHAR(40) NOT NULL, FOREIGN KEY (document_id) REFERENCES documents (id));
CREATE TABLE words (id INT AUTO_INCREMENT PRIMARY KEY,
  tag VARCHAR(40) COLLATE utf8mb4_unicode_520_ci NOT NULL UNIQUE);
"""
ID, INT = "BIGINT UNSIGNED", "INT"

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)

#: Type → values, as the driver takes them.
TYPES: Mapping[str, st.SearchStrategy[Any]] = {
    "TINYINT(1)": st.integers(-128, 127),
    "BIGINT": st.integers(-(2**63), 2**63 - 1),
    "BIGINT UNSIGNED": st.integers(0, 2**64 - 1),
    "DECIMAL(38,10)": st.decimals(-(10**27), 10**27, places=10),
    "DOUBLE": st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False),
    "BIT(64)": st.integers(0, 2**64 - 1),
    "DATE": st.dates().map(str) | st.sampled_from(["0000-00-00", "2024-00-00", "2024-02-31"]),
    "DATETIME(6)": st.datetimes().map(str) | st.just("0000-00-00 00:00:00"),
    "TIME(6)": st.timedeltas(timedelta(days=-34), timedelta(days=34)),
    "VARCHAR(40)": _TEXT,
    "VARCHAR(40) CHARACTER SET latin1": st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=30),
    "TEXT": _TEXT,
    "VARBINARY(40)": st.binary(max_size=40),
    "BINARY(8)": st.binary(max_size=8),
    "BLOB": st.binary(max_size=200),
    "JSON": st.recursive(
        st.none() | st.booleans() | st.integers() | _TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
        max_leaves=5,
    ).map(json.dumps),
    "ENUM('a', 'it''s', 'é')": st.sampled_from(["a", "it's", "é"]),
    "SET('x', 'y', 'z')": st.sets(st.sampled_from("xyz")).map(lambda chosen: ",".join(sorted(chosen))),
}
#: Types that are told by their bytes; the others by what the server prints.
_BYTES = ("VARCHAR", "TEXT", "VARBINARY", "BINARY", "BLOB", "JSON", "ENUM", "SET", "BIT")


@dataclass(frozen=True)
class Reference:
    """A foreign key: `columns` hold the key of a row of `parent`."""

    columns: tuple[str, ...]
    parent: str
    nullable: bool
    #: It may lead to rows of other documents, because it does not say whose a row is.
    free: bool = False


@dataclass(frozen=True)
class Value:
    """A column without meaning."""

    column: str
    sql_type: str
    nullable: bool

    @property
    def exact(self) -> str:
        """SQL that tells one value from another; `{row}` is the table's alias."""
        shown = "HEX({0})" if self.sql_type.startswith(_BYTES) else "CAST({0} AS CHAR)"
        return shown.format(f"{{row}}.{self.column}")


@dataclass(frozen=True)
class Table:
    """A table that hangs on documents."""

    name: str
    #: Columns of the primary key, and their types.
    key: tuple[tuple[str, str], ...]
    references: tuple[Reference, ...]
    values: tuple[Value, ...] = ()
    #: Its key is a number of its own.
    counted: bool = True

    def reference_of(self, column: str) -> Reference | None:
        """Return the reference that a column is part of."""
        return next((one for one in self.references if column in one.columns), None)


KNOWN = (
    Table("documents", (("id", ID),), (Reference(("parent_id",), "documents", nullable=True, free=True),)),
    Table("exhibits", (("id", ID),), (Reference(("document_id",), "documents", nullable=False),)),
)
_KNOWN_NAMES = {table.name for table in KNOWN}
_KNOWN_REFERENCES = {one for table in KNOWN for one in table.references}
WORDS = Table("words", (("id", INT),), ())


@st.composite
def tables(draw: st.DrawFn) -> tuple[Table, ...]:
    """Some tables, parents before children, after the known ones."""
    made = list(KNOWN)
    for number in range(draw(st.integers(2, 4))):
        made.append(_table(draw, f"t{number}", made))
    for number, later in enumerate(made):
        for earlier in [made[0], *made[2:number]]:
            if (
                later.name not in _KNOWN_NAMES
                and later.counted
                and _must_hang_on(made, later, earlier.name)
                and draw(st.booleans())
            ):
                at = made.index(earlier)
                back = Reference((f"back_{later.name}",), later.name, nullable=True, free=True)
                made[at] = Table(
                    earlier.name, earlier.key, (*earlier.references, back), earlier.values, earlier.counted
                )
    return tuple(made)


def _table(draw: st.DrawFn, name: str, above: list[Table]) -> Table:
    single = [table for table in above if len(table.key) == 1]
    kind = draw(st.sampled_from(["counted", "counted", "sharing", "numbered", "linking"]))
    references: list[Reference] = []

    def refer(label: str, parent: Table, *, nullable: bool, free: bool = False) -> Reference:
        columns = tuple(f"{label}_{column}" for column, _ in parent.key)
        references.append(Reference(columns, parent.name, nullable, free))
        return references[-1]

    if kind == "counted":
        key = (("id", draw(st.sampled_from([ID, INT]))),)
        refer("p0", draw(st.sampled_from(above)), nullable=draw(st.booleans()))
    elif kind == "linking":
        ends = (draw(st.sampled_from(single)), draw(st.sampled_from([*single, WORDS])))
        key = tuple(
            (refer(f"p{number}", end, nullable=False).columns[0], end.key[0][1]) for number, end in enumerate(ends)
        )
    else:
        parent = draw(st.sampled_from(single))
        key = ((refer("p0", parent, nullable=False).columns[0], parent.key[0][1]),)
        if kind == "numbered":
            key = (*key, ("line", INT))
    if draw(st.booleans()):
        refer("p2", draw(st.sampled_from(above)), nullable=draw(st.booleans()))
    if draw(st.booleans()):
        refer("word", WORDS, nullable=draw(st.booleans()), free=True)
    me = Table(name, key, ())
    if kind == "counted" and draw(st.booleans()):
        refer("self", me, nullable=True, free=True)
    kinds = draw(st.lists(st.sampled_from(sorted(TYPES)), max_size=3))
    values = tuple(Value(f"v{number}", chosen, draw(st.booleans())) for number, chosen in enumerate(kinds))
    return Table(name, key, tuple(references), values, kind == "counted")


def _must_hang_on(made: list[Table], table: Table, above: str) -> bool:
    """Say whether no row of the table can be without one of the other."""
    by_name = {one.name: one for one in made}
    parents = {one.parent for one in table.references if not one.nullable and one.parent in by_name}
    return above in parents or any(_must_hang_on(made, by_name[parent], above) for parent in parents)


def ddl(made: tuple[Table, ...]) -> str:
    """Return the statements that make these tables beside the known ones."""
    types = {table.name: [sql_type for _, sql_type in table.key] for table in (*made, WORDS)}
    statements = [BASE]
    for table in made:
        own = () if table.name in _KNOWN_NAMES else table.key
        columns = [
            f"{column} {sql_type} NOT NULL{' AUTO_INCREMENT' if table.counted else ''}" for column, sql_type in own
        ]
        new = [one for one in table.references if one not in _KNOWN_REFERENCES]
        keyed = {column for column, _ in table.key}
        for one in new:
            null = "NULL" if one.nullable else "NOT NULL"
            columns += [
                f"{column} {sql_type} {null}"
                for column, sql_type in zip(one.columns, types[one.parent], strict=True)
                if column not in keyed
            ]
        columns += [f"{one.column} {one.sql_type} {'NULL' if one.nullable else 'NOT NULL'}" for one in table.values]
        if own:
            body = ", ".join([*columns, "tag VARCHAR(40) NOT NULL", f"PRIMARY KEY ({', '.join(key_columns(table))})"])
            statements.append(f"CREATE TABLE {table.name} ({body}) DEFAULT CHARACTER SET utf8mb4;\n")
        elif columns:
            statements.append(f"ALTER TABLE {table.name} {', '.join(f'ADD {column}' for column in columns)};\n")
    keys = {table.name: key_columns(table) for table in (*made, WORDS)}
    statements += [
        f"ALTER TABLE {table.name} ADD FOREIGN KEY ({', '.join(one.columns)})"
        f" REFERENCES {one.parent} ({', '.join(keys[one.parent])});\n"
        for table in made
        for one in table.references
        if one not in _KNOWN_REFERENCES
    ]
    return "".join(statements)


def key_columns(table: Table) -> tuple[str, ...]:
    """Name the columns of the primary key."""
    return tuple(column for column, _ in table.key)
