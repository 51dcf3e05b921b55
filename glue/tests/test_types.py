"""Every type of the server arrives byte for byte."""

from collections.abc import Callable
from typing import Any

import pytest

from documentexchanger_glue.catalogue import Column
from tests.cases import SCHEMA, Case, file_document
from tests.conftest import Exchange

ZOO = """
CREATE TABLE zoo (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  document_id BIGINT UNSIGNED NOT NULL,
  tiny TINYINT(1), tiny_unsigned TINYINT UNSIGNED, small SMALLINT, medium MEDIUMINT, big BIGINT, huge BIGINT UNSIGNED,
  filled INT(8) ZEROFILL, exact DECIMAL(38,10), single FLOAT, `double` DOUBLE,
  flags BIT(64), yes BIT(1),
  day DATE, clock TIME(6), moment DATETIME(6), stamp TIMESTAMP(6) NULL, year YEAR,
  letters CHAR(10), words VARCHAR(200), latin VARCHAR(50) CHARACTER SET latin1, wide VARCHAR(50) CHARACTER SET utf16,
  story LONGTEXT, data LONGBLOB, bin BINARY(4), varbin VARBINARY(50),
  pick ENUM('a', 'it''s', 'é'), many SET('x', 'y', 'z'), structure JSON, place POINT,
  doubled INT AS (small * 2) STORED, shown INT AS (small + 1) VIRTUAL,
  `odd ``name` INT,
  FOREIGN KEY (document_id) REFERENCES documents (id)
) DEFAULT CHARACTER SET utf8mb4;
"""

VALUES = {
    "tiny": ["2", "-128", "NULL"],
    "tiny_unsigned": ["255"],
    "small": ["-32768", "7"],
    "medium": ["8388607"],
    "big": ["-9223372036854775808"],
    "huge": ["18446744073709551615"],
    "filled": ["42"],
    "exact": ["'-9999999999999999999999999999.0000000001'", "0.1000000000"],
    "single": ["16777215", "0.1", "-3.4028235e38", "1.17549435e-38", "NULL"],
    "double": ["0.1", "1.7976931348623157e308", "-2.2250738585072014e-308", "9007199254740993"],
    "flags": ["b'1000000000000000000000000000000000000000000000000000000000100111'", "0", "0x275C00222D2D0A0D"],
    "yes": ["1", "0", "NULL"],
    "day": ["'0000-00-00'", "'2024-00-00'", "'9999-12-31'", "'2024-02-30'"],
    "clock": ["'-838:59:59.000001'", "'00:00:00.999999'"],
    "moment": ["'0000-00-00 00:00:00'", "'2024-03-31 02:30:00.123456'", "'1000-01-01'"],
    "stamp": ["'2038-01-19 03:14:07.999999'", "'1970-01-01 00:00:01'", "'0000-00-00'"],
    "year": ["2155", "0", "1901"],
    "letters": ["'  a  '", "''"],
    "words": ["''", "NULL", "'😀 Ω ع א 漢 \\\\ \\' \" % %s \\0 \\n \\r \\t \\Z'", "CONVERT(0xF0908080 USING utf8mb4)"],
    "latin": ["'é€Ÿ'", "CONVERT(0x81 USING latin1)"],
    "wide": ["'Ω😀'"],
    "story": ["REPEAT('wort🔥', 200000)"],
    "data": ["0x00", "0x27005C22FF1A0A0DC3", "REPEAT(0xFF005C27, 100000)", "''", "NULL"],
    "bin": ["0x00000000", "0x20202000"],
    "varbin": ["0x2020", "0xC328"],
    "pick": ["'it''s'", "'é'"],
    "many": ["''", "'x,z'"],
    "structure": ['\'{"a": [1, "\\\\u0000", "😀"], "z": null}\'', "'null'"],
    "place": ["POINT(1.5, -2)", "NULL"],
    "odd `name": ["5"],
}


def test_every_type_arrives_byte_for_byte(new_case: Callable[..., Case], exchange: Callable[..., Exchange]) -> None:
    # Prepare
    schema = SCHEMA + ZOO
    source, target = new_case(schema=schema), new_case(schema=schema)
    document = file_document(source).document
    source.run("SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'")
    for row in range(max(map(len, VALUES.values()))):
        given = {name: values[row] for name, values in VALUES.items() if row < len(values)}
        names = ", ".join(f"`{name.replace('`', '``')}`" for name in given)
        source.run(f"INSERT INTO zoo (document_id, {names}) VALUES ({document}, {', '.join(given.values())})")
    # Act
    report = exchange(source_case_id=source.number, destination_case_id=target.number).run()
    # Assess
    assert (report.rows["zoo"].source, report.rows["zoo"].target) == (5, 5)
    assert exact(target) == exact(source)


def exact(case: Case) -> list[tuple[Any, ...]]:
    """Return what is stored, without what a client makes of it."""
    shown = [f"HEX(`{name.replace('`', '``')}`)" for name in VALUES if name not in ("single", "double")]
    numbers = ["CAST(single * 1e0 AS CHAR)", "CAST(`double` AS CHAR)", "doubled", "shown"]
    texts = ["CHAR_LENGTH(words)", "MD5(data)", "MD5(story)", "CAST(clock AS CHAR)", "CAST(stamp AS CHAR)"]
    return case.rows("zoo", ", ".join([*shown, *numbers, *texts]), order="id")


@pytest.mark.parametrize(
    ("data_type", "value", "literal"),
    [
        ("bigint", b"18446744073709551615", b"18446744073709551615"),
        ("varchar", b"it's \\ \0", b"_utf8mb4'it\\'s \\\\ \\0'"),
        ("blob", b"\xff'", b"_binary'\xff\\''"),
        ("json", b"{}", b"_utf8mb4'{}'"),
        ("varchar", None, b"NULL"),
        ("varchar", b"", b"_utf8mb4''"),
    ],
)
def test_a_literal_stands_for_exactly_what_was_read(data_type: str, value: bytes | None, literal: bytes) -> None:
    assert Column("any", data_type, nullable=True).literal(value) == literal
