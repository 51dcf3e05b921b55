"""Rows that the selected rows refer to: read from the source with everything that they themselves refer to."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pymysql.connections import Connection

from .confidentiality import bits_of
from .db import fetch, quoted
from .domain import CODES, COMPANIONS
from .plan import Plan, TablePlan
from .survey import Needs, Survey
from .translate import Values


@dataclass
class Gathered:
    """Rows of lookups and companions, by table and raw primary key."""

    rows: dict[str, dict[tuple[bytes, ...], Values]] = field(default_factory=lambda: defaultdict(dict))

    def of(self, table: str) -> list[Values]:
        """Return the rows of a table in the order of their keys."""
        found = self.rows.get(table, {})
        return [found[key] for key in sorted(found, key=lambda key: [(len(part), part) for part in key])]


def gather(source: Connection, plan: Plan, survey: Survey) -> Gathered:
    """Follow references upwards, and companions sideways, until nothing new turns up."""
    gathered = Gathered()
    needs: Needs = {key: set(values) for key, values in survey.needs.items()}
    if survey.mask and CODES in plan.lookups:
        bits = {(str(bit).encode(),) for bit in bits_of(survey.mask)}
        needs[CODES, ("bit_index",)] = bits
    while needs:
        fresh = [
            (table, row)
            for (name, columns), values in needs.items()
            for table, row in _new_rows(source, plan.tables[name], columns, values, gathered)
        ]
        needs = defaultdict(set)
        for table, row in fresh:
            for columns, parent, parent_columns in _references(plan, table):
                values = tuple(value for column in columns if (value := row[column]) is not None)
                if len(values) == len(columns):
                    needs[parent, parent_columns].add(values)
            for companion, column in _companions(plan, table):
                needs[companion, (column,)].add((row[table.table.primary_key[0]] or b"",))
    return gathered


def _new_rows(
    source: Connection,
    table: TablePlan,
    columns: Sequence[str],
    values: Iterable[tuple[bytes, ...]],
    gathered: Gathered,
) -> Iterator[tuple[TablePlan, Values]]:
    select = ", ".join(column.read("t0") for column in table.columns).encode()
    names = ", ".join(f"t0.{quoted(column)}" for column in columns).encode()
    wanted = sorted(values)
    for start in range(0, len(wanted), 500):
        among = b",".join(_tuple(table, columns, value) for value in wanted[start : start + 500])
        sql = b"SELECT %s FROM %s t0 WHERE (%s) IN (%s)" % (select, quoted(table.name).encode(), names, among)
        for found in fetch(source, sql):
            row = dict(zip(table.table.columns, found, strict=True))
            key = tuple(row[column] or b"" for column in table.table.primary_key)
            if key not in gathered.rows[table.name]:
                gathered.rows[table.name][key] = row
                yield table, row


def _tuple(table: TablePlan, columns: Sequence[str], values: tuple[bytes, ...]) -> bytes:
    literals = [table.table.columns[column].literal(value) for column, value in zip(columns, values, strict=True)]
    return b"(" + b",".join(literals) + b")"


def _references(plan: Plan, table: TablePlan) -> Iterator[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    for key in table.table.foreign_keys:
        if key.parent in plan.lookups and not set(key.columns) & table.constants.keys():
            yield key.columns, key.parent, key.parent_columns


def _companions(plan: Plan, table: TablePlan) -> Iterator[tuple[str, str]]:
    for name in plan.companions:
        if plan.tables[name].mapped.get(COMPANIONS[name]) == table.name:
            yield name, COMPANIONS[name]
