"""The only adapter to Great Expectations: judges a frame by a suite and returns plain results. Contains no rules."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable
from functools import cache, reduce
from typing import TYPE_CHECKING, Any

from quality.checks.results import CheckResult, Severity

if TYPE_CHECKING:
    import great_expectations as gx
    import pandas as pd

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def validate(
    table: str, suite: gx.ExpectationSuite, frame: pd.DataFrame, keep: Callable[[Any], None] | None = None
) -> list[CheckResult]:
    """Judge every expectation of a suite on a frame of aggregates. Returns one result for each, in the suite's order.

    `keep` is called with Great Expectations' own result, for display.

    The result is `insufficient_data` if the expectation's `row_condition` leaves no row. It is `failed` if the
    expectation cannot be evaluated; its sentence then contains the reason.
    """
    if frame.empty:
        return [_insufficient(table, expectation, 0) for expectation in suite.expectations]
    batch = _context().data_sources.pandas_default.read_dataframe(frame)
    validated = batch.validate(suite)
    for outcome in validated.results:
        if isinstance(outcome.result.get("observed_value"), float):
            # the renderer of its pages cannot handle numpy values
            outcome.result["observed_value"] = float(outcome.result["observed_value"])
    if keep is not None:
        keep(validated)
    outcomes = {_key(outcome.expectation_config.meta): outcome for outcome in validated.results}
    return [_judge(table, expectation, frame, outcomes) for expectation in suite.expectations]


def _key(meta: Any) -> tuple[str, str]:
    """The key of a rule. A rule that exists once per site has a key for each site."""
    return meta["name"], meta.get("site", "")


@cache
def _context() -> Any:
    """One context for all suites of a process, without storage, output or network access."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context


def _judge(table: str, expectation: Any, frame: pd.DataFrame, outcomes: dict[tuple[str, str], Any]) -> CheckResult:
    judged = frame[_meets(expectation.row_condition, frame)] if expectation.row_condition else frame
    sample_size = round(float(judged[expectation.meta["sample"]].sum()))
    if judged.empty:
        return _insufficient(table, expectation, sample_size)
    outcome = outcomes[_key(expectation.meta)]
    if (outcome.exception_info or {}).get("raised_exception", True):  # a mapping by metric if one of several raised
        return not_judged(table, expectation.meta["name"], outcome.exception_info)
    status = "passed" if outcome.success else "failed"
    if "observed_value" in outcome.result:
        observed = _number(outcome.result["observed_value"])
        seen = f"Observed is {_text(observed)}, allowed is {_threshold(expectation)}."
        return _result(table, expectation, status, observed, sample_size, seen)
    if "sentence" in judged and not outcome.success:
        broken = judged[judged[expectation.column] > expectation.max_value]
        worst = broken.sort_values("extent", ascending=False, na_position="last").iloc[0]
        seen = f"{len(broken)} of {len(judged)} cells, the worst: {worst['sentence']}"
        return _result(table, expectation, status, float(worst[expectation.column]), sample_size, seen)
    observed, cell = _nearest_to_breaking(expectation, judged)
    if outcome.success:
        seen = f"All {len(judged)} cells keep it; the nearest to the limit has {_text(observed)}{cell}."
    else:
        broken = outcome.result["unexpected_count"]
        seen = (
            f"In {broken} of {len(judged)} cells; the furthest from the limit has {_text(observed)}{cell}, "
            f"allowed is {_threshold(expectation)}."
        )
    return _result(table, expectation, status, observed, sample_size, seen)


def _meets(condition: Any, frame: pd.DataFrame) -> Any:
    """The rows that meet a row condition, so that the judged cells can be counted and named."""
    if condition.type == "and":
        return reduce(operator.and_, (_meets(part, frame) for part in condition.conditions))
    return _COMPARISONS[condition.operator](frame[condition.column.name], condition.parameter)


def not_judged(table: str, name: str, error: object) -> CheckResult:
    """The result of a rule that could not be evaluated. It counts as failed, because the rule may be broken."""
    reason = " ".join(str(error).split())[:300]
    return CheckResult(table, name, "failed", "warning", None, "", 0, f"This could not be judged: {reason}", "")


def _nearest_to_breaking(expectation: Any, judged: pd.DataFrame) -> tuple[float | None, str]:
    """The value nearest to its limits or furthest beyond them, and its cell."""
    values = judged[expectation.column].dropna().astype(float)
    if values.empty:
        return None, ""
    room = values * 0 + float("inf")
    if expectation.min_value is not None:
        room = room.combine(values - expectation.min_value, min)
    if expectation.max_value is not None:
        room = room.combine(expectation.max_value - values, min)
    row = judged.loc[room.idxmin()]
    cell = ", ".join(f"{name} {_cell_text(row[name])}" for name in expectation.meta["cell"])
    return float(row[expectation.column]), f" ({cell})"


def _insufficient(table: str, expectation: Any, sample_size: int) -> CheckResult:
    smallest = expectation.meta.get("smallest_sample", 1)
    seen = f"Too little to judge: no cell has the {smallest} {expectation.meta['sample'].replace('_', ' ')} it takes."
    return _result(table, expectation, "insufficient_data", None, sample_size, seen)


def _result(
    table: str, expectation: Any, status: Any, observed: float | None, sample_size: int, seen: str
) -> CheckResult:
    """The result of a rule. Its sentence is the rule, or what is wrong if the rule failed, followed by `seen`."""
    severity: Severity = "critical" if expectation.severity == "critical" else "warning"
    wrong = expectation.meta.get("wrong")
    said = (f"{wrong}. " if wrong else "") if status == "failed" else f"{expectation.description} "
    notes = expectation.notes if isinstance(expectation.notes, str) else " ".join(expectation.notes or ())
    return CheckResult(
        table=table,
        name=expectation.meta["name"],
        status=status,
        severity=severity,
        observed=observed,
        threshold=_threshold(expectation),
        sample_size=sample_size,
        sentence=f"{said}{seen}",
        notes=notes,
    )


def _threshold(expectation: Any) -> str:
    lowest, highest = getattr(expectation, "min_value", None), getattr(expectation, "max_value", None)
    if hasattr(expectation, "threshold"):
        return f"below {expectation.threshold}"
    if lowest is not None and lowest == highest:
        return f"{lowest:g}"
    if lowest is None:
        return f"at most {highest:g}"
    return f"at least {lowest:g}" if highest is None else f"{lowest:g} to {highest:g}"


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _text(value: float | None) -> str:
    return "no value" if value is None else f"{value:.4g}"


def _cell_text(value: Any) -> str:
    return str(value.date()) if hasattr(value, "date") else str(value)
