"""The plan: order, circles, and ways up to the documents, decided from a catalogue alone."""

import pytest

from documentexchanger_glue.catalogue import Catalogue, Column, ForeignKey, Table
from documentexchanger_glue.checkpoints import cut
from documentexchanger_glue.errors import MisfitError
from documentexchanger_glue.order import order_of
from documentexchanger_glue.plan import make_plan
from documentexchanger_glue.work import Pace

LAST = (1 << 64) - 1

NEEDED = {
    "documents": ("id", "file_name"),
    "document_variants": ("id", "document_id", "role", "s3_key", "size", "sha256"),
    "exhibits": ("id", "document_id"),
}


def table(name: str, *keys: tuple[str, str], nullable: str = "", primary: tuple[str, ...] = ("id",)) -> Table:
    """Describe a table whose foreign keys are (column, parent)."""
    names = dict.fromkeys([*NEEDED.get(name, ("id",)), *primary, *(column for column, _ in keys)])
    return Table(
        name=name,
        columns={c: Column(c, "bigint", nullable=c in nullable.split()) for c in names},
        primary_key=primary,
        foreign_keys=tuple(ForeignKey((column,), parent, ("id",)) for column, parent in keys),
    )


def catalogue(*more: Table) -> Catalogue:
    known = [
        table("documents", ("parent_id", "documents"), nullable="parent_id"),
        table("document_variants", ("document_id", "documents")),
        table("exhibits", ("document_id", "documents")),
    ]
    return {one.name: one for one in [*known, *more]}


def test_parents_come_before_children_whatever_their_names() -> None:
    # Act
    plan = make_plan(
        catalogue(
            table("a", ("b_id", "b")), table("b", ("exhibit_id", "exhibits")), table("z", ("document_id", "documents"))
        ),
        frozenset(),
        include_natives=True,
    )
    # Assess
    assert plan.levels == (("documents",), ("document_variants", "exhibits", "z"), ("b",), ("a",))
    assert plan.tables["documents"].deferred == ("parent_id",)


def test_a_circle_is_broken_at_the_documents_where_that_is_possible() -> None:
    # Prepare
    documents = table("documents", ("cover_id", "document_variants"), nullable="cover_id")
    tables = {**catalogue(), "documents": documents}
    # Act
    levels, deferred = order_of(tables, first="documents")
    # Assess
    assert levels == (("documents",), ("document_variants", "exhibits"))
    assert deferred == {"documents": ("cover_id",)}


def test_a_circle_elsewhere_is_broken_at_the_first_table_that_can() -> None:
    # Prepare
    tables = {
        "a": table("a", ("b_id", "b")),
        "b": table("b", ("c_id", "c"), nullable="c_id"),
        "c": table("c", ("a_id", "a"), nullable="a_id"),
    }
    # Act
    levels, deferred = order_of(tables, first="")
    # Assess
    assert levels == (("b",), ("a",), ("c",))
    assert deferred == {"b": ("c_id",)}


def test_a_circle_that_cannot_be_broken_is_refused() -> None:
    # Act
    with pytest.raises(MisfitError) as caught:
        order_of({"a": table("a", ("b_id", "b")), "b": table("b", ("a_id", "a"))}, first="")
    # Assess
    assert caught.value.code == "TABLES_ENTANGLED"
    assert "a, b" in caught.value.message


def test_a_table_without_a_key_that_can_be_translated_stays_with_its_children() -> None:
    # Prepare
    keyless = table("keyless", ("document_id", "documents"), primary=())
    child = table("child", ("keyless_id", "keyless"))
    # Act
    plan = make_plan(catalogue(keyless, child), frozenset(), include_natives=True)
    # Assess
    assert plan.owned == ("documents", "document_variants", "exhibits")
    assert plan.skipped == ("keyless",)


def test_a_table_that_needs_what_was_not_chosen_stays() -> None:
    # Prepare
    needing = table("needing", ("document_id", "documents"), ("label_id", "labels"))
    wishing = table("wishing", ("document_id", "documents"), ("label_id", "labels"), nullable="label_id")
    # Act
    plan = make_plan(catalogue(needing, wishing, table("labels")), frozenset(), include_natives=True)
    # Assess
    assert "needing" not in plan.tables
    assert "labels" not in plan.tables
    assert plan.tables["wishing"].constants == {"label_id": b"NULL"}


def test_lookups_may_refer_to_documents_only_where_they_can_do_without() -> None:
    # Prepare
    owned = table("owned", ("document_id", "documents"), ("user_id", "users"))
    free = table("users", ("first_document_id", "documents"), nullable="first_document_id")
    bound = table("users", ("first_document_id", "documents"))
    # Act
    plan = make_plan(catalogue(owned, free), frozenset(), include_natives=True)
    with pytest.raises(MisfitError) as caught:
        make_plan(catalogue(owned, bound), frozenset(), include_natives=True)
    # Assess
    assert plan.tables["users"].constants == {"first_document_id": b"NULL"}
    assert caught.value.code == "TABLES_ENTANGLED"


def test_documents_must_have_a_number_for_a_key() -> None:
    # Act
    with pytest.raises(MisfitError) as caught:
        make_plan({**catalogue(), "documents": table("documents", primary=())}, frozenset(), include_natives=True)
    # Assess
    assert caught.value.code == "KEY_UNKNOWN"


@pytest.mark.parametrize(
    ("counts", "chunks"),
    [
        ({}, [(0, LAST, 0)]),
        ({0: 4, 1: 3, 2: 4}, [(0, 19, 7), (20, LAST, 4)]),
        ({3: 25, 9: 1}, [(0, 89, 25), (90, LAST, 1)]),
        ({9: 5, 3: 5}, [(0, LAST, 10)]),
    ],
)
def test_tables_are_cut_into_chunks_of_about_equally_many_rows_that_cover_all_ids(
    counts: dict[int, int], chunks: list[tuple[int, int, int]]
) -> None:
    # Act
    made = cut(counts, Pace(rows=10, grain=10, documents=1), 7)
    # Assess
    assert [(chunk.first, chunk.last, rows) for chunk, rows in made] == chunks
    assert [chunk.number for chunk, _ in made] == list(range(7, 7 + len(chunks)))
