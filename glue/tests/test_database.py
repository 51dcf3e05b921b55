"""What the job makes of a database server that is slow, away, or says no."""

from collections.abc import Callable, Iterable
from contextlib import closing

import pymysql
import pytest
from pymysql.connections import Connection

from documentexchanger_glue import db, stage
from documentexchanger_glue.db import connection, execute, fetch, named, named_lock, patiently, transaction
from documentexchanger_glue.errors import CopyError, DatabaseError, InvalidInputError
from documentexchanger_glue.secrets import Login
from tests.cases import Case, fill
from tests.conftest import Exchange
from tests.servers import DatabaseServer

Make = Callable[..., Exchange]


def login(server: DatabaseServer, user: str = "copier", password: str | None = None) -> Login:
    return Login("127.0.0.1", server.port, user, password or f"{user}-pass")


def test_a_passing_fault_is_tried_again_with_growing_pauses() -> None:
    # Prepare
    faults = [pymysql.OperationalError(2013, "lost"), pymysql.OperationalError(1213, "deadlock"), None]
    pauses: list[float] = []

    def work() -> str:
        fault = faults.pop(0)
        if fault:
            raise fault
        return "done"

    # Act
    done = patiently(work, "working", pause=pauses.append)
    # Assess
    assert (done, pauses) == ("done", [pytest.approx(0.2), pytest.approx(0.6)])


def test_a_fault_that_stays_is_given_up_and_named() -> None:
    # Prepare
    def work() -> None:
        raise pymysql.OperationalError(2006, "gone away")

    # Act
    with pytest.raises(DatabaseError) as caught:
        patiently(work, "working", attempts=3, pause=lambda _: None)
    # Assess
    assert (caught.value.code, caught.value.message) == (
        "SERVER_AWAY",
        "the database server does not answer, error 2006 (working)",
    )


@pytest.mark.parametrize(
    ("number", "text", "code", "message"),
    [
        (1045, "Access denied for user 'x'@'y'", "LOGIN_REFUSED", "the database refuses the login of the secret (a)"),
        (1142, "INSERT denied", "RIGHTS_MISSING", "the login lacks a right it needs (a)"),
        (1146, "Table 'x.y' doesn't exist", "TABLE_MISSING", "a table is missing (a)"),
        (1054, "Unknown column", "COLUMN_MISSING", "a column is missing (a)"),
        (1114, "The table is full", "DISK_FULL", "the database server has no room left (a)"),
        (
            1062,
            "Duplicate entry 'ann@example.com' for key 'users.users_email'",
            "KEY_TAKEN",
            "a row collides with another in key 'users.users_email' (a)",
        ),
        (
            1366,
            "Incorrect string value: '\\xF0' for column `case_1`.`t`.`name` at row 1",
            "VALUE_REFUSED",
            "a value does not fit column `case_1`.`t`.`name` (a)",
        ),
        (1153, "Got a packet bigger", "ROW_TOO_LARGE", "a row is larger than max_allowed_packet of the server (a)"),
        (1064, "near 'secret'", "DATABASE_REFUSED", "the database server answers error 1064 (a)"),
    ],
)
def test_what_the_server_refuses_is_named_without_its_values(number: int, text: str, code: str, message: str) -> None:
    # Act
    error = named(pymysql.OperationalError(number, text), "a")
    # Assess
    assert (error.code, error.message) == (code, message)


def test_the_source_refuses_every_write(source: Case, server: DatabaseServer) -> None:
    # Act
    with (
        connection(login(server), f"case_{source.number}", read_only=True) as reading,
        pytest.raises(pymysql.MySQLError) as caught,
    ):
        execute(reading, "DELETE FROM documents")
    # Assess
    assert caught.value.args[0] == 1792


def test_wrong_logins_and_unknown_cases_are_told_apart(source: Case, server: DatabaseServer) -> None:
    # Prepare
    schema = f"case_{source.number}"
    attempts = [
        (login(server, password="wrong"), schema, "LOGIN_REFUSED"),
        (login(server), "case_999999", "CASE_UNKNOWN"),
        (login(server), "mysql", "RIGHTS_MISSING"),
        (Login("127.0.0.1", 1, "x", "y"), schema, "SERVER_AWAY"),
    ]
    for given, name, code in attempts:
        # Act
        with pytest.raises(CopyError) as caught, connection(given, name):
            pass
        # Assess
        assert caught.value.code == code


def test_a_transaction_leaves_nothing_of_what_failed(target: Case, server: DatabaseServer) -> None:
    # Act
    with connection(login(server), f"case_{target.number}") as to:
        with pytest.raises(pymysql.MySQLError), transaction(to):
            execute(to, "INSERT INTO labels (name) VALUES ('one'), (NULL)")
        # Assess
        assert fetch(to, "SELECT * FROM labels") == []


