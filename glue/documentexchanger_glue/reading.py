"""SQL that reads the travelling rows of a table for some documents. Pure."""

from collections.abc import Iterable, Sequence

from .db import quoted
from .domain import ROOT
from .plan import Plan, TablePlan, Way


def queries(
    plan: Plan, table: TablePlan, select: str, documents: Iterable[int], extra: str = "", join: str = ""
) -> list[str]:
    """Return one query for each way by which a row may hang on a document; no row is in two of them.

    `select` is the list of expressions, `extra` one more condition, `join` one more table; the table's own columns have
    the alias `t0`.
    """
    among = ",".join(map(str, documents))
    return [_query(plan, table, way, select, among, extra, join) for way in table.ways] if among else []


def columns_of(names: Iterable[str]) -> str:
    """Return columns of the table itself, for `select`."""
    return ", ".join(f"t0.{quoted(name)}" for name in names)


def _query(plan: Plan, table: TablePlan, way: Way, select: str, among: str, extra: str, join: str) -> str:
    joins = [join] if join else []
    conditions = [plan.filters[table.name].format(row="t0")] if table.name in plan.filters else []
    for number, step in enumerate(way):
        child, parent = f"t{number}", f"t{number + 1}"
        conditions += [_any_null(child, columns) for columns in step.absent]
        on = _equal(child, step.columns, parent, step.parent_columns)
        joins.append(f"JOIN {quoted(step.parent)} {parent} ON {on}")
        if step.parent in plan.filters:
            conditions.append(plan.filters[step.parent].format(row=parent))
    key = plan.tables[ROOT].table.primary_key[0]
    conditions.append(f"t{len(way)}.{quoted(key)} IN ({among})")
    if extra:
        conditions.append(extra)
    return f"SELECT {select} FROM {quoted(table.name)} t0 {' '.join(joins)} WHERE {' AND '.join(conditions)}"


def _equal(child: str, columns: Sequence[str], parent: str, parent_columns: Sequence[str]) -> str:
    pairs = zip(columns, parent_columns, strict=True)
    return " AND ".join(f"{child}.{quoted(column)} = {parent}.{quoted(above)}" for column, above in pairs)


def _any_null(row: str, columns: Sequence[str]) -> str:
    return "(" + " OR ".join(f"{row}.{quoted(column)} IS NULL" for column in columns) + ")"
