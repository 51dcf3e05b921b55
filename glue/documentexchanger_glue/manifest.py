"""The manifest: what later stages need of each document, JSON lines on S3, a part for each chunk of documents."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial

from pymysql.connections import Connection

from . import storage
from .db import Row, fetch, patiently
from .domain import EXHIBITS, FILES, ROOT
from .idmap import lookup
from .reading import columns_of, queries
from .settings import Settings
from .task import Describe
from .work import Chunk, Work, documents_of, source_of, target_of

_SHA256 = re.compile(r"[0-9a-f]{64}")


def write_part(work: Work, describe: Describe, chunk: Chunk) -> None:
    """Write one part; an earlier part of that number is replaced."""
    lines = patiently(partial(describe, work, chunk), "writing the manifest")
    storage.write_text(
        work.settings.data_bucket, part_key(work.settings, chunk), "".join(lines), "application/x-ndjson"
    )


def part_key(settings: Settings, chunk: Chunk) -> str:
    """Return the key of a part: `part-00000.jsonl` and so on."""
    return f"{settings.manifest_prefix}part-{chunk.number:05d}.jsonl"


def remove_other_parts(settings: Settings, chunks: Iterable[Chunk]) -> None:
    """Remove what an earlier attempt left under the manifest's prefix."""
    parts = {part_key(settings, chunk) for chunk in chunks}
    for key in storage.keys_under(settings.data_bucket, settings.manifest_prefix):
        if key not in parts:
            storage.remove(settings.data_bucket, key)


def line(document: int, there: int, batch: str | None, exhibits: str, files: str) -> str:
    """Return the line of one document; `exhibits` and `files` are the members of JSON lists."""
    return (
        f'{{"documentId": "{document}", "destinationDocumentId": "{there}", "sourceBatchId": {json.dumps(batch)},'
        f' "exhibits": [{exhibits}], "files": [{files}]}}\n'
    )


def knows_batches(work: Work) -> bool:
    """Say whether both cases remember in which batch a document came."""
    return "batch_id" in work.plan.tables[ROOT].table.columns


def described(work: Work, chunk: Chunk) -> list[str]:
    """Return the lines of one chunk, by what both servers say."""
    with source_of(work.settings) as source, target_of(work.settings) as target:
        documents = documents_of(target, work, chunk)
        batches = _batches(source, work, documents)
        exhibits = _exhibits(source, target, work, documents)
        files = _files(source, target, work, documents)
    return [
        line(
            document,
            documents[document],
            batches[document],
            ", ".join(json.dumps(pair) for _, pair in sorted(exhibits[document].items())),
            ", ".join(files[document]),
        )
        for document in sorted(batches)
    ]


def _batches(source: Connection, work: Work, documents: Mapping[int, int]) -> dict[int, str | None]:
    """Say of each document that is there in which batch it came into the source case, where the case knows."""
    known = ("batch_id",) if knows_batches(work) else ()
    rows = _rows(source, work, ROOT, ("id", *known), documents)
    return {int(row[0] or 0): row[1].decode() if known and row[1] else None for row in rows}


def _exhibits(
    source: Connection, target: Connection, work: Work, documents: Mapping[int, int]
) -> dict[int, dict[int, dict[str, str]]]:
    """Return the exhibits of each document by their ids in the destination."""
    rows = _rows(source, work, EXHIBITS, ("id", "document_id"), documents)
    ids = lookup(target, work.numbers, EXHIBITS, (int(row[0] or 0) for row in rows))
    found: dict[int, dict[int, dict[str, str]]] = defaultdict(dict)
    for exhibit, document in rows:
        own = ids.get(int(exhibit or 0))
        if own is not None:
            pair = {"sourceExhibitId": str(int(exhibit or 0)), "exhibitId": str(own)}
            found[int(document or 0)][own] = pair
    return found


def _files(source: Connection, target: Connection, work: Work, documents: Mapping[int, int]) -> dict[int, list[str]]:
    columns = ("id", "document_id", "role", "s3_key", "size", "sha256")
    rows = sorted(_rows(source, work, FILES, columns, documents), key=lambda row: int(row[0] or 0))
    ids = lookup(target, work.numbers, FILES, (int(row[0] or 0) for row in rows))
    keys = _keys(target, ids.values())
    found: dict[int, list[str]] = defaultdict(list)
    for file, document, role, source_key, size, sha256 in rows:
        own = ids.get(int(file or 0), 0)
        if source_key and keys.get(own):
            digest = (sha256 or b"").decode().lower()
            about = {
                "fileId": str(int(file or 0)),
                "destinationFileId": str(own),
                "role": (role or b"").decode(),
                "sourceKey": source_key.decode(),
                "destinationKey": keys[own],
                "size": int(size or 0),
                "sha256": digest if _SHA256.fullmatch(digest) else None,
            }
            found[int(document or 0)].append(json.dumps(about, ensure_ascii=False))
    return found


def _keys(target: Connection, files: Iterable[int]) -> dict[int, str]:
    among = ",".join(map(str, files))
    rows = fetch(target, f"SELECT id, s3_key FROM {FILES} WHERE id IN ({among})") if among else []
    return {int(file or 0): (key or b"").decode() for file, key in rows}


def _rows(
    source: Connection, work: Work, table: str, columns: Iterable[str], documents: Mapping[int, int]
) -> list[Row]:
    found = queries(work.plan, work.plan.tables[table], columns_of(columns), documents, whole=True)
    return [row for query in found for row in fetch(source, query)]
