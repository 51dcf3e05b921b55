"""What is particular to cases: everything that the server's catalogue cannot tell."""

from dataclasses import dataclass, field
from types import MappingProxyType

ROOT = "documents"
FILES = "document_variants"
EXHIBITS = "exhibits"
CODES = "confidentiality_codes"

#: What a case cannot be without.
NEEDED = MappingProxyType(
    {
        ROOT: ("id", "file_name"),
        FILES: ("id", "document_id", "role", "s3_key", "size", "sha256"),
        EXHIBITS: ("id", "document_id"),
    }
)


@dataclass(frozen=True)
class MetadataKind:
    """Tables and columns that travel only when this kind of metadata was chosen."""

    tables: tuple[str, ...]
    #: table → column → SQL of the value that stands in where the kind does not travel
    columns: dict[str, dict[str, bytes]] = field(default_factory=dict)


METADATA = MappingProxyType(
    {
        "custodians": MetadataKind(("custodians", "custodian_exhibits")),
        "confidentialityCodes": MetadataKind(
            (CODES, "confidentiality_logs"), {EXHIBITS: {"confidentiality_status": b"0"}}
        ),
        "issues": MetadataKind(("labels", "label_categories", "label_category_labels", "exhibit_labels")),
        "folders": MetadataKind(("folder_tags", "folder_taggings")),
        "customFields": MetadataKind(("custom_fields", "custom_field_values")),
        "relevancy": MetadataKind(("relevancy_logs",), {EXHIBITS: {"relevancy": b"NULL"}}),
    }
)

#: Tables whose rows both cases share: a row of the destination that is equal in these columns is used again. A folder
#: is equal where its name and its (merged) parent are, hence by path.
MERGED_BY = MappingProxyType(
    {
        "users": ("email",),
        "custodians": ("name",),
        CODES: ("name",),
        "label_categories": ("name",),
        "labels": ("name",),
        "folder_tags": ("parent_id", "name"),
        "custom_fields": ("name", "field_type"),
    }
)

#: Links between merged tables, and the column whose row takes the link along.
COMPANIONS = MappingProxyType({"label_category_labels": "label_id"})

#: Tables that each case makes of its own documents: what one case hides, the other's index knows.
NOT_COPIED = frozenset({"exhibit_texts"})

#: Columns of exchanged rows that are cleared.
CLEARED = MappingProxyType({EXHIBITS: {"document_properties": b"NULL"}})

#: Columns of exchanged rows that are made anew.
DERIVED_COLUMNS = MappingProxyType(
    {
        ROOT: ("batch_id",),
        EXHIBITS: ("number", "confidentiality_status"),
        FILES: ("s3_key",),
        "attachments": ("text_key",),
    }
)

#: Columns of exchanged rows that are made anew as well where documents get their annotations made part of them.
ANNOTATED_COLUMNS = MappingProxyType({FILES: ("sha256",)})

#: Rows that stay where documents get their annotations: such a text says what a redaction hides.
NO_TEXTS = MappingProxyType({FILES: "{row}.role <> 'text'"})

#: Rows that stay where natives were not asked for; `{row}` is the alias of the table.
NO_NATIVES = MappingProxyType({FILES: "{row}.role <> 'native'"})
