"""AWS Glue job: copies the records of an exchange, or takes them out again.

Arguments and exit code; the work is in documentexchanger_glue.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

from documentexchanger_glue import storage
from documentexchanger_glue.errors import CopyError
from documentexchanger_glue.job import Spread, Tools, run
from documentexchanger_glue.log import Log, logger
from documentexchanger_glue.movers import MOVERS, STREAMING, chosen_mover
from documentexchanger_glue.remove import remove
from documentexchanger_glue.settings import Settings, given_arguments, settings_from
from documentexchanger_glue.threads import spread_over

#: On the server; more would wait for each other.
_STATEMENTS_AT_ONCE = 4
#: Of so many tasks, ten million rows, threads here keep the servers busy: they pass on whole statements. Spark's tasks
#: take longer than that to begin, and on one machine longer for all of them.
_FEW = 1000


def main(argv: list[str]) -> int:
    """Do what the arguments ask for; return 0 when all of it is done."""
    try:
        settings = settings_from(given_arguments(argv), storage.read_text)
        log = logger(
            {
                "exchangeId": settings.exchange_id,
                "caseId": settings.destination_case_id,
                "sourceCaseId": settings.source_case_id,
                "batchId": settings.batch_id,
            }
        )
        if settings.remove:
            remove(settings, log)
        else:
            copy(settings, log)
    except CopyError as error:
        print(f"ERROR {error.code}: {error.message}", flush=True)
        return 1
    return 0


def copy(settings: Settings, log: Log) -> None:
    """Copy with the mover that fits; Spark starts only where many rows must pass through it."""
    mover = chosen_mover(settings)
    log("mover chosen", mover=mover)
    with _spread(mover) as spread:
        run(settings, Tools(spread, MOVERS[mover], log))


@contextmanager
def _spread(mover: str) -> Iterator[Spread]:
    here: Spread = spread_over(_STATEMENTS_AT_ONCE)
    if mover != STREAMING:
        yield here
        return
    with ExitStack() as started:

        @cache
        def over_spark() -> Spread:
            from documentexchanger_glue.spark import spread_by, start_spark  # noqa: PLC0415 (costs seconds)

            session = start_spark("documentexchanger")
            started.callback(session.stop)
            return spread_by(session)

        yield lambda work, items: (here if len(items) <= _FEW else over_spark())(work, items)


if __name__ == "__main__":
    code = main(sys.argv)
    # AWS Glue takes every SystemExit for a failure, even 0.
    if code:
        sys.exit(code)
