"""Which tables of an exchange are shifted: decided once for each, when its first rows are about to come."""

from pymysql.connections import Connection

from .db import fetch, quoted
from .domain import ROOT
from .idmap import remember_shift
from .plan import TablePlan
from .ranges import set_aside
from .shifts import Shift, is_dense, shiftable
from .survey import Survey
from .work import Work


def shift_documents(target: Connection, work: Work, documents: list[int], first: int) -> bool:
    """Shift the documents, if every id from their first to their last is selected; `first` is in the destination.

    Where one is not, it must stay out whatever comes to be under it: then each that is selected is written down.
    """
    shift = Shift(first - documents[0], documents[0], documents[-1])
    if ROOT not in shiftable(work.plan) or documents[-1] - documents[0] + 1 != len(documents):
        return False
    remember_shift(target, work.numbers, ROOT, shift)
    return True


def shift_tables(source: Connection, target: Connection, work: Work, found: Survey) -> None:
    """Shift what can be, of the tables of which no row has an id yet."""
    settings = work.settings
    for name, is_referred_to in shiftable(work.plan).items():
        table, rows = work.plan.tables[name], sum(found.counts[name].values())
        if not rows or name == ROOT or _has_ids(target, settings.exchange_id, name):
            continue
        first, last = found.spans[name]
        if is_dense(table, first, last, rows) and (not is_referred_to or _is_whole(source, table, first, last, rows)):
            sizes = {0: last - first + 1}
            ids = set_aside(target, settings.target_schema, settings.exchange_id, table.table, sizes)[0]
            remember_shift(target, work.numbers, name, Shift(ids.first - first, first, last))


def _has_ids(target: Connection, exchange_id: str, table: str) -> bool:
    known = "SELECT 1 FROM exchange_id_ranges WHERE exchange_id = %s AND table_name = %s LIMIT 1"
    return bool(fetch(target, known, (exchange_id, table)))


def _is_whole(source: Connection, table: TablePlan, first: int, last: int, rows: int) -> bool:
    """Say whether all rows between these ids travel, so that no row is likely to refer to one that does not."""
    key = quoted(table.id_column or "")
    ((count,),) = fetch(source, f"SELECT COUNT(*) FROM {quoted(table.name)} WHERE {key} BETWEEN {first} AND {last}")
    return int(count or 0) == rows
