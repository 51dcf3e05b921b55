"""The record copy from beginning to end."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from . import storage
from .catalogue import Catalogue, common, one_sided_columns, read_catalogue
from .checkpoints import checked_in, plan_chunks, planned
from .copies import finish, is_selected, select_documents
from .db import named_lock, patiently
from .domain import ROOT
from .idmap import ensure_tables, numbers_of
from .log import Log
from .lookups import Gathered, gather
from .manifest import remove_other_parts, write_part
from .merge import found_in_target, merge
from .plan import Plan, make_plan, travelling
from .privileged import keep, kept_counts, without_privileged
from .progress import shown
from .ranges import IdRange, set_aside
from .refusals import refuse_too_many_codes
from .report import Report, mismatches, must_match, skipped_lines, write_report
from .selection import selected_documents
from .settings import Settings
from .shifting import counts_of, shift_tables, with_shifts
from .survey import Survey, is_near
from .task import Claim, Count, Moved, Mover, Part, Task
from .work import Chunk, Pace, Work, alone, source_of, target_of

#: The source is in use while it is copied: what appears meanwhile is taken along in a further round, and what hangs on
#: that in the round after it.
_ROUNDS = 5
#: A table is measured in so many pieces at most.
_SPANS = 100


class Spread(Protocol):
    """Does `work` for every item, wherever, and returns the results in the items' order."""

    def __call__(self, work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """Do it."""


@dataclass(frozen=True)
class Tools:
    """What the job works with; tests bring their own."""

    spread: Spread
    mover: Mover
    log: Log
    clock: Callable[[], float] = time.monotonic


def run(settings: Settings, tools: Tools) -> Report:
    """Copy the selected records, prove that all of them arrived, write the manifest and, last, the report."""
    began = tools.clock()
    for key in (settings.report_key, settings.removal_key, settings.progress_key):
        storage.remove(settings.data_bucket, key)
    with alone(settings):
        work, one_sided = patiently(partial(_plan, settings, tools.mover.pace), "reading the case schemas")
        work, parts = patiently(partial(_select, work, tools.log), "selecting documents")
        rows, notes = _copy(work, parts, tools)
        tools.spread(partial(write_part, _with_latest_shifts(work), tools.mover.describe), parts)
        remove_other_parts(settings, parts)
        patiently(partial(finish, settings), "finishing")
    report = Report(
        len(parts),
        rows,
        skipped_lines(one_sided, notes),
        tools.clock() - began,
        _checksums(work),
        kept_counts(settings),
    )
    write_report(settings, report)
    tools.log("finished", **report.as_json())
    return report


def _plan(settings: Settings, pace: Pace) -> tuple[Work, list[str]]:
    with source_of(settings) as source, target_of(settings) as target:
        ours, theirs = read_catalogue(source, settings.source_schema), read_catalogue(target, settings.target_schema)
    plan = make_plan(
        common(ours, theirs), settings.metadata, include_natives=settings.include_natives, annotated=settings.annotated
    )
    return Work(settings, plan, pace), _one_sided(ours, theirs, plan, settings)


def _one_sided(ours: Catalogue, theirs: Catalogue, plan: Plan, settings: Settings) -> list[str]:
    missing = [name for name in travelling(ours, settings.metadata) if name not in theirs]
    columns = [line for name in plan.tables for line in one_sided_columns(ours[name], theirs[name])]
    return [*missing, *columns, *plan.skipped]


def _select(work: Work, log: Log) -> tuple[Work, list[Chunk]]:
    """Settle which documents are meant. Whatever can be refused is refused before anything is written."""
    settings = work.settings
    with source_of(settings) as source, target_of(settings) as target:
        documents: list[int] = []
        if not is_selected(target, settings):
            documents, privileged = without_privileged(source, settings, selected_documents(source, settings.selection))
            log("selected", documents=len(documents), privileged=privileged and len(privileged))
            refuse_too_many_codes(source, target, work, documents)
            keep(settings, privileged)
        ensure_tables(target)
        work = replace(work, numbers=numbers_of(target, settings.exchange_id, work.plan.tables))
        parts = select_documents(target, work, documents)
        return with_shifts(target, work), parts


def _copy(work: Work, parts: Sequence[Chunk], tools: Tools) -> tuple[dict[str, Count], Counter[str]]:
    """Copy until every row of the source is found in the destination."""
    again: frozenset[Part] = frozenset()
    for number in range(1, _ROUNDS + 1):
        rows, notes, again = _round(work, parts, again, tools)
        if not mismatches(rows):
            break
        tools.log("rows are missing", round=number, tables=mismatches(rows))
    must_match(rows)
    return rows, notes


def _round(
    work: Work, parts: Sequence[Chunk], again: AbstractSet[Part], tools: Tools
) -> tuple[dict[str, Count], Counter[str], frozenset[Part]]:
    """Copy what has no checkpoint, and what is in `again` anew; return what is there and where rows are missing."""
    found, work = _surveyed(work, parts, tools)
    gathered, bits = patiently(partial(_merge, work, found), "merging names")
    work = replace(work, bits=bits)
    tools.log("merged", rows={name: len(gathered.of(name)) for name in work.plan.lookups})
    chunks = patiently(partial(_cut, work, found), "cutting tables into chunks")
    with shown(work.settings):
        moved = {
            part: done
            for level in work.plan.levels
            for part, done in _move(_with_latest_shifts(work), level, again, tools)
        }
    work = _with_latest_shifts(work)
    notes = sum((moved.notes for moved in _checked_in(work).values()), Counter[str]())
    waiting = [part for part in chunks if work.plan.tables[part.table].deferred]
    for lost in tools.spread(partial(tools.mover.complete, work), waiting):
        notes.update(lost)
    work = _with_latest_shifts(work)
    claims = [Claim(part, moved.get(part)) for part in chunks]
    counts: list[Count] = tools.spread(partial(tools.mover.verify, work), claims)
    rows = {name: Count() for name in sorted(work.plan.tables)}
    for part, count in zip(chunks, counts, strict=True):
        rows[part.table].add(count)
    rows |= patiently(partial(_count_merged, work, gathered), "checking merged rows")
    lacking = {part for part, count in zip(chunks, counts, strict=True) if count.source != count.target}
    return rows, notes, frozenset(lacking)


def _surveyed(work: Work, parts: Sequence[Chunk], tools: Tools) -> tuple[Survey, Work]:
    """Measure everything that travels, parents first, and settle which ids are shifted: that makes it quicker below."""
    together = max(1, work.pace.documents // work.settings.documents_per_part)
    documents = [
        Chunk(start, parts[start].first, parts[min(start + together, len(parts)) - 1].last)
        for start in range(0, len(parts), together)
    ]
    found = Survey()
    for level in work.plan.levels:
        asked = [Part(name, span) for name in level for span in _spans(work, name, documents)]
        for one in tools.spread(partial(tools.mover.measure, work), asked):
            found.add(one)
        work = patiently(partial(_shift, work, level, found), "setting ids aside")
    return found, work


def _spans(work: Work, name: str, documents: Sequence[Chunk]) -> Sequence[Chunk]:
    if not is_near(work, name):
        return documents
    above = work.shifts[work.plan.tables[name].hangs_on]
    # Ids may lie far apart.
    width = max(work.pace.documents, (above.last - above.first) // _SPANS + 1)
    return [Chunk(0, first, first + width - 1) for first in range(above.first, above.last + 1, width)]


def _shift(work: Work, level: Sequence[str], found: Survey) -> Work:
    with source_of(work.settings) as source, target_of(work.settings) as target:
        shift_tables(source, target, work, level, found)
        return with_shifts(target, work)


def _merge(work: Work, found: Survey) -> tuple[Gathered, dict[int, int]]:
    with source_of(work.settings) as source, target_of(work.settings) as target:
        gathered = gather(source, work.plan, found)
        with named_lock(target, f"exchange-merge:{work.settings.target_schema}", 300):
            return gathered, merge(target, work, gathered)


def _cut(work: Work, found: Survey) -> list[Part]:
    exchange_id = work.settings.exchange_id
    with target_of(work.settings) as target:
        for name in work.plan.owned:
            plan_chunks(target, exchange_id, name, counts_of(work, name, found), work.pace)
        return [Part(name, chunk) for name, chunk, _ in planned(target, exchange_id, work.plan.owned)]


def _with_latest_shifts(work: Work) -> Work:
    """Read anew what is shifted: tasks spell ids out where they must."""

    def read() -> Work:
        with target_of(work.settings) as target:
            return with_shifts(target, work)

    return patiently(read, "reading which ids are shifted")


def _move(work: Work, level: Sequence[str], again: AbstractSet[Part], tools: Tools) -> list[tuple[Part, Moved]]:
    tasks = patiently(partial(_tasks, work, level, again), "setting ids aside")
    moved: list[Moved] = tools.spread(partial(tools.mover.move, work), tasks)
    for name in level:
        new = [one for one in moved if one.table == name]
        tools.log("copied", table=name, rows=sum(m.read for m in new), written=sum(m.written for m in new))
    return [(Part(task.table, task.chunk), done) for task, done in zip(tasks, moved, strict=True)]


def _tasks(work: Work, level: Sequence[str], again: AbstractSet[Part]) -> list[Task]:
    """Return what is to be moved, tables in turn: the server lets one statement at a time fill a table."""
    settings, tasks = work.settings, list[Task]()
    with target_of(settings) as target:
        done = checked_in(target, settings.exchange_id).keys()
        for name in level:
            chunks = planned(target, settings.exchange_id, [name])
            tasks += [Task(name, chunk, IdRange()) for _, chunk, _ in chunks if Part(name, chunk) in again]
            new = {
                chunk: rows
                for _, chunk, rows in chunks
                if rows and (name, chunk.number) not in done and Part(name, chunk) not in again
            }
            ranges: dict[int, IdRange] = {}
            table = work.plan.tables[name].table
            if name != ROOT and table.id_column and name not in work.shifts:
                sizes = {chunk.number: rows for chunk, rows in new.items()}
                ranges = set_aside(target, settings.target_schema, settings.exchange_id, table, sizes)
            tasks += [Task(name, chunk, ranges.get(chunk.number, IdRange())) for chunk in new]
    return sorted(tasks, key=lambda task: (task.chunk.number, task.table))


def _checked_in(work: Work) -> dict[tuple[str, int], Moved]:
    def read() -> dict[tuple[str, int], Moved]:
        with target_of(work.settings) as target:
            return checked_in(target, work.settings.exchange_id)

    return patiently(read, "reading checkpoints")


def _checksums(work: Work) -> dict[str, int]:
    sums = Counter(dict.fromkeys(work.plan.owned, 0))
    for (table, _), moved in _checked_in(work).items():
        sums[table] += moved.checksum
    return dict(sums)


def _count_merged(work: Work, gathered: Gathered) -> dict[str, Count]:
    with target_of(work.settings) as target:
        return {
            name: Count(len(rows), found_in_target(target, work, work.plan.tables[name], rows))
            for name in (*work.plan.lookups, *work.plan.companions)
            for rows in [gathered.of(name)]
        }
