"""AWS Glue job: copies the records of an exchange. Arguments and exit code; the work is in documentexchanger_glue."""

import sys

from documentexchanger_glue import storage
from documentexchanger_glue.errors import CopyError
from documentexchanger_glue.job import Tools, run
from documentexchanger_glue.log import logger
from documentexchanger_glue.settings import Settings, given_arguments, settings_from
from documentexchanger_glue.spark import spread_by, start_spark


def main(argv: list[str]) -> int:
    """Run the copy that the arguments ask for; return 0 when all of it is done."""
    try:
        settings = settings_from(given_arguments(argv), storage.read_text)
        copy(settings)
    except CopyError as error:
        print(f"ERROR {error.code}: {error.message}", flush=True)
        return 1
    return 0


def copy(settings: Settings) -> None:
    """Copy with Spark."""
    log = logger(
        {
            "exchangeId": settings.exchange_id,
            "caseId": settings.destination_case_id,
            "sourceCaseId": settings.source_case_id,
            "batchId": settings.batch_id,
        }
    )
    session = start_spark("documentexchanger")
    try:
        run(settings, Tools(spread_by(session), log))
    finally:
        session.stop()


if __name__ == "__main__":
    code = main(sys.argv)
    # AWS Glue takes every SystemExit for a failure, even 0.
    if code:
        sys.exit(code)
