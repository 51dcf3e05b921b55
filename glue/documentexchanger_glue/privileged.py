"""Privileged and held-back documents of a selection: which they are, and which of them are left out.

They are found once, when the documents are selected, and kept beside the report, so that every later attempt reports
the same.
"""

import json
from collections.abc import Mapping, Sequence

from pymysql.connections import Connection

from . import storage
from .db import fetch, quoted
from .domain import EXHIBITS, ROOT
from .errors import InvalidInputError
from .settings import Settings

#: Document → why it is privileged or held back.
Reasons = Mapping[int, Sequence[str]]

_AT_ONCE = 5000
# Values are compared as texts: as numbers, most texts are equal to 0.
_BY_RELEVANCY = (
    "SELECT DISTINCT document_id FROM exhibits WHERE CAST(relevancy AS CHAR) = 'privileged' AND document_id IN ({ids})"
)
_BY_STATUS = "SELECT id FROM documents WHERE CAST(status AS CHAR) = '3' AND id IN ({ids})"
#: Column → the reason that it gives, and the query for those documents among `{ids}` to which it gives it.
_RULES = {
    (EXHIBITS, "relevancy"): ("privileged", _BY_RELEVANCY),
    (ROOT, "status"): ("held_back", _BY_STATUS),
}


def without_privileged(
    source: Connection, settings: Settings, documents: list[int]
) -> tuple[list[int], Reasons | None]:
    """Return the documents that travel, and those that are privileged or held back.

    Nothing is known of them, hence `None`, where the source case has no column that says so.
    """
    found = _found_among(source, documents)
    if not settings.exclude_privileged:
        return documents, found
    if found is None:
        raise InvalidInputError(
            "PRIVILEGE_UNKNOWN",
            "--exclude_privileged cannot be followed: the source case has neither documents.status nor"
            " exhibits.relevancy",
        )
    included = [document for document in documents if document not in found]
    if not included:
        raise InvalidInputError(
            "SELECTION_EMPTY",
            f"the selection by {settings.selection.by} holds only privileged or held-back documents, and"
            " --exclude_privileged leaves them out; choose another",
        )
    return included, found


def _found_among(source: Connection, documents: Sequence[int]) -> Reasons | None:
    rules = [rule for (table, column), rule in _RULES.items() if _has(source, table, column)]
    if not rules:
        return None
    found: dict[int, list[str]] = {}
    for start in range(0, len(documents), _AT_ONCE):
        ids = ",".join(map(str, documents[start : start + _AT_ONCE]))
        for reason, sql in rules:
            for row in fetch(source, sql.format(ids=ids)):
                found.setdefault(int(row[0] or 0), []).append(reason)
    return found


def _has(source: Connection, table: str, column: str) -> bool:
    return bool(fetch(source, f"SHOW COLUMNS FROM {quoted(table)} LIKE %s", (column,)))


def keep(settings: Settings, found: Reasons | None) -> None:
    """Write what was found; what an earlier attempt wrote is replaced."""
    if found is None:
        storage.remove(settings.data_bucket, settings.privileged_key)
        return
    excluded = found if settings.exclude_privileged else {}
    content = {
        "included": len(found) - len(excluded),
        "excluded": [
            {"documentId": str(document), "because": list(excluded[document])} for document in sorted(excluded)
        ],
    }
    storage.write_text(settings.data_bucket, settings.privileged_key, json.dumps(content), "application/json")


def kept_counts(settings: Settings) -> dict[str, int] | None:
    """Return how many of them travel and how many were left out; `None` where nothing was kept."""
    if settings.privileged_key not in storage.keys_under(settings.data_bucket, settings.privileged_key):
        return None
    content = json.loads(storage.read_text(settings.data_bucket, settings.privileged_key))
    return {"included": content["included"], "excluded": len(content["excluded"])}
