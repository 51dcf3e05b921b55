"""What one exchange wrote is taken out again: all of it, and nothing else."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from documentexchanger_glue.remove import Kept, Removal, remove
from documentexchanger_glue.settings import Selection
from tests.cases import Case, file_document, fill
from tests.conftest import Exchange, one_by_one, quiet

Make = Callable[..., Exchange]


class Killed(BaseException):
    """The process is gone."""


def take_out(exchange: Exchange, log: Callable[..., None] = quiet) -> Removal:
    return remove(exchange.settings, log, clock=lambda: 0.0)


def remembered(target: Case) -> dict[str, int]:
    """Count what the job still knows of exchanges."""
    return {
        table: len(rows) for table in target.tables() if table.startswith("exchange_") and (rows := target.rows(table))
    }


def dying_after(number: int, message: str) -> Callable[..., None]:
    """Log as far as the line of that number with this message, and die."""
    left = number

    def log(said: str, /, **_values: object) -> None:
        nonlocal left
        left -= said == message
        if left < 0:
            raise Killed

    return log


def test_an_exchange_is_taken_out_whole(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    file_document(target, "before.pdf")
    before = target.fingerprint()
    done = exchange()
    report = done.run()
    # Act
    removal = take_out(done)
    # Assess
    assert target.fingerprint() == before
    assert remembered(target) == {}
    assert removal.kept == ()
    assert removal.rows == {name: count.target for name, count in report.rows.items()}
    assert done.objects() == {f"exchanges/{done.settings.exchange_id}/removed.json": json.dumps(removal.as_json())}


def test_a_removal_may_be_repeated_and_tells_the_same(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    done = exchange()
    done.run()
    take_out(done)
    told, before = done.objects(), target.fingerprint()
    # Act
    take_out(done)
    # Assess
    assert done.objects() == told
    assert target.fingerprint() == before


def test_rows_of_earlier_and_later_exchanges_stay(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    exchange(Selection("label", (1,))).run()
    middle, last = exchange(), exchange(Selection("label", (2,)))
    middle.run()
    last.run()
    late = {name: count.target for name, count in last.run().rows.items()}
    # Act
    take_out(middle)
    # Assess
    assert len(target.rows("documents")) == 4
    assert target.dangling() == []
    assert {name: count.target for name, count in last.run().rows.items()} == late


def test_names_that_a_later_exchange_uses_go_with_that_one(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    before = target.fingerprint()
    first, second = exchange(), exchange()
    first.run()
    second.run()
    # Act
    removals = take_out(first), take_out(second)
    # Assess
    assert target.fingerprint() == before
    assert {(kept.table, kept.because) for kept in removals[0].kept} >= {
        ("users", f"exchange {second.settings.exchange_id} uses them"),
        ("label_category_labels", f"exchange {second.settings.exchange_id} uses them"),
    }
    assert "labels" not in removals[0].rows
    assert removals[1].rows["labels"] == 2
    assert removals[1].kept == ()


def test_rows_of_others_block_only_what_they_must(source: Case, target: Case, exchange: Make) -> None:
    # Prepare: an answer to a comment, a label on an exhibit, a document in a family, a mask with one of the new codes.
    fill(source)
    done = exchange()
    done.run()
    documents = [number for (number,) in target.rows("documents", "id")]
    exhibits = [number for (number,) in target.rows("exhibits", "id")]
    comment = target.run("SELECT MIN(id) FROM comments WHERE exhibit_id = %s", (exhibits[1],))[0][0]
    target.add("comments", exhibit_id=exhibits[1], parent_id=comment, body="by a reviewer")
    target.add("exhibit_labels", exhibit_id=exhibits[2], label_id=target.add("labels", name="Mine"))
    target.add("documents", file_name="by a reviewer", parent_id=documents[3])
    mine = file_document(target, "mine.pdf")
    target.run("UPDATE exhibits SET confidentiality_status = 2 WHERE id = %s", (mine.exhibit,))
    target.run("UPDATE exhibits SET confidentiality_status = 0 WHERE id < %s", (mine.exhibit,))
    bits = dict(target.rows("confidentiality_codes", "bit_index, name"))
    # Act
    removal = take_out(done)
    # Assess
    assert target.dangling() == []
    assert [n for (n,) in target.rows("documents", "id")][:4] == documents
    assert [n for (n,) in target.rows("exhibits", "id")][:2] == exhibits[1:3]
    assert [n for (n,) in target.rows("comments", "id")][:1] == [comment]
    assert len(target.rows("comments")) == 2
    assert target.rows("exhibit_labels", "exhibit_id") == [(exhibits[2],)]
    assert [row[0] for row in target.rows("confidentiality_codes", "name")] == [bits[1]]
    assert removal.rows["comments"] == 7
    assert set(removal.kept) >= {
        Kept("comments", 1, "rows of comments refer to them"),
        Kept("exhibits", 1, "rows of exhibit_labels refer to them"),
        Kept("exhibits", 1, "rows of comments refer to them"),
        Kept("confidentiality_codes", 1, "exhibits are marked with them"),
    }


def test_what_stayed_goes_when_nothing_hangs_on_it_any_more(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    before = target.fingerprint()
    done = exchange()
    done.run()
    exhibit = target.rows("exhibits", "id")[0][0]
    answer = target.add("comments", exhibit_id=exhibit, body="by a reviewer")
    first = take_out(done)
    target.run("DELETE FROM comments WHERE id = %s", (answer,))
    # Act
    second = take_out(done)
    # Assess
    assert first.rows["exhibits"] == 3
    assert second.rows["exhibits"] == 4
    assert second.kept == ()
    assert target.fingerprint() == before
    assert remembered(target) == {}


@pytest.mark.parametrize("tasks", [0, 3, 9, 17, 30])
def test_a_copy_that_ended_half_way_is_taken_out(source: Case, target: Case, exchange: Make, tasks: int) -> None:
    # Prepare
    fill(source)
    before = target.fingerprint()
    left = tasks

    def dying(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        nonlocal left
        if len(items) > left:
            one_by_one(work, items[:left])
            raise Killed
        left -= len(items)
        return one_by_one(work, items)

    half = exchange()
    with pytest.raises(Killed):
        half.run(dying)
    # Act
    take_out(half)
    # Assess
    assert target.fingerprint() == before
    assert remembered(target) == {}


@pytest.mark.parametrize("tables", [0, 1, 6, 12, 18])
def test_a_removal_that_ended_half_way_is_completed_by_the_next(
    source: Case, target: Case, exchange: Make, tables: int
) -> None:
    # Prepare
    fill(source)
    before = target.fingerprint()
    done = exchange()
    report = done.run()
    with pytest.raises(Killed):
        take_out(done, dying_after(tables, "rows removed"))
    # Act
    removal = take_out(done)
    # Assess
    assert target.fingerprint() == before
    assert removal.rows == {name: count.target for name, count in report.rows.items()}


def test_a_row_that_is_hung_on_another_while_that_goes_keeps_it(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    done = exchange()
    done.run()
    exhibit = target.rows("exhibits", "id")[0][0]
    added: list[int] = []

    def busy(message: str, /, **values: object) -> None:
        if not added and message == "rows removed" and values["table"] == "comments":
            added.append(target.add("comments", exhibit_id=exhibit, body="just in time"))

    # Act
    removal = take_out(done, busy)
    # Assess
    assert target.rows("comments", "id, exhibit_id") == [(added[0], exhibit)]
    assert target.dangling() == []
    assert Kept("exhibits", 1, "rows of comments refer to them") in removal.kept
    assert Kept("exhibits", 1, "rows of comments refer to them").as_json() == {
        "table": "exhibits",
        "rows": 1,
        "because": "rows of comments refer to them",
        "handedOver": False,
    }


def test_a_case_without_a_trace_of_the_exchange_is_left_as_it_is(target: Case, exchange: Make) -> None:
    # Prepare
    file_document(target, "before.pdf")
    before = target.fingerprint()
    # Act
    removal = take_out(exchange())
    # Assess
    assert removal.as_json() == {"rows": {}, "kept": [], "seconds": 0.0}
    assert target.fingerprint() == before


def test_a_case_that_does_not_exist_holds_nothing(exchange: Make) -> None:
    # Prepare
    nowhere = exchange(destination_case_id=999_999_999)
    # Act
    removal = take_out(nowhere)
    # Assess
    assert removal.as_json() == {"rows": {}, "kept": [], "seconds": 0.0}
    assert len(nowhere.objects()) == 1


def test_an_exchange_may_be_copied_again_after_its_removal(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    done = exchange()
    done.run()
    take_out(done)
    # Act
    report = done.run()
    # Assess
    assert report.rows["comments"].target == 8
    assert len(target.rows("documents")) == 4
    assert f"exchanges/{done.settings.exchange_id}/removed.json" not in done.objects()
