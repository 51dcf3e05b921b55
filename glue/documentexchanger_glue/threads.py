"""Work spread over threads of this process: the database servers do it, or it is too little for Spark."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def spread_over(workers: int) -> Callable[[Callable[[Item], Result], Sequence[Item]], list[Result]]:
    """Return a function that does `work` for every item, some at once, and returns the results in order.

    The first error ends the whole; what has begun by then is done to its end.
    """

    def spread(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        with ThreadPoolExecutor(workers) as pool:
            futures = [pool.submit(work, item) for item in items]
            try:
                return [future.result() for future in futures]
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    return spread
