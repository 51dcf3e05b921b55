"""Values that an exchanged row has of its own instead of what its source row has."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pymysql.connections import Connection

from .confidentiality import translate_mask
from .db import fetch, quoted, stream
from .domain import EXHIBITS, FILES, ROOT
from .idmap import lookup
from .plan import TablePlan
from .translate import Values
from .work import Work

_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,10}\Z")


def destination_key(
    case_id: int, batch_id: str, role: str, document: int, file: int, source_key: str, name: str
) -> str:
    """Return the S3 key of a file in the destination: made of our own numbers, never of names that people chose."""
    base = source_key.rpartition("/")[2]
    found = _EXTENSION.search(base) or (_EXTENSION.search(name) if role == "native" else None)
    extension = found[0].lower() if found else ""
    return f"case_{case_id}/processed-files/{batch_id}/{role}/{document}/{file}{extension}"


@dataclass
class Derivation:
    """One row on its way, with what its derived values are made of."""

    work: Work
    row: Values
    #: The row's own id in the destination, and what its mapped columns hold there.
    own_id: int
    ids: Mapping[str, int]
    names: Mapping[int, str]
    texts: Mapping[tuple[int, bytes], str]
    notes: Counter[str] = field(default_factory=Counter)


def _number(of: Derivation) -> bytes:
    return of.row["id"] or b"NULL"


def _batch(of: Derivation) -> bytes:
    return f"'{of.work.settings.batch_id}'".encode()


def _mask(of: Derivation) -> bytes:
    mask, complete = translate_mask(int(of.row["confidentiality_status"] or 0), of.work.bits)
    if not complete:
        of.notes[f"{EXHIBITS}.confidentiality_status"] += 1
    return str(mask).encode()


def _file_key(of: Derivation) -> bytes:
    source_key = (of.row["s3_key"] or b"").decode()
    if not source_key:
        of.notes[f"{FILES}.s3_key"] += 1
        return b"''"
    key = destination_key(
        of.work.settings.destination_case_id,
        of.work.settings.batch_id,
        (of.row["role"] or b"").decode(),
        of.ids["document_id"],
        of.own_id,
        source_key,
        of.names.get(int(of.row["document_id"] or 0), ""),
    )
    return f"'{key}'".encode()


def _sha256(of: Derivation) -> bytes:
    annotated = of.work.settings.annotated and of.row["role"] == b"document"
    return b"NULL" if annotated else of.work.plan.tables[FILES].table.columns["sha256"].literal(of.row["sha256"])


def _text_key(of: Derivation) -> bytes:
    if of.work.settings.annotated:
        return f"'{of.texts[int(of.row['exhibit_id'] or 0), b'']}{int(of.row['position'] or 0)}/content.txt'".encode()
    source_key = of.row["text_key"]
    if source_key is None:
        return b"NULL"
    key = of.texts.get((int(of.row["exhibit_id"] or 0), source_key))
    if key is None:
        of.notes["attachments.text_key"] += 1
        return b"NULL"
    return f"'{key}'".encode()


#: Table → column → the value that is written.
DERIVED: Mapping[str, Mapping[str, Callable[[Derivation], bytes]]] = {
    ROOT: {"batch_id": _batch},
    EXHIBITS: {"number": _number, "confidentiality_status": _mask},
    FILES: {"s3_key": _file_key, "sha256": _sha256},
    "attachments": {"text_key": _text_key},
}


def names_for(source: Connection, table: TablePlan, above: Mapping[int, int]) -> dict[int, str]:
    """Return file names by document, where the table's derived values need them; `above`: what its rows hang on."""
    if table.name != FILES or not above:
        return {}
    documents = ",".join(map(str, above))
    if table.anchor and table.hangs_on != ROOT:
        documents = f"SELECT document_id FROM {FILES} WHERE {quoted(table.anchor[0])} IN ({documents})"
    rows = fetch(source, f"SELECT id, file_name FROM documents WHERE id IN ({documents})")
    return {int(document or 0): (name or b"").decode() for document, name in rows}


def texts_for(
    source: Connection, target: Connection, work: Work, table: TablePlan, above: Mapping[int, int]
) -> dict[tuple[int, bytes], str]:
    """Return the new keys of text files by exhibit and old key, where the table's derived values need them.

    Where pages are read anew, it is what all keys of an exhibit begin with, by exhibit and nothing.
    """
    if table.name != "attachments" or not above:
        return {}
    column, among = "e.document_id", ",".join(map(str, above))
    if table.anchor:
        column = "e.id"
        if table.hangs_on != EXHIBITS:
            among = f"SELECT exhibit_id FROM attachments WHERE {quoted(table.anchor[0])} IN ({among})"
    if work.settings.annotated:
        return _fresh_texts(source, target, work, f"{column} IN ({among})")
    query = (
        f"SELECT e.id, v.id, v.s3_key FROM {EXHIBITS} e JOIN {FILES} v ON v.document_id = e.document_id"
        f" WHERE v.role = 'text' AND {column} IN ({among})"
    )
    found = list(stream(source, query))
    files = lookup(target, work.numbers, FILES, (int(row[1] or 0) for row in found))
    if not files:
        return {}
    among = ",".join(map(str, files.values()))
    keys = {
        int(file or 0): (key or b"").decode()
        for file, key in fetch(target, f"SELECT id, s3_key FROM {FILES} WHERE id IN ({among})")
    }
    return {
        (int(exhibit or 0), old or b""): keys[files[int(file or 0)]]
        for exhibit, file, old in found
        if files.get(int(file or 0)) in keys
    }


def _fresh_texts(source: Connection, target: Connection, work: Work, which: str) -> dict[tuple[int, bytes], str]:
    """Say where the texts of pages will lie that are read anew; a document's first exhibit has the document's place."""
    found = [int(row[0] or 0) for row in stream(source, f"SELECT e.id FROM {EXHIBITS} e WHERE {which}")]
    ids = lookup(target, work.numbers, EXHIBITS, found)
    if not ids:
        return {}
    among = ",".join(map(str, ids.values()))
    first = f"(SELECT MIN(z.id) FROM {EXHIBITS} z WHERE z.document_id = x.document_id)"
    rows = fetch(target, f"SELECT x.id, x.document_id, x.id = {first} FROM {EXHIBITS} x WHERE x.id IN ({among})")
    start = f"case_{work.settings.destination_case_id}/processed-files/{work.settings.batch_id}/txt/"
    places = {
        int(own or 0): f"{start}{int(document or 0)}/"
        + ("" if is_first == b"1" else f"exhibits/{int(own or 0)}/")
        + "attachments/"
        for own, document, is_first in rows
    }
    return {(exhibit, b""): places[own] for exhibit, own in ids.items() if own in places}
