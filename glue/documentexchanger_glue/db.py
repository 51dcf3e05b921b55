"""Connections to case databases: timeouts, raw values, retries, and errors that name no row contents."""

import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from typing import TypeVar

import pymysql
from pymysql.connections import Connection
from pymysql.converters import encoders
from pymysql.cursors import SSCursor

from .errors import CopyError, DatabaseError, InvalidInputError, MisfitError
from .secrets import Login

Raw = bytes | None
Row = tuple[Raw, ...]
Result = TypeVar("Result")

CONNECT_SECONDS = 10
ANSWER_SECONDS = 900

#: The same on both sides, so that a value means the same when it is read and when it is written: dates with zeros
#: pass, whatever does not fit is refused, and a key of 0 stays 0.
_SESSION = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION',"
    " time_zone = '+00:00', net_write_timeout = 600, innodb_lock_wait_timeout = 30"
)

#: Server busy or stopping, lock wait, deadlock, connection refused, lost or killed, server read-only in a failover.
_PASSING = frozenset({1040, 1053, 1205, 1213, 1290, 1317, 1836, 1927, 2003, 2006, 2013, 4031})

_REFUSED_VALUE = frozenset({1048, 1264, 1265, 1292, 1364, 1366, 1406, 3140, 3819, 4025})
DUPLICATE = 1062
#: A row refers to one that is not there.
PARENTLESS = 1452


def quoted(name: str) -> str:
    """Return an identifier, safe to stand in SQL."""
    return "`" + name.replace("`", "``") + "`"


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class _Connection(Connection):
    """Encrypts where the server can, as the driver does by itself, but reads no certificates for each connection."""

    def _create_ssl_ctx(self, sslp: object) -> ssl.SSLContext:  # noqa: ARG002 (the driver's own name and arguments)
        return _tls()


@contextmanager
def connection(login: Login, schema: str, *, read_only: bool = False) -> Iterator[Connection]:
    """Open a connection whose results are raw bytes: text in UTF-8, everything else as the server prints it."""
    try:
        opened = _Connection(
            host=login.host,
            port=login.port,
            user=login.username,
            password=login.password,
            database=schema,
            charset="utf8mb4",
            use_unicode=False,
            conv=encoders,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            read_timeout=ANSWER_SECONDS,
            write_timeout=ANSWER_SECONDS,
        )
    except pymysql.MySQLError as cause:
        raise named(cause, f"schema {schema}") from cause
    with closing(opened):
        try:
            execute(opened, _SESSION)
            access = "READ ONLY" if read_only else "READ WRITE"
            execute(opened, f"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, {access}")
        except pymysql.MySQLError as cause:
            raise named(cause, f"schema {schema}") from cause
        yield opened


def execute(to: Connection, sql: str | bytes, values: tuple[object, ...] | None = None) -> int:
    """Run a statement and return the number of rows it touched."""
    with to.cursor() as cursor:
        return cursor.execute(sql, values)


def fetch(to: Connection, sql: str | bytes, values: tuple[object, ...] | None = None) -> list[Row]:
    """Run a query with a small result and return all of it."""
    with to.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def fetch_clean(to: Connection, sql: str) -> Row | None:
    """Run a query with one row as its result; nothing where the server warns of it, for then it may be cut short."""
    with to.cursor() as cursor:
        cursor.execute(sql)
        (row,) = cursor.fetchall()
        return None if cursor.warning_count else row


def stream(to: Connection, sql: str | bytes) -> Iterator[Row]:
    """Run a query of any size and yield its rows as the server sends them."""
    with to.cursor(SSCursor) as cursor:
        cursor.execute(sql)
        yield from cursor.fetchall_unbuffered()


@contextmanager
def transaction(to: Connection) -> Iterator[None]:
    """All or nothing."""
    to.begin()
    try:
        yield
    except BaseException:
        if to.open:
            to.rollback()
        raise
    to.commit()


