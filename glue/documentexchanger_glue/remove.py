"""Takes out exactly what one exchange wrote, whatever was copied or done in the destination since.

What is remembered of the exchange goes last: after any death the same removal again finds the rest.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from pymysql.connections import Connection

from . import storage
from .catalogue import BOOKKEEPING, read_catalogue
from .cut import HANDED_OVER, Cut, NewcomerError
from .db import execute, fetch, named_lock, patiently
from .errors import DatabaseError, InvalidInputError
from .idmap import ensure_tables, literal, numbers_of, of
from .log import Log
from .settings import Settings
from .work import alone, target_of

#: Somebody may hang a row on one of ours while it is about to go; then it is looked anew what has to stay.
_ATTEMPTS = 20
_FORGOTTEN_AT_ONCE = 10_000
_BY_NUMBER = ("exchange_id_map", "exchange_links")


@dataclass(frozen=True)
class Kept:
    """Rows that stay, and what they stay for."""

    table: str
    rows: int
    because: str

    @property
    def handed_over(self) -> bool:
        """Say whether they stay as rows of another exchange, which uses them too."""
        return self.because.startswith(HANDED_OVER)

    def as_json(self) -> dict[str, object]:
        """Return one entry of `kept` in `removed.json`."""
        return {"table": self.table, "rows": self.rows, "because": self.because, "handedOver": self.handed_over}


@dataclass(frozen=True)
class Removal:
    """What was taken out, per table, and what had to stay."""

    rows: Mapping[str, int]
    kept: tuple[Kept, ...]
    seconds: float

    def as_json(self) -> dict[str, object]:
        """Return what is written to `removed.json`."""
        return {
            "rows": dict(self.rows),
            "kept": [one.as_json() for one in self.kept],
            "seconds": round(self.seconds, 3),
        }


def remove(settings: Settings, log: Log, clock: Callable[[], float] = time.monotonic) -> Removal:
    """Take out rows, manifest and report of an exchange, and write `removed.json` last."""
    began = clock()
    bucket = settings.data_bucket
    for key in (
        settings.report_key,
        settings.progress_key,
        settings.privileged_key,
        *storage.keys_under(bucket, settings.manifest_prefix),
    ):
        storage.remove(bucket, key)
    there = _is_there(settings)
    rows, kept = _rows_out(settings, log) if there else ({}, ())
    removal = Removal(rows, kept, clock() - began)
    # Once all is forgotten, the report of the run that did it stands.
    if rows or settings.removal_key not in storage.keys_under(bucket, settings.removal_key):
        storage.write_text(bucket, settings.removal_key, json.dumps(removal.as_json()), "application/json")
    if there and all(one.handed_over for one in kept):
        patiently(partial(_forget, settings), "forgetting the exchange")
    log("removed", **removal.as_json())
    return removal


def _is_there(settings: Settings) -> bool:
    """Say whether the destination exists; a case that does not holds nothing of the exchange."""

    def look() -> None:
        with target_of(settings):
            pass

    try:
        patiently(look, "looking for the case")
    except InvalidInputError as error:
        if error.code == "CASE_UNKNOWN":
            return False
        raise
    return True


def _rows_out(settings: Settings, log: Log) -> tuple[dict[str, int], tuple[Kept, ...]]:
    with alone(settings):
        patiently(partial(_take_out, settings, log), "removing rows")
        return patiently(partial(_outcome, settings), "counting what was removed")


def _take_out(settings: Settings, log: Log) -> None:
    with target_of(settings) as target:
        ensure_tables(target)
        # A copy that is asked for again begins anew.
        execute(target, "DELETE FROM exchange_checkpoints WHERE exchange_id = %s", (settings.exchange_id,))
        execute(target, "UPDATE exchange_copies SET finished_at = NULL WHERE exchange_id = %s", (settings.exchange_id,))
        # The cut looks after keys itself: nothing may go along with what is deleted.
        execute(target, "SET SESSION foreign_key_checks = 0")
        tables = read_catalogue(target, settings.target_schema)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                # No other exchange may begin to use a name that is about to go.
                with named_lock(target, f"exchange-merge:{settings.target_schema}", 300):
                    Cut(target, settings.exchange_id, tables).make(log)
            except NewcomerError:
                log("rows were added meanwhile", attempt=attempt)
            else:
                return
    raise DatabaseError("ROWS_CONTENDED", "rows were added to what is removed, again and again; try again later")


def _outcome(settings: Settings) -> tuple[dict[str, int], tuple[Kept, ...]]:
    of_exchange = (settings.exchange_id,)
    with target_of(settings) as target:
        removed = fetch(
            target,
            "SELECT table_name, removed_rows FROM exchange_removals WHERE exchange_id = %s ORDER BY table_name",
            of_exchange,
        )
        kept = fetch(
            target,
            "SELECT table_name, COUNT(*), because FROM exchange_kept WHERE exchange_id = %s"
            " GROUP BY table_name, because ORDER BY table_name, because",
            of_exchange,
        )
    return (
        {_text(name): int(count or 0) for name, count in removed},
        tuple(Kept(_text(name), int(count or 0), _text(because)) for name, count, because in kept),
    )


def _text(value: bytes | None) -> str:
    return (value or b"").decode()


def _forget(settings: Settings) -> None:
    with target_of(settings) as target:
        numbers = numbers_of(target, settings.exchange_id, ())
        for table in _BY_NUMBER:
            for name in numbers:
                _forget_in(target, table, of(numbers, name))
        # What was removed is counted until everything else is forgotten.
        for table in sorted(set(BOOKKEEPING) - set(_BY_NUMBER), key=lambda name: (name == "exchange_removals", name)):
            _forget_in(target, table, f"exchange_id = {literal(settings.exchange_id)}")


def _forget_in(target: Connection, table: str, which: str) -> None:
    while execute(target, f"DELETE FROM {table} WHERE {which} LIMIT {_FORGOTTEN_AT_ONCE}"):
        pass
