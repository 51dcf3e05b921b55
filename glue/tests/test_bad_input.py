"""What is wrong is named, nobody sees half of it, and once it is mended the same exchange runs through."""

import os
import signal
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import boto3
import pymysql
import pytest

import script
from documentexchanger_glue import db
from documentexchanger_glue.catalogue import BOOKKEEPING
from documentexchanger_glue.domain import NOT_COPIED
from documentexchanger_glue.errors import CopyError
from documentexchanger_glue.remove import remove
from tests.cases import Case, file_document, fill
from tests.conftest import Exchange, exchange_between, keep_login, quiet
from tests.servers import DatabaseServer, database_server, quick_folder, wait_for
from tests.test_script import arguments_of

Make = Callable[..., Exchange]

only_once = pytest.mark.parametrize("mover", ["server_side"], indirect=True)


@pytest.mark.parametrize(
    ("arguments", "secret", "error"),
    [
        ({"source_case_id": "999999"}, None, "CASE_UNKNOWN: there is no such case database (schema case_999999)"),
        ({"destination_case_id": "999998"}, None, "CASE_UNKNOWN: there is no such case database (schema case_999998)"),
        (
            {},
            '{"host": "127.0.0.1", "port": 0, "username": "copier", "password": "hunter2"}',
            "SECRET_INVALID: secret {secret} must have a port from 1 to 65535 named 'port'",
        ),
        (
            {},
            '{{"host": "127.0.0.1", "port": {port}, "username": "copier", "password": "hunter2"}}',
            "LOGIN_REFUSED: the database refuses the login of the secret (schema {schema})",
        ),
        ({"database_secret_id": "nowhere"}, None, "SECRET_UNREADABLE: secret nowhere cannot be read"),
    ],
)
@only_once
def test_a_wrong_argument_is_one_line_that_names_it_and_touches_nothing(
    source: Case,
    target: Case,
    exchange: Make,
    server: DatabaseServer,
    capfd: pytest.CaptureFixture[str],
    arguments: dict[str, str],
    secret: str | None,
    error: str,
) -> None:
    # Prepare
    fill(source)
    name = f"login-{uuid.uuid4()}"
    if secret:
        text = secret.format(port=server.port) if "{port}" in secret else secret
        boto3.client("secretsmanager").create_secret(Name=name, SecretString=text)
        arguments = {"database_secret_id": name}
    before, tables = target.fingerprint(), target.tables()
    # Act
    code = script.main(["script.py", *arguments_of(exchange().settings, **arguments)])
    # Assess
    said = capfd.readouterr().out
    wanted = error.format(secret=name, schema=f"case_{target.number}")
    assert code == 1
    assert next(line for line in said.splitlines() if line.startswith("ERROR")).startswith(f"ERROR {wanted}")
    assert "hunter2" not in said
    assert (target.fingerprint(), target.tables()) == (before, tables)


@pytest.mark.parametrize(
    ("broken", "mended", "code"),
    [
        ("RENAME TABLE exhibits TO hidden", "RENAME TABLE hidden TO exhibits", "TABLE_MISSING"),
        (
            "INSERT INTO confidentiality_codes (name, bit_index) SELECT seq, seq FROM seq_0_to_62",
            "DELETE FROM confidentiality_codes WHERE bit_index > 40",
            "NO_FREE_BIT",
        ),
        (
            "ALTER TABLE comments MODIFY body VARCHAR(1) NOT NULL",
            "ALTER TABLE comments MODIFY body TEXT NOT NULL",
            "VALUE_REFUSED",
        ),
    ],
)
def test_once_a_case_is_mended_the_same_exchange_runs_through(
    source: Case, target: Case, exchange: Make, broken: str, mended: str, code: str
) -> None:
    # Prepare
    fill(source)
    target.run(broken)
    same = exchange()
    with pytest.raises(CopyError) as caught:
        same.run()
    target.run(mended)
    # Act
    report = same.run()
    # Assess
    assert caught.value.code == code
    assert {name: (count.source, count.target) for name, count in report.rows.items()} == {
        name: (len(rows), len(rows)) for name, rows in source.fingerprint().items() if name not in NOT_COPIED
    }
    assert target.dangling() == []


@pytest.mark.parametrize("end", ["again", "removed"])
def test_a_right_that_is_missing_in_mid_copy_is_named_and_nothing_of_it_stays(
    source: Case, target: Case, exchange: Make, server: DatabaseServer, end: str
) -> None:
    # Prepare
    fill(source)
    before = target.fingerprint()
    same = exchange(target_secret_id=login_without(server, target, "comments"))
    # Act
    with pytest.raises(CopyError) as caught:
        same.run()
    # Assess
    assert (caught.value.code, f"`case_{target.number}`.`comments`" in caught.value.message) == ("RIGHTS_MISSING", True)
    assert target.rows("comments") == []
    assert not any(key.endswith("report.json") for key in same.objects())
    target.run(f"GRANT INSERT, UPDATE, DELETE ON case_{target.number}.comments TO {same.settings.target_secret_id}@'%'")
    assert_ends_well(same, source, target, before, end)


