"""Rows without ids of their own that an exchange wrote: the id map cannot name them, and others add such rows too.

A row is named by the text of its primary key: whole numbers as they are, everything else in hexadecimal digits.
"""

from collections.abc import Iterable, Mapping

from pymysql.connections import Connection

from .catalogue import Column, Table
from .db import execute
from .idmap import Numbers

Key = tuple[bytes, ...]

_AT_ONCE = 1000


def key_sql(table: Table, parts: Mapping[str, str]) -> str:
    """Return SQL of the text that names a row; `parts` is SQL of each column of its primary key."""
    return f"CONCAT_WS(',', {', '.join(_part_sql(table.columns[name], parts[name]) for name in table.primary_key)})"


def _part_sql(column: Column, value: str) -> str:
    if column.is_integer:
        return f"{value} + 0"
    return f"HEX({value})" if column.holds_bytes else f"HEX(CONVERT(CONCAT({value}) USING utf8mb4))"


def key_text(table: Table, key: Key) -> str:
    """Return the text that names the row with this primary key, given raw."""
    columns = (table.columns[name] for name in table.primary_key)
    return ",".join(
        str(int(part)) if column.is_integer else part.hex().upper() for column, part in zip(columns, key, strict=True)
    )


def key_literals(table: Table, text: str) -> list[str]:
    """Return SQL of every part of the primary key that a text names."""
    columns = (table.columns[name] for name in table.primary_key)
    return [_part_literal(column, part) for column, part in zip(columns, text.split(","), strict=True)]


def _part_literal(column: Column, part: str) -> str:
    if column.is_integer:
        return str(int(part))
    return f"X'{part}'" if column.holds_bytes else f"_utf8mb4 X'{part}'"


def record_links(
    target: Connection, numbers: Numbers, table: Table, keys: Iterable[Key], *, merged: bool = False
) -> None:
    """Remember rows that are written now or, with `merged`, rows of the destination that are used as they are."""
    number = numbers[table.name]
    values = [f"({number}, '{key_text(table, key)}', {int(merged)})" for key in keys]
    for start in range(0, len(values), _AT_ONCE):
        # A row that is written again, because somebody had deleted it, is known already.
        execute(
            target,
            "INSERT INTO exchange_links (table_no, row_key, merged) VALUES"
            f" {', '.join(values[start : start + _AT_ONCE])}"
            " ON DUPLICATE KEY UPDATE merged = LEAST(merged, VALUES(merged))",
        )


def recording(numbers: Numbers, table: Table, parts: Mapping[str, str], rows: str) -> str:
    """Return SQL that remembers the rows that `rows`, FROM and WHERE, is about to write."""
    return (
        "INSERT IGNORE INTO exchange_links (table_no, row_key)"
        f" SELECT STRAIGHT_JOIN {numbers[table.name]}, {key_sql(table, parts)} {rows}"
    )
