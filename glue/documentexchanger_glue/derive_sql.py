"""Values that an exchanged row has of its own instead of what its source row has, as SQL. Pure.

Keys on S3 are made of our own numbers, never of names that people chose.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .db import quoted
from .domain import EXHIBITS, FILES, ROOT
from .idmap import entry_of
from .work import Work

#: Holds rows that came from another server; its column `more` has what `MORE` says.
STAGE = "exchange_stage"

#: A file's extension.
_EXTENSION = r"'[.][A-Za-z0-9]{1,10}\\z'"


@dataclass(frozen=True)
class SqlDerivation:
    """A row on the server, the alias `t0`, with what its derived values are made of."""

    work: Work
    #: SQL of the row's own id in the destination, and of what its mapped columns hold there.
    own_id: str
    ids: Mapping[str, str]
    is_staged: bool = False


@dataclass(frozen=True)
class DerivedSql:
    """What is written, and when the report says that something was lost."""

    value: str
    lost: str = ""
    #: It shows in the row that was written, the alias `x`.
    shows_in_row: bool = False


def _number(_: SqlDerivation) -> DerivedSql:
    return DerivedSql("t0.`id`")


def _batch(of: SqlDerivation) -> DerivedSql:
    return DerivedSql(f"'{of.work.settings.batch_id}'")


def _mask(of: SqlDerivation) -> DerivedSql:
    mask = "COALESCE(t0.`confidentiality_status`, 0)"
    # Bits that move equally far are moved together.
    moved: dict[int, int] = {}
    for bit, there in of.work.bits.items():
        moved[there - bit] = moved.get(there - bit, 0) | 1 << bit
    parts = [f"(({mask} & {bits}) {'<<' if far >= 0 else '>>'} {abs(far)})" for far, bits in sorted(moved.items())]
    unknown = ~sum(moved.values()) & (1 << 64) - 1
    return DerivedSql(" | ".join(parts) or "0", f"{mask} & {unknown} <> 0")


def _file_key(of: SqlDerivation) -> DerivedSql:
    settings, schema = of.work.settings, quoted(of.work.settings.source_schema)
    is_empty = "COALESCE(LENGTH(t0.`s3_key`), 0) = 0"
    name = "t0.more" if of.is_staged else _name_of_document(f"{schema}.")
    found = f"NULLIF({_extension(_base('t0.`s3_key`'))}, '')"
    extension = f"COALESCE({found}, IF(t0.`role` = 'native', {_extension(name)}, ''), '')"
    start = f"'case_{settings.destination_case_id}/processed-files/{settings.batch_id}/'"
    key = f"CONCAT({start}, t0.`role`, '/', {of.ids['document_id']}, '/', {of.own_id}, {extension})"
    return DerivedSql(f"IF({is_empty}, '', {key})", is_empty)


def _sha256(of: SqlDerivation) -> DerivedSql:
    return DerivedSql("IF(t0.`role` = 'document', NULL, t0.`sha256`)" if of.work.settings.annotated else "t0.`sha256`")


def _fresh_text_key(of: SqlDerivation) -> DerivedSql:
    settings, exhibit = of.work.settings, of.ids["exhibit_id"]
    document = f"(SELECT y.`document_id` FROM {quoted(EXHIBITS)} y WHERE y.`id` = {exhibit})"
    first = f"(SELECT MIN(z.`id`) FROM {quoted(EXHIBITS)} z WHERE z.`document_id` = {document})"
    further = f"IF({exhibit} = {first}, '', CONCAT('exhibits/', {exhibit}, '/'))"
    start = f"'case_{settings.destination_case_id}/processed-files/{settings.batch_id}/txt/'"
    return DerivedSql(f"CONCAT({start}, {document}, '/', {further}, 'attachments/', t0.`position`, '/content.txt')")


def _text_key(of: SqlDerivation) -> DerivedSql:
    if of.work.settings.annotated:
        return _fresh_text_key(of)
    new = _key_of_staged_file(of.work) if of.is_staged else _key_of_file(of.work)
    has_key = "t0.`text_key` IS NOT NULL"
    return DerivedSql(f"IF({has_key}, {new}, NULL)", f"{has_key} AND x.`text_key` IS NULL", shows_in_row=True)


def _key_of_file(work: Work) -> str:
    """Find the key of a file in the destination; it has come before, or does not come."""
    file = entry_of("f", work.numbers, work.shifts, FILES, "v.`id`")
    return (
        f"(SELECT n.`s3_key` FROM {_files_of_text(f'{quoted(work.settings.source_schema)}.')} {file.join}"
        f" JOIN {quoted(FILES)} n ON n.`id` = {file.target_id}"
        " WHERE e.`id` = t0.`exhibit_id` ORDER BY v.`id` DESC LIMIT 1)"
    )


def _key_of_staged_file(work: Work) -> str:
    file = entry_of("f", work.numbers, work.shifts, FILES, "CAST(t0.more AS UNSIGNED)")
    return f"(SELECT n.`s3_key` FROM {quoted(FILES)} n {file.join} WHERE n.`id` = {file.target_id})"


def _name_of_document(schema: str) -> str:
    return f"(SELECT f.`file_name` FROM {schema}`documents` f WHERE f.`id` = t0.`document_id`)"


def _file_of_text(schema: str) -> str:
    """Find the file by its key; the last one counts where a text is there twice."""
    return f"(SELECT MAX(v.`id`) FROM {_files_of_text(schema)} WHERE e.`id` = t0.`exhibit_id`)"


def _files_of_text(schema: str) -> str:
    """Return SQL of the exhibit `e` and the files `v` of its document that have the key of a page's text."""
    return (
        f"{schema}{quoted(EXHIBITS)} e JOIN {schema}{quoted(FILES)} v"
        f" ON v.`document_id` = e.`document_id` AND v.`role` = 'text'"
        f" AND {_exact('v.`s3_key`')} = {_exact('t0.`text_key`')}"
    )


def _base(key: str) -> str:
    return f"SUBSTRING_INDEX({key}, '/', -1)"


def _extension(text: str) -> str:
    return f"LOWER(REGEXP_SUBSTR(CONVERT({text} USING utf8mb4) COLLATE utf8mb4_bin, {_EXTENSION}))"


def _exact(text: str) -> str:
    return f"CAST(CONVERT({text} USING utf8mb4) AS BINARY)"


#: Table → column → the value that is written.
DERIVED_SQL: Mapping[str, Mapping[str, Callable[[SqlDerivation], DerivedSql]]] = {
    ROOT: {"batch_id": _batch},
    EXHIBITS: {"number": _number, "confidentiality_status": _mask},
    FILES: {"s3_key": _file_key, "sha256": _sha256},
    "attachments": {"text_key": _text_key},
}

#: Table → what else must be known of its rows in the source, as SQL there.
MORE: Mapping[str, str] = {FILES: _name_of_document(""), "attachments": _file_of_text("")}
