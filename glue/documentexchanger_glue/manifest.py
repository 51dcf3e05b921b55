"""The manifest: what later stages need of each document, JSON lines on S3, a part for each chunk of documents."""

from collections.abc import Iterable

from . import storage
from .settings import Settings
from .task import Describe
from .work import Chunk, Work


def write_part(work: Work, describe: Describe, chunk: Chunk) -> None:
    """Write one part; an earlier part of that number is replaced."""
    text = "".join(describe(work, chunk))
    storage.write_text(work.settings.data_bucket, part_key(work.settings, chunk), text, "application/x-ndjson")


def line(document: str, exhibits: str, files: str) -> str:
    """Return the line of one document, a JSON object; `exhibits` and `files` are the members of JSON lists."""
    return f'{document.removesuffix("}")}, "exhibits": [{exhibits}], "files": [{files}]}}\n'


def part_key(settings: Settings, chunk: Chunk) -> str:
    """Return the key of a part: `part-00000.jsonl` and so on."""
    return f"{settings.manifest_prefix}part-{chunk.number:05d}.jsonl"


def remove_other_parts(settings: Settings, chunks: Iterable[Chunk]) -> None:
    """Remove what an earlier attempt left under the manifest's prefix."""
    parts = {part_key(settings, chunk) for chunk in chunks}
    for key in storage.keys_under(settings.data_bucket, settings.manifest_prefix):
        if key not in parts:
            storage.remove(settings.data_bucket, key)
