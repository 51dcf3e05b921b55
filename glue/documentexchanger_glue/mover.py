"""The mover for cases on different servers: rows pass through the processes of Spark's tasks, in bounded batches."""

from collections import Counter
from collections.abc import Iterator, Sequence

from pymysql.connections import Connection

from .checkpoints import check_in
from .db import Row, patiently, stream
from .derive import DERIVED, Derivation, names_for, texts_for
from .domain import ROOT
from .idmap import lookup
from .plan import TablePlan
from .ranges import set_aside_more, unused
from .reading import queries
from .task import Moved, Task
from .translate import Placed, Stays, Values, first_columns, id_maps, key_of, notes_of, place
from .work import Work, documents_of, source_of, target_of
from .writing import NewRow, insert_missing

_ROWS = 1000
_BYTES = 2 * 1024 * 1024


def stream_rows(work: Work, task: Task) -> Moved:
    """Move rows through this process: read raw from the source, translated, written to the destination."""
    return patiently(lambda: _move(work, task), f"copying table {task.table}")


def _move(work: Work, task: Task) -> Moved:
    table = work.plan.tables[task.table]
    moved = Moved(table.name)
    with source_of(work.settings) as source, target_of(work.settings) as target:
        documents = documents_of(target, work.settings, task.chunk)
        context = _Context(work, table, task, target, documents)
        context.names = names_for(source, table.name, documents)
        context.texts = texts_for(source, target, work, table.name, documents)
        select = ", ".join(column.read("t0") for column in table.columns)
        for query in queries(work.plan, table, select, documents):
            for rows in batches(stream(source, query)):
                moved.read += len(rows)
                new, notes = context.translated([dict(zip(table.table.columns, row, strict=True)) for row in rows])
                moved.notes += notes
                moved.written += insert_missing(target, work.settings.exchange_id, table, new)
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


class _Context:
    """Everything that the rows of one task have in common."""

    def __init__(self, work: Work, table: TablePlan, task: Task, target: Connection, documents: dict[int, int]) -> None:
        self.work, self.table, self.target, self.documents = work, table, target, documents
        self.names: dict[int, str] = {}
        self.texts: dict[tuple[int, bytes], str] = {}
        self.columns = first_columns(table)
        self.free = unused(target, work.settings.exchange_id, table.name, task.ids)
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
            new.append(NewRow(key_of(self.table, row, placed, own_id), literals, pair))
            notes += of.notes
        return new, notes

    def _source_id(self, row: Values) -> int:
        return int(row[self.table.id_column] or 0) if self.table.id_column else 0

    def _own_ids(self, rows: Sequence[Values]) -> tuple[dict[int, int], set[int]]:
        """Give every row its id in the destination: the one it has in the map, or the next of the range."""
        if not self.table.id_column:
            return {}, set()
        wanted = sorted(self._source_id(row) for row in rows)
        exchange_id = self.work.settings.exchange_id
        known = (
            {source: self.documents[source] for source in wanted}
            if self.table.name == ROOT
            else lookup(self.target, exchange_id, self.table.name, wanted)
        )
        fresh = [source for source in wanted if source not in known]
        given = dict(zip(fresh, self.free, strict=False))
        short = fresh[len(given) :]
        if short:
            schema = self.work.settings.target_schema
            more = set_aside_more(self.target, schema, exchange_id, self.table.table, len(short))
            given |= dict(zip(short, range(more.first, more.first + more.size), strict=True))
        return known | given, set(known)

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