def test_a_lock_that_another_run_holds_is_refused_with_its_name(target: Case, server: DatabaseServer) -> None:
    # Prepare
    schema = f"case_{target.number}"
    with connection(login(server), schema) as one, connection(login(server), schema) as other:
        # Act
        with named_lock(one, "mine", 0), pytest.raises(DatabaseError) as caught, named_lock(other, "mine", 0):
            pass
        # Assess
        assert (caught.value.code, "mine" in caught.value.message) == ("LOCKED", True)
        with named_lock(other, "mine", 0):
            pass


def test_a_connection_that_the_server_cuts_in_mid_copy_is_replaced(
    source: Case, exchange: Make, server: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Prepare
    fill(source)
    cut: list[int] = []
    original = db.SSCursor.fetchall_unbuffered

    def fetch_and_lose(cursor: pymysql.cursors.SSCursor) -> object:
        if len(cut) < 3:
            cut.append(cursor.connection.thread_id())
            with closing(server.as_root()) as root:
                root.cursor().execute(f"KILL {cut[-1]}")
            raise pymysql.OperationalError(2013, "Lost connection to server during query")
        return original(cursor)

    monkeypatch.setattr(db.SSCursor, "fetchall_unbuffered", fetch_and_lose)
    # Act
    report = exchange().run()
    # Assess
    assert (report.rows["documents"].target, len(cut)) == (4, 3)


def test_users_who_keep_a_table_busy_are_waited_for_but_not_held_up(
    source: Case, target: Case, exchange: Make, server: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Prepare
    fill(source)
    busy = server.as_root()
    busy.select_db(f"case_{target.number}")
    busy.begin()
    busy.cursor().execute("INSERT INTO documents (file_name) VALUES ('open transaction')")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        busy.commit()

    monkeypatch.setattr(db.time, "sleep", pause)
    monkeypatch.setattr("documentexchanger_glue.ranges.LOCK_SECONDS", 0)
    # Act
    exchange().run()
    busy.close()
    # Assess
    assert pauses == [0.5]
    assert len(target.rows("documents")) == 5


def test_rights_that_are_missing_are_said_before_the_case_is_touched(
    source: Case, target: Case, exchange: Make
) -> None:
    # Prepare
    fill(source)
    before = target.fingerprint()
    # Act
    with pytest.raises(InvalidInputError) as caught:
        exchange(target_secret_id="reader").run()
    # Assess
    assert caught.value.code == "RIGHTS_MISSING"
    assert target.fingerprint() == before


@pytest.mark.parametrize("mover", ["streaming"], indirect=True)
def test_a_row_that_no_statement_can_carry_is_named(
    source: Case, target: Case, exchange: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Prepare
    filed = fill(source)[0]
    source.add("comments", exhibit_id=filed.exhibit, body="x" * 5000)
    monkeypatch.setattr("documentexchanger_glue.writing._largest_statement", lambda _: 4000)
    # Act
    with pytest.raises(CopyError) as caught:
        exchange().run()
    # Assess
    assert (caught.value.code, "comments" in caught.value.message) == ("ROW_TOO_LARGE", True)
    assert target.run("SELECT MAX(CHAR_LENGTH(body)) < 5000 OR MAX(CHAR_LENGTH(body)) IS NULL FROM comments") == [(1,)]


@pytest.mark.parametrize("mover", ["streaming"], indirect=True)
def test_a_row_that_the_source_cannot_send_is_named(
    source: Case, target: Case, exchange: Make, server: DatabaseServer
) -> None:
    # Prepare
    filed = fill(source)[0]
    for case in (source, target):
        case.run("ALTER TABLE comments MODIFY body LONGTEXT NOT NULL")
    source.add("comments", exhibit_id=filed.exhibit, body="x" * 1_500_000)
    with closing(server.as_root()) as root, root.cursor() as cursor:
        cursor.execute("SELECT @@GLOBAL.max_allowed_packet")
        ((before,),) = cursor.fetchall()
        cursor.execute("SET GLOBAL max_allowed_packet = 1048576")
        # Act
        with pytest.raises(CopyError) as caught:
            exchange().run()
        cursor.execute("SET GLOBAL max_allowed_packet = %s", (before,))
    # Assess
    assert (caught.value.code, "comments" in caught.value.message) == ("ROW_TOO_LARGE", True)
    assert target.run("SELECT COUNT(*) FROM comments WHERE LENGTH(body) > 1000") == [(0,)]


@pytest.mark.parametrize("mover", ["streaming"], indirect=True)
def test_rows_that_are_lost_between_the_servers_fail_the_job(
    source: Case, target: Case, exchange: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Prepare
    fill(source)
    original = stage.execute_rows

    def lossy(to: Connection, table: str, head: bytes, rows: Iterable[bytes]) -> None:
        original(to, table, head, list(rows)[1 if table == "comments" else 0 :])

    monkeypatch.setattr(stage, "execute_rows", lossy)
    # Act
    with pytest.raises(CopyError) as caught:
        exchange().run()
    # Assess
    assert (caught.value.code, "comments" in caught.value.message) == ("CHECKSUM_DIFFERS", True)
    assert target.rows("comments") == []
