"""Which documents of the source case are meant."""

from pymysql.connections import Connection

from .db import fetch
from .errors import InvalidInputError
from .settings import Selection

_NAMED_AT_MOST = 5
_LABEL = "SELECT id FROM labels WHERE id = {id}"
_FOLDER = "SELECT id FROM folder_tags WHERE id = {id}"
_BY_LABEL = (
    "SELECT DISTINCT e.document_id FROM exhibit_labels l JOIN exhibits e ON e.id = l.exhibit_id WHERE l.label_id = {id}"
)
# UNION, not UNION ALL: a folder that is its own ancestor must not run for ever.
_BY_FOLDER = (
    "WITH RECURSIVE chosen (id) AS (SELECT id FROM folder_tags WHERE id = {id} UNION"
    " SELECT f.id FROM folder_tags f JOIN chosen c ON f.parent_id = c.id)"
    " SELECT DISTINCT e.document_id FROM chosen c JOIN folder_taggings t ON t.folder_tag_id = c.id"
    " JOIN exhibits e ON e.id = t.exhibit_id"
)


def selected_documents(source: Connection, selection: Selection) -> list[int]:
    """Return the ids of the selected documents, ascending; a selection without documents is refused."""
    match selection.by:
        case "label":
            _must_exist(source, _LABEL, "label", selection.ids[0])
            documents = _ids(source, _BY_LABEL.format(id=selection.ids[0]))
        case "folder":
            _must_exist(source, _FOLDER, "folder", selection.ids[0])
            documents = _ids(source, _BY_FOLDER.format(id=selection.ids[0]))
        case "documents":
            documents = _listed(source, selection.ids)
        case _:
            documents = _ids(source, "SELECT id FROM documents")
    if not documents:
        raise InvalidInputError("SELECTION_EMPTY", f"the selection by {selection.by} holds no document; choose another")
    return documents


def _ids(source: Connection, sql: str) -> list[int]:
    return sorted(int(row[0] or 0) for row in fetch(source, sql))


def _must_exist(source: Connection, sql: str, what: str, number: int) -> None:
    if not fetch(source, sql.format(id=number)):
        raise InvalidInputError("SELECTION_UNKNOWN", f"the source case has no {what} {number}")


def _listed(source: Connection, ids: tuple[int, ...]) -> list[int]:
    found: list[int] = []
    for start in range(0, len(ids), 1000):
        some = ",".join(map(str, ids[start : start + 1000]))
        found += _ids(source, f"SELECT id FROM documents WHERE id IN ({some})")
    unknown = sorted(set(ids) - set(found))
    if unknown:
        names = ", ".join(map(str, unknown[:_NAMED_AT_MOST]))
        more = f" and {len(unknown) - _NAMED_AT_MOST} more" if len(unknown) > _NAMED_AT_MOST else ""
        raise InvalidInputError("SELECTION_UNKNOWN", f"the source case has no document {names}{more}")
    return sorted(found)
