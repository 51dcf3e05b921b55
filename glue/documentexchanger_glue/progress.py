"""`progress.json` beside the report: rows done and in all, per table, while the copy runs."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Event, Thread

import pymysql

from . import storage
from .checkpoints import checked_in
from .errors import CopyError
from .settings import Settings
from .work import target_of

_SECONDS = 1.0


@contextmanager
def shown(settings: Settings, totals: Mapping[str, int], seconds: float = _SECONDS) -> Iterator[None]:
    """Tell every `seconds` how far the rows are, by the checkpoints of whoever moves them; `totals`: rows by table."""
    ended = Event()
    teller = Thread(target=_tell, args=(settings, totals, seconds, ended), daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()


def _tell(settings: Settings, totals: Mapping[str, int], seconds: float, ended: Event) -> None:
    told: dict[str, dict[str, int]] = {}
    is_last = False
    while not is_last:
        is_last = ended.wait(seconds if told else 0)
        # Who cannot be told how far the copy is must not stop it.
        with suppress(CopyError, pymysql.MySQLError):
            rows = _rows(settings, totals)
            if rows != told:
                text = json.dumps({"rows": rows})
                storage.write_text(settings.data_bucket, settings.progress_key, text, "application/json")
                told = rows


def _rows(settings: Settings, totals: Mapping[str, int]) -> dict[str, dict[str, int]]:
    done: Counter[str] = Counter()
    with target_of(settings) as target:
        for (table, _), moved in checked_in(target, settings.exchange_id).items():
            done[table] += moved.read
    # The source may have grown since its rows were counted.
    return {name: {"done": done[name], "total": max(total, done[name])} for name, total in sorted(totals.items())}
