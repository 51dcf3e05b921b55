"""Puts lookup rows into the destination: an equal row that is there already is used as it is, others are added.

What is equal is for the destination to say: rows are compared by its own collations. All of it runs under one lock for
the destination, so that two exchanges do not add the same name twice; others who work there do not wait for it.
"""

from collections.abc import Mapping, Sequence

import pymysql
from pymysql.connections import Connection

from .confidentiality import assign_bits
from .db import DUPLICATE, execute, fetch, number_of, quoted, transaction
from .domain import CODES
from .errors import MisfitError
from .idmap import lookup, record
from .lookups import Gathered
from .plan import TablePlan
from .ranges import set_aside_more
from .translate import Placed, Values, id_maps, key_of, place
from .work import Work
from .writing import NewRow, existing, insert_missing


def code_bits(target: Connection, table: TablePlan, rows: Sequence[Values]) -> dict[int, int]:
    """Choose a bit for each code that the destination does not have: source code id → bit. Only reads."""
    new = [int(row["id"] or 0) for row in rows if _equal_row(target, table, row, Placed({})) is None]
    return assign_bits(new, {int(row[0] or 0) for row in fetch(target, f"SELECT bit_index FROM {CODES}")})


def _bits_now(target: Connection, work: Work, rows: Sequence[Values]) -> dict[int, int]:
    ids = lookup(target, work.numbers, CODES, (int(row["id"] or 0) for row in rows))
    bits = {int(code or 0): int(bit or 0) for code, bit in fetch(target, f"SELECT id, bit_index FROM {CODES}")}
    return {int(row["bit_index"] or 0): bits[ids[int(row["id"] or 0)]] for row in rows}


def merge(target: Connection, work: Work, gathered: Gathered) -> dict[int, int]:
    """Merge every gathered row; return how confidentiality bits of the source are told in the destination."""
    bits: dict[int, int] = {}
    for name in work.plan.lookups:
        table, rows = work.plan.tables[name], gathered.of(name)
        given: Mapping[int, Mapping[str, bytes]] = {}
        if name == CODES:
            new = code_bits(target, table, rows)
            given = {code: {"bit_index": str(bit).encode()} for code, bit in new.items()}
        for row in _parents_first(table, rows):
            source_id = int(row[table.id_column] or 0) if table.id_column else 0
            _merge_row(target, work, table, row, given.get(source_id, {}))
        if name == CODES:
            bits = _bits_now(target, work, rows)
    for name in work.plan.companions:
        _link(target, work, work.plan.tables[name], gathered.of(name))
    return bits


def found_in_target(target: Connection, work: Work, table: TablePlan, rows: Sequence[Values]) -> int:
    """Count the gathered rows that have their row in the destination."""
    keys = _target_keys(target, work, table, rows)
    present = existing(target, table, keys)
    return sum(key in present for key in keys)


def _target_keys(target: Connection, work: Work, table: TablePlan, rows: Sequence[Values]) -> list[tuple[bytes, ...]]:
    if table.id_column:
        column = table.id_column
        ids = lookup(target, work.numbers, table.name, (int(row[column] or 0) for row in rows))
        return [(str(found).encode(),) for found in (ids.get(int(row[column] or 0)) for row in rows) if found]
    return [key_of(table, row, placed, 0) for row, placed in _placed(target, work, table, rows)]


def _placed(target: Connection, work: Work, table: TablePlan, rows: Sequence[Values]) -> list[tuple[Values, Placed]]:
    columns = tuple(column for column in table.mapped if column not in table.constants)
    maps = id_maps(target, work, table, rows, columns)
    placed = ((row, place(work, table, row, maps, columns)) for row in rows)
    return [(row, found) for row, found in placed if isinstance(found, Placed)]


