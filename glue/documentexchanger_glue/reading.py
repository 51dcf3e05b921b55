"""SQL that reads the travelling rows of a table for some documents. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .db import quoted
from .domain import ROOT
from .plan import Plan, TablePlan, Way


@dataclass(frozen=True)
class Path:
    """One way from the documents down to a table's rows, as SQL; the table's own columns have the alias `t0`."""

    #: Table and alias of every step, the documents first, and the condition that joins it to the one before.
    tables: tuple[tuple[str, str], ...]
    conditions: tuple[str, ...]
    #: The document's id in the source.
    document: str


def queries(
    plan: Plan, table: TablePlan, select: str, documents: Iterable[int], extra: str = "", join: str = ""
) -> list[str]:
    """Return one query for each way by which a row may hang on a document; no row is in two of them.

    `select` is the list of expressions, `extra` one more condition, `join` one more table.
    """
    among = ",".join(map(str, documents))
    return [_query(path, select, among, extra, join) for path in paths(plan, table)] if among else []


def columns_of(names: Iterable[str]) -> str:
    """Return columns of the table itself, for `select`."""
    return ", ".join(f"t0.{quoted(name)}" for name in names)


def paths(plan: Plan, table: TablePlan, schema: str | None = None) -> list[Path]:
    """Return every way down to a table's rows; no row is on two of them. `schema` is where the tables are."""
    return [_path(plan, table, way, f"{quoted(schema)}." if schema else "") for way in table.ways]


def _path(plan: Plan, table: TablePlan, way: Way, prefix: str) -> Path:
    names = [table.name, *(step.parent for step in way)]
    conditions: list[str] = []
    joined: list[str] = []
    for number, name in enumerate(names):
        if name in plan.filters:
            conditions.append(plan.filters[name].format(row=f"t{number}"))
    for number, step in enumerate(way):
        child, parent = f"t{number}", f"t{number + 1}"
        conditions += [_any_null(child, columns) for columns in step.absent]
        joined.append(_equal(child, step.columns, parent, step.parent_columns))
    tables = [f"{prefix}{quoted(name)} t{number}" for number, name in enumerate(names)]
    key = plan.tables[ROOT].table.primary_key[0]
    downwards = zip(reversed(tables), ["", *reversed(joined)], strict=True)
    return Path(tuple(downwards), tuple(conditions), f"t{len(way)}.{quoted(key)}")


def _query(path: Path, select: str, among: str, extra: str, join: str) -> str:
    tables = " ".join(f"JOIN {table} ON {on}" if on else table for table, on in path.tables)
    conditions = " AND ".join([*path.conditions, f"{path.document} IN ({among})", *([extra] if extra else [])])
    return f"SELECT {select} FROM {tables} {join} WHERE {conditions}"


def _equal(child: str, columns: Sequence[str], parent: str, parent_columns: Sequence[str]) -> str:
    pairs = zip(columns, parent_columns, strict=True)
    return " AND ".join(f"{child}.{quoted(column)} = {parent}.{quoted(above)}" for column, above in pairs)


def _any_null(row: str, columns: Sequence[str]) -> str:
    return "(" + " OR ".join(f"{row}.{quoted(column)} IS NULL" for column in columns) + ")"
