"""Privileged and held-back documents: counted where they travel, and left out by name where they must not."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from documentexchanger_glue.errors import InvalidInputError
from documentexchanger_glue.settings import Selection
from tests.cases import Case, Filed, fill
from tests.conftest import Exchange

Make = Callable[..., Exchange]


class Killed(BaseException):
    """The process is gone."""


def dying(_work: Callable[[Any], Any], _items: Sequence[Any]) -> list[Any]:
    raise Killed


def fill_with_privileged(source: Case) -> list[Filed]:
    """Make four documents: the first is privileged by its second exhibit, the third held back, the fourth both."""
    filed = fill(source)
    mail, _, sheet, other = filed
    source.add("exhibits", document_id=mail.document, relevancy="privileged")
    source.run("UPDATE documents SET status = 3 WHERE id IN (%s, %s)", (sheet.document, other.document))
    source.run("UPDATE exhibits SET relevancy = 'privileged' WHERE document_id = %s", (other.document,))
    return filed


def privileged_of(exchange: Exchange) -> Any:
    (text,) = (text for key, text in exchange.objects().items() if key.endswith("/privileged.json"))
    return json.loads(text)


def reported(exchange: Exchange) -> Any:
    return json.loads(exchange.objects()[exchange.settings.report_key])["privileged"]


def warned(exchange: Exchange) -> list[tuple[str, int]]:
    warnings = json.loads(exchange.objects()[exchange.settings.report_key])["warnings"]
    assert all(str(one["count"]) in one["message"] for one in warnings)
    return [(one["code"], one["count"]) for one in warnings]


@pytest.mark.parametrize(
    ("selection", "count"),
    [
        (Selection("all"), 3),
        (Selection("documents", (2,)), 0),
        (Selection("documents", (1, 2, 3)), 2),
        (Selection("label", (2,)), 2),
        (Selection("folder", (3,)), 0),
    ],
)
def test_those_that_travel_are_counted_in_the_report(
    source: Case, target: Case, exchange: Make, selection: Selection, count: int
) -> None:
    # Prepare
    fill_with_privileged(source)
    same = exchange(selection)
    # Act
    report = same.run()
    # Assess
    assert report.privileged == {"included": count, "excluded": 0}
    assert reported(same) == {"included": count, "excluded": 0}
    assert warned(same) == ([("PRIVILEGED_INCLUDED", count)] if count else [])
    assert privileged_of(same) == {"included": count, "excluded": []}
    assert len(target.rows("documents")) == report.rows["documents"].target == len(same.manifest())


def test_they_are_left_out_and_each_is_named_with_its_reasons(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    mail, letter, sheet, other = fill_with_privileged(source)
    same = exchange(exclude_privileged=True)
    # Act
    report = same.run()
    # Assess
    assert target.rows("exhibits", "number") == [(letter.exhibit,)]
    assert [line["documentId"] for line in same.manifest()] == [str(letter.document)]
    assert report.privileged == reported(same) == {"included": 0, "excluded": 3}
    assert warned(same) == [("PRIVILEGED_EXCLUDED", 3)]
    assert privileged_of(same) == {
        "included": 0,
        "excluded": [
            {"documentId": str(mail.document), "because": ["privileged"]},
            {"documentId": str(sheet.document), "because": ["held_back"]},
            {"documentId": str(other.document), "because": ["privileged", "held_back"]},
        ],
    }


def test_nothing_of_them_is_in_any_table_of_the_destination(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    _, letter, *_ = fill_with_privileged(source)
    # Act
    exchange(exclude_privileged=True).run()
    # Assess
    (kept,) = target.rows("exhibits", "id")
    hanging = ("attachments", "comments", "custodian_exhibits", "exhibit_labels", "relevancy_logs", "bates_stamps")
    assert {table: target.run(f"SELECT DISTINCT exhibit_id FROM {table}") for table in hanging} == {
        table: [kept] for table in hanging
    }
    assert target.rows("document_variants", "DISTINCT document_id") == target.rows("documents", "id")
    assert target.rows("documents", "file_name") == source.run(
        "SELECT file_name FROM documents WHERE id = %s", (letter.document,)
    )


@pytest.mark.parametrize("exclude", [True, False])
def test_what_was_found_at_the_selection_stands_for_every_later_attempt(
    source: Case, target: Case, exchange: Make, *, exclude: bool
) -> None:
    # Prepare
    fill_with_privileged(source)
    same = exchange(exclude_privileged=exclude)
    with pytest.raises(Killed):
        same.run(spread=dying)
    before = privileged_of(same)
    source.run("UPDATE documents SET status = 0")
    source.run("UPDATE exhibits SET relevancy = NULL")
    # Act
    report = same.run()
    # Assess
    assert privileged_of(same) == before
    assert report.privileged == ({"included": 0, "excluded": 3} if exclude else {"included": 3, "excluded": 0})
    assert len(target.rows("documents")) == (1 if exclude else 4)


def test_a_selection_of_nothing_else_is_refused_before_anything_is_written(
    source: Case, target: Case, exchange: Make
) -> None:
    # Prepare
    fill_with_privileged(source)
    tables = target.tables()
    same = exchange(Selection("label", (2,)), exclude_privileged=True)
    # Act
    with pytest.raises(InvalidInputError) as caught:
        same.run()
    # Assess
    assert caught.value.code == "SELECTION_EMPTY"
    assert "only privileged or held-back documents" in caught.value.message
    assert target.tables() == tables
    assert same.objects() == {}


def test_a_case_that_does_not_know_privilege_cannot_leave_documents_out(
    source: Case, target: Case, exchange: Make
) -> None:
    # Prepare
    fill(source)
    for case in (source, target):
        case.run("ALTER TABLE documents DROP status")
        case.run("ALTER TABLE exhibits DROP relevancy")
    plain, excluding = exchange(), exchange(exclude_privileged=True)
    # Act
    with pytest.raises(InvalidInputError) as caught:
        excluding.run()
    report = plain.run()
    # Assess
    assert caught.value.code == "PRIVILEGE_UNKNOWN"
    assert excluding.objects() == {}
    assert report.privileged is None
    assert reported(plain) is None
    assert warned(plain) == []


@pytest.mark.parametrize(
    ("table", "column", "expected"), [("documents", "status", [1, 4]), ("exhibits", "relevancy", [3, 4])]
)
def test_a_case_that_has_but_one_of_the_two_columns_is_judged_by_that_one(
    source: Case, exchange: Make, table: str, column: str, expected: list[int]
) -> None:
    # Prepare
    fill_with_privileged(source)
    source.run(f"ALTER TABLE {table} DROP {column}")
    same = exchange(exclude_privileged=True)
    # Act
    same.run()
    # Assess
    assert [int(one["documentId"]) for one in privileged_of(same)["excluded"]] == expected


def test_codes_of_another_type_are_not_taken_for_privilege(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    statuses = "ENUM('new', 'in review', 'reviewed', 'held back') NULL DEFAULT 'reviewed'"
    for case in (source, target):
        case.run("ALTER TABLE exhibits DROP relevancy, ADD relevancy INT NOT NULL DEFAULT 0")
        case.run(f"ALTER TABLE documents DROP status, ADD status {statuses}")
    same = exchange()
    # Act
    report = same.run()
    # Assess
    assert report.privileged == {"included": 0, "excluded": 0}
