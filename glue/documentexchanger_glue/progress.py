"""`progress.json` beside the report: rows done and in all, per table, while the copy runs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import pymysql

from . import storage
from .checkpoints import how_far
from .errors import CopyError
from .settings import Settings
from .work import target_of

_SECONDS = 1.0


@contextmanager
def shown(settings: Settings, seconds: float = _SECONDS) -> Iterator[None]:
    """Tell every `seconds` how far the rows are, by the checkpoints of whoever moves them."""
    ended = Event()
    teller = Thread(target=_tell, args=(settings, seconds, ended), daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()


def _tell(settings: Settings, seconds: float, ended: Event) -> None:
    told: dict[str, dict[str, int]] = {}
    is_last = False
    while not is_last:
        is_last = ended.wait(seconds if told else 0)
        # Who cannot be told how far the copy is must not stop it.
        with suppress(CopyError, pymysql.MySQLError):
            rows = _rows(settings)
            if rows != told:
                text = json.dumps({"rows": rows})
                storage.write_text(settings.data_bucket, settings.progress_key, text, "application/json")
                told = rows


def _rows(settings: Settings) -> dict[str, dict[str, int]]:
    with target_of(settings) as target:
        found = how_far(target, settings.exchange_id)
    return {name: {"done": done, "total": total} for name, (done, total) in found.items()}
