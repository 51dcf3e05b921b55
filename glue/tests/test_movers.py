"""Two ways to move rows: which one is taken, and that nobody can tell afterwards which it was."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from documentexchanger_glue.domain import NOT_COPIED
from documentexchanger_glue.errors import InvalidInputError
from documentexchanger_glue.movers import chosen_mover
from tests.cases import Case, fill
from tests.conftest import Exchange, keep_login
from tests.servers import DatabaseServer

Make = Callable[..., Exchange]

once = pytest.mark.parametrize("mover", ["streaming"], indirect=True)


@pytest.fixture(scope="module")
def elsewhere(aws: str, other_server: DatabaseServer) -> str:  # noqa: ARG001
    """Name the secret of a login on the other server."""
    keep_login("reader-elsewhere", other_server, "reader")
    return "reader-elsewhere"


@pytest.fixture
def case_elsewhere(source: Case, other_server: DatabaseServer) -> Iterator[Case]:
    """Make a case with the source's number on the other server."""
    with closing(other_server.as_root()) as root:
        case = Case.create(source.number, root)
        yield case
        case.run(f"DROP DATABASE case_{case.number}")


@once
def test_cases_on_one_server_are_copied_there_whatever_their_logins(source: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    # Act
    chosen = [chosen_mover(exchange(source_secret_id=secret).settings) for secret in ("reader", "copier")]
    # Assess
    assert chosen == ["server_side", "server_side"]


@once
def test_a_destination_login_that_may_not_read_the_source_has_rows_streamed(
    source: Case, target: Case, exchange: Make, server: DatabaseServer
) -> None:
    # Prepare
    fill(source)
    user = f"w{uuid.uuid4().hex[:12]}"
    source.run(f"CREATE USER {user}@'%' IDENTIFIED BY '{user}-pass'")
    rights = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, CREATE TEMPORARY TABLES"
    source.run(f"GRANT {rights} ON case_{target.number}.* TO {user}@'%'")
    keep_login(user, server, user)
    same = exchange(target_secret_id=user)
    # Act
    chosen = chosen_mover(same.settings)
    report = same.run()
    # Assess
    assert chosen == "streaming"
    assert report.rows["documents"].target == 4
    source.run(f"DROP USER {user}@'%'")


@once
def test_cases_on_two_servers_have_rows_streamed(case_elsewhere: Case, exchange: Make, elsewhere: str) -> None:
    # Prepare
    fill(case_elsewhere)
    # Act
    chosen = chosen_mover(exchange(source_secret_id=elsewhere).settings)
    with pytest.raises(InvalidInputError) as caught:
        chosen_mover(exchange(source_secret_id=elsewhere, mover="server_side").settings)
    # Assess
    assert (chosen, caught.value.code) == ("streaming", "MOVER_IMPOSSIBLE")


@once
def test_streaming_can_be_asked_for(exchange: Make) -> None:
    # Act
    chosen = chosen_mover(exchange(mover="streaming").settings)
    # Assess
    assert chosen == "streaming"


@once
def test_rows_are_the_same_whichever_way_they_came(
    source: Case, case_elsewhere: Case, new_case: Callable[..., Case], exchange: Make, elsewhere: str
) -> None:
    # Prepare
    fill(source)
    fill(case_elsewhere)
    stamps = "updated_at = '2001-02-03 04:05:06.789012', created_at = '2001-02-03'"
    for case in (source, case_elsewhere):
        case.run(f"UPDATE documents SET {stamps}")
    ways = [("server_side", "reader"), ("streaming", "reader"), ("streaming", elsewhere)]
    copies: list[Case] = []
    # Act
    reports = []
    for mover, secret in ways:
        copies.append(new_case())
        given = exchange(source_secret_id=secret, destination_case_id=copies[-1].number)
        reports.append(Exchange(given.settings, mover).run())
    # Assess
    assert reports[0].rows == reports[1].rows == reports[2].rows
    assert reports[0].skipped == reports[1].skipped == reports[2].skipped
    assert reports[0].checksums == reports[1].checksums
    assert set(reports[0].checksums) > {"documents", "comments", "exhibit_labels"}
    first, second, third = (held(case) for case in copies)
    assert first == second
    assert first["documents"] == third["documents"]
    assert {table: len(rows) for table, rows in third.items()} == {table: len(rows) for table, rows in first.items()}


def held(case: Case) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row, with the case's own number left out of keys on S3."""
    own = f"case_{case.number}/"
    return {
        table: [tuple(v.replace(own, "") if isinstance(v, str) else v for v in row) for row in rows]
        for table, rows in case.fingerprint().items()
    }


@once
def test_rows_come_from_the_reader_endpoint_where_there_is_one(
    case_elsewhere: Case, source: Case, exchange: Make, elsewhere: str
) -> None:
    # Prepare
    fill(case_elsewhere)
    # Act
    report = exchange(source_secret_id=elsewhere).run()
    # Assess
    assert source.rows("documents") == []
    assert {name: count.target for name, count in report.rows.items()} == {
        name: len(rows) for name, rows in case_elsewhere.fingerprint().items() if name not in NOT_COPIED
    }
