"""What was asked for, and which documents it meant: decided once for an exchange, the same for every attempt."""

from pymysql.connections import Connection

from .db import execute, fetch
from .domain import ROOT
from .errors import InvalidInputError
from .idmap import of, record, shifts_of
from .ranges import set_aside
from .settings import Settings
from .shifting import shift_documents
from .work import Chunk, Work, target_of


def is_selected(target: Connection, settings: Settings) -> bool:
    """Say whether an earlier attempt got as far as selecting the documents. Only reads."""
    if not fetch(target, "SHOW TABLES LIKE 'exchange\\_copies'"):
        return False
    return bool(
        fetch(
            target,
            "SELECT 1 FROM exchange_copies WHERE exchange_id = %s AND selected_at IS NOT NULL",
            (settings.exchange_id,),
        )
    )


def select_documents(target: Connection, work: Work, documents: list[int]) -> list[Chunk]:
    """Give every selected document its id in the destination, and cut the selection into chunks.

    `documents`: source ids, ascending. What an earlier attempt selected stands, whatever labels and folders say now.
    """
    settings, table = work.settings, work.plan.tables[ROOT].table
    size, done = _copy_of(target, settings)
    for removal in ("exchange_kept", "exchange_removals"):
        execute(target, f"DELETE FROM {removal} WHERE exchange_id = %s", (settings.exchange_id,))
    if not done:
        _forget(target, work)
        ids = set_aside(target, settings.target_schema, settings.exchange_id, table, {0: len(documents)})[0]
        if not shift_documents(target, work, documents, ids.first):
            record(target, work.numbers, ROOT, zip(documents, range(ids.first, ids.first + ids.size), strict=True))
        execute(
            target,
            "UPDATE exchange_copies SET selected_at = UTC_TIMESTAMP(6) WHERE exchange_id = %s",
            (settings.exchange_id,),
        )
    return _chunks(target, work, size)


def finish(settings: Settings) -> None:
    """Remember that the copy is complete."""
    with target_of(settings) as target:
        execute(
            target,
            "UPDATE exchange_copies SET finished_at = UTC_TIMESTAMP(6) WHERE exchange_id = %s",
            (settings.exchange_id,),
        )


def _copy_of(target: Connection, settings: Settings) -> tuple[int, bool]:
    """Return the size of a chunk and whether the documents were selected; a first attempt begins here."""
    execute(
        target,
        "INSERT INTO exchange_copies (exchange_id, source_case_id, batch_id, request_hash, documents_per_part)"
        " VALUES (%s, %s, %s, %s, %s) ON DUPLICATE KEY UPDATE exchange_id = VALUES(exchange_id)",
        (
            settings.exchange_id,
            settings.source_case_id,
            settings.batch_id,
            settings.request_hash,
            settings.documents_per_part,
        ),
    )
    ((request, size, selected_at),) = fetch(
        target,
        "SELECT request_hash, documents_per_part, selected_at FROM exchange_copies WHERE exchange_id = %s",
        (settings.exchange_id,),
    )
    if request != settings.request_hash.encode():
        raise InvalidInputError(
            "EXCHANGE_REUSED", f"exchange {settings.exchange_id} copied something else before; use a new exchange id"
        )
    return int(size or 0), selected_at is not None


def _forget(target: Connection, work: Work) -> None:
    """Drop what an attempt noted that ended before its selection was complete; it had copied nothing."""
    execute(target, f"DELETE FROM exchange_id_map WHERE {of(work.numbers, ROOT)}")
    execute(target, f"UPDATE exchange_tables SET shifted_by = NULL WHERE {of(work.numbers, ROOT)}")
    execute(
        target,
        "DELETE FROM exchange_id_ranges WHERE exchange_id = %s AND table_name = %s",
        (work.settings.exchange_id, ROOT),
    )


def _chunks(target: Connection, work: Work, size: int) -> list[Chunk]:
    if shift := shifts_of(target, work.settings.exchange_id).get(ROOT):
        starts = enumerate(range(shift.first, shift.last + 1, size))
        return [Chunk(number, first, min(first + size - 1, shift.last)) for number, first in starts]
    chunks: list[Chunk] = []
    last = 0
    while True:
        ids = fetch(
            target,
            f"SELECT source_id FROM exchange_id_map WHERE {of(work.numbers, ROOT)} AND source_id > {last}"
            f" ORDER BY source_id LIMIT {size}",
        )
        if not ids:
            return chunks
        first, last = int(ids[0][0] or 0), int(ids[-1][0] or 0)
        chunks.append(Chunk(len(chunks), first, last))
