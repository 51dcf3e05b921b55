"""Work spread over Spark's tasks."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from pyspark.sql import SparkSession

from .errors import CopyError

Item = TypeVar("Item")
Result = TypeVar("Result")


def start_spark(name: str) -> SparkSession:
    """Start Spark, or join the session that AWS Glue has started."""
    # Progress bars would break the log's lines.
    return SparkSession.builder.appName(name).config("spark.ui.showConsoleProgress", "false").getOrCreate()


def spread_by(
    session: SparkSession,
) -> Callable[[Callable[[Item], Result], Sequence[Item]], list[Result]]:
    """Return a function that does `work` for every item, one task each, and returns the results in order.

    The first error of ours ends the whole with that error; Spark's own error would bury its code in a stack trace.
    """

    def spread(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        if not items:
            return []
        outcomes = session.sparkContext.parallelize(items, len(items)).map(_caught(work)).collect()
        for error, _ in outcomes:
            if error is not None:
                raise error
        return [result for _, result in outcomes]

    return spread


def _caught(
    work: Callable[[Item], Result],
) -> Callable[[Item], tuple[CopyError | None, Result | None]]:
    def attempt(item: Item) -> tuple[CopyError | None, Result | None]:
        try:
            return None, work(item)
        except CopyError as error:
            return type(error)(error.code, error.message), None

    return attempt
