"""The statements by which everything around the moving is done in sets inside one server. Pure; see server_rows."""

from .db import quoted
from .domain import EXHIBITS, FILES, ROOT
from .manifest import knows_batches
from .plan import TablePlan
from .server_rows import Rows
from .survey import Measuring
from .work import Chunk, Work

_PAIR = "JSON_OBJECT('sourceExhibitId', CONCAT(t0.`id`), 'exhibitId', CONCAT(own.target_id))"
_FILE = (
    "JSON_OBJECT('fileId', CONCAT(t0.`id`), 'destinationFileId', CONCAT(own.target_id),"
    " 'role', COALESCE(CONVERT(t0.`role` USING utf8mb4), ''), 'sourceKey', CONVERT(t0.`s3_key` USING utf8mb4),"
    " 'destinationKey', CONVERT(x.`s3_key` USING utf8mb4), 'size', COALESCE(t0.`size`, 0) + 0,"
    " 'sha256', IF({digest} REGEXP '\\\\A[0-9a-f]{{64}}\\\\z', {digest}, NULL))"
).format(digest="LOWER(CONVERT(t0.`sha256` USING utf8mb4))")


def measuring(work: Work, measure: Measuring, chunk: Chunk) -> list[str]:
    """Ask what a table holds; one query for each way."""
    rows = Rows(work, measure.table, chunk, whole=True)
    columns, groups = measure.select("d.source_id")
    return [f"{rows.select(columns, way)} GROUP BY {groups}" for way in rows.ways]


def waiting(work: Work, table: TablePlan, column: str, chunk: Chunk) -> list[str]:
    """Ask for the keys in the destination of rows that hold something in a deferred column, and for what comes there.

    That is NULL where what they refer to was not selected.
    """
    rows = Rows(work, table, chunk)
    columns, keys = table.table.columns, [rows.key(name) for name in table.table.primary_key]
    is_mapped = column in rows.parents
    value = f"{rows.parents[column]}.target_id" if is_mapped else columns[column].read("t0")
    parents = [*rows.first, *([column] if is_mapped else [])]
    where = [*rows.travels, f"t0.{quoted(column)} IS NOT NULL"]
    select = ", ".join([*keys, value])
    return [rows.select(select, way, own="STRAIGHT_", parents=parents, where=where) for way in rows.ways]


def describing(work: Work, chunk: Chunk) -> tuple[list[str], list[str], list[str]]:
    """Ask for documents, and for their exhibits and files as JSON, exhibits in the order of ids in the destination.

    Each document has one row an answer; the lists are as long as the session's `group_concat_max_len` lets them be.
    """
    plan = work.plan
    documents, exhibits, files = (Rows(work, plan.tables[name], chunk, whole=True) for name in (ROOT, EXHIBITS, FILES))
    filled = [f"LENGTH({row}.`s3_key`) > 0" for row in ("t0", "x")]
    batch = "CONVERT(t0.`batch_id` USING utf8mb4)" if knows_batches(work) else "NULL"
    pairs = f"GROUP_CONCAT({_PAIR} ORDER BY own.target_id SEPARATOR ', ')"
    about = f"GROUP_CONCAT({_FILE} ORDER BY t0.`id` SEPARATOR ', ')"
    grouped = " GROUP BY d.source_id"
    return (
        [documents.select(f"d.source_id, d.target_id, {batch}", way) for way in documents.ways],
        [exhibits.select(f"d.source_id, {pairs}", way, own="STRAIGHT_") + grouped for way in exhibits.ways],
        [
            files.select(f"d.source_id, {about}", way, own="STRAIGHT_", there="STRAIGHT_", where=filled) + grouped
            for way in files.ways
        ],
    )
