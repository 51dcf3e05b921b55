"""The mover for cases on different servers: rows pass through the processes of Spark's tasks, in bounded batches."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from zlib import crc32

from pymysql.connections import Connection

from .checkpoints import check_in
from .db import Raw, Row, fetch, patiently, stream, transaction
from .derive import DERIVED, Derivation, names_for, texts_for
from .domain import ROOT
from .idmap import lookup
from .plan import TablePlan
from .ranges import IdRange, TooFewIdsError, set_aside_more
from .reading import paths, queries, query_of
from .survey import Measuring, Survey
from .task import Moved, Part, Task
from .translate import Placed, Stays, Values, first_columns, id_maps, key_of, notes_of, place
from .work import Work, pages_of, source_of, target_of
from .writing import NewRow, insert_missing

_ROWS = 1000
_BYTES = 2 * 1024 * 1024


def measure_rows(work: Work, part: Part) -> Survey:
    """Measure what one table holds for one chunk, in the source."""
    return patiently(partial(_measure, work, part), "measuring the selection")


def _measure(work: Work, part: Part) -> Survey:
    found = Survey()
    with source_of(work.settings) as source, target_of(work.settings) as target:
        for documents in pages_of(target, work, part.chunk, ROOT):
            found.add(measured(source, work, part.table, documents))
    return found


def measured(source: Connection, work: Work, name: str, documents: Iterable[int]) -> Survey:
    """Measure what one table holds for some documents."""
    measure, found = Measuring(work, work.plan.tables[name]), Survey()
    among = ",".join(map(str, documents))
    for path in paths(work.plan, measure.table, whole=True):
        columns, groups = measure.select(path.above)
        found.add(measure.survey(fetch(source, f"{query_of(path, columns, among)} GROUP BY {groups}")))
    return found


def stream_rows(work: Work, task: Task) -> Moved:
    """Move rows through this process: read raw from the source, translated, written to the destination."""
    return patiently(partial(_move, work, task), f"copying table {task.table}")


def _move(work: Work, task: Task) -> Moved:
    ids, settings = task.ids, work.settings
    with source_of(settings) as source, target_of(settings) as target:
        while True:
            try:
                with transaction(target):
                    return _move_with(source, target, work, task, ids)
            except TooFewIdsError as few:
                table = work.plan.tables[task.table].table
                ids = set_aside_more(target, settings.target_schema, settings.exchange_id, table, few.wanted)


def _move_with(source: Connection, target: Connection, work: Work, task: Task, ids: IdRange) -> Moved:
    table = work.plan.tables[task.table]
    moved = Moved(table.name)
    select = ", ".join(column.read("t0") for column in table.columns)
    free = _Ids(ids)
    for above in pages_of(target, work, task.chunk, table.hangs_on):
        context = _Context(work, table, target, above, free)
        context.names = names_for(source, table, above)
        context.texts = texts_for(source, target, work, table, above)
        for query in queries(work.plan, table, select, above):
            for rows in batches(stream(source, query)):
                moved.read += len(rows)
                new, notes = context.translated([dict(zip(table.table.columns, row, strict=True)) for row in rows])
                moved.notes += notes
                moved.checksum += sum(row.checksum or 0 for row in new)
                moved.written += insert_missing(target, work.numbers, table, new)
    check_in(target, work.settings.exchange_id, task.chunk.number, moved)
    return moved


def batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Cut a stream of rows into pieces of bounded size."""
    some: list[Row] = []
    size = 0
    for row in rows:
        some.append(row)
        size += sum(len(value) for value in row if value)
        if len(some) >= _ROWS or size >= _BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


class _Ids:
    """The ids that one task gives, in their order."""

    def __init__(self, ids: IdRange) -> None:
        self.next, self.end = ids.first, ids.first + ids.size
        self.given = 0

    def give(self, source_ids: Sequence[int]) -> dict[int, int]:
        """Give an id to each row; with too few, all of the task has to begin anew with more."""
        self.given += len(source_ids)
        first, self.next = self.next, self.next + len(source_ids)
        if self.next > self.end:
            raise TooFewIdsError(2 * self.given)
        return dict(zip(source_ids, range(first, self.next), strict=True))


class _Context:
    """What rows have in common that hang on the same page of rows above."""

    def __init__(self, work: Work, table: TablePlan, target: Connection, above: dict[int, int], ids: _Ids) -> None:
        self.work, self.table, self.target, self.above = work, table, target, above
        self.names: dict[int, str] = {}
        self.texts: dict[tuple[int, bytes], str] = {}
        self.columns = first_columns(table)
        self.ids = ids
        derived = DERIVED.get(table.name, {})
        self.derived = {name: rule for name, rule in derived.items() if name not in table.constants}

    def translated(self, rows: Sequence[Values]) -> tuple[list[NewRow], Counter[str]]:
        """Tell the rows in the destination's keys, and say what is lost on the way."""
        maps = id_maps(self.target, self.work, self.table, rows, self.columns)
        travelling: list[tuple[Values, Placed]] = []
        notes: Counter[str] = Counter()
        for row in rows:
            placed = place(self.work, self.table, row, maps, self.columns)
            notes += notes_of(self.table, placed)
            if not isinstance(placed, Stays):
                travelling.append((row, placed))
        own_ids, known = self._own_ids([row for row, _ in travelling])
        new: list[NewRow] = []
        for row, placed in travelling:
            source_id = self._source_id(row)
            own_id = own_ids.get(source_id, 0)
            of = Derivation(self.work, row, own_id, placed.ids, self.names, self.texts)
            literals = [self._literal(name, of) for name in self.table.table.columns]
            pair = None if not self.table.id_column or source_id in known else (source_id, own_id)
            new.append(NewRow(key_of(self.table, row, placed, own_id), literals, pair, self._checksum(of)))
            notes += of.notes
        return new, notes

    def _source_id(self, row: Values) -> int:
        return int(row[self.table.id_column] or 0) if self.table.id_column else 0

    def _own_ids(self, rows: Sequence[Values]) -> tuple[dict[int, int], set[int]]:
        """Give every row its id in the destination: the one it has in the map, or the next of the range."""
        if not self.table.id_column:
            return {}, set()
        wanted = sorted(self._source_id(row) for row in rows)
        known = (
            {source: self.above[source] for source in wanted}
            if self.table.name == ROOT
            else lookup(self.target, self.work.numbers, self.table.name, wanted)
        )
        fresh = [source for source in wanted if source not in known]
        return known | self.ids.give(fresh), set(known)

    def _checksum(self, of: Derivation) -> int:
        parts = (column.print(self._raw(column.name, of)) for column in self.table.compared)
        return crc32(b"#".join(parts))

    def _raw(self, name: str, of: Derivation) -> Raw:
        """Return what will be written into a column, as it is read."""
        if name in self.table.constants:
            constant = self.table.constants[name]
            return None if constant == b"NULL" else constant
        if name == self.table.id_column:
            return str(of.own_id).encode()
        if name in self.table.mapped:
            return str(of.ids[name]).encode() if name in of.ids else None
        return of.row[name]

    def _literal(self, name: str, of: Derivation) -> bytes:
        column = self.table.table.columns[name]
        if name in self.table.constants:
            return self.table.constants[name]
        if name == self.table.id_column:
            return str(of.own_id).encode()
        if name in self.table.deferred:
            # A row that may not be without a parent is its own until the rest is there.
            return b"NULL" if column.nullable else str(of.own_id).encode()
        if name in self.derived:
            return self.derived[name](of)
        if name in self.table.mapped:
            return str(of.ids[name]).encode() if name in of.ids else b"NULL"
        return column.literal(of.row[name])
