"""What a check answers. Plain values: they go to Dagster, to the alerts log and to a report alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# A sample too small to judge is an answer of its own: neither an all-clear nor an alarm.
Status = Literal["passed", "failed", "insufficient_data"]
Severity = Literal["critical", "warning"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One rule, judged once.

    `observed` is the value nearest to breaking the rule, or the one that breaks it most; None where there was none.
    `sample_size` counts what the judged cells are made of (records, events, worker shifts).
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
