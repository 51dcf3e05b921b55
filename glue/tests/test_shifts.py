"""Ids that move all by the same number: which tables these are, and that no row refers to what did not come."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pymysql
import pytest

from documentexchanger_glue.catalogue import Catalogue, common, read_catalogue
from documentexchanger_glue.domain import METADATA
from documentexchanger_glue.plan import make_plan
from documentexchanger_glue.settings import Selection
from documentexchanger_glue.shifts import is_dense, shiftable
from documentexchanger_glue.task import Task
from tests.cases import SCHEMA, Case, file_document, fill
from tests.conftest import Exchange, one_by_one

Make = Callable[..., Exchange]
NewCase = Callable[..., Case]


def catalogue_of(case: Case, root: pymysql.Connection) -> Catalogue:
    raw = pymysql.connect(
        unix_socket=root.unix_socket,
        user="root",
        charset="utf8mb4",
        use_unicode=False,
        conv=pymysql.converters.encoders,
    )
    with raw:
        return read_catalogue(raw, f"case_{case.number}")


def shiftable_between(source: Case, target: Case) -> dict[str, bool]:
    both = common(catalogue_of(source, source.root), catalogue_of(target, target.root))
    return shiftable(make_plan(both, frozenset(METADATA), include_natives=True))


def shifts(target: Case) -> dict[str, tuple[int, int, int]]:
    """Return what is shifted: by how much, from where to where."""
    known = "SELECT table_name, shifted_by, first_source, last_source FROM exchange_tables WHERE shifted_by IS NOT NULL"
    return {name: (by, first, last) for name, by, first, last in target.run(known)}


def spelled_out(target: Case) -> dict[str, int]:
    """Count the entries of the map by table."""
    entries = "SELECT table_name, COUNT(*) FROM exchange_id_map JOIN exchange_tables USING (table_no) GROUP BY 1"
    return dict(target.run(entries))


OWNED = {
    "attachments": 8,
    "bates_stamps": 4,
    "comments": 8,
    "confidentiality_logs": 4,
    "custom_field_values": 4,
    "document_variants": 12,
    "documents": 4,
    "exhibits": 4,
    "relevancy_logs": 4,
}


def test_tables_can_be_shifted_whose_references_the_destination_guards(source: Case, target: Case) -> None:
    # Act
    found = shiftable_between(source, target)
    # Assess
    referred_to = {"documents", "exhibits", "comments"}
    assert found == {name: name in referred_to for name in OWNED}


@pytest.mark.parametrize(
    ("in_target", "missing"),
    [
        ("ALTER TABLE comments DROP FOREIGN KEY comments_exhibit;", "exhibits"),
        ("ALTER TABLE comments DROP FOREIGN KEY comments_parent;", "comments"),
        ("ALTER TABLE bates_stamps MODIFY id BIGINT UNSIGNED NOT NULL;", "bates_stamps"),
    ],
)
def test_a_table_is_not_shifted_where_the_destination_would_take_any_id(
    source: Case, new_case: NewCase, in_target: str, missing: str
) -> None:
    # Act
    found = shiftable_between(source, new_case(schema=SCHEMA + in_target))
    # Assess
    assert set(found) == set(OWNED) - {missing}


def test_a_key_that_may_be_empty_in_part_guards_nothing(new_case: NewCase) -> None:
    # Prepare
    schema = SCHEMA + (
        "CREATE TABLE parts (document_id BIGINT UNSIGNED NOT NULL, line INT NOT NULL, PRIMARY KEY (document_id, line),"
        " FOREIGN KEY (document_id) REFERENCES documents (id));"
        "CREATE TABLE notes (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, document_id BIGINT UNSIGNED NOT NULL,"
        " line INT NULL, FOREIGN KEY (document_id, line) REFERENCES parts (document_id, line));"
    )
    # Act
    found = shiftable_between(new_case(schema=schema), new_case(schema=schema))
    # Assess
    assert set(found) == set(OWNED) - {"documents"} | {"notes"}


@pytest.mark.parametrize(
    ("data_type", "first", "last", "rows", "dense"),
    [
        ("int", 1, 10, 5, True),
        ("int", 1, 11, 5, False),
        ("bigint", 1, 1 << 32, 1, True),
        ("bigint", 1, (1 << 32) + 1, 1, False),
        ("bigint", (1 << 63) - 1, 1 << 63, 2, False),
        ("bigint", -3, 3, 7, False),
        ("bigint", 0, 0, 0, False),
    ],
)
def test_a_range_is_as_wide_as_rows_and_ids_allow(
    source: Case, data_type: str, first: int, last: int, rows: int, *, dense: bool
) -> None:
    # Prepare
    plan = make_plan(catalogue_of(source, source.root), frozenset(METADATA), include_natives=True)
    table = plan.tables["comments"]
    ids = replace(table.table.columns["id"], data_type=data_type)
    table = replace(table, table=replace(table.table, columns={**table.table.columns, "id": ids}))
    # Act
    found = is_dense(table, first, last, rows)
    # Assess
    assert found is dense


def test_a_whole_case_travels_without_entries_and_its_holes_stay_holes(
    source: Case, target: Case, exchange: Make
) -> None:
    # Prepare
    mail, *_ = fill(source)
    file_document(target)
    source.run("DELETE FROM comments WHERE id IN (3, 4)")
    source.run("DELETE FROM document_variants WHERE id = %s", (mail.file,))
    # Act
    exchange().run()
    # Assess
    known = shifts(target)
    assert set(known) == set(OWNED)
    assert not spelled_out(target).keys() & OWNED.keys()
    for name in ("comments", "document_variants", "exhibits"):
        by, first, last = known[name]
        arrived = target.run(f"SELECT id - {by} FROM {name} WHERE id BETWEEN {first + by} AND {last + by} ORDER BY 1")
        assert arrived == source.rows(name, "id")
    assert target.dangling() == []


def test_a_selection_with_gaps_is_written_down_and_what_nobody_refers_to_is_shifted(
    source: Case, target: Case, exchange: Make
) -> None:
    # Prepare
    mail, _, sheet, other = fill(source)
    # Act
    exchange(Selection("documents", (mail.document, sheet.document, other.document))).run()
    # Assess
    referred_to = {"documents", "exhibits", "comments"}
    assert set(shifts(target)) == set(OWNED) - referred_to
    assert {name: count for name, count in spelled_out(target).items() if name in OWNED} == {
        "documents": 3,
        "exhibits": 3,
        "comments": 6,
    }
    assert target.rows("exhibits", "number", order="id") == [(mail.exhibit,), (sheet.exhibit,), (other.exhibit,)]
    assert len(target.rows("bates_stamps")) == 3
    assert target.dangling() == []


def test_a_document_that_comes_to_be_where_none_was_selected_stays_out(
    source: Case, target: Case, exchange: Make
) -> None:
    # Prepare
    filed = [file_document(source, f"{number}.pdf") for number in range(5)]
    source.run("DELETE FROM document_variants WHERE document_id = 3")
    source.run("DELETE FROM documents WHERE id = 3")
    hidden: list[int] = []

    def busy(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        if items and isinstance(items[0], Task) and not hidden:
            hidden.append(source.add("documents", id=3, file_name="hidden.pdf"))
            source.add("exhibits", id=3, document_id=3)
            source.add("comments", exhibit_id=3, body="hidden")
        return one_by_one(work, items)

    # Act
    report = exchange().run(busy)
    # Assess
    assert report.rows["documents"].target == 4
    assert target.rows("exhibits", "number", order="id") == [(one.exhibit,) for one in filed if one.document != 3]
    assert target.rows("comments") == []
    assert target.dangling() == []


def test_a_reference_to_a_row_that_is_not_there_is_emptied_and_the_ids_are_spelled_out(
    new_case: NewCase, target: Case, exchange: Make
) -> None:
    # Prepare
    source = new_case(schema=SCHEMA + "ALTER TABLE comments DROP FOREIGN KEY comments_parent;")
    fill(source)
    file_document(target)
    source.run("DELETE FROM comments WHERE id = 3")
    # Act
    report = exchange(source_case_id=source.number).run()
    # Assess
    assert report.skipped == ("comments.parent_id: 1",)
    assert set(shifts(target)) == set(OWNED) - {"comments", "exhibits"}
    assert spelled_out(target)["comments"] == 7
    assert target.rows("comments", "id, parent_id") == [
        (1, None), (2, 1), (4, None), (5, None), (6, 5), (7, None), (8, 7)
    ]  # fmt: skip


def test_rows_of_an_exhibit_that_is_not_there_stay_behind(new_case: NewCase, target: Case, exchange: Make) -> None:
    # Prepare
    source = new_case(
        schema=SCHEMA + "ALTER TABLE bates_stamps DROP FOREIGN KEY bates_stamps_exhibit;"
        "ALTER TABLE exhibit_labels DROP FOREIGN KEY exhibit_labels_exhibit;"
    )
    _, letter, *_ = fill(source)
    source.run("DELETE FROM exhibits WHERE id = %s", (letter.exhibit,))
    # Act
    report = exchange(source_case_id=source.number).run()
    # Assess
    assert (report.rows["bates_stamps"].source, report.rows["bates_stamps"].target) == (3, 3)
    assert len(target.rows("bates_stamps")) == len(target.rows("exhibit_labels")) == 3
    assert "exhibits" not in shifts(target)
    assert target.dangling() == []


def test_rows_that_come_after_all_others_are_spelled_out_with_their_table(
    source: Case, target: Case, exchange: Make
) -> None:
    # Prepare
    mail, *_ = fill(source)
    late: list[int] = []

    def busy(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        if items and isinstance(items[0], Task) and not late:
            late.append(source.add("exhibits", document_id=mail.document, title="late"))
            source.add("bates_stamps", exhibit_id=late[0], position=1, prefix="AB", number=8, stamp="AB0008")
            source.add("exhibit_labels", exhibit_id=late[0], label_id=1)
            user = source.add("users", email="late@example.com", name="Late")
            source.add("relevancy_logs", exhibit_id=mail.exhibit, user_id=user, new_relevancy="unsure")
        return one_by_one(work, items)

    # Act
    report = exchange().run(busy)
    # Assess
    assert (report.rows["exhibits"].target, report.rows["bates_stamps"].target) == (5, 5)
    assert report.rows["relevancy_logs"].target == 5
    assert set(shifts(target)) == set(OWNED) - {"exhibits", "bates_stamps", "relevancy_logs"}
    assert target.run(
        "SELECT e.title, s.stamp FROM exhibits e JOIN bates_stamps s ON s.exhibit_id = e.id"
        " JOIN exhibit_labels l ON l.exhibit_id = e.id WHERE e.number = %s",
        (late[0],),
    ) == [("late", "AB0008")]
    assert target.dangling() == []


def test_names_that_only_a_late_row_refers_to_are_merged(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    mail, *_ = fill(source)
    for _ in range(8):
        source.add("relevancy_logs", exhibit_id=mail.exhibit, new_relevancy="relevant")
    late: list[int] = []

    def busy(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        if items and isinstance(items[0], Task) and not late:
            late.append(source.add("users", email="late@example.com", name="Late"))
            source.add("relevancy_logs", exhibit_id=mail.exhibit, user_id=late[0], new_relevancy="unsure")
        return one_by_one(work, items)

    # Act
    report = exchange().run(busy)
    # Assess
    assert report.rows["relevancy_logs"].target == 4 + 8 + 1
    assert target.run(
        "SELECT u.email FROM relevancy_logs l JOIN users u ON u.id = l.user_id WHERE new_relevancy = 'unsure'"
    ) == [("late@example.com",)]
