"""Whatever tables hang on documents, and whatever they hold: exactly the selected rows arrive, and can be taken out."""

from collections.abc import Callable
from typing import Any

import pymysql
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from documentexchanger_glue.movers import MOVERS
from documentexchanger_glue.remove import remove
from documentexchanger_glue.settings import Selection
from tests.cases import Case
from tests.conftest import cases_of, exchange_between, quiet
from tests.generated import Table, ddl, tables
from tests.generated_rows import Rows, expected, rows_of, told, write


@st.composite
def exchanges(draw: st.DrawFn) -> tuple[tuple[Table, ...], Rows, Rows, set[int] | None]:
    """Tables, the rows of the source and of the destination, and which documents are meant; none stands for all."""
    chosen = draw(tables())
    source = draw(rows_of(chosen, "source"))
    documents = draw(st.none() | st.sets(st.sampled_from(range(source.documents)), min_size=1))
    return chosen, source, draw(rows_of(chosen, "target")), documents


@pytest.mark.usefixtures("aws")
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(exchanges())
def test_exactly_the_selected_rows_arrive_and_go_again(
    root: pymysql.Connection, given_case: tuple[tuple[Table, ...], Rows, Rows, set[int] | None]
) -> None:
    # Prepare
    chosen, ours, theirs, documents = given_case
    with cases_of(root) as new_case:
        source = filled(new_case, chosen, ours)
        before, read = source.fingerprint(), told(source, chosen)
        meant = set(range(ours.documents)) if documents is None else documents
        ids = tuple(sorted(row.values["id"] for row in ours.by_table["documents"] if row.document in meant))
        selection = Selection("all") if documents is None else Selection("documents", ids)
        for mover in sorted(MOVERS):
            target = filled(new_case, chosen, theirs)
            untouched, held = target.fingerprint(), told(target, chosen)
            exchange = exchange_between(source, target, mover, selection)
            # Act
            exchange.run()
            # Assess
            assert told(target, chosen) == expected(read, held, chosen, ours.tags_of(meant)), mover
            assert target.dangling() == []
            assert source.fingerprint() == before
            copied = target.fingerprint()
            exchange.run()
            assert target.fingerprint() == copied
            remove(exchange.settings, quiet)
            assert target.fingerprint() == untouched


def filled(new_case: Callable[..., Any], chosen: tuple[Table, ...], rows: Rows) -> Case:
    case: Case = new_case(schema=ddl(chosen))
    write(case, rows)
    return case
