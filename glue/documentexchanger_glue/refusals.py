"""What is refused before anything is written."""

from collections.abc import Sequence

from pymysql.connections import Connection

from .confidentiality import BITS
from .db import fetch, quoted
from .domain import CODES, EXHIBITS
from .lookups import gather
from .merge import code_bits
from .mover import measured
from .survey import Survey
from .work import Work

_MEASURED_AT_ONCE = 1000


def refuse_too_many_codes(source: Connection, target: Connection, work: Work, documents: Sequence[int]) -> None:
    """Refuse when the destination has too few free bits for the codes that the documents bring along."""
    if CODES not in work.plan.lookups or _count(source) + _count(target) <= BITS:
        return
    names = [
        name
        for name in work.plan.owned
        if name == EXHIBITS or any(key.parent == CODES for key in work.plan.tables[name].table.foreign_keys)
    ]
    found = Survey()
    for start in range(0, len(documents), _MEASURED_AT_ONCE):
        among = f"IN ({','.join(map(str, documents[start : start + _MEASURED_AT_ONCE]))})"
        for name in names:
            found.add(measured(source, work, name, among))
    code_bits(target, work.plan.tables[CODES], gather(source, work.plan, found).of(CODES))


def _count(case: Connection) -> int:
    ((number,),) = fetch(case, f"SELECT COUNT(*) FROM {quoted(CODES)}")
    return int(number or 0)