def login_without(server: DatabaseServer, target: Case, table: str) -> str:
    """Make a login that may write every table but this one; its secret has the user's name."""
    user = f"w{uuid.uuid4().hex[:12]}"
    schema = f"case_{target.number}"
    target.run(f"CREATE USER {user}@'%' IDENTIFIED BY '{user}-pass'")
    target.run(rf"GRANT SELECT ON `case\_%`.* TO {user}@'%'")
    target.run(f"GRANT SELECT, CREATE, ALTER, CREATE TEMPORARY TABLES ON {schema}.* TO {user}@'%'")
    for name in (*target.tables(), *BOOKKEEPING):
        if name != table:
            target.run(f"GRANT CREATE, INSERT, UPDATE, DELETE ON {schema}.{name} TO {user}@'%'")
    keep_login(user, server, user)
    return user


def assert_ends_well(same: Exchange, source: Case, target: Case, before: dict[str, Any], end: str) -> None:
    """Settle what an error left, by a further run or by a removal."""
    if end == "removed":
        remove(same.settings, quiet)
        assert target.fingerprint() == before
        return
    same.run()
    counts = {table: len(rows) for table, rows in source.fingerprint().items()}
    assert {table: len(rows) - len(before[table]) for table, rows in target.fingerprint().items()} == counts
    assert target.dangling() == []


@pytest.mark.parametrize("end", ["again", "removed"])
def test_a_disk_that_is_full_is_named_and_nothing_of_it_stays(aws: str, mover: str, end: str) -> None:  # noqa: ARG001
    # Prepare: of what the server may use, a file of somebody else takes most.
    with server_of_its_own("--innodb-data-file-path=ibdata1:80M") as (_, secret, root):
        source, target = Case.create(1, root), Case.create(2, root)
        filed = fill(source)
        exhibit = filed[0].exhibit
        source.run(f"INSERT INTO comments (exhibit_id, body) SELECT {exhibit}, REPEAT('x', 4000) FROM seq_1_to_3000")
        ballast = Case(3, root)
        ballast.run("CREATE DATABASE case_3")
        ballast.run("CREATE TABLE ballast (data LONGBLOB)")
        free = "SELECT MIN(data_free) FROM information_schema.tables WHERE table_schema = 'case_1'"
        while source.run(free)[0][0] > 8_000_000:
            ballast.run("INSERT INTO ballast VALUES (REPEAT('x', 1000000))")
        before = target.fingerprint()
        same = exchange_between(source, target, mover, source_secret_id=secret, target_secret_id=secret)
        # Act
        with pytest.raises(CopyError) as caught:
            same.run()
        # Assess
        assert caught.value.code == "DISK_FULL"
        assert not any(key.endswith("report.json") for key in same.objects())
        assert target.dangling() == []
        ballast.run("DROP DATABASE case_3")
        wait_for(lambda: bool(source.run(free)[0][0] > 40_000_000))
        assert_ends_well(same, source, target, before, end)


@pytest.mark.parametrize("end", ["again", "removed"])
def test_a_server_that_dies_in_mid_copy_is_named_and_the_next_run_goes_on(
    aws: str,  # noqa: ARG001
    mover: str,
    end: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Prepare
    monkeypatch.setitem(db.patiently.__kwdefaults__, "pause", lambda _: None)
    with quick_folder() as folder:
        with started(folder) as (server, secret, root):
            source, target = Case.create(1, root), Case.create(2, root)
            fill(source)
            file_document(target, "before.pdf")
            before = target.fingerprint()
            same = exchange_between(source, target, mover, source_secret_id=secret, target_secret_id=secret)
            # Act
            with pytest.raises(CopyError) as caught:
                same.run(dying_server(server))
        # Assess
        assert caught.value.code == "SERVER_AWAY"
        assert not any(key.endswith("report.json") for key in same.objects())
        with database_server(folder, port=server.port) as again, closing(again.as_root()) as root:
            assert_ends_well(same, Case(1, root), Case(2, root), before, end)


def dying_server(server: DatabaseServer) -> Callable[..., list[Any]]:
    """Do some tasks, and go on when the server is gone."""
    left = 9

    def spread(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        nonlocal left
        results = []
        for item in items:
            left -= 1
            if left == 0:
                os.kill(server.pid, signal.SIGKILL)
            results.append(work(item))
        return results

    return spread


@contextmanager
def server_of_its_own(*options: str) -> Iterator[tuple[DatabaseServer, str, pymysql.Connection]]:
    with quick_folder() as folder, started(folder, *options) as running:
        yield running


@contextmanager
def started(folder: Path, *options: str) -> Iterator[tuple[DatabaseServer, str, pymysql.Connection]]:
    """Start a server; gives it, the name of a secret for it, and root's way in."""
    secret = f"copier-{uuid.uuid4()}"
    with database_server(folder, *options) as server, closing(server.as_root()) as root:
        keep_login(secret, server, "copier")
        yield server, secret, root
