"""Rows that refer to what is not there though its id was shifted: the destination refuses them.

Then the ids of what they refer to are spelled out in the map, and all goes on with that.

An id in the middle of a range may have no row, because it was never given, or its row did not come along after all.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pymysql
from pymysql.connections import Connection

from .db import PARENTLESS, number_of
from .idmap import shifts_of, spell_out
from .plan import TablePlan
from .work import Work, target_of


def refers_to_hole(target: Connection, work: Work, table: TablePlan, cause: pymysql.IntegrityError) -> bool:
    """Say whether a row may have been refused because ids are shifted; what the table refers to is not from now on."""
    if number_of(cause) != PARENTLESS:
        return False
    parents = [work.plan.tables[name] for name in sorted(set(table.mapped.values()))]
    return spell_out(target, work.settings.exchange_id, work.numbers, parents)


def despite_holes(complete: Callable[[Work], Counter[str]], work: Work, table: TablePlan) -> Counter[str]:
    """Set columns, and set them anew where one of them would have referred to a hole."""
    while True:
        try:
            return complete(work)
        except pymysql.IntegrityError as cause:
            with target_of(work.settings) as target:
                if not refers_to_hole(target, work, table, cause):
                    raise
                work = replace(work, shifts=shifts_of(target, work.settings.exchange_id))
