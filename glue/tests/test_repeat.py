"""The same exchange again, after any death, beside others: always the same rows."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from pymysql.connections import Connection

from documentexchanger_glue.errors import InvalidInputError, MisfitError
from documentexchanger_glue.settings import Selection
from documentexchanger_glue.task import Task
from documentexchanger_glue.work import Pace
from tests.cases import Case, file_document, fill
from tests.conftest import Exchange, one_by_one

Make = Callable[..., Exchange]


class Killed(BaseException):
    """The process is gone."""


def dying_at(effect: int) -> Callable[..., list[Any]]:
    """Do `effect` tasks, then die in the middle of everything."""
    left = effect

    def spread(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        nonlocal left
        results = []
        for item in items:
            if left == 0:
                raise Killed
            left -= 1
            results.append(work(item))
        return results

    return spread


class Effects:
    """Counts what the job does to the destination, and kills it before or after one of these."""

    def __init__(self) -> None:
        self.effects = 0
        self.fatal: int | None = None

    def die_at(self, effect: int | None) -> None:
        self.effects, self.fatal = 0, effect

    def query(self, original: Callable[..., int]) -> Callable[..., int]:
        def query(connection: Connection, sql: str | bytes, **rest: Any) -> int:
            text = sql if isinstance(sql, bytes) else sql.encode()
            if connection.user != b"copier" or text.startswith((b"SELECT", b"SET", b"SHOW", b"ROLLBACK")):
                return original(connection, sql, **rest)
            self.effects += 1
            if self.effects == self.fatal and self.effects % 2:
                raise Killed
            done = original(connection, sql, **rest)
            if self.effects == self.fatal:
                raise Killed
            return done

        return query


def countdown(monkeypatch: pytest.MonkeyPatch) -> Effects:
    effects = Effects()
    monkeypatch.setattr(Connection, "query", effects.query(Connection.query))
    return effects


def everything(target: Case) -> dict[str, list[tuple[Any, ...]]]:
    return {**target.fingerprint(), "map": target.rows("exchange_id_map", order="1, 2")}


def test_the_same_exchange_again_changes_nothing(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    same = exchange()
    first = same.run()
    rows, objects = everything(target), same.objects()
    # Act
    second = same.run()
    # Assess
    assert everything(target) == rows
    assert second.rows == first.rows
    assert {key: text for key, text in same.objects().items() if "/manifest/" in key} == {
        key: text for key, text in objects.items() if "/manifest/" in key
    }


def test_a_copy_that_dies_at_any_statement_is_completed_by_the_next(
    new_case: Callable[..., Case], source: Case, exchange: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Prepare
    fill(source)
    made = countdown(monkeypatch)
    whole = new_case()
    exchange(destination_case_id=whole.number, documents_per_part=3).run()
    counts = {table: len(rows) for table, rows in whole.fingerprint().items()}
    statements = made.effects
    assert statements > 80
    # Act
    for effect in range(1, statements, statements // 11):
        target = new_case()
        same = exchange(destination_case_id=target.number, documents_per_part=3)
        made.die_at(effect)
        with pytest.raises(Killed):
            same.run()
        assert not any(key.endswith("report.json") for key in same.objects())
        made.die_at(None)
        same.run()
        # Assess
        assert {table: len(rows) for table, rows in target.fingerprint().items()} == counts, effect
        assert target.dangling() == []


def test_a_copy_that_dies_after_any_checkpoint_goes_on_with_the_next_one(
    new_case: Callable[..., Case], source: Case, exchange: Make
) -> None:
    # Prepare: every table is one chunk.
    fill(source)
    counts = {table: len(rows) for table, rows in source.fingerprint().items()}
    moved: list[Task] = []
    fatal: int | None = None

    def spread(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        results = []
        for item in items:
            if isinstance(item, Task):
                if len(moved) == fatal:
                    raise Killed
                moved.append(item)
            results.append(work(item))
        return results

    def into(target: Case) -> Exchange:
        return replace(exchange(destination_case_id=target.number), pace=Pace(rows=1000, grain=1000, documents=1000))

    into(new_case()).run(spread)
    checkpoints = len(moved)
    assert checkpoints > 10
    # Act
    for number in range(checkpoints):
        target = new_case()
        same = into(target)
        moved.clear()
        fatal = number
        with pytest.raises(Killed):
            same.run(spread)
        fatal = None
        same.run(spread)
        # Assess
        assert len(set(moved)) == len(moved) == checkpoints
        assert {table: len(rows) for table, rows in target.fingerprint().items()} == counts
        assert target.dangling() == []


def test_tables_of_another_build_are_refused(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    target.run("CREATE TABLE exchange_id_map (exchange_id CHAR(36), source_id BIGINT, target_id BIGINT)")
    # Act
    with pytest.raises(MisfitError) as caught:
        exchange().run()
    # Assess
    assert (caught.value.code, "exchange_id_map" in caught.value.message) == ("BOOKKEEPING_FOREIGN", True)


def test_two_exchanges_into_one_case_do_not_disturb_each_other(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    mail, letter, sheet, other = fill(source)
    # Act
    exchange(Selection("documents", (mail.document, letter.document))).run()
    after_first = target.fingerprint()
    exchange(Selection("documents", (sheet.document, other.document)), batch_id="b2").run()
    exchange(Selection("documents", (mail.document,)), batch_id="b3").run()
    # Assess
    assert target.rows("exhibits", "number", order="id") == [
        (filed.exhibit,) for filed in (mail, letter, sheet, other, mail)
    ]
    assert len(target.rows("labels")) == 2
    assert set(after_first["documents"]) <= set(target.fingerprint()["documents"])
    assert target.dangling() == []


def test_rows_that_are_in_the_destination_stay_as_they_are(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(target)
    fill(source)
    before = target.fingerprint()
    # Act
    exchange().run()
    # Assess
    after = target.fingerprint()
    assert {table: [row for row in before[table] if row not in after[table]] for table in before} == {
        table: [] for table in before
    }


def test_ids_that_somebody_is_given_meanwhile_do_not_collide(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)

    def busy(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        results = []
        for item in items:
            file_document(target, "made by a reviewer.pdf")
            results.append(work(item))
        return results

    # Act
    report = exchange().run(busy)
    # Assess
    assert report.rows["documents"].target == 4
    reviewers = "SELECT COUNT(*) FROM documents WHERE file_name = 'made by a reviewer.pdf'"
    exhibits = "SELECT COUNT(*) FROM exhibits WHERE title = 'made by a reviewer.pdf'"
    assert target.run(reviewers) == target.run(exhibits)
    assert target.dangling() == []


def test_rows_that_appear_in_the_source_meanwhile_come_along(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    mail, *_ = fill(source)
    added: list[int] = []

    def busy(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        results = one_by_one(work, items)
        if len(added) < 8:
            label = source.add("labels", name=f"New {len(added)}")
            source.add("exhibit_labels", exhibit_id=mail.exhibit, label_id=label)
            added.append(source.add("comments", exhibit_id=mail.exhibit, body="late"))
        return results

    # Act
    report = exchange().run(busy)
    # Assess
    assert report.rows["comments"].target == 8 + len(added)
    assert len(target.rows("labels")) == 2 + len(added)


def test_what_was_selected_at_first_stands_for_every_attempt(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    same = exchange(Selection("label", (1,)))
    with pytest.raises(Killed):
        same.run(dying_at(4))
    source.run("DELETE FROM exhibit_labels WHERE label_id = 1")
    # Act
    report = same.run()
    # Assess
    assert report.rows["documents"].target == 2
    assert len(target.rows("documents")) == 2


def test_an_exchange_id_cannot_be_used_for_something_else(source: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    first = exchange()
    first.run()
    # Act
    with pytest.raises(InvalidInputError) as caught:
        exchange(Selection("label", (1,)), exchange_id=first.settings.exchange_id).run()
    # Assess
    assert caught.value.code == "EXCHANGE_REUSED"


def test_rows_that_arrive_changed_fail_the_job(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    target.run("CREATE TRIGGER meddler BEFORE INSERT ON comments FOR EACH ROW SET NEW.body = CONCAT(NEW.body, '!')")
    same = exchange()
    # Act
    with pytest.raises(MisfitError) as caught:
        same.run()
    # Assess
    assert caught.value.code == "CHECKSUM_DIFFERS"
    assert target.rows("comments") == []
    assert not any(key.endswith("report.json") for key in same.objects())
    target.run("DROP TRIGGER meddler")
    assert same.run().rows["comments"].target == 8
