"""Results of checks as plain values, shared by Dagster, the marts and the report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

# `insufficient_data` is neither an all-clear nor an alarm.
Status = Literal["passed", "failed", "insufficient_data"]
Severity = Literal["critical", "warning"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One rule of a suite, judged once.

    `observed` is the value nearest to the limit, or the one that exceeds it most; None if there is no value.
    `sample_size` counts the records, events or worker shifts of the judged cells.
    """

    table: str
    name: str
    status: Status
    severity: Severity
    observed: float | None
    threshold: str
    sample_size: int
    sentence: str
    notes: str


@dataclass(frozen=True, slots=True)
class Cell:
    """The subject of a result: a site (`*`: the whole plant), and within it a camera, a model version, or both.

    An empty text means that the result is about no single camera or model.
    """

    site_id: str
    camera_id: str = ""
    model_name: str = ""
    model_version: str = ""

    @property
    def name(self) -> str:
        """The cell in words."""
        model = f"model {self.model_name} {self.model_version}".strip() if self.model_name or self.model_version else ""
        camera = f"camera {self.camera_id}" if self.camera_id else ""
        site = "the plant" if self.site_id == "*" else f"site {self.site_id}"
        return ", ".join(part for part in (site, camera, model) if part)


@dataclass(frozen=True, slots=True)
class DayResult:
    """One check of one cell on one day, a row of the mart `check_results`.

    `status`: pass, warn (a failed check of severity warning), fail (of severity critical), insufficient_data. `metric`
    is the subject of incidents; several checks can be evidence for one metric. A day with `is_strong` opens an incident
    by itself. A day with `is_back` counts towards the end of an incident; a day just short of evidence does not.
    """

    evidence_date: date
    check_name: str
    metric: str
    cell: Cell
    status: str
    severity: Severity
    observed: float | None
    threshold: float | None
    sample_size: int
    effect: float | None
    p_value: float | None
    sentence: str
    is_strong: bool = False
    is_back: bool = True

    @property
    def is_evidence(self) -> bool:
        """Whether it is evidence for an incident."""
        return self.status in ("warn", "fail")

    @property
    def is_judged(self) -> bool:
        """Whether there was enough data to judge."""
        return self.status != "insufficient_data"


def count_result(check: str, metric: str, cell: Cell, day: date, count: int, judged: int, said: str) -> DayResult:
    """A day of a check that warns of anything it counts. `judged` is what was looked at, `said` the sentence's rest."""
    return DayResult(
        evidence_date=day,
        check_name=check,
        metric=metric,
        cell=cell,
        status="warn" if count else "pass",
        severity="warning",
        observed=float(count),
        threshold=0.0,
        sample_size=judged,
        effect=float(count),
        p_value=None,
        sentence=f"{cell.name[0].upper()}{cell.name[1:]}: {said}.",
        is_strong=count > 0,
    )
