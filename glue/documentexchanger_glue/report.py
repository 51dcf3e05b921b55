"""`report.json` beside the manifest: what the record copy did. It is written last, so its presence means complete."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from . import storage
from .domain import ROOT
from .errors import SourceMovedError
from .settings import Settings
from .task import Count

#: What is said of privileged or held-back documents, after their number.
_PRIVILEGED = MappingProxyType(
    {
        "included": "documents of the selection are privileged or held back and travel",
        "excluded": "documents are privileged or held back and were left out of the selection",
    }
)


@dataclass(frozen=True)
class Report:
    """What was copied, per table, and what could not travel."""

    parts: int
    rows: Mapping[str, Count]
    skipped: tuple[str, ...]
    seconds: float
    #: Table → sum of its rows' CRC-32, found equal in the source, translated, and in the destination.
    checksums: Mapping[str, int] = field(default_factory=dict)
    #: How many privileged or held-back documents are `included` and `excluded`; `None` where that is not known.
    privileged: Mapping[str, int] | None = None

    def as_json(self) -> dict[str, object]:
        """Return the report in the shape of the contract."""
        return {
            "documents": self.rows[ROOT].target,
            "parts": self.parts,
            "rows": {name: self._row(name) for name in self.rows},
            "skipped": list(self.skipped),
            "privileged": self.privileged and dict(self.privileged),
            "warnings": self._warnings(),
            "seconds": round(self.seconds, 3),
        }

    def _warnings(self) -> list[dict[str, object]]:
        counts = self.privileged or {}
        return [
            {
                "code": f"PRIVILEGED_{name.upper()}",
                "message": f"{counts[name]} {_PRIVILEGED[name]}",
                "count": counts[name],
            }
            for name in _PRIVILEGED
            if counts.get(name)
        ]

    def _row(self, name: str) -> dict[str, object]:
        told: dict[str, object] = {"source": self.rows[name].source, "target": self.rows[name].target}
        return told | ({"checksum": f"{self.checksums[name]:016x}"} if name in self.checksums else {})


def write_report(settings: Settings, report: Report) -> None:
    """Write the report; an earlier one is replaced."""
    storage.write_text(settings.data_bucket, settings.report_key, json.dumps(report.as_json()), "application/json")


def mismatches(rows: Mapping[str, Count]) -> list[str]:
    """Name the tables of which rows are missing in the destination."""
    return [f"{name}: {count.target} of {count.source}" for name, count in rows.items() if count.source != count.target]


def must_match(rows: Mapping[str, Count]) -> None:
    """Refuse a copy of which rows are missing."""
    if wrong := mismatches(rows):
        raise SourceMovedError(
            "COUNTS_DIFFER", f"rows are missing in the destination ({'; '.join(wrong)}); run it again"
        )


def skipped_lines(one_sided: Iterable[str], notes: Counter[str]) -> tuple[str, ...]:
    """Tell what one side lacks by its name alone, and what rows lost with the number of rows."""
    return (*sorted(set(one_sided)), *(f"{name}: {count}" for name, count in sorted(notes.items()) if count))
