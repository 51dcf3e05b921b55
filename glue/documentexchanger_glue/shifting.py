"""Which tables of an exchange are shifted: decided once for each, before its first rows come."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pymysql.connections import Connection

from .db import fetch, quoted
from .domain import ROOT
from .idmap import cut_by_id, remember_shift, shifts_of
from .plan import TablePlan
from .ranges import set_aside
from .shifts import Shift, is_close, is_dense, shiftable
from .survey import Survey
from .work import Work


def with_shifts(target: Connection, work: Work) -> Work:
    """Tell the work what is remembered of shifts."""
    exchange_id = work.settings.exchange_id
    return replace(work, shifts=shifts_of(target, exchange_id), cut_by_id=cut_by_id(target, exchange_id))


def shift_documents(target: Connection, work: Work, documents: list[int], first: int) -> bool:
    """Shift the documents, if every id from their first to their last is selected; `first` is in the destination.

    Where one is not, it must stay out whatever comes to be under it: then each that is selected is written down.
    """
    shift = Shift(first - documents[0], documents[0], documents[-1])
    if ROOT not in shiftable(work.plan) or documents[-1] - documents[0] + 1 != len(documents):
        return False
    remember_shift(target, work.numbers, ROOT, shift)
    return True


def shift_tables(source: Connection, target: Connection, work: Work, names: Iterable[str], found: Survey) -> None:
    """Shift what can be of these tables, if no row of them has an id yet."""
    settings, can_be = work.settings, shiftable(work.plan)
    for name in names:
        table, rows = work.plan.tables[name], sum(found.counts[name].values())
        if name not in can_be or not rows or name == ROOT or _has_ids(target, settings.exchange_id, name):
            continue
        first, last = found.spans[name]
        if not is_dense(table, first, last, rows):
            continue
        is_whole = _is_whole(source, table, first, last, rows)
        if is_whole or not can_be[name]:
            sizes = {0: last - first + 1}
            ids = set_aside(target, settings.target_schema, settings.exchange_id, table.table, sizes)[0]
            by_id = is_whole and is_close(first, last, rows) and table.anchor and table.hangs_on in work.shifts
            shift = Shift(ids.first - first, first, last)
            remember_shift(target, work.numbers, name, shift, cut_by_id=bool(by_id))


def _has_ids(target: Connection, exchange_id: str, table: str) -> bool:
    known = "SELECT 1 FROM exchange_id_ranges WHERE exchange_id = %s AND table_name = %s LIMIT 1"
    return bool(fetch(target, known, (exchange_id, table)))


def _is_whole(source: Connection, table: TablePlan, first: int, last: int, rows: int) -> bool:
    """Say whether all rows between these ids travel, so that none is likely to refer to one that does not."""
    key = quoted(table.id_column or "")
    # One more than travel is enough to know.
    some = f"SELECT 1 FROM {quoted(table.name)} WHERE {key} BETWEEN {first} AND {last} LIMIT {rows + 1}"
    ((count,),) = fetch(source, f"SELECT COUNT(*) FROM ({some}) s")
    return int(count or 0) == rows


def counts_of(work: Work, name: str, found: Survey) -> Mapping[int, int]:
    """Return the rows of a table by grain of what it is cut by; of its own ids as if they were spread evenly."""
    if name not in work.cut_by_id or name not in found.spans:
        return found.counts[name]
    first, last = (end // work.pace.grain for end in found.spans[name])
    rows, grains = sum(found.counts[name].values()), last - first + 1
    return {first + grain: rows * (grain + 1) // grains - rows * grain // grains for grain in range(grains)}
