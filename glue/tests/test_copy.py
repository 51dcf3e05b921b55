"""Whole copies between two real case databases."""

from collections.abc import Callable

from documentexchanger_glue.domain import NOT_COPIED
from documentexchanger_glue.settings import Selection
from tests.cases import Case, fill
from tests.conftest import Exchange

Make = Callable[..., Exchange]


def test_a_whole_case_arrives_with_every_row_once(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    before = source.fingerprint()
    # Act
    report = exchange().run()
    # Assess
    counts = {table: len(rows) for table, rows in source.fingerprint().items() if table not in NOT_COPIED}
    assert {name: (count.source, count.target) for name, count in report.rows.items()} == {
        name: (number, number) for name, number in counts.items()
    }
    assert {table: len(rows) for table, rows in target.fingerprint().items() if table not in NOT_COPIED} == counts
    assert target.dangling() == []
    assert source.fingerprint() == before
    assert report.skipped == ()


def test_a_label_brings_its_documents_and_nothing_of_others(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    mail, letter, *_ = fill(source)
    # Act
    report = exchange(Selection("label", (1,))).run()
    # Assess
    assert report.rows["documents"].target == 2
    assert target.rows("exhibits", "number") == [(mail.exhibit,), (letter.exhibit,)]


def test_a_document_arrives_in_its_new_batch_and_without_the_index_of_its_old_case(
    source: Case, target: Case, exchange: Make
) -> None:
    # Prepare
    mail, *_ = fill(source)
    source.run("UPDATE documents SET batch_id = 'import-1'")
    source.add("exhibit_texts", exhibit_id=mail.exhibit, position=1, content="what was hidden later")
    same = exchange(Selection("documents", (mail.document,)))
    # Act
    same.run()
    # Assess
    assert target.rows("documents", "batch_id") == [("b1",)]
    assert target.rows("exhibit_texts") == []
    assert [line["sourceBatchId"] for line in same.manifest()] == ["import-1"]
