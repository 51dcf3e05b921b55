"""Cases to copy between, made row by row, and what they hold afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

SCHEMA = (Path(__file__).parent.parent / "schema" / "case.sql").read_text()


@dataclass(frozen=True)
class Case:
    """One case database, seen by root."""

    number: int
    root: pymysql.Connection

    @classmethod
    def create(cls, number: int, root: pymysql.Connection, schema: str = SCHEMA) -> "Case":
        case = cls(number, root)
        case.run(f"CREATE DATABASE case_{number}")
        with root.cursor() as cursor:
            root.select_db(f"case_{number}")
            cursor.execute(schema)
            while cursor.nextset():
                pass
        return case

    def run(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self.root.cursor() as cursor:
            if not sql.startswith("CREATE DATABASE"):
                self.root.select_db(f"case_{self.number}")
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())

    def add(self, table: str, **values: object) -> int:
        """Insert a row and return its id."""
        names = ", ".join(f"`{name}`" for name in values)
        marks = ", ".join(["%s"] * len(values))
        with self.root.cursor() as cursor:
            self.root.select_db(f"case_{self.number}")
            cursor.execute(f"INSERT INTO `{table}` ({names}) VALUES ({marks})", tuple(values.values()))
            return int(cursor.lastrowid)

    def rows(self, table: str, columns: str = "*", order: str = "1") -> list[tuple[Any, ...]]:
        return self.run(f"SELECT {columns} FROM `{table}` ORDER BY {order}")

    def tables(self) -> list[str]:
        return sorted(name for (name,) in self.run("SHOW TABLES"))

    def fingerprint(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of the case."""
        return {
            table: sorted(self.rows(table), key=repr) for table in self.tables() if not table.startswith("exchange_")
        }

    def dangling(self) -> list[str]:
        """Name the foreign keys that lead nowhere."""
        keys = self.run(
            "SELECT table_name, column_name, referenced_table_name, referenced_column_name"
            " FROM information_schema.key_column_usage"
            " WHERE table_schema = %s AND referenced_table_name IS NOT NULL",
            (f"case_{self.number}",),
        )
        return [
            f"{table}.{column}"
            for table, column, parent, key in keys
            if self.run(
                f"SELECT 1 FROM `{table}` c LEFT JOIN `{parent}` p ON p.`{key}` = c.`{column}`"
                f" WHERE c.`{column}` IS NOT NULL AND p.`{key}` IS NULL"
            )
        ]


@dataclass(frozen=True)
class Filed:
    """A document with one exhibit and one PDF."""

    document: int
    exhibit: int
    file: int


def file_document(case: Case, name: str = "memo.pdf", **values: object) -> Filed:
    """Put a document into a case."""
    document = case.add("documents", file_name=name, **values)
    return Filed(
        document=document,
        exhibit=case.add("exhibits", document_id=document, title=name, document_properties='{"pages": 1}'),
        file=case.add(
            "document_variants",
            document_id=document,
            role="document",
            s3_key=f"case_{case.number}/files/{document}.pdf",
            size=100 + document,
            sha256="ab" * 32,
        ),
    )


def fill(case: Case) -> list[Filed]:
    """Make a case in which everything that can hang on a document hangs on one: three of a family, one alone."""
    mail = file_document(case, "Grüße 🔥.eml", is_email=1, status=2)
    letter = file_document(case, "../../Письмо.PDF", parent_id=mail.document)
    sheet = file_document(case, "sheet.xlsx", parent_id=mail.document)
    other = file_document(case, "other.pdf")
    user = case.add("users", email="ann@example.com", name="Ann")
    reader = case.add("users", email="bob@example.com", name="Bob")
    codes = [case.add("confidentiality_codes", name=n, bit_index=b) for n, b in (("Secret", 0), ("Sealed", 63))]
    category = case.add("label_categories", name="Matters")
    hot, cold = (case.add("labels", name=name, color="#ff0000") for name in ("Hot", "Cold"))
    for label in (hot, cold):
        case.add("label_category_labels", label_category_id=category, label_id=label)
    top = case.add("folder_tags", name="Top")
    middle = case.add("folder_tags", name="Middle", parent_id=top)
    bottom = case.add("folder_tags", name="Bottom", parent_id=middle)
    field = case.add("custom_fields", name="Reviewed by", field_type="text")
    custodian = case.add("custodians", name="Zoë Müller")
    for filed, label, folder in ((mail, hot, top), (letter, hot, bottom), (sheet, cold, middle), (other, cold, top)):
        text = f"case_{case.number}/text/{filed.document}-1.txt"
        case.add("document_variants", document_id=filed.document, role="native", s3_key=f"raw/{filed.document}", size=7)
        case.add("document_variants", document_id=filed.document, role="text", s3_key=text, size=3)
        case.add("attachments", exhibit_id=filed.exhibit, position=1, text_key=text)
        case.add("attachments", exhibit_id=filed.exhibit, position=2, width="12.5000")
        case.add("custodian_exhibits", custodian_id=custodian, exhibit_id=filed.exhibit, is_primary=1)
        case.add("exhibit_labels", exhibit_id=filed.exhibit, label_id=label)
        case.add("folder_taggings", exhibit_id=filed.exhibit, folder_tag_id=folder)
        case.add("custom_field_values", exhibit_id=filed.exhibit, custom_field_id=field, value="Ann")
        case.add("bates_stamps", exhibit_id=filed.exhibit, position=1, prefix="AB", number=7, stamp="AB0007")
        case.add("relevancy_logs", exhibit_id=filed.exhibit, user_id=user, new_relevancy="relevant")
        case.add(
            "confidentiality_logs",
            exhibit_id=filed.exhibit,
            user_id=reader,
            confidentiality_code_id=codes[1],
            action="set",
        )
        first = case.add("comments", exhibit_id=filed.exhibit, user_id=user, body="look: 'this' \\ \0 \u2028")
        case.add("comments", exhibit_id=filed.exhibit, user_id=reader, parent_id=first, body="")
        case.run(
            "UPDATE exhibits SET confidentiality_status = %s, relevancy = 'relevant' WHERE id = %s",
            ((1 << 63) | 1, filed.exhibit),
        )
    return [mail, letter, sheet, other]
