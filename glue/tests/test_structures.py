"""Tables beyond the known ones: found by their foreign keys, whatever these look like."""

from collections.abc import Callable

import pytest

from documentexchanger_glue.errors import MisfitError
from documentexchanger_glue.settings import Selection
from tests.cases import SCHEMA, Case, file_document
from tests.conftest import Exchange

Make = Callable[..., Exchange]
NewCase = Callable[..., Case]


def pair(new_case: NewCase, more: str, more_in_target: str | None = None) -> tuple[Case, Case]:
    added = more if more_in_target is None else more_in_target
    return new_case(schema=SCHEMA + more), new_case(schema=SCHEMA + added)


def between(exchange: Make, source: Case, target: Case, **changes: object) -> Exchange:
    return exchange(source_case_id=source.number, destination_case_id=target.number, **changes)


def test_composite_keys_are_translated_through_their_parents(new_case: NewCase, exchange: Make) -> None:
    # Prepare
    source, target = pair(
        new_case,
        "CREATE TABLE parts (document_id BIGINT UNSIGNED NOT NULL, line INT NOT NULL, text VARCHAR(9),"
        " PRIMARY KEY (document_id, line), FOREIGN KEY (document_id) REFERENCES documents (id));"
        "CREATE TABLE part_notes (id INT AUTO_INCREMENT PRIMARY KEY, document_id BIGINT UNSIGNED NOT NULL,"
        " line INT NOT NULL, note VARCHAR(9), FOREIGN KEY (document_id, line) REFERENCES parts (document_id, line));",
    )
    file_document(target)
    document = file_document(source).document
    source.add("parts", document_id=document, line=3, text="three")
    source.add("part_notes", document_id=document, line=3, note="n")
    # Act
    between(exchange, source, target).run()
    # Assess
    (new,) = target.run("SELECT MAX(id) FROM documents")
    assert target.rows("parts") == [(*new, 3, "three")]
    assert target.rows("part_notes", "document_id, line, note") == [(*new, 3, "n")]


def test_a_table_that_extends_another_shares_its_new_key(new_case: NewCase, exchange: Make) -> None:
    # Prepare
    source, target = pair(
        new_case,
        "CREATE TABLE exhibit_extras (exhibit_id BIGINT UNSIGNED PRIMARY KEY, extra VARCHAR(9),"
        " FOREIGN KEY (exhibit_id) REFERENCES exhibits (id));",
    )
    file_document(target)
    source.add("exhibit_extras", exhibit_id=file_document(source).exhibit, extra="x")
    # Act
    between(exchange, source, target).run()
    # Assess
    assert target.rows("exhibit_extras") == [(target.run("SELECT MAX(id) FROM exhibits")[0][0], "x")]


def test_a_circle_between_tables_is_broken_and_closed_again(new_case: NewCase, exchange: Make) -> None:
    # Prepare
    source, target = pair(
        new_case,
        "ALTER TABLE documents ADD cover_id BIGINT UNSIGNED NULL,"
        " ADD FOREIGN KEY (cover_id) REFERENCES document_variants (id);",
    )
    file_document(target)
    filed = file_document(source)
    source.run("UPDATE documents SET cover_id = %s", (filed.file,))
    # Act
    between(exchange, source, target).run()
    # Assess
    assert target.run("SELECT d.id = v.document_id FROM documents d JOIN document_variants v ON v.id = d.cover_id") == [
        (1,)
    ]


def test_rows_that_may_not_be_without_a_parent_find_theirs(new_case: NewCase, exchange: Make) -> None:
    # Prepare
    source, target = pair(
        new_case,
        "CREATE TABLE sections (id INT AUTO_INCREMENT PRIMARY KEY, document_id BIGINT UNSIGNED NOT NULL,"
        " above_id INT NOT NULL, FOREIGN KEY (document_id) REFERENCES documents (id),"
        " FOREIGN KEY (above_id) REFERENCES sections (id));",
    )
    target.add("sections", id=50, document_id=file_document(target).document, above_id=50)
    document = file_document(source).document
    source.add("sections", id=1, document_id=document, above_id=1)
    source.add("sections", id=2, document_id=document, above_id=1)
    # Act
    between(exchange, source, target).run()
    # Assess
    assert target.rows("sections", "id, above_id") == [(50, 50), (51, 51), (52, 51)]


def test_a_row_that_may_hang_on_either_of_two_tables_comes_once(new_case: NewCase, exchange: Make) -> None:
    # Prepare
    source, target = pair(
        new_case,
        "CREATE TABLE notes (id INT AUTO_INCREMENT PRIMARY KEY, document_id BIGINT UNSIGNED NULL,"
        " exhibit_id BIGINT UNSIGNED NULL, FOREIGN KEY (document_id) REFERENCES documents (id),"
        " FOREIGN KEY (exhibit_id) REFERENCES exhibits (id));",
    )
    filed = file_document(source)
    source.add("notes", document_id=filed.document)
    source.add("notes", exhibit_id=filed.exhibit)
    source.add("notes", document_id=filed.document, exhibit_id=filed.exhibit)
    source.add("notes")
    # Act
    report = between(exchange, source, target).run()
    # Assess
    assert report.rows["notes"].source == 3
    assert sorted(target.rows("notes", "document_id IS NULL, exhibit_id IS NULL")) == [(0, 0), (0, 1), (1, 0)]


