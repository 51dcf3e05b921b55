"""The manifest: what later stages need of each document, JSON lines on S3, a part for each chunk of documents."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from pymysql.connections import Connection

from . import storage
from .db import Row, fetch, patiently
from .domain import EXHIBITS, FILES, ROOT
from .idmap import lookup
from .reading import columns_of, queries
from .settings import Settings
from .work import Chunk, Work, documents_of, source_of, target_of

_SHA256 = re.compile(r"[0-9a-f]{64}")


def write_part(work: Work, chunk: Chunk) -> int:
    """Write one part and return the number of its documents; an earlier part of that number is replaced."""
    lines = patiently(lambda: _lines(work, chunk), "writing the manifest")
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    storage.write_text(work.settings.data_bucket, part_key(work.settings, chunk), text, "application/x-ndjson")
    return len(lines)


def part_key(settings: Settings, chunk: Chunk) -> str:
    """Return the key of a part: `part-00000.jsonl` and so on."""
    return f"{settings.manifest_prefix}part-{chunk.number:05d}.jsonl"


def remove_other_parts(settings: Settings, chunks: Iterable[Chunk]) -> None:
    """Remove what an earlier attempt left under the manifest's prefix."""
    parts = {part_key(settings, chunk) for chunk in chunks}
    for key in storage.keys_under(settings.data_bucket, settings.manifest_prefix):
        if key not in parts:
            storage.remove(settings.data_bucket, key)


def _lines(work: Work, chunk: Chunk) -> list[dict[str, object]]:
    with source_of(work.settings) as source, target_of(work.settings) as target:
        documents = documents_of(target, work.settings, chunk)
        batches = _batches(source, work, documents)
        exhibits = _exhibits(source, target, work, documents)
        files = _files(source, target, work, documents)
    return [
        {
            "documentId": str(document),
            "destinationDocumentId": str(documents[document]),
            "exhibitIds": [str(exhibit) for exhibit, _ in sorted(exhibits[document])],
            "exhibits": [
                {"sourceExhibitId": str(exhibit), "exhibitId": str(own)} for own, exhibit in sorted(exhibits[document])
            ],
            "sourceBatchId": batches[document],
            "files": files[document],
        }
        for document in sorted(batches)
    ]


def _batches(source: Connection, work: Work, documents: Mapping[int, int]) -> dict[int, str | None]:
    """Say of each document that is there in which batch it came into the source case, where the case knows."""
    known = ("batch_id",) if "batch_id" in work.plan.tables[ROOT].table.columns else ()
    rows = _rows(source, work, ROOT, ("id", *known), documents)
    return {int(row[0] or 0): row[1].decode() if known and row[1] else None for row in rows}


def _exhibits(
    source: Connection, target: Connection, work: Work, documents: Mapping[int, int]
) -> dict[int, list[tuple[int, int]]]:
    """Return the exhibits of each document: their ids in the destination and in the source."""
    rows = _rows(source, work, EXHIBITS, ("id", "document_id"), documents)
    ids = lookup(target, work.settings.exchange_id, EXHIBITS, (int(row[0] or 0) for row in rows))
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for exhibit, document in rows:
        if int(exhibit or 0) in ids:
            found[int(document or 0)].append((ids[int(exhibit or 0)], int(exhibit or 0)))
    return found


def _files(
    source: Connection, target: Connection, work: Work, documents: Mapping[int, int]
) -> dict[int, list[dict[str, object]]]:
    columns = ("id", "document_id", "role", "s3_key", "size", "sha256")
    rows = sorted(_rows(source, work, FILES, columns, documents), key=lambda row: int(row[0] or 0))
    ids = lookup(target, work.settings.exchange_id, FILES, (int(row[0] or 0) for row in rows))
    keys = _keys(target, ids.values())
    found: dict[int, list[dict[str, object]]] = defaultdict(list)
    for file, document, role, source_key, size, sha256 in rows:
        own = ids.get(int(file or 0), 0)
        if source_key and keys.get(own):
            digest = (sha256 or b"").decode().lower()
            found[int(document or 0)].append(
                {
                    "fileId": str(int(file or 0)),
                    "destinationFileId": str(own),
                    "role": (role or b"").decode(),
                    "sourceKey": source_key.decode(),
                    "destinationKey": keys[own],
                    "size": int(size or 0),
                    "sha256": digest if _SHA256.fullmatch(digest) else None,
                }
            )
    return found


def _keys(target: Connection, files: Iterable[int]) -> dict[int, str]:
    among = ",".join(map(str, files))
    rows = fetch(target, f"SELECT id, s3_key FROM {FILES} WHERE id IN ({among})") if among else []
    return {int(file or 0): (key or b"").decode() for file, key in rows}


def _rows(
    source: Connection, work: Work, table: str, columns: Iterable[str], documents: Mapping[int, int]
) -> list[Row]:
    found = queries(work.plan, work.plan.tables[table], columns_of(columns), documents)
    return [row for query in found for row in fetch(source, query)]
