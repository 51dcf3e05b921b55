"""Structured log: one JSON object a line on standard output, never a secret and never row contents."""

import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol, TextIO


class Log(Protocol):
    """Writes one line: a message and named values."""

    def __call__(self, message: str, /, **values: object) -> None:
        """Write the line."""


def logger(
    context: Mapping[str, object],
    stream: TextIO | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Log:
    """Return a log whose lines all carry `context` (exchangeId, caseId, batchId …)."""

    def write(message: str, /, **values: object) -> None:
        line = {"time": now().isoformat(), "level": "info", **context, "msg": message, **values}
        print(json.dumps(line, ensure_ascii=False), file=stream or sys.stdout, flush=True)

    return write