def test_a_link_to_a_document_that_was_not_selected_stays_and_is_reported(new_case: NewCase, exchange: Make) -> None:
    # Prepare
    source, target = pair(
        new_case,
        "CREATE TABLE twins (id INT AUTO_INCREMENT PRIMARY KEY, one BIGINT UNSIGNED NOT NULL,"
        " other BIGINT UNSIGNED NOT NULL, FOREIGN KEY (one) REFERENCES documents (id),"
        " FOREIGN KEY (other) REFERENCES documents (id));",
    )
    first, second, third = (file_document(source).document for _ in range(3))
    source.add("twins", one=first, other=second)
    source.add("twins", one=first, other=third)
    # Act
    report = between(exchange, source, target, selection=Selection("documents", (first, second))).run()
    # Assess
    assert (report.rows["twins"].source, report.rows["twins"].target) == (1, 1)
    assert report.skipped == ("twins: 1",)


def test_lookups_that_nobody_told_of_are_merged_by_their_unique_key(new_case: NewCase, exchange: Make) -> None:
    # Prepare
    source, target = pair(
        new_case,
        "CREATE TABLE languages (code CHAR(2) COLLATE utf8mb4_unicode_520_ci PRIMARY KEY, name VARCHAR(20));"
        "CREATE TABLE offices (id INT AUTO_INCREMENT PRIMARY KEY, town VARCHAR(20) NOT NULL UNIQUE);"
        "CREATE TABLE boxes (id INT PRIMARY KEY, office_id INT NOT NULL,"
        " FOREIGN KEY (office_id) REFERENCES offices (id));"
        "ALTER TABLE documents ADD language CHAR(2) NULL, ADD FOREIGN KEY (language) REFERENCES languages (code),"
        " ADD box_id INT NULL, ADD FOREIGN KEY (box_id) REFERENCES boxes (id);",
    )
    target.add("languages", code="de", name="Deutsch")
    target.add("offices", town="Bonn")
    target.add("boxes", id=9, office_id=1)
    for code in ("de", "fr", "it"):
        source.add("languages", code=code, name=code)
    source.add("offices", town="Rome")
    source.add("offices", town="bonn")
    source.add("boxes", id=4, office_id=2)
    file_document(source, language="de", box_id=4)
    file_document(source, language="fr")
    # Act
    report = between(exchange, source, target).run()
    # Assess
    assert target.rows("languages") == [("de", "Deutsch"), ("fr", "fr")]
    assert target.rows("offices", "town") == [("Bonn",)]
    assert target.rows("boxes") == [(9, 1), (10, 1)]
    assert target.rows("documents", "language, box_id") == [("de", 10), ("fr", None)]
    assert report.rows["languages"].source == 2


def test_what_only_one_side_has_is_reported(new_case: NewCase, exchange: Make) -> None:
    # Prepare
    source, target = pair(
        new_case,
        "CREATE TABLE extras (id INT PRIMARY KEY, document_id BIGINT UNSIGNED, FOREIGN KEY (document_id)"
        " REFERENCES documents (id)); ALTER TABLE documents ADD old_column INT NULL; CREATE TABLE unrelated (id INT);",
        "ALTER TABLE exhibits ADD new_column INT NOT NULL DEFAULT 3;",
    )
    file_document(source)
    # Act
    report = between(exchange, source, target).run()
    # Assess
    assert report.skipped == ("documents.old_column", "exhibits.new_column", "extras")
    assert target.rows("exhibits", "new_column") == [(3,)]


@pytest.mark.parametrize(
    ("in_source", "in_target", "code", "named"),
    [
        ("", "ALTER TABLE exhibits ADD must INT NOT NULL;", "VALUE_MISSING", "exhibits.must"),
        ("", "ALTER TABLE document_variants DROP sha256;", "COLUMN_MISSING", "document_variants.sha256"),
        (
            "",
            "SET foreign_key_checks = 0; DROP TABLE exhibits; SET foreign_key_checks = 1;",
            "TABLE_MISSING",
            "exhibits",
        ),
        ("", "ALTER TABLE labels MODIFY id BIGINT UNSIGNED, DROP PRIMARY KEY, ADD KEY (id);", "KEYS_DIFFER", "labels"),
        ("", "ALTER TABLE documents MODIFY file_name VARCHAR(3) NOT NULL;", "VALUE_REFUSED", "file_name"),
        ("", "ALTER TABLE exhibits ADD UNIQUE KEY titles (title(20));", "KEY_TAKEN", "titles"),
    ],
)
def test_schemas_that_do_not_fit_are_refused_by_name(
    new_case: NewCase, exchange: Make, in_source: str, in_target: str, code: str, named: str
) -> None:
    # Prepare
    target_schema = SCHEMA + ("SET foreign_key_checks = 0;" + in_target if "labels" in in_target else in_target)
    source, target = new_case(schema=SCHEMA + in_source), new_case(schema=target_schema)
    file_document(source, "secret name.pdf")
    file_document(source, "secret name.pdf")
    # Act
    with pytest.raises(MisfitError) as caught:
        between(exchange, source, target).run()
    # Assess
    assert caught.value.code == code
    assert named in caught.value.message
    assert "secret" not in caught.value.message
