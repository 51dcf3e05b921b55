"""The statements by which everything around the moving is done in sets inside one server. Pure; see server_rows."""

from dataclasses import replace

from .db import quoted
from .domain import EXHIBITS, FILES, ROOT
from .plan import TablePlan
from .server_rows import Rows
from .survey import Measuring, is_near
from .work import Chunk, Work

_PAIR = "JSON_OBJECT('sourceExhibitId', CONCAT(t0.`id`), 'exhibitId', CONCAT({own}))"
_FILE = (
    "JSON_OBJECT('fileId', CONCAT(t0.`id`), 'destinationFileId', CONCAT({own}),"
    " 'role', COALESCE(CONVERT(t0.`role` USING utf8mb4), ''), 'sourceKey', CONVERT(t0.`s3_key` USING utf8mb4),"
    " 'destinationKey', CONVERT(x.`s3_key` USING utf8mb4), 'size', {size},"
    " 'sha256', IF(LENGTH({digest}) = 64 AND UNHEX({digest}) IS NOT NULL, LOWER({digest}), NULL))"
)
# As text, since JSON numbers lose digits beyond 2^53.
_SIZE = "CONCAT(CAST(COALESCE(t0.`size`, 0) AS DECIMAL(20, 0)))"
_DIGEST = "CONVERT(t0.`sha256` USING utf8mb4)"


def measuring(work: Work, measure: Measuring, chunk: Chunk) -> list[str]:
    """Ask what a table holds; one query or two for each way."""
    # A range of what the table hangs on is meant, whatever it is cut by.
    uncut = replace(work, cut_by_id=frozenset())
    rows = Rows(uncut, measure.table, chunk, whole=not is_near(work, measure.table.name))
    asked = [(way, *select) for way in rows.ways for select in measure.selects(way.above)]
    return [f"{rows.select(columns, way)} GROUP BY {groups}" for way, columns, groups in asked]


def waiting(work: Work, table: TablePlan, column: str, chunk: Chunk) -> list[str]:
    """Ask for the keys in the destination of rows that hold something in a deferred column, and for what comes there.

    That is NULL where what they refer to was not selected.
    """
    rows = Rows(work, table, chunk)
    columns, keys = table.table.columns, [rows.key(name) for name in table.table.primary_key]
    is_mapped = column in rows.entries
    value = rows.entries[column].target_id if is_mapped else columns[column].read("t0")
    parents = [*rows.first, *([column] if is_mapped else [])]
    where = [*rows.travels, f"t0.{quoted(column)} IS NOT NULL"]
    select = ", ".join([*keys, value])
    return [rows.select(select, way, own="STRAIGHT_", parents=parents, where=where) for way in rows.ways]


def described(work: Work) -> dict[str, tuple[str, ...]]:
    """Say which columns of which tables in the source a line of the manifest needs."""
    return {
        ROOT: ("id", *(("batch_id",) if _knows_batches(work) else ())),
        EXHIBITS: ("id", "document_id"),
        FILES: ("id", "document_id", "role", "s3_key", "size", "sha256"),
    }


def _knows_batches(work: Work) -> bool:
    return "batch_id" in work.plan.tables[ROOT].table.columns


def describing(work: Work, name: str, chunk: Chunk, *, staged: bool = False) -> list[str]:
    """Ask what the manifest tells of each document: the document itself, its exhibits or its files, as JSON.

    Each document has one row; lists are as long as the session's `group_concat_max_len` lets them be.
    """
    rows = Rows(work, work.plan.tables[name], chunk, whole=True, staged=staged)
    own = rows.own.target_id

    if name == ROOT:
        batch = "CONVERT(t0.`batch_id` USING utf8mb4)" if _knows_batches(work) else "NULL"
        head = (
            f"t0.`id`, JSON_OBJECT('documentId', CONCAT(t0.`id`), 'destinationDocumentId', CONCAT({own}),"
            f" 'sourceBatchId', {batch})"
        )
        return [rows.select(head, way, own="STRAIGHT_") for way in rows.ways]
    value, where = _PAIR.format(own=own), []
    if name == FILES:
        value = _FILE.format(own=own, size=_SIZE, digest=_DIGEST)
        where = [f"LENGTH({row}.`s3_key`) > 0" for row in ("t0", "x")]
    order = own if name == EXHIBITS else "t0.`id`"
    listed = f"GROUP_CONCAT({value} ORDER BY {order} SEPARATOR ', ')"
    documents = [(way, "t0.`document_id`" if staged else way.above) for way in rows.ways]
    return [
        f"{rows.select(f'{document}, {listed}', way, own='STRAIGHT_', there='STRAIGHT_', where=where)}"
        f" GROUP BY {document}"
        for way, document in documents
    ]