def _merge_row(target: Connection, work: Work, table: TablePlan, row: Values, given: Mapping[str, bytes]) -> None:
    if table.id_column and _is_settled(target, work, table, int(row[table.id_column] or 0)):
        return
    ((_, placed),) = _placed(target, work, table, [row])
    if not table.id_column:
        literals = [_literal(table, name, row, placed, given) for name in table.table.columns]
        with transaction(target):
            insert_missing(target, work.numbers, table, [NewRow(key_of(table, row, placed, 0), literals)])
        return
    source_id = int(row[table.id_column] or 0)
    found = _equal_row(target, table, row, placed)
    if found is None:
        try:
            _add(target, work, table, row, placed, given)
        except pymysql.IntegrityError as cause:
            # Somebody who works in the destination was quicker by a moment.
            found = _equal_row(target, table, row, placed) if number_of(cause) == DUPLICATE else None
            if found is None:
                raise
    if found is not None:
        record(target, work.numbers, table.name, [(source_id, found)], merged=True, replace=True)


def _is_settled(target: Connection, work: Work, table: TablePlan, source_id: int) -> bool:
    """Say whether an earlier attempt merged the row and its counterpart is still there."""
    known = lookup(target, work.numbers, table.name, [source_id])
    return bool(known) and bool(existing(target, table, [(str(known[source_id]).encode(),)]))


def _equal_row(target: Connection, table: TablePlan, row: Values, placed: Placed) -> int | None:
    if not table.natural_key:
        return None
    # `<=>` finds rows without a parent too.
    conditions = b" AND ".join(
        b"%s <=> %s" % (quoted(name).encode(), _literal(table, name, row, placed, {})) for name in table.natural_key
    )
    key = quoted(table.table.primary_key[0]).encode()
    sql = b"SELECT %s FROM %s WHERE %s ORDER BY %s LIMIT 1" % (key, quoted(table.name).encode(), conditions, key)
    found = fetch(target, sql)
    return int(found[0][0] or 0) if found else None


def _add(
    target: Connection, work: Work, table: TablePlan, row: Values, placed: Placed, given: Mapping[str, bytes]
) -> None:
    settings, id_column = work.settings, table.id_column or ""
    names = list(table.table.columns)
    literals = {name: _literal(table, name, row, placed, given) for name in names}
    if table.table.columns[id_column].auto_increment:
        names.remove(id_column)
    else:
        first = set_aside_more(target, settings.target_schema, settings.exchange_id, table.table, 1).first
        literals[id_column] = str(first).encode()
    columns = ", ".join(quoted(name) for name in names).encode()
    values = b",".join(literals[name] for name in names)
    sql = b"INSERT INTO %s (%s) VALUES (%s)" % (quoted(table.name).encode(), columns, values)
    with transaction(target):
        execute(target, sql)
        new_id = target.insert_id() or int(literals[id_column])
        record(target, work.numbers, table.name, [(int(row[id_column] or 0), new_id)], replace=True)


def _literal(table: TablePlan, name: str, row: Values, placed: Placed, given: Mapping[str, bytes]) -> bytes:
    if name in given:
        return given[name]
    if name in table.constants:
        return table.constants[name]
    if name in table.mapped:
        return str(placed.ids[name]).encode() if name in placed.ids else b"NULL"
    return table.table.columns[name].literal(row[name])


def _parents_first(table: TablePlan, rows: Sequence[Values]) -> list[Values]:
    """Order the rows of a tree so that no row comes before its parent."""
    own = [column for column, parent in table.mapped.items() if parent == table.name]
    if not own or not table.id_column:
        return list(rows)
    ordered: list[Values] = []
    waiting = list(rows)
    while waiting:
        unplaced = {row[table.id_column] for row in waiting}
        ready = [row for row in waiting if not any(row[column] in unplaced for column in own)]
        if not ready:
            raise MisfitError(
                "ROWS_CIRCULAR", f"rows of table {table.name} are each other's parents; put them right first"
            )
        ordered += ready
        waiting = [row for row in waiting if row not in ready]
    return ordered


def _link(target: Connection, work: Work, table: TablePlan, rows: Sequence[Values]) -> None:
    """Add links between merged rows that the destination does not have."""
    new = [
        NewRow(
            key_of(table, row, placed, 0),
            [_literal(table, name, row, placed, {}) for name in table.table.columns],
        )
        for row, placed in _placed(target, work, table, rows)
    ]
    with transaction(target):
        insert_missing(target, work.numbers, table, new)
