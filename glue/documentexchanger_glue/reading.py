"""SQL that reads the travelling rows of a table for some documents. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from .db import quoted
from .domain import ROOT
from .plan import Plan, TablePlan, Way


@dataclass(frozen=True)
class Path:
    """One way from selected rows down to a table's rows, as SQL; the table's own columns have the alias `t0`."""

    #: Table and alias of every step, the uppermost first, and the condition that joins it to the one before.
    tables: tuple[tuple[str, str], ...]
    conditions: tuple[str, ...]
    #: The id, in the source, of the row that says whether the others travel.
    above: str


def queries(
    plan: Plan,
    table: TablePlan,
    select: str,
    among: str,
    extra: str = "",
    join: str = "",
    *,
    whole: bool = False,
) -> list[str]:
    """Return one query for each way by which a row may hang on the chosen rows; no row is in two of them.

    `select` is the list of expressions, `among` SQL that singles out those rows by their ids, `extra` one more
    condition, `join` one more table, `whole` as in `paths`.
    """
    return [query_of(path, select, among, extra, join) for path in paths(plan, table, whole=whole)]


def paths(plan: Plan, table: TablePlan, schema: str | None = None, *, whole: bool = False) -> list[Path]:
    """Return every way down to a table's rows; no row is on two of them. `schema` is where the tables are.

    They begin at what the table hangs on or, with `whole`, at the documents.
    """
    prefix = f"{quoted(schema)}." if schema else ""
    if table.anchor and not whole:
        row = (f"{prefix}{quoted(table.name)} t0", "")
        return [Path((row,), _filters(plan, [table.name]), f"t0.{quoted(table.anchor[0])}")]
    return [_path(plan, table, way, prefix) for way in table.ways]


def _filters(plan: Plan, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(plan.filters[name].format(row=f"t{n}") for n, name in enumerate(names) if name in plan.filters)


def _path(plan: Plan, table: TablePlan, way: Way, prefix: str) -> Path:
    names = [table.name, *(step.parent for step in way)]
    conditions = [*_filters(plan, names)]
    joined: list[str] = []
    for number, step in enumerate(way):
        child, parent = f"t{number}", f"t{number + 1}"
        conditions += [_any_null(child, columns) for columns in step.absent]
        joined.append(_equal(child, step.columns, parent, step.parent_columns))
    tables = [f"{prefix}{quoted(name)} t{number}" for number, name in enumerate(names)]
    key = plan.tables[ROOT].table.primary_key[0]
    downwards = zip(reversed(tables), ["", *reversed(joined)], strict=True)
    return Path(tuple(downwards), tuple(conditions), f"t{len(way)}.{quoted(key)}")


def query_of(path: Path, select: str, among: str, extra: str = "", join: str = "") -> str:
    """Return the query by one way, for the rows above that `among` singles out."""
    tables = " ".join(f"JOIN {table} ON {on}" if on else table for table, on in path.tables)
    conditions = " AND ".join([*path.conditions, f"{path.above} {among}", *([extra] if extra else [])])
    return f"SELECT {select} FROM {tables} {join} WHERE {conditions}"


def _equal(child: str, columns: Sequence[str], parent: str, parent_columns: Sequence[str]) -> str:
    pairs = zip(columns, parent_columns, strict=True)
    return " AND ".join(f"{child}.{quoted(column)} = {parent}.{quoted(above)}" for column, above in pairs)


def _any_null(row: str, columns: Sequence[str]) -> str:
    return "(" + " OR ".join(f"{row}.{quoted(column)} IS NULL" for column in columns) + ")"
