"""Rows in generated tables: made, written, and told in tags."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.cases import Case
from tests.generated import TYPES, WORDS, Reference, Table, key_columns

#: What two cases may call the same thing, each in its own way.
_WORDS = ("alpha", "Beta", "GAMMA", "Délta", "ε")

Told = dict[str, Counter[tuple[Any, ...]]]


@dataclass
class Row:
    """A row, by column; `document` is the number of the document that it hangs on, none where it hangs on nothing."""

    tag: str
    document: int | None
    values: dict[str, Any]


@dataclass
class Rows:
    """What a case holds."""

    tables: Sequence[Table]
    documents: int
    by_table: dict[str, list[Row]] = field(default_factory=dict)

    def tags_of(self, documents: Iterable[int]) -> set[str]:
        """Return the tags of all rows that hang on these documents."""
        chosen = set(documents)
        return {row.tag for rows in self.by_table.values() for row in rows if row.document in chosen}


@st.composite
def rows_of(draw: st.DrawFn, tables: Sequence[Table], prefix: str) -> Rows:
    """Rows of some documents; the tags of a case begin with its prefix."""
    made = Rows(tables, draw(st.integers(2, 3)))
    first, stride = draw(st.integers(1, 1000)), draw(st.sampled_from([1, 3]))
    spell = draw(st.sampled_from([str.upper, str.lower]))
    words = draw(st.lists(st.sampled_from(_WORDS), min_size=1, unique=True))
    made.by_table["words"] = [Row(spell(word), None, {"id": first + number}) for number, word in enumerate(words)]
    for table in tables:
        mine: list[Row] = made.by_table.setdefault(table.name, [])
        for document in [*range(made.documents), None]:
            for _ in range(int(document is not None) if table.name == "documents" else draw(st.integers(0, 3))):
                row = _row(draw, table, made, document, first + stride * len(mine))
                if row is not None and key_of(table, row) not in {key_of(table, one) for one in mine}:
                    row.tag = f"{prefix}-{table.name}-{len(mine)}"
                    mine.append(row)
    by_name = {table.name: table for table in tables}
    for table in tables:
        for one in table.references:
            if one.free and one.parent != WORDS.name:
                # Made last, since they lead anywhere.
                for row in made.by_table[table.name]:
                    row.values |= _referring(draw, one, by_name[one.parent], made.by_table[one.parent])
    return made


def _row(draw: st.DrawFn, table: Table, made: Rows, document: int | None, number: int) -> Row | None:
    """Make a row that hangs on this document as far as it can; none where it lacks a parent that it must have."""
    row = Row("", document if table.name == "documents" else None, {})
    if table.counted:
        row.values["id"] = number
    for one in table.references:
        if one.free and one.parent != WORDS.name:
            continue
        parent = WORDS if one.parent == WORDS.name else next(t for t in made.tables if t.name == one.parent)
        found = [up for up in made.by_table[one.parent] if parent is WORDS or up.document == document]
        row.values |= _referring(draw, one, parent, found)
        if not one.nullable and not found:
            return None
        if parent is not WORDS and found and row.values[one.columns[0]] is not None:
            row.document = document
    for column in key_columns(table):
        if column not in row.values:
            row.values[column] = draw(st.integers(-5, 5))
    for value in table.values:
        of_type = TYPES[value.sql_type]
        row.values[value.column] = draw(st.none() | of_type if value.nullable else of_type)
    return row


def _referring(draw: st.DrawFn, one: Reference, parent: Table, found: Sequence[Row]) -> dict[str, Any]:
    chosen = draw(st.sampled_from([*found, *([None] if one.nullable or not found else [])]))
    key = key_of(parent, chosen) if chosen else [None] * len(one.columns)
    return dict(zip(one.columns, key, strict=True))


def key_of(table: Table, row: Row) -> tuple[Any, ...]:
    """Return the row's primary key."""
    return tuple(row.values[column] for column in key_columns(table))


def write(case: Case, rows: Rows) -> None:
    """Put the rows into a case, each as it is."""
    case.run("SET SESSION sql_mode = 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES', foreign_key_checks = 0")
    for table, some in rows.by_table.items():
        for row in some:
            known = {"file_name": row.tag} if table == "documents" else {}
            case.add(table, **row.values, tag=row.tag, **known)
    case.run("SET SESSION sql_mode = DEFAULT, foreign_key_checks = 1")


def told(case: Case, tables: Sequence[Table]) -> Told:
    """Tell all rows of a case: tag, tags of what it refers to, values."""
    keys = {table.name: key_columns(table) for table in (*tables, WORDS)}
    found: Told = {"words": Counter((word.casefold(),) for (word,) in case.rows("words", "tag"))}
    for table in tables:
        joins = [
            f" LEFT JOIN {one.parent} p{number} ON "
            + " AND ".join(
                f"p{number}.{above} = t.{column}" for above, column in zip(keys[one.parent], one.columns, strict=True)
            )
            for number, one in enumerate(table.references)
        ]
        columns = [
            "t.tag",
            *(f"LOWER(p{number}.tag)" for number, _ in enumerate(table.references)),
            *(value.exact.format(row="t") for value in table.values),
            *(f"t.{column}" for column in keys[table.name] if column == "line"),
        ]
        found[table.name] = Counter(case.run(f"SELECT {', '.join(columns)} FROM {table.name} t{''.join(joins)}"))
    return found


def expected(source: Told, before: Told, tables: Sequence[Table], selected: set[str]) -> Told:
    """Say what the destination must hold: what it had, and the selected rows with what they refer to."""
    wanted = {name: Counter(rows) for name, rows in before.items()}
    for table in tables:
        for tag, *rest in source[table.name]:
            if tag not in selected:
                continue
            for number, one in enumerate(table.references):
                if one.parent == WORDS.name:
                    wanted["words"] |= Counter({(rest[number].casefold(),): 1}) if rest[number] else Counter()
                elif rest[number] not in selected:
                    rest[number] = None
            wanted[table.name][(tag, *rest)] += 1
    return wanted
