"""The record copy from beginning to end."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from pymysql.connections import Connection

from . import storage
from .catalogue import Catalogue, common, one_sided_columns, read_catalogue
from .checkpoints import checked_in
from .copies import finish, is_selected, select_documents
from .db import execute, named_lock, patiently
from .domain import CODES, ROOT
from .idmap import ensure_tables
from .log import Log
from .lookups import Gathered, gather
from .manifest import remove_other_parts, write_part
from .merge import code_bits, found_in_target, merge
from .patch import patch_rows
from .plan import Plan, make_plan, travelling
from .progress import shown
from .ranges import IdRange, set_aside
from .report import Report, mismatches, must_match, skipped_lines, write_report
from .selection import selected_documents
from .settings import Settings
from .survey import Survey, survey
from .task import Count, Moved, Mover, Task
from .work import Chunk, Work, documents_of, source_of, target_of

#: The source is in use while it is copied: what appears meanwhile is taken along in a further round.
_ROUNDS = 3
_SURVEYED_AT_ONCE = 1000
_GUARD_SECONDS = 7 * 24 * 3600


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
    with target_of(settings) as guard:
        execute(guard, f"SET SESSION wait_timeout = {_GUARD_SECONDS}")
        with named_lock(guard, f"exchange:{settings.exchange_id}", 60):
            work, one_sided = patiently(partial(_plan, settings), "reading the case schemas")
            chunks = patiently(partial(_select, work, tools.log), "selecting documents")
            rows, notes = _copy(work, chunks, tools)
            parts = tools.spread(partial(write_part, work), chunks)
            remove_other_parts(settings, chunks)
            patiently(partial(finish, settings), "finishing")
    report = Report(len(parts), rows, skipped_lines(one_sided, notes), tools.clock() - began, _checksums(work))
    write_report(settings, report)
    tools.log("finished", **report.as_json())
    return report


def _plan(settings: Settings) -> tuple[Work, list[str]]:
    with source_of(settings) as source, target_of(settings) as target:
        ours, theirs = read_catalogue(source, settings.source_schema), read_catalogue(target, settings.target_schema)
    plan = make_plan(
        common(ours, theirs), settings.metadata, include_natives=settings.include_natives, annotated=settings.annotated
    )
    return Work(settings, plan), _one_sided(ours, theirs, plan, settings)


def _one_sided(ours: Catalogue, theirs: Catalogue, plan: Plan, settings: Settings) -> list[str]:
    missing = [name for name in travelling(ours, settings.metadata) if name not in theirs]
    columns = [line for name in plan.tables for line in one_sided_columns(ours[name], theirs[name])]
    return [*missing, *columns, *plan.skipped]


def _select(work: Work, log: Log) -> list[Chunk]:
    """Settle which documents are meant. Whatever can be refused is refused before anything is written."""
    settings = work.settings
    with source_of(settings) as source, target_of(settings) as target:
        documents: list[int] = []
        if not is_selected(target, settings):
            documents = selected_documents(source, settings.selection)
            log("selected", documents=len(documents))
            _refuse_too_many_codes(source, target, work, documents)
        ensure_tables(target)
        return select_documents(target, settings, work.plan.tables[ROOT].table, documents)


def _refuse_too_many_codes(source: Connection, target: Connection, work: Work, documents: Sequence[int]) -> None:
    if CODES not in work.plan.lookups:
        return
    found = Survey()
    for start in range(0, len(documents), _SURVEYED_AT_ONCE):
        found.add(survey(work, documents[start : start + _SURVEYED_AT_ONCE]))
    code_bits(target, work.plan.tables[CODES], gather(source, work.plan, found).of(CODES))


def _copy(work: Work, chunks: Sequence[Chunk], tools: Tools) -> tuple[dict[str, Count], Counter[str]]:
    """Copy until every row of the source is found in the destination."""
    again: frozenset[int] = frozenset()
    for number in range(1, _ROUNDS + 1):
        rows, notes, again = _round(work, chunks, again, tools)
        if not mismatches(rows):
            break
        tools.log("rows are missing", round=number, tables=mismatches(rows))
    must_match(rows)
    return rows, notes


def _round(
    work: Work, chunks: Sequence[Chunk], again: AbstractSet[int], tools: Tools
) -> tuple[dict[str, Count], Counter[str], frozenset[int]]:
    """Copy what has no checkpoint, and the chunks of `again` anew; return what is there and which chunks lack rows."""
    surveys: list[Survey] = tools.spread(partial(survey_chunk, work), chunks)
    gathered, bits = patiently(partial(_merge, work, surveys), "merging names")
    work = replace(work, bits=bits)
    tools.log("merged", rows={name: len(gathered.of(name)) for name in work.plan.lookups})
    done = {key: moved for key, moved in _checked_in(work).items() if key[1] not in again}
    totals = sum((Counter(found.counts) for found in surveys), Counter(dict.fromkeys(work.plan.owned, 0)))
    with shown(work.settings, {name: totals[name] for name in work.plan.owned}):
        _move(work, chunks, surveys, done.keys(), tools)
    notes = sum((moved.notes for moved in _checked_in(work).values()), Counter[str]())
    waiting = [(name, chunk) for name in work.plan.owned if work.plan.tables[name].deferred for chunk in chunks]
    for lost in tools.spread(partial(patch_task, work), waiting):
        notes.update(lost)
    rows = {name: Count() for name in sorted(work.plan.tables)}
    counts: list[dict[str, Count]] = tools.spread(partial(tools.mover.verify, work), chunks)
    for found in [patiently(partial(_count_merged, work, gathered), "checking merged rows"), *counts]:
        for name, count in found.items():
            rows[name].add(count)
    lacking = {chunk.number for chunk, found in zip(chunks, counts, strict=True) if mismatches(found)}
    return rows, notes, frozenset(lacking)


def _move(
    work: Work,
    chunks: Sequence[Chunk],
    surveys: Sequence[Survey],
    done: AbstractSet[tuple[str, int]],
    tools: Tools,
) -> None:
    for level in work.plan.levels:
        tasks = patiently(partial(_tasks, work, level, chunks, surveys, done), "setting ids aside")
        moved: list[Moved] = tools.spread(partial(tools.mover.move, work), tasks)
        for name in level:
            new = [one for one in moved if one.table == name]
            tools.log("copied", table=name, rows=sum(m.read for m in new), written=sum(m.written for m in new))


def _checked_in(work: Work) -> dict[tuple[str, int], Moved]:
    def read() -> dict[tuple[str, int], Moved]:
        with target_of(work.settings) as target:
            return checked_in(target, work.settings.exchange_id)

    return patiently(read, "reading checkpoints")


def _checksums(work: Work) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for (table, _), moved in _checked_in(work).items():
        sums[table] += moved.checksum
    return dict(sums)


def survey_chunk(work: Work, chunk: Chunk) -> Survey:
    """Measure what hangs on one chunk of documents."""
    with target_of(work.settings) as target:
        documents = documents_of(target, work.settings, chunk)
    return survey(work, documents)


def patch_task(work: Work, item: tuple[str, Chunk]) -> Counter[str]:
    """Set the deferred columns of one table for one chunk."""
    return patch_rows(work, *item)


def _merge(work: Work, surveys: Sequence[Survey]) -> tuple[Gathered, dict[int, int]]:
    found = Survey()
    for one in surveys:
        found.add(one)
    with source_of(work.settings) as source, target_of(work.settings) as target:
        gathered = gather(source, work.plan, found)
        with named_lock(target, f"exchange-merge:{work.settings.target_schema}", 300):
            return gathered, merge(target, work, gathered)


def _count_merged(work: Work, gathered: Gathered) -> dict[str, Count]:
    with target_of(work.settings) as target:
        return {
            name: Count(len(rows), found_in_target(target, work, work.plan.tables[name], rows))
            for name in (*work.plan.lookups, *work.plan.companions)
            for rows in [gathered.of(name)]
        }


def _tasks(
    work: Work,
    level: Sequence[str],
    chunks: Sequence[Chunk],
    surveys: Sequence[Survey],
    done: AbstractSet[tuple[str, int]],
) -> list[Task]:
    tasks: list[Task] = []
    settings = work.settings
    with target_of(settings) as target:
        for name in level:
            table = work.plan.tables[name].table
            sizes = {
                chunk.number: found.counts.get(name, 0)
                for chunk, found in zip(chunks, surveys, strict=True)
                if (name, chunk.number) not in done
            }
            ranges: dict[int, IdRange] = {}
            if name != ROOT and table.id_column:
                ranges = set_aside(target, settings.target_schema, settings.exchange_id, table, sizes)
            tasks += [
                Task(name, chunk, ranges.get(chunk.number, IdRange())) for chunk in chunks if sizes.get(chunk.number)
            ]
    return tasks
