"""One module per table. Each defines its rules as a Great Expectations suite and lists their names in `CHECKS`.

Great Expectations takes seconds to import. So each module imports it inside its function, and reading the names is
fast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quality.drift.baselines import Baseline
from quality.expectations import frames
from quality.expectations.suites import check_results, event_mix, landed_objects, model_days, worker_shifts

if TYPE_CHECKING:
    import great_expectations as gx


@dataclass(frozen=True, slots=True)
class Plant:
    """The inputs of rules: each site's expected event mix."""

    baselines: Mapping[str, Baseline]


@dataclass(frozen=True, slots=True)
class Suite:
    """A mart's rules by name, the query of their frame, and the function that builds the suite."""

    mart: str
    checks: tuple[str, ...]
    frame: str
    expectations: Callable[[Plant], gx.ExpectationSuite]


SUITES = (
    Suite("landed_objects", landed_objects.CHECKS, frames.LANDED_OBJECTS, landed_objects.landed_objects_suite),
    Suite("model_days", model_days.CHECKS, frames.MODEL_DAYS, model_days.model_days_suite),
    Suite("model_days", event_mix.CHECKS, frames.EVENT_MIX, event_mix.event_mix_suite),
    Suite("check_results", check_results.CHECKS, frames.CHECK_RESULTS, check_results.check_results_suite),
    Suite("worker_shifts", worker_shifts.CHECKS, frames.WORKER_SHIFTS, worker_shifts.worker_shifts_suite),
)
