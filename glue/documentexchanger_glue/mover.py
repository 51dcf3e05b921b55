"""The mover for cases on different servers: rows pass through the processes of Spark's tasks, in bounded batches.

They are staged beside the destination's tables; from there on all is as if both cases were on one server.
"""

from collections.abc import Sequence
from functools import partial

from pymysql.connections import Connection

from .db import fetch, patiently
from .domain import ROOT
from .pages import pages_of, reading
from .reading import paths, query_of
from .server_side import counted_by, described_by, moved_by, still_holds
from .server_sql import keys_of
from .stage import stage
from .survey import Measuring, Survey, is_near
from .task import Claim, Count, Moved, Part, Task
from .translate import first_columns
from .work import Chunk, Work, source_of, target_of


def measure_rows(work: Work, part: Part) -> Survey:
    """Measure what one table holds for one chunk, in the source."""
    return patiently(partial(_measure, work, part), "measuring the selection")


def _measure(work: Work, part: Part) -> Survey:
    found = Survey()
    above = work.plan.tables[part.table].hangs_on if is_near(work, part.table) else ROOT
    with source_of(work.settings) as source, target_of(work.settings) as target:
        for among in pages_of(target, work, part.chunk, above):
            found.add(measured(source, work, part.table, among))
    return found


def measured(source: Connection, work: Work, name: str, among: str) -> Survey:
    """Measure what one table holds for the documents, or what it is measured by, that `among` singles out."""
    measure, found = Measuring(work, work.plan.tables[name]), Survey()
    for path in paths(work.plan, measure.table, whole=not is_near(work, name)):
        for columns, groups in measure.selects(path.above):
            found.add(measure.survey(fetch(source, f"{query_of(path, columns, among)} GROUP BY {groups}")))
    return found


def stream_rows(work: Work, task: Task) -> Moved:
    """Move rows through this process."""
    return patiently(partial(_stream, work, task), f"copying table {task.table}")


def _stream(work: Work, task: Task) -> Moved:
    table = work.plan.tables[task.table]
    names = [name for name in table.table.columns if name not in table.constants]
    with target_of(work.settings) as target:
        with source_of(work.settings) as source:
            stage(source, target, work, task, names)
        return moved_by(target, work, task, staged=True)


def verify_rows(work: Work, claim: Claim) -> Count:
    """Count the rows of one table that hang on one chunk; their keys alone pass through this process, if at all."""
    return patiently(partial(_verify, work, claim), "checking the copy")


def _verify(work: Work, claim: Claim) -> Count:
    table, part = work.plan.tables[claim.part.table], claim.part
    names = [*dict.fromkeys([*table.table.primary_key, *first_columns(table)])]
    with target_of(work.settings) as target:
        with source_of(work.settings) as source:
            recounting = reading(source, target, work, table, part.chunk, f"COUNT(*), {keys_of(table)}")
            if still_holds(claim.moved, source, recounting):
                return claim.moved.count
            stage(source, target, work, part, names)
        return counted_by(target, work, part, staged=True)


def describe_rows(work: Work, chunk: Chunk) -> list[str]:
    """Return the lines of the manifest for one chunk of documents."""
    return patiently(partial(_describe, work, chunk), "writing the manifest")


def _describe(work: Work, chunk: Chunk) -> list[str]:
    with source_of(work.settings) as source, target_of(work.settings) as target:

        def fill(name: str, columns: Sequence[str]) -> None:
            stage(source, target, work, Part(name, chunk), columns, whole=True)

        return described_by(target, work, chunk, fill)
