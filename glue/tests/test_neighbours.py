"""Others who work in the cases while they are copied, and servers that hang up: nobody waits, nothing is lost."""

import uuid
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from pymysql.connections import Connection

from documentexchanger_glue import db
from documentexchanger_glue.domain import NOT_COPIED
from tests.cases import Case, Filed, file_document, fill
from tests.conftest import Exchange, keep_login
from tests.servers import DatabaseServer

Make = Callable[..., Exchange]

_WRITES = (b"INSERT", b"UPDATE", b"DELETE")


def beside(monkeypatch: pytest.MonkeyPatch, before: Callable[[Connection], None], after: Callable[[], None]) -> None:
    """Do something before each statement of the job, and after each that writes, whose locks are then held."""
    original = Connection.query

    def query(connection: Connection, sql: str | bytes, **rest: Any) -> int:
        if connection.user != b"copier":
            return original(connection, sql, **rest)
        text = sql if isinstance(sql, bytes) else sql.encode()
        before(connection)
        done = original(connection, sql, **rest)
        if text.startswith(_WRITES):
            after()
        return done

    monkeypatch.setattr(Connection, "query", query)


def impatient(server: DatabaseServer, case: Case) -> Case:
    """See the case as a user does who takes no waiting for a lock."""
    connection = server.as_root()
    connection.query("SET SESSION innodb_lock_wait_timeout = 0, lock_wait_timeout = 0")
    return Case(case.number, connection)


def test_users_of_the_destination_never_wait_and_lose_nothing(
    source: Case, target: Case, exchange: Make, server: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Prepare
    fill(source)
    hot = target.add("labels", name="HOT")
    own = file_document(target, "before.pdf")
    user = impatient(server, target)
    filed: list[Filed] = []

    def work() -> None:
        filed.append(file_document(user, f"meanwhile {len(filed)}.pdf"))
        user.add("exhibit_labels", exhibit_id=filed[-1].exhibit, label_id=hot)
        user.add("comments", exhibit_id=filed[-1].exhibit, body="mine")
        user.add("labels", name=f"Mine {len(filed)}")
        user.run("UPDATE documents SET title = %s WHERE id = %s", (str(len(filed)), own.document))

    beside(monkeypatch, lambda _: None, work)
    # Act
    report = exchange().run()
    # Assess
    user.root.close()
    assert len(filed) > 30
    assert report.rows["documents"].target == 4
    theirs = "SELECT COUNT(*) FROM documents WHERE file_name LIKE 'meanwhile %.pdf'"
    assert target.run(theirs) == target.run("SELECT COUNT(*) FROM comments WHERE body = 'mine'") == [(len(filed),)]
    assert target.run("SELECT title FROM documents WHERE id = %s", (own.document,)) == [(str(len(filed)),)]
    assert len(target.rows("exhibits")) == 4 + 1 + len(filed)
    assert target.dangling() == []


def test_users_of_the_source_never_wait(
    source: Case, exchange: Make, server: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Prepare
    fill(source)
    before = source.fingerprint()
    user = impatient(server, source)
    tables = ("documents", "exhibits", "comments", "labels", "exhibit_labels", "users")

    def work() -> None:
        with closing(user.root.cursor()) as cursor:
            user.root.begin()
            for table in tables:
                user.root.select_db(f"case_{user.number}")
                cursor.execute(f"SELECT * FROM {table} FOR UPDATE")
            user.root.rollback()

    beside(monkeypatch, lambda _: None, work)
    # Act
    report = exchange().run()
    # Assess
    user.root.close()
    assert report.rows["comments"].target == 8
    assert source.fingerprint() == before


def test_a_login_that_may_do_nothing_but_read_the_source_is_enough(
    source: Case, target: Case, exchange: Make, server: DatabaseServer
) -> None:
    # Prepare
    fill(source)
    user = f"w{uuid.uuid4().hex[:12]}"
    rights = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, CREATE TEMPORARY TABLES"
    target.run(f"CREATE USER {user}@'%' IDENTIFIED BY '{user}-pass'")
    target.run(f"GRANT SELECT ON case_{source.number}.* TO {user}@'%'")
    target.run(f"GRANT {rights} ON case_{target.number}.* TO {user}@'%'")
    keep_login(user, server, user)
    # Act
    report = exchange(source_secret_id=user, target_secret_id=user).run()
    # Assess
    target.run(f"DROP USER {user}@'%'")
    assert {name: (count.source, count.target) for name, count in report.rows.items()} == {
        name: (len(rows), len(rows)) for name, rows in source.fingerprint().items() if name not in NOT_COPIED
    }


def test_connections_that_the_server_cuts_at_any_statement_are_replaced(
    new_case: Callable[..., Case],
    source: Case,
    exchange: Make,
    server: DatabaseServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Prepare
    fill(source)
    counts = {table: len(rows) for table, rows in source.fingerprint().items()}
    monkeypatch.setitem(db.patiently.__kwdefaults__, "pause", lambda _: None)
    statements, fatal = 0, 0

    def cut(connection: Connection) -> None:
        nonlocal statements
        statements += 1
        if statements == fatal:
            with closing(server.as_root()) as root, closing(root.cursor()) as cursor:
                cursor.execute(f"KILL {connection.thread_id()}")

    beside(monkeypatch, cut, lambda: None)
    exchange(destination_case_id=new_case().number).run()
    whole = statements
    for nth in range(1, whole, whole // 12):
        target = new_case()
        statements, fatal = 0, nth
        # Act
        exchange(destination_case_id=target.number).run()
        # Assess
        assert {table: len(rows) for table, rows in target.fingerprint().items()} == counts, nth
        assert target.dangling() == []
