"""Names that both cases know are one row afterwards."""

from collections.abc import Callable

import pytest

from documentexchanger_glue.confidentiality import assign_bits, bits_of
from documentexchanger_glue.domain import METADATA
from documentexchanger_glue.errors import MisfitError
from documentexchanger_glue.settings import Selection
from tests.cases import Case, file_document, fill
from tests.conftest import Exchange

Make = Callable[..., Exchange]


def test_names_are_compared_as_the_destination_compares_them(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    custodian = target.add("custodians", name="ZOE MULLER", email="kept@example.com")
    label = target.add("labels", name="HÓT", color="#00ff00")
    user = target.add("users", email="ANN@example.com", name="Ann of the destination")
    category = target.add("label_categories", name="matters", position=9)
    field = target.add("custom_fields", name="reviewed by", field_type="text")
    target.add("custom_fields", name="reviewed by", field_type="number")
    # Act
    exchange().run()
    # Assess
    assert target.rows("custodians", "id, name, email") == [(custodian, "ZOE MULLER", "kept@example.com")]
    assert target.rows("labels", "name, color", order="id") == [("HÓT", "#00ff00"), ("Cold", "#ff0000")]
    assert target.rows("users", "name", order="id") == [("Ann of the destination",), ("Bob",)]
    assert target.rows("label_categories", "name, position") == [("matters", 9)]
    assert len(target.rows("custom_fields")) == 2
    assert target.run("SELECT DISTINCT custom_field_id FROM custom_field_values") == [(field,)]
    assert target.run("SELECT DISTINCT user_id FROM relevancy_logs") == [(user,)]
    assert target.run("SELECT COUNT(*) FROM exhibit_labels WHERE label_id = %s", (label,)) == [(2,)]
    assert target.run("SELECT label_category_id FROM label_category_labels") == [(category,), (category,)]


def test_folders_are_merged_by_path(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    top = target.add("folder_tags", name="TOP")
    elsewhere = target.add("folder_tags", name="Middle")
    target.add("folder_tags", name="Bottom", parent_id=elsewhere)
    # Act
    exchange().run()
    # Assess
    paths = target.run(
        "SELECT c.name, b.name, a.name FROM folder_tags a LEFT JOIN folder_tags b ON b.id = a.parent_id"
        " LEFT JOIN folder_tags c ON c.id = b.parent_id ORDER BY a.id"
    )
    assert paths == [
        (None, None, "TOP"),
        (None, None, "Middle"),
        (None, "Middle", "Bottom"),
        (None, "TOP", "Middle"),
        ("TOP", "Middle", "Bottom"),
    ]
    assert target.run("SELECT COUNT(*) FROM folder_taggings WHERE folder_tag_id = %s", (top,)) == [(2,)]


def test_names_that_are_one_in_the_destination_leave_one_link(
    new_case: Callable[..., Case], source: Case, exchange: Make
) -> None:
    # Prepare
    source.run("ALTER TABLE custodians MODIFY name VARCHAR(255) COLLATE utf8mb4_bin NOT NULL")
    target = new_case()
    exhibit = file_document(source).exhibit
    for name in ("Müller", "MULLER"):
        source.add("custodian_exhibits", custodian_id=source.add("custodians", name=name), exhibit_id=exhibit)
    # Act
    report = exchange(destination_case_id=target.number).run()
    # Assess
    assert target.rows("custodians", "name") == [("Müller",)]
    assert len(target.rows("custodian_exhibits")) == 1
    assert (report.rows["custodian_exhibits"].source, report.rows["custodian_exhibits"].target) == (2, 2)


def test_only_what_selected_exhibits_use_is_merged(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    mail, *_ = fill(source)
    source.add("custodians", name="Nobody's")
    source.add("confidentiality_codes", name="Unused", bit_index=5)
    # Act
    exchange(Selection("documents", (mail.document,))).run()
    # Assess
    assert target.rows("labels", "name") == [("Hot",)]
    assert target.rows("folder_tags", "name") == [("Top",)]
    assert target.rows("custodians", "name") == [("Zoë Müller",)]
    assert target.rows("confidentiality_codes", "name, bit_index") == [("Sealed", 1), ("Secret", 0)]


def test_confidentiality_means_the_same_codes_afterwards(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    target.add("confidentiality_codes", name="Other", bit_index=0)
    target.add("confidentiality_codes", name="SEALED", bit_index=1)
    # Act
    report = exchange().run()
    # Assess
    assert target.rows("confidentiality_codes", "name, bit_index", order="bit_index") == [
        ("Other", 0),
        ("SEALED", 1),
        ("Secret", 2),
    ]
    assert target.run("SELECT DISTINCT confidentiality_status FROM exhibits") == [(0b110,)]
    assert target.run(
        "SELECT DISTINCT c.name FROM confidentiality_logs l JOIN confidentiality_codes c"
        " ON c.id = l.confidentiality_code_id"
    ) == [("SEALED",)]
    assert report.skipped == ()


def test_a_bit_without_a_code_is_dropped_and_reported(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    exhibit = file_document(source).exhibit
    source.run("UPDATE exhibits SET confidentiality_status = 8 WHERE id = %s", (exhibit,))
    # Act
    report = exchange().run()
    # Assess
    assert target.rows("exhibits", "confidentiality_status") == [(0,)]
    assert report.skipped == ("exhibits.confidentiality_status: 1",)


def test_too_many_codes_are_refused_before_anything_is_written(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    for bit in range(63):
        target.add("confidentiality_codes", name=f"Code {bit}", bit_index=bit)
    before, tables = target.fingerprint(), target.tables()
    # Act
    with pytest.raises(MisfitError) as caught:
        exchange().run()
    # Assess
    assert caught.value.code == "NO_FREE_BIT"
    assert "room for 1 more of 64 confidentiality codes and 2 new ones" in caught.value.message
    assert (target.fingerprint(), target.tables()) == (before, tables)


@pytest.mark.parametrize("kind", METADATA)
def test_metadata_that_was_not_chosen_stays(source: Case, target: Case, exchange: Make, kind: str) -> None:
    # Prepare
    fill(source)
    # Act
    report = exchange(metadata=frozenset(METADATA) - {kind}).run()
    # Assess
    assert {name: target.rows(name) for name in METADATA[kind].tables} == {name: [] for name in METADATA[kind].tables}
    assert not set(METADATA[kind].tables) & report.rows.keys()
    ((relevancy, status),) = target.run("SELECT DISTINCT relevancy, confidentiality_status > 0 FROM exhibits")
    assert (relevancy is None, status == 0) == (kind == "relevancy", kind == "confidentialityCodes")
    assert report.skipped == ()


def test_folders_that_are_their_own_ancestors_are_refused(source: Case, exchange: Make) -> None:
    # Prepare
    exhibit = file_document(source).exhibit
    one = source.add("folder_tags", name="one")
    other = source.add("folder_tags", name="other", parent_id=one)
    source.run("UPDATE folder_tags SET parent_id = %s WHERE id = %s", (other, one))
    source.add("folder_taggings", exhibit_id=exhibit, folder_tag_id=one)
    # Act
    with pytest.raises(MisfitError) as caught:
        exchange().run()
    # Assess
    assert caught.value.code == "ROWS_CIRCULAR"


def test_new_codes_get_the_lowest_free_bits() -> None:
    assert assign_bits([9, 4], {0, 2}) == {4: 1, 9: 3}


def test_all_64_bits_can_be_translated(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    for bit in range(64):
        source.add("confidentiality_codes", name=f"Code {bit}", bit_index=bit)
        target.add("confidentiality_codes", name=f"code {bit}", bit_index=63 - bit)
    for mask in ((1 << 64) - 1, 1 << 63, 0b11, 0):
        exhibit = file_document(source).exhibit
        source.run("UPDATE exhibits SET confidentiality_status = %s WHERE id = %s", (mask, exhibit))
    # Act
    exchange().run()
    # Assess
    masks = target.rows("exhibits", "confidentiality_status", order="id")
    assert masks == [((1 << 64) - 1,), (1,), (0b11 << 62,), (0,)]


def test_a_mask_tells_the_bits_that_are_set() -> None:
    assert bits_of((1 << 64) - 1) == set(range(64))
    assert bits_of(1 << 63 | 1) == {0, 63}
