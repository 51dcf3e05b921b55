"""Which documents come, and what comes of those that do not."""

from collections.abc import Callable

import pytest

from documentexchanger_glue.errors import InvalidInputError
from documentexchanger_glue.settings import Selection
from tests.cases import Case, Filed, file_document, fill
from tests.conftest import Exchange

Make = Callable[..., Exchange]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection("all"), (0, 1, 2, 3)),
        (Selection("label", (1,)), (0, 1)),
        (Selection("label", (2,)), (2, 3)),
        (Selection("folder", (1,)), (0, 1, 2, 3)),
        (Selection("folder", (2,)), (1, 2)),
        (Selection("folder", (3,)), (1,)),
        (Selection("documents", (1, 4)), (0, 3)),
    ],
)
def test_each_kind_of_selection_brings_its_documents(
    source: Case, target: Case, exchange: Make, selection: Selection, expected: tuple[int, ...]
) -> None:
    # Prepare
    filed: list[Filed] = fill(source)
    # Act
    exchange(selection).run()
    # Assess
    assert target.rows("exhibits", "number", order="id") == [(filed[number].exhibit,) for number in expected]


def test_a_parent_that_was_not_selected_is_left_out_and_reported(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    _, letter, sheet, _ = fill(source)
    # Act
    report = exchange(Selection("documents", (letter.document, sheet.document))).run()
    # Assess
    assert target.rows("documents", "parent_id") == [(None,), (None,)]
    assert report.skipped == ("documents.parent_id: 2",)


def test_families_stay_together_and_keep_their_dates(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    file_document(target)
    source.run("UPDATE documents SET updated_at = '2001-02-03 04:05:06.789012', created_at = '0000-00-00'")
    # Act
    exchange().run()
    # Assess
    assert target.run(
        "SELECT file_name, parent_id, CAST(updated_at AS CHAR), CAST(created_at AS CHAR) FROM documents WHERE id > 1"
    ) == [
        (name, parent, "2001-02-03 04:05:06.789012", "0000-00-00 00:00:00.000000")
        for name, parent in (
            ("Grüße 🔥.eml", None),
            ("../../Письмо.PDF", 2),
            ("sheet.xlsx", 2),
            ("other.pdf", None),
        )
    ]
    answers = "SELECT COUNT(*) FROM comments a JOIN comments b ON b.id = a.parent_id AND b.exhibit_id = a.exhibit_id"
    assert target.run(answers) == [(4,)]


def test_a_document_with_nothing_on_it_comes_too(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    document = source.add("documents", file_name="bare")
    same = exchange()
    # Act
    same.run()
    # Assess
    assert target.rows("documents", "file_name") == [("bare",)]
    assert same.manifest() == [
        {
            "documentId": str(document),
            "destinationDocumentId": "1",
            "exhibits": [],
            "sourceBatchId": None,
            "files": [],
        }
    ]


@pytest.mark.parametrize(
    ("selection", "code", "named"),
    [
        (Selection("label", (99,)), "SELECTION_UNKNOWN", "no label 99"),
        (Selection("folder", (99,)), "SELECTION_UNKNOWN", "no folder 99"),
        (Selection("documents", tuple(range(1, 12))), "SELECTION_UNKNOWN", "no document 5, 6, 7, 8, 9 and 2 more"),
        (Selection("label", (3,)), "SELECTION_EMPTY", "holds no document"),
    ],
)
def test_a_selection_without_documents_is_refused_before_anything_is_written(
    source: Case, target: Case, exchange: Make, selection: Selection, code: str, named: str
) -> None:
    # Prepare
    fill(source)
    source.add("labels", name="On nothing")
    tables = target.tables()
    # Act
    with pytest.raises(InvalidInputError) as caught:
        exchange(selection).run()
    # Assess
    assert caught.value.code == code
    assert named in caught.value.message
    assert target.tables() == tables