@contextmanager
def named_lock(to: Connection, name: str, seconds: int) -> Iterator[None]:
    """Hold a lock that only exchanges know of; the server lets go of it when the connection ends."""
    if fetch(to, "SELECT GET_LOCK(%s, %s)", (name, seconds)) != [(b"1",)]:
        raise DatabaseError("LOCKED", f"lock {name} is held by another run; try again when that has ended")
    try:
        yield
    finally:
        # A connection that was lost has lost the lock as well; that must not hide what went wrong.
        with suppress(pymysql.MySQLError):
            fetch(to, "SELECT RELEASE_LOCK(%s)", (name,))


def patiently(
    work: Callable[[], Result],
    doing: str,
    *,
    attempts: int = 5,
    pause: Callable[[float], None] = time.sleep,
) -> Result:
    """Do repeatable work, again where the server was away or busy; every other refusal becomes an error of ours."""
    for attempt in range(1, attempts + 1):
        try:
            return work()
        except pymysql.MySQLError as cause:
            if not passes(cause) or attempt == attempts:
                raise named(cause, doing) from cause
        except DatabaseError as fault:
            if fault.code != "SERVER_AWAY" or attempt == attempts:
                raise
        pause(0.2 * 3 ** (attempt - 1))
    raise AssertionError("unreachable")


def number_of(cause: BaseException) -> int:
    """Return the server's or driver's error number, 0 where there is none."""
    first = cause.args[0] if cause.args else 0
    return first if isinstance(first, int) else 0


def passes(cause: pymysql.MySQLError) -> bool:
    """Say whether the same statement may succeed later."""
    return number_of(cause) in _PASSING or isinstance(cause, pymysql.InterfaceError)


_KNOWN: tuple[tuple[frozenset[int], type[CopyError], str, str], ...] = (
    (frozenset({1045, 1130, 1698}), InvalidInputError, "LOGIN_REFUSED", "the database refuses the login of the secret"),
    (
        frozenset({1044, 1142, 1143, 1227, 1370}),
        InvalidInputError,
        "RIGHTS_MISSING",
        "the login lacks a right it needs{table}",
    ),
    (frozenset({1049}), InvalidInputError, "CASE_UNKNOWN", "there is no such case database"),
    (frozenset({1146}), MisfitError, "TABLE_MISSING", "a table is missing"),
    (frozenset({1054}), MisfitError, "COLUMN_MISSING", "a column is missing"),
    (frozenset({1021, 1114, 3675}), DatabaseError, "DISK_FULL", "the database server has no room left"),
    (frozenset({DUPLICATE}), MisfitError, "KEY_TAKEN", "a row collides with another in key {key}"),
    (frozenset({1153, 2020}), MisfitError, "ROW_TOO_LARGE", "a row is larger than max_allowed_packet of the server"),
    (_REFUSED_VALUE, MisfitError, "VALUE_REFUSED", "a value does not fit column {column}"),
    (_PASSING, DatabaseError, "SERVER_AWAY", "the database server does not answer, error {number}"),
)


def named(cause: pymysql.MySQLError, doing: str) -> CopyError:
    """Say what the server refused, by its number: its own text may quote row contents or logins."""
    number = number_of(cause)
    text = str(cause.args[1]) if len(cause.args) > 1 else ""
    for numbers, error, code, message in _KNOWN:
        if number in numbers:
            about = _after("for table", text)
            told = message.format(
                number=number,
                key=_after("for key", text) or "unknown",
                column=_after("column", text) or "unknown",
                table=f" on table {about}" if about else "",
            )
            return error(code, f"{told} ({doing})")
    if passes(cause):
        return DatabaseError("SERVER_AWAY", f"the connection to the database server was lost ({doing})")
    return DatabaseError("DATABASE_REFUSED", f"the database server answers error {number} ({doing})")


def _after(word: str, text: str) -> str | None:
    found = re.search(word + r" (['`][^'`]*['`](?:\.['`][^'`]*['`])*)", text)
    return found[1] if found else None
